//! The tables as Rust.

use callslip_ir::snapshot::quoted;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Index};

use super::{
    documentation::{code, prose},
    identifier::ident,
    keys::{Key, Short},
    layout::{Layout, Module, OwnType, Table},
    snapshot::{ForeignKey, Relation},
};
use crate::sql_enum;

pub(super) fn tables(path: &str, layout: &Layout<'_>) -> TokenStream {
    // What is included is read again when it changes.
    let mut rust = quote! {
        /// The snapshot that these tables are made of: what `assert_sql!` checks queries against.
        pub const SNAPSHOT: &str = ::std::include_str!(#path);
    };
    for module in &layout.modules {
        let members = members(module);
        rust.extend(match &module.schema {
            None => members,
            Some((schema, identifier)) => {
                let documentation = format!(
                    "The relations and types of the schema {} that are not found without it.",
                    code(schema)
                );
                let documentation = commented(module.comment, &documentation);
                let name = ident(identifier);
                quote! {
                    #[doc = #documentation]
                    pub mod #name { #members }
                }
            }
        });
    }
    rust
}

fn members(module: &Module<'_>) -> TokenStream {
    let mut rust = TokenStream::new();
    rust.extend(module.types.iter().map(own_type));
    let mut names = TokenStream::new();
    for table in &module.tables {
        let columns = ident(&table.columns);
        let fields: Vec<Ident> = table.fields.iter().map(|field| ident(&field.identifier)).collect();
        rust.extend(structure(table, &columns, &fields));
        names.extend(quote! {
            pub mod #columns { #(pub enum #fields {})* }
        });
    }
    if !module.tables.is_empty() {
        rust.extend(quote! {
            #[doc(hidden)]
            pub mod columns { #names }
        });
    }
    rust
}

/// The struct of a table. Its columns are named by the types in the module `columns`.
fn structure(table: &Table<'_>, columns: &Ident, fields: &[Ident]) -> TokenStream {
    let relation = table.relation;
    let sql = format!("{}.{}", quoted(table.schema), quoted(table.name));
    let sql = format!("The {} {}.", relation.kind.replace('_', " "), code(&sql));
    let mut documentation = commented(relation.comment.as_deref(), &sql);
    for key in &table.nameless_keys {
        let nameless = format!("\n\nIts foreign key {} has no method, since", code(key));
        documentation.push_str(&nameless);
        documentation.push_str(" the name of another one comes to the same in Rust.");
    }
    let identifier = ident(&table.identifier);
    let declarations = table.fields.iter().zip(fields).map(|(field, name)| {
        let (column, ty) = (field.column, &field.ty);
        let null = if column.nullable { "" } else { " NOT NULL" };
        let sql = code(&format!("{} {}{null}", quoted(&column.name), column.ty));
        let documentation = commented(column.comment.as_deref(), &sql);
        quote! {
            #[doc = #documentation]
            pub #name: ::callslip_sdk::Column<#ty, columns::#columns::#name>,
        }
    });
    let schema = match table.qualifier {
        Some(schema) => quote!(::std::option::Option::Some(#schema)),
        None => quote!(::std::option::Option::None),
    };
    let name = table.name;
    let names = table.fields.iter().map(|field| &field.column.name);
    let places = (0..fields.len()).map(Index::from);
    let keys = keys(table);
    // `bind` is inlined so that it is compiled only for the tables that are used. Derived, `Clone` would take longer.
    quote! {
        #[doc = #documentation]
        #[allow(clippy::pub_underscore_fields)]
        pub struct #identifier {
            #(#declarations)*
            __columns: ::callslip_sdk::Columns,
        }

        #[allow(clippy::expl_impl_clone_on_copy)]
        impl ::std::clone::Clone for #identifier {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl ::std::marker::Copy for #identifier {}

        impl ::callslip_sdk::TypedRelation for #identifier {
            #[inline]
            fn columns(self) -> ::callslip_sdk::Columns {
                self.__columns
            }
        }

        impl ::callslip_sdk::TypedTable for #identifier {
            const SCHEMA: ::std::option::Option<&'static str> = #schema;
            const NAME: &'static str = #name;
            const COLUMNS: &'static [&'static str] = &[#(#names),*];

            #[inline]
            fn bind(columns: ::callslip_sdk::Columns) -> Self {
                Self { #(#fields: columns.column(#places),)* __columns: columns }
            }
        }

        #keys
    }
}

/// The methods of its foreign keys. They are inlined, so that only those that are used are compiled.
fn keys(table: &Table<'_>) -> TokenStream {
    if table.keys.is_empty() {
        return TokenStream::new();
    }
    let mut methods = TokenStream::new();
    for Key { key, names, target, places } in &table.keys {
        let sql = key_sql(table.relation, key);
        let own = places.iter().map(|(own, _)| Index::from(*own));
        let others = places.iter().map(|(_, other)| Index::from(*other));
        let value = quote!(::callslip_sdk::ForeignKey::new(self.__columns, &[#((#own, #others)),*]));
        let mut method = |name: &str, documentation: String| {
            let name = ident(name);
            methods.extend(quote! {
                #[doc = #documentation]
                #[inline]
                pub fn #name(self) -> ::callslip_sdk::ForeignKey<#target> {
                    #value
                }
            });
        };
        if let Short::Named(short) = &names.short {
            let whole =
                names.whole.as_ref().map_or_else(String::new, |whole| format!(" In full: `{whole}`."));
            method(short, format!("{sql}{whole}"));
        }
        if let Some(whole) = &names.whole {
            let short = match &names.short {
                Short::None => String::new(),
                Short::Named(short) => format!(" In short: `{short}`."),
                Short::Reserved(short) => {
                    format!(" It is not `{short}`, which every table has.")
                }
                Short::Ambiguous(short, other) => {
                    format!(" It is not `{short}`, which could be {}, too.", code(other))
                }
            };
            method(whole, format!("{sql}{short}"));
        }
    }
    let identifier = ident(&table.identifier);
    quote! {
        impl #identifier { #methods }
    }
}

fn key_sql(relation: &Relation, key: &ForeignKey) -> String {
    let list = |columns: &[String]| columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let (columns, target_columns) = (list(&key.columns), list(&key.target_columns));
    let sql = code(&format!("FOREIGN KEY ({columns}) REFERENCES {} ({target_columns})", key.target));
    let nullable: Vec<String> = relation
        .columns
        .iter()
        .filter(|column| column.nullable && key.columns.contains(&column.name))
        .map(|column| code(&quoted(&column.name)))
        .collect();
    let nulls = match &nullable[..] {
        [] => "is never null".to_owned(),
        _ => format!("refers to nothing where {} is null", nullable.join(" or ")),
    };
    format!("{sql}\n\nThe key {} {nulls}.", code(&key.name))
}

fn own_type(item: &OwnType<'_>) -> TokenStream {
    let sql = code(&format!("{}.{}", quoted(item.schema), quoted(item.name)));
    let identifier = ident(&item.identifier);
    let Some(labels) = item.labels else {
        let (documentation, ty) = (commented(item.comment, &format!("The type {sql}.")), &item.ty);
        return quote! {
            ::callslip_sdk::sql_type! {
                #[doc = #documentation]
                pub struct #identifier = #ty;
            }
        };
    };
    let documentation = commented(item.comment, &format!("The enum type {sql}."));
    let variants: Vec<Ident> = item.variants.iter().map(|variant| ident(variant)).collect();
    let comments = labels.iter().map(|label| code(&format!("'{}'", label.replace('\'', "''"))));
    let implementation = sql_enum::implementation(&identifier, Some(&item.ty), &variants, labels);
    quote! {
        #[doc = #documentation]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum #identifier {
            #(#[doc = #comments] #variants),*
        }

        #implementation
    }
}

fn commented(comment: Option<&str>, sql: &str) -> String {
    match comment.map(prose) {
        Some(comment) if !comment.is_empty() => format!("{comment}\n\n{sql}"),
        _ => sql.to_owned(),
    }
}
