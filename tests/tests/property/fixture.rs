//! What the names of a description mean in the fixture: written by hand, so that the host's own resolution is checked too.

use callslip_ir::{QualifiedName, TypeName};

use super::parsed::quoted;
use super::tree::TYPE;

/// The tables, types, functions and operators.
pub const SQL: &str = include_str!("fixture.sql");
/// The schema of the fixture, in which names are looked for after `pg_catalog`.
pub const SCHEMA: &str = "app";

const TYPES: &[&str] = &["mood", "address"];
const FUNCTIONS: &[&str] = &["twice", "greet", "total", "pairs", "anything"];
const OPERATORS: &[&str] = &["<+>"];

/// SQL's spellings of types that the generator writes.
const SPELLINGS: &[(&str, &str)] = &[
    ("boolean", "bool"),
    ("integer", "int4"),
    ("bigint", "int8"),
    ("decimal", "numeric"),
    ("double precision", "float8"),
    ("timestamp with time zone", "timestamptz"),
];

fn resolved(name: &QualifiedName, own: &[&str]) -> String {
    let otherwise = if own.contains(&name.name.as_str()) { SCHEMA } else { "pg_catalog" };
    quoted([name.schema.as_deref().unwrap_or(otherwise), &name.name])
}

pub fn function(name: &QualifiedName) -> String {
    resolved(name, FUNCTIONS)
}

pub fn operator(name: &QualifiedName) -> String {
    resolved(name, OPERATORS)
}

pub fn collation(name: &QualifiedName) -> String {
    resolved(name, &[])
}

pub fn sample_method(name: &QualifiedName) -> String {
    resolved(name, &[])
}

pub fn relation(name: &QualifiedName) -> String {
    quoted([name.schema.as_deref().unwrap_or(SCHEMA), &name.name])
}

/// A type with its modifiers as the heads of trees have it.
pub fn type_head(ty: &TypeName) -> String {
    let name = match &ty.name.schema {
        Some(_) => ty.name.name.as_str(),
        None => {
            let spelling = SPELLINGS.iter().find(|(spelling, _)| *spelling == ty.name.name);
            spelling.map_or(ty.name.name.as_str(), |(_, name)| name)
        }
    };
    let name = QualifiedName { schema: ty.name.schema.clone(), name: name.to_owned() };
    format!("{TYPE}{}{:?}{}", resolved(&name, TYPES), ty.modifiers, if ty.array { "[]" } else { "" })
}
