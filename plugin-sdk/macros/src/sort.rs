//! `#[derive(Sort)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Variant, ext::IdentExt, spanned::Spanned,
};

use crate::attributes;
use crate::name::{Name, refuse_duplicates, snake_case};

struct Key<'a> {
    ident: &'a Ident,
    name: Name,
    /// A variant of `Nulls`.
    nulls: &'static str,
}

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "only an enum can be `Sort`: its variants are the keys"));
    };
    if data.variants.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum without variants has no key to sort by"));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "`Sort` can't be generic"));
    }
    let keys = data.variants.iter().map(read).collect::<Result<Vec<_>>>()?;
    refuse_duplicates(keys.iter().map(|key| &key.name))?;

    let ident = &input.ident;
    let idents: Vec<_> = keys.iter().map(|key| key.ident).collect();
    let names: Vec<_> = keys.iter().map(|key| &key.name.text).collect();
    let nulls = keys.iter().map(|key| Ident::new(key.nulls, key.ident.span()));
    Ok(quote! {
        impl ::callslip_sdk::SortKey for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn from_name(name: &str) -> ::std::option::Option<Self> {
                match name {
                    #(#names => ::std::option::Option::Some(Self::#idents),)*
                    _ => ::std::option::Option::None,
                }
            }

            fn nulls(&self) -> ::callslip_sdk::__private::ir::Nulls {
                match self { #(Self::#idents => ::callslip_sdk::__private::ir::Nulls::#nulls),* }
            }
        }
    })
}

fn read(variant: &Variant) -> Result<Key<'_>> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new(variant.fields.span(), "a sort key has no fields"));
    }
    let (mut nulls, mut rename) = (None::<Ident>, None::<LitStr>);
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("sort")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("nulls") {
                attributes::value(&meta, &mut nulls)
            } else if meta.path.is_ident("rename") {
                attributes::value(&meta, &mut rename)
            } else {
                Err(meta.error("`#[sort(…)]` takes `nulls = first`, `nulls = last` and `rename = \"…\"`"))
            }
        })?;
    }
    let nulls = match nulls {
        None => "Unspecified",
        Some(nulls) if nulls == "first" => "First",
        Some(nulls) if nulls == "last" => "Last",
        Some(other) => return Err(Error::new(other.span(), "nulls are `first` or `last`")),
    };
    let name = match rename {
        Some(rename) => Name::checked(rename.value(), rename.span())?,
        None => Name::checked(snake_case(&variant.ident.unraw().to_string()), variant.ident.span())?,
    };
    Ok(Key { ident: &variant.ident, name, nulls })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(item: &str) -> std::result::Result<String, String> {
        match derive(syn::parse_str(item).unwrap()) {
            Ok(tokens) => Ok(tokens.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn variants_become_names() {
        let tokens =
            derived("enum By { Title, #[sort(rename = \"closed\", nulls = last)] ClosedAt }").unwrap();
        assert!(tokens.contains(r#"& ["title" , "closed"]"#), "{tokens}");
        assert!(
            tokens.contains("Self :: ClosedAt => :: callslip_sdk :: __private :: ir :: Nulls :: Last"),
            "{tokens}"
        );
    }

    #[test]
    fn what_is_no_enum_of_keys_is_refused() {
        for (item, message) in [
            ("struct By;", "only an enum can be `Sort`: its variants are the keys"),
            ("enum By {}", "an enum without variants has no key to sort by"),
            ("enum By<T> { A }", "`Sort` can't be generic"),
            ("enum By { A(i32) }", "a sort key has no fields"),
            ("enum By { A, #[sort(rename = \"a\")] B }", "the name `a` is there twice"),
            ("enum By { #[sort(nulls = end)] A }", "nulls are `first` or `last`"),
            ("enum By { #[sort(nulls = last, nulls = last)] A }", "this is there twice"),
            (
                "enum By { #[sort(desc)] A }",
                "`#[sort(…)]` takes `nulls = first`, `nulls = last` and `rename = \"…\"`",
            ),
        ] {
            assert_eq!(derived(item).unwrap_err(), message, "{item}");
        }
        for item in [
            "enum By { #[sort(rename = \"-a\")] A }",
            "enum By { #[sort(rename = \"a,b\")] A }",
            "enum By { É }",
        ] {
            assert!(derived(item).unwrap_err().contains("can't be a name"), "{item}");
        }
    }
}
