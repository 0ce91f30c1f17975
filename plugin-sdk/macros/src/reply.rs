//! `#[derive(Reply)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Fields, Result, spanned::Spanned};

use crate::name::{Name, refuse_duplicates};

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
            _ => return Err(Error::new(input.ident.span(), "a reply needs at least one field with a name")),
        },
        _ => return Err(Error::new(input.ident.span(), "only a struct can be `Reply`")),
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "`Reply` can't be generic"));
    }
    let mut idents = Vec::new();
    let mut names = Vec::new();
    let mut types = Vec::new();
    for field in fields {
        let Some(ident) = &field.ident else {
            return Err(Error::new(field.span(), "the field needs a name"));
        };
        idents.push(ident);
        names.push(Name::new(ident, None)?);
        types.push(&field.ty);
    }
    refuse_duplicates(&names)?;
    let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    let declarations = names
        .iter()
        .zip(&types)
        .map(|(name, ty)| quote_spanned!(ty.span()=> ::callslip_sdk::__private::named_reply::<#ty>(#name)));
    let ident = &input.ident;
    Ok(quote! {
        impl ::callslip_sdk::Reply for #ident {
            fn declare() -> ::callslip_sdk::__private::ir::Reply {
                ::callslip_sdk::__private::ir::Reply::Named(::std::vec![#(#declarations),*])
            }

            fn into_roots(self) -> ::std::vec::Vec<(&'static str, ::callslip_sdk::__private::Root)> {
                ::std::vec![#((#names, ::callslip_sdk::ReplyStatement::into_root(self.#idents))),*]
            }
        }
    })
}
