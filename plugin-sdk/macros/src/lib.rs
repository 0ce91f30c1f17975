//! The derives and attributes of `callslip-sdk`, where they are documented with what they make.

mod attributes;
mod inputs;
mod literal;
mod name;
mod query;
mod reply;
mod schema;
mod sort;
mod sql_enum;

use proc_macro::TokenStream;

use inputs::Kind;

/// Derives `Params`: the fields of a struct become the parameters of a query.
#[proc_macro_derive(Params, attributes(param))]
pub fn params(input: TokenStream) -> TokenStream {
    finish(syn::parse(input).and_then(|input| inputs::derive(input, Kind::Params)))
}

/// Derives `Claims`: the fields of a struct become what a query knows of its caller.
#[proc_macro_derive(Claims, attributes(param))]
pub fn claims(input: TokenStream) -> TokenStream {
    finish(syn::parse(input).and_then(|input| inputs::derive(input, Kind::Claims)))
}

/// Derives `Reply`: the fields of a struct, each a `Select` or a `One`, become the statements of a query.
#[proc_macro_derive(Reply)]
pub fn reply(input: TokenStream) -> TokenStream {
    finish(syn::parse(input).and_then(reply::derive))
}

/// Derives `SqlEnum`: the variants of an enum become labels.
#[proc_macro_derive(SqlEnum, attributes(sql))]
pub fn sql_enum(input: TokenStream) -> TokenStream {
    finish(syn::parse(input).and_then(sql_enum::derive))
}

/// Derives `SortKey`: the variants of an enum become the keys that a `Sort` of it takes.
///
/// `#[sort(nulls = first)]` and `#[sort(nulls = last)]` on a variant put its nulls there in both directions, and
/// `#[sort(rename = "…")]` gives its key another name.
#[proc_macro_derive(Sort, attributes(sort))]
pub fn sort(input: TokenStream) -> TokenStream {
    finish(syn::parse(input).and_then(sort::derive))
}

/// Makes a query of a function.
///
/// The function takes a struct of parameters (`#[derive(Params)]`), one of the caller's claims (`#[derive(Claims)]`),
/// both in this order, or neither. It returns a `Select`, a `One`, a struct with `#[derive(Reply)]`, or a `Result` of
/// one of these. Its documentation becomes the query's. In its place stands a function of the same name without arguments,
/// which gives the query to `export_plugin!`; what queries share is written in functions without the attribute.
///
/// - `example(company = 1, tags = ["a", "b"], claims(user = 3))`: a call that is worth showing; tools run it. There
///   may be several.
/// - `name = "…"`: the query's name, where it is not the function's.
/// - `plan = custom`: PostgreSQL plans each of the query's statements anew for the values of each call. Without it, or with
///   `plan = auto`, it may keep one plan for any values after five calls on a connection, which saves planning, but is a bad
///   plan for some where rows are unevenly spread: over tenants, say, one of which has half of them. Who loads the plugin
///   can have the same for all its queries, with `plan = "custom"` in `[plugins.NAME]`.
#[proc_macro_attribute]
pub fn query(arguments: TokenStream, function: TokenStream) -> TokenStream {
    finish(query::expand(arguments, function))
}

/// Makes a type of each relation and enum of a catalog snapshot.
#[proc_macro]
pub fn schema(arguments: TokenStream) -> TokenStream {
    finish(schema::expand(arguments.into()))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
