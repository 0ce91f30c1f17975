//! `#[derive(Params)]` and `#[derive(Claims)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Data, DeriveInput, Error, Expr, ExprRange, Field, Fields, Ident, LitStr, RangeLimits, Result, Type,
    spanned::Spanned,
};

use crate::{attributes, literal, name::Name, name::refuse_duplicates};

/// Which of the two derives it is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Params,
    Claims,
}

struct Input<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    name: Name,
    rename: Option<LitStr>,
    doc: String,
    default: Option<Expr>,
    range: Option<Bounds>,
}

struct Bounds {
    /// Each end, as it was written and as decimal text.
    min: Option<(Expr, String)>,
    max: Option<(Expr, String)>,
}

pub(crate) fn derive(input: DeriveInput, kind: Kind) -> Result<TokenStream> {
    let (trait_name, input_kind) = match kind {
        Kind::Params => (format_ident!("Params"), format_ident!("Parameter")),
        Kind::Claims => (format_ident!("Claims"), format_ident!("Claim")),
    };
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => return Err(Error::new(fields.span(), "the fields need names")),
        },
        _ => return Err(Error::new(input.ident.span(), format!("only a struct can be `{trait_name}`"))),
    };
    if !input.generics.params.is_empty() {
        let message = format!("`{trait_name}` can't be generic");
        return Err(Error::new(input.generics.span(), message));
    }
    let inputs = fields.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    refuse_duplicates(inputs.iter().map(|input| &input.name))?;

    let ident = &input.ident;
    let names = inputs.iter().map(names);
    let declarations = inputs.iter().map(declare);
    let values = inputs.iter().map(|input| construct(input, &input_kind));
    let checks = inputs.iter().filter_map(check_range).chain(inputs.iter().filter_map(check_rename));
    Ok(quote! {
        impl ::callslip_sdk::#trait_name for #ident {}

        impl ::callslip_sdk::Inputs for #ident {
            const KIND: ::callslip_sdk::__private::InputKind =
                ::callslip_sdk::__private::InputKind::#input_kind;
            const NAMES: &'static [::callslip_sdk::__private::FieldNames] = &[#(#names),*];

            fn declare() -> ::std::vec::Vec<::callslip_sdk::__private::ir::Parameter> {
                let mut __parameters = ::std::vec::Vec::new();
                #(__parameters.extend(#declarations);)*
                __parameters
            }

            fn read(
                __choices: &[::callslip_sdk::Choice],
            ) -> ::std::result::Result<Self, ::callslip_sdk::Failure> {
                ::std::result::Result::Ok(Self { #(#values),* })
            }
        }

        const _: () = {
            ::std::assert!(
                ::callslip_sdk::__private::are_distinct(<#ident as ::callslip_sdk::Inputs>::NAMES),
                "two fields declare the same name; a `Page` declares its own, and one with `_size` after it, and a `Keyset` \
                 declares `cursor` and `page_size`"
            );
            #(#checks)*
        };
    })
}

fn read(field: &Field) -> Result<Input<'_>> {
    let Some(ident) = &field.ident else { return Err(Error::new(field.span(), "the field needs a name")) };
    let (mut default, mut range, mut rename) = (None::<Expr>, None::<Expr>, None::<LitStr>);
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("param")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                attributes::value(&meta, &mut default)
            } else if meta.path.is_ident("range") {
                attributes::value(&meta, &mut range)
            } else if meta.path.is_ident("rename") {
                attributes::value(&meta, &mut rename)
            } else {
                Err(meta.error("`#[param(…)]` takes `default = …`, `range = a..=b` and `rename = \"…\"`"))
            }
        })?;
    }
    if let Some(default) = &default
        && is_option(&field.ty)
    {
        let message = "what has a default is never missing: write the type without `Option`";
        return Err(Error::new(default.span(), message));
    }
    let range = range.as_ref().map(bounds).transpose()?;
    if let (Some(default), Some(range)) = (&default, &range) {
        refuse_outside(default, range)?;
    }
    let name = Name::new(ident, rename.as_ref())?;
    let doc = attributes::documentation(&field.attrs);
    Ok(Input { ident, ty: &field.ty, name, rename, doc, default, range })
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

fn bounds(range: &Expr) -> Result<Bounds> {
    let wrong = || Error::new(range.span(), "a range is written `1..=500`, `1..` or `..=500`");
    let Expr::Range(ExprRange { start, end, limits, .. }) = range else { return Err(wrong()) };
    if end.is_some() && matches!(limits, RangeLimits::HalfOpen(_)) {
        return Err(Error::new(range.span(), "both ends are included: write `..=`"));
    }
    if start.is_none() && end.is_none() {
        return Err(wrong());
    }
    let end_of = |end: &Option<Box<Expr>>| -> Result<Option<(Expr, String)>> {
        end.as_deref().map(|end| Ok((end.clone(), literal::number(end)?))).transpose()
    };
    let bounds = Bounds { min: end_of(start)?, max: end_of(end)? };
    if let (Some((_, min)), Some((_, max))) = (&bounds.min, &bounds.max)
        && less(max, min)
    {
        return Err(Error::new(range.span(), "the range has no value"));
    }
    Ok(bounds)
}

