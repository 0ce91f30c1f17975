//! `#[derive(SqlEnum)]`.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Result, ext::IdentExt, spanned::Spanned};

use crate::{attributes, name::snake_case};

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "only an enum can be `SqlEnum`"));
    };
    if data.variants.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum without variants has no value"));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "`SqlEnum` can't be generic"));
    }
    let mut ty = None::<LitStr>;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("sql")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("type") {
                attributes::value(&meta, &mut ty)
            } else {
                Err(meta.error("`#[sql(…)]` on an enum takes `type = \"…\"`"))
            }
        })?;
    }
    let (mut idents, mut labels, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(variant.fields.span(), "a label has no fields"));
        }
        let mut rename = None::<LitStr>;
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("sql")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    attributes::value(&meta, &mut rename)
                } else {
                    Err(meta.error("`#[sql(…)]` on a variant takes `rename = \"…\"`"))
                }
            })?;
        }
        let label = match &rename {
            Some(rename) => rename.value(),
            None => snake_case(&variant.ident.unraw().to_string()),
        };
        if !known.insert(label.clone()) {
            return Err(Error::new(variant.span(), format!("the label `{label}` is there twice")));
        }
        idents.push(variant.ident.clone());
        labels.push(label);
    }
    let ident = &input.ident;
    let ty = ty.map(|ty| ty.value());
    Ok(implementation(ident, ty.as_deref(), &idents, &labels))
}

/// `SqlEnum` for an enum, with a label for each variant.
pub(crate) fn implementation(
    ident: &Ident,
    ty: Option<&str>,
    variants: &[Ident],
    labels: &[String],
) -> TokenStream {
    let ty = match ty {
        Some(ty) => quote!(::std::option::Option::Some(#ty)),
        None => quote!(::std::option::Option::None),
    };
    quote! {
        impl ::callslip_sdk::SqlEnum for #ident {
            const LABELS: &'static [&'static str] = &[#(#labels),*];
            const TYPE: ::std::option::Option<&'static str> = #ty;

            fn label(&self) -> &'static str {
                match self { #(Self::#variants => #labels),* }
            }

            fn from_label(label: &str) -> ::std::option::Option<Self> {
                match label {
                    #(#labels => ::std::option::Option::Some(Self::#variants),)*
                    _ => ::std::option::Option::None,
                }
            }
        }
    }
}
