//! The tables as Rust. They are written as text, which the compiler reads in one go: a token at a time takes several times
//! as long, and a proc macro is compiled without optimisations.

use std::borrow::Cow;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Ident, Result};

use super::{
    documentation::{code, prose},
    identifier::{is_plain, written},
    layout::{COLUMNS, Enum, HANDLE, Layout, Module, Table},
};
use crate::sql_enum;

pub(super) fn tables(path: &str, layout: &Layout<'_>) -> Result<TokenStream> {
    let mut rust = format!(
        "/// The snapshot that these tables are made of: what `assert_sql!` checks queries against.\n\
         pub const SNAPSHOT: &str = ::std::include_str!({path:?});"
    );
    for module in &layout.modules {
        match &module.schema {
            None => write_module(&mut rust, module),
            Some((schema, identifier)) => {
                document(
                    &mut rust,
                    &format!(
                        "The relations and enums of the schema {} that are not found without it.",
                        code(schema)
                    ),
                );
                push(&mut rust, &["pub mod ", &written(identifier), " { "]);
                write_module(&mut rust, module);
                rust.push_str("} ");
            }
        }
    }
    let mut tokens: TokenStream = rust.parse().map_err(|error| {
        Error::new(Span::call_site(), format!("{path} has a name that Rust can't have: {error}"))
    })?;
    for module in &layout.modules {
        tokens.extend(module.enums.iter().map(|item| implementation(module, item)));
    }
    Ok(tokens)
}

fn write_module(rust: &mut String, module: &Module<'_>) {
    for item in &module.enums {
        write_enum(rust, item);
    }
    for table in &module.tables {
        write_table(rust, table);
    }
    if module.tables.is_empty() {
        return;
    }
    // The names of columns, for the compiler's messages.
    push(rust, &["#[doc(hidden)] pub mod ", COLUMNS, " { "]);
    for table in &module.tables {
        push(rust, &["pub mod ", &written(&table.columns), " { "]);
        for field in &table.fields {
            push(rust, &["pub enum ", &written(&field.identifier), " {} "]);
        }
        rust.push_str("} ");
    }
    rust.push_str("} ");
}

fn write_table(rust: &mut String, table: &Table<'_>) {
    let (identifier, columns) = (written(&table.identifier), written(&table.columns));
    let relation = &table.relation;
    let kind = relation.kind.replace('_', " ");
    let sql = format!("{}.{}", sql_name(table.schema), sql_name(table.name));
    document(rust, &commented(relation.comment.as_deref(), &format!("The {kind} {}.", code(&sql))));
    push(rust, &["#[allow(clippy::pub_underscore_fields)] pub struct ", &identifier, " { "]);
    for field in &table.fields {
        let column = field.column;
        let null = if column.nullable { "" } else { " NOT NULL" };
        let sql = code(&format!("{} {}{null}", sql_name(&column.name), column.ty));
        document(rust, &commented(column.comment.as_deref(), &sql));
        let name = written(&field.identifier);
        push(rust, &["pub ", &name, ": ::callslip_sdk::Column<", &field.ty, ", "]);
        push(rust, &[COLUMNS, "::", &columns, "::", &name, ">, "]);
    }
    push(rust, &[HANDLE, ": ::callslip_sdk::Columns } "]);
    // Deriving them takes the compiler longer.
    rust.push_str("#[allow(clippy::expl_impl_clone_on_copy)] ");
    push(rust, &["impl ::std::clone::Clone for ", &identifier, " { fn clone(&self) -> Self { *self } } "]);
    push(rust, &["impl ::std::marker::Copy for ", &identifier, " {} "]);
    push(rust, &["impl ::callslip_sdk::TypedRelation for ", &identifier]);
    push(rust, &[" { #[inline] fn columns(self) -> ::callslip_sdk::Columns { self.", HANDLE, " } } "]);
    push(rust, &["impl ::callslip_sdk::TypedTable for ", &identifier]);
    rust.push_str(" { const SCHEMA: ::std::option::Option<&'static str> = ::std::option::Option::");
    match table.qualifier {
        Some(schema) => push(rust, &["Some(", &literal(schema), ")"]),
        None => rust.push_str("None"),
    }
    push(rust, &["; const NAME: &'static str = ", &literal(table.name)]);
    rust.push_str("; const COLUMNS: &'static [&'static str] = &[");
    for field in &table.fields {
        push(rust, &[&literal(&field.column.name), ", "]);
    }
    // Inlined, it is compiled only for the tables that are used.
    rust.push_str("]; #[inline] fn bind(columns: ::callslip_sdk::Columns) -> Self { Self { ");
    for (place, field) in table.fields.iter().enumerate() {
        push(rust, &[&written(&field.identifier), ": columns.column(", &place.to_string(), "), "]);
    }
    push(rust, &[HANDLE, ": columns } } } "]);
}

fn write_enum(rust: &mut String, item: &Enum<'_>) {
    let sql = format!("{}.{}", sql_name(item.schema), sql_name(item.name));
    document(rust, &format!("The enum type {}.", code(&sql)));
    rust.push_str("#[derive(Clone, Copy, Debug, PartialEq, Eq)] ");
    push(rust, &["pub enum ", &written(&item.identifier), " { "]);
    for (label, variant) in item.labels.iter().zip(&item.variants) {
        document(rust, &code(&format!("'{}'", label.replace('\'', "''"))));
        push(rust, &[&written(variant), ", "]);
    }
    rust.push_str("} ");
}

fn implementation(module: &Module<'_>, item: &Enum<'_>) -> TokenStream {
    let module = module.schema.as_ref().map(|(_, module)| ident(module));
    let module = module.map(|module| quote!(#module::));
    let name = ident(&item.identifier);
    let variants: Vec<Ident> = item.variants.iter().map(|variant| ident(variant)).collect();
    sql_enum::implementation(&quote!(#module #name), Some(&item.ty), &variants, item.labels)
}

fn ident(identifier: &str) -> Ident {
    match written(identifier).strip_prefix("r#") {
        Some(keyword) => Ident::new_raw(keyword, Span::call_site()),
        None => Ident::new(identifier, Span::call_site()),
    }
}

fn push(rust: &mut String, parts: &[&str]) {
    rust.extend(parts.iter().copied());
}

fn document(rust: &mut String, markdown: &str) {
    push(rust, &["#[doc = ", &literal(markdown), "] "]);
}

fn commented(comment: Option<&str>, sql: &str) -> String {
    match comment.map(prose) {
        Some(comment) if !comment.is_empty() => format!("{comment}\n\n{sql}"),
        _ => sql.to_owned(),
    }
}

fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// A name as SQL has it.
fn sql_name(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}
