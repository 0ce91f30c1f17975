//! `#[query]`.

use proc_macro::TokenStream as Arguments;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Error, Expr, FnArg, Ident, ItemFn, LitStr, Result, ReturnType, Token, Type,
    ext::IdentExt,
    meta::ParseNestedMeta,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
};

use crate::{attributes, literal, name::Name};

#[derive(Default)]
struct Example {
    parameters: Vec<Value>,
    claims: Vec<Value>,
}

/// `name = value` of an example.
struct Value {
    name: String,
    json: String,
    span: Span,
}

/// How PostgreSQL plans the statements: the variant of the SDK's `PlanMode`.
struct PlanMode(&'static str);

impl Parse for PlanMode {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let word = input.cursor().ident().map(|(word, _)| word.to_string());
        let mode = match word.as_deref() {
            Some("auto") => Self("Auto"),
            Some("custom") => Self("Custom"),
            _ => {
                let message =
                    "`plan` is `auto`, PostgreSQL's own choice, or `custom`, for the values of each call";
                return Err(input.error(message));
            }
        };
        input.parse::<Ident>()?;
        Ok(mode)
    }
}

pub(crate) fn expand(arguments: Arguments, function: Arguments) -> Result<TokenStream> {
    let (mut renamed, mut plan, mut examples) = (None::<LitStr>, None::<PlanMode>, Vec::new());
    syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            attributes::value(&meta, &mut renamed)
        } else if meta.path.is_ident("example") {
            examples.push(example(&meta)?);
            Ok(())
        } else if meta.path.is_ident("plan") {
            attributes::value(&meta, &mut plan)
        } else {
            let message =
                "`#[query(…)]` takes `example(parameter = value, …)`, `name = \"…\"` and `plan = custom`";
            Err(meta.error(message))
        }
    })
    .parse(arguments)?;

    let function: ItemFn = syn::parse(function)?;
    let signature = &function.sig;
    for (there, what) in [
        (signature.asyncness.is_some(), "async"),
        (signature.unsafety.is_some(), "unsafe"),
        (!signature.generics.params.is_empty(), "generic"),
    ] {
        if there {
            return Err(Error::new(signature.span(), format!("a query can't be {what}")));
        }
    }
    let ReturnType::Type(_, answer) = &signature.output else {
        let message = "a query returns a `Select`, a `One`, a `Paged`, a struct with `#[derive(Reply)]`, or a `Result` of these";
        return Err(Error::new(signature.span(), message));
    };
    let inputs = signature.inputs.iter().map(input_type).collect::<Result<Vec<_>>>()?;
    if inputs.len() > 2 {
        let message = "a query takes its parameters, then the caller's claims, and nothing more";
        return Err(Error::new(signature.inputs.span(), message));
    }

    let (ident, visibility) = (&signature.ident, &function.vis);
    let name = Name::new(ident, renamed.as_ref())?.text;
    let doc = attributes::documentation(&function.attrs);
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let checks = checks(&inputs, &examples);
    let plan = Ident::new(plan.map_or("Auto", |PlanMode(variant)| variant), Span::call_site());
    let kind = |kind: &str| Ident::new(kind, Span::call_site());
    // The names, or declarations, of the inputs that are of a kind.
    let names = |of: &str| {
        let of = kind(of);
        quote!(&[#(::callslip_sdk::__private::names_of::<#inputs>(::callslip_sdk::__private::InputKind::#of)),*])
    };
    let declared = |of: &str| {
        let of = kind(of);
        quote! {{
            let mut declared = ::std::vec::Vec::new();
            #(declared.extend(
                ::callslip_sdk::__private::declared::<#inputs>(::callslip_sdk::__private::InputKind::#of)
            );)*
            declared
        }}
    };
    let (parameters, claims) = (declared("Parameter"), declared("Claim"));
    let (parameter_names, claim_names) = (names("Parameter"), names("Claim"));
    let examples = examples.iter().map(|example| {
        let (parameters, claims) = (values(&example.parameters), values(&example.claims));
        quote!(::callslip_sdk::__private::ir::Example { parameters: #parameters, claims: #claims })
    });
    // The author's function has its own name in here, which may be any.
    Ok(quote! {
        #(#docs)*
        #[allow(missing_docs)]
        #visibility const fn #ident() -> ::callslip_sdk::Query {
            #function

            fn __declare() -> ::callslip_sdk::__private::ir::QueryDeclaration {
                ::callslip_sdk::__private::ir::QueryDeclaration {
                    name: ::std::string::String::from(#name),
                    doc: ::std::string::String::from(#doc),
                    parameters: #parameters,
                    claims: #claims,
                    reply: <#answer as ::callslip_sdk::Answer>::declare(),
                    examples: ::std::vec![#(#examples),*],
                    plan: ::callslip_sdk::__private::ir::PlanMode::#plan,
                }
            }

            fn __plan(
                __parameters: &[::callslip_sdk::Choice],
                __claims: &[::callslip_sdk::Choice],
            ) -> ::std::result::Result<::std::vec::Vec<::callslip_sdk::Statement>, ::callslip_sdk::Failure> {
                let __chosen = ::callslip_sdk::__private::Chosen::new(__parameters, __claims);
                __chosen.check(#parameter_names, #claim_names)?;
                ::callslip_sdk::Answer::into_statements(#ident(#(__chosen.read::<#inputs>()?),*))
            }

            const { #checks }
            ::callslip_sdk::Query::new(#name, __declare, __plan)
        }
    })
}

fn input_type(input: &FnArg) -> Result<&Type> {
    match input {
        FnArg::Typed(input) => Ok(&input.ty),
        FnArg::Receiver(receiver) => Err(Error::new(receiver.span(), "a query is a function of its own")),
    }
}

fn example(meta: &ParseNestedMeta<'_>) -> Result<Example> {
    let mut example = Example::default();
    let content;
    parenthesized!(content in meta.input);
    while !content.is_empty() {
        let name = content.call(Ident::parse_any)?;
        if name == "claims" && content.peek(syn::token::Paren) {
            let claims;
            parenthesized!(claims in content);
            while !claims.is_empty() {
                let name = claims.call(Ident::parse_any)?;
                example.claims.push(value(&name, &claims)?);
                comma(&claims)?;
            }
        } else {
            example.parameters.push(value(&name, &content)?);
        }
        comma(&content)?;
    }
    Ok(example)
}

fn value(name: &Ident, input: ParseStream<'_>) -> Result<Value> {
    input.parse::<Token![=]>()?;
    let json = literal::json(&input.parse::<Expr>()?)?;
    Ok(Value { name: name.unraw().to_string(), json, span: name.span() })
}

fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// What can only be checked when the types are known: the order of the inputs, and the names in the examples.
fn checks(inputs: &[&Type], examples: &[Example]) -> TokenStream {
    let order = match inputs {
        [params, claims] => {
            let (params, claims) = (
                quote_spanned!(params.span()=> __is_params::<#params>()),
                quote_spanned!(claims.span()=> __is_claims::<#claims>()),
            );
            quote! {
                const fn __is_params<T: ::callslip_sdk::Params>() {}
                const fn __is_claims<T: ::callslip_sdk::Claims>() {}
                #params;
                #claims;
            }
        }
        _ => TokenStream::new(),
    };
    let names = |values: &[Value], kind: &str| -> TokenStream {
        let of = Ident::new(kind, Span::call_site());
        let checks = values.iter().map(|Value { name, span, .. }| {
            let message = format!("the query has no {} `{name}`", kind.to_lowercase());
            quote_spanned! {*span=> {
                let known = false #(|| ::callslip_sdk::__private::contains(
                    ::callslip_sdk::__private::names_of::<#inputs>(
                        ::callslip_sdk::__private::InputKind::#of
                    ),
                    #name,
                ))*;
                ::std::assert!(known, #message);
            }}
        });
        quote!(#(#checks)*)
    };
    let examples = examples.iter().map(|example| {
        let (parameters, claims) = (names(&example.parameters, "Parameter"), names(&example.claims, "Claim"));
        quote!(#parameters #claims)
    });
    quote!(#order #(#examples)*)
}

fn values(values: &[Value]) -> TokenStream {
    let values = values.iter().map(|Value { name, json, .. }| {
        quote!((::std::string::String::from(#name), ::std::string::String::from(#json)))
    });
    quote!(::std::vec![#(#values),*])
}