/// Refuses a default that is a number outside the range.
fn refuse_outside(default: &Expr, range: &Bounds) -> Result<()> {
    let Ok(value) = literal::number(default) else { return Ok(()) };
    let below = range.min.as_ref().is_some_and(|(_, min)| less(&value, min));
    let above = range.max.as_ref().is_some_and(|(_, max)| less(max, &value));
    if below || above { Err(Error::new(default.span(), "the default is outside the range")) } else { Ok(()) }
}

fn less(a: &str, b: &str) -> bool {
    match (a.parse::<i128>(), b.parse::<i128>()) {
        (Ok(a), Ok(b)) => a < b,
        _ => matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a < b),
    }
}

/// The default as a value of the field's own kind, so that the compiler checks it where it is written.
fn default_value(input: &Input<'_>) -> Option<TokenStream> {
    let default = input.default.as_ref()?;
    let value = match default {
        Expr::Array(array) => quote!(&#array),
        other => quote!(#other),
    };
    let ty = input.ty;
    Some(quote_spanned! {default.span()=> {
        let __default: <#ty as ::callslip_sdk::Field>::Literal = #value;
        __default
    }})
}

/// The names of the field's parameters.
fn names(input: &Input<'_>) -> TokenStream {
    let Input { ty, name, .. } = input;
    let name = &name.text;
    quote_spanned! {ty.span()=>
        ::callslip_sdk::__private::FieldNames::new(
            if <#ty as ::callslip_sdk::Field>::IS_NAMED { "" } else { #name },
            <#ty as ::callslip_sdk::Field>::SUFFIXES,
        )
    }
}

/// Refuses another name for what has names of its own.
fn check_rename(input: &Input<'_>) -> Option<TokenStream> {
    let rename = input.rename.as_ref()?;
    let ty = input.ty;
    Some(quote_spanned! {rename.span()=>
        ::std::assert!(
            !<#ty as ::callslip_sdk::Field>::IS_NAMED,
            "the parameters of this type have names of their own"
        );
    })
}

/// What the field's type declares, with the field's own default and range. A type that takes either has one parameter.
fn declare(input: &Input<'_>) -> TokenStream {
    let Input { ty, name, doc, .. } = input;
    let name = &name.text;
    let presence = default_value(input).map(|default| {
        quote_spanned! {ty.span()=>
            __parameter.presence = ::callslip_sdk::__private::ir::Presence::Default(
                <#ty as ::callslip_sdk::Field>::json(#default)
            );
        }
    });
    let range = input.range.as_ref().map(|range| {
        let end = |end: &Option<(Expr, String)>, natural: &str| match end {
            Some((_, text)) => quote!(::std::option::Option::Some(::std::string::String::from(#text))),
            None => {
                let natural = format_ident!("{natural}");
                quote!(__parameter.range.as_ref().and_then(|__range| __range.#natural.clone()))
            }
        };
        let (min, max) = (end(&range.min, "min"), end(&range.max, "max"));
        quote! {
            __parameter.range = ::std::option::Option::Some(
                ::callslip_sdk::__private::ir::Range { min: #min, max: #max }
            );
        }
    });
    // With the span of the type, so that a type that is no parameter's is reported there.
    let declared = quote_spanned!(ty.span()=> <#ty as ::callslip_sdk::Field>::declare(#name, #doc));
    if presence.is_none() && range.is_none() {
        return declared;
    }
    quote!(#declared.into_iter().map(|mut __parameter| {
        #presence
        #range
        __parameter
    }))
}

fn construct(input: &Input<'_>, kind: &Ident) -> TokenStream {
    let Input { ident, ty, name, .. } = input;
    let name = &name.text;
    let default = match default_value(input) {
        Some(default) => quote!(::std::option::Option::Some(#default)),
        None => quote!(::std::option::Option::None),
    };
    quote_spanned! {ty.span()=>
        #ident: <#ty as ::callslip_sdk::Field>::read(
            ::callslip_sdk::__private::Source::new(
                ::callslip_sdk::__private::InputKind::#kind, #name, __choices,
            ),
            #default,
        )?
    }
}

/// The bounds as values of the field's own kind, so that the compiler checks them where they are written.
fn check_range(input: &Input<'_>) -> Option<TokenStream> {
    let range = input.range.as_ref()?;
    let ty = input.ty;
    let bounds = range.min.iter().chain(&range.max).map(|(bound, _)| {
        quote_spanned! {bound.span()=> let _: <#ty as ::callslip_sdk::Ranged>::Bound = #bound; }
    });
    Some(quote!(#(#bounds)*))
}
