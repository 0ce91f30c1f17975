use callslip_ir::snapshot::{PG_CATALOG, read_reference};
use proc_macro2::TokenStream;
use quote::quote;

use super::snapshot::{Snapshot, Type};

/// How deep domains and arrays are followed. No database comes near it; a file could go in circles.
const DEEPEST: u32 = 32;

/// What SQL calls types of `pg_catalog`, whichever other types have these names.
const SPELLINGS: [&str; 17] = [
    "bigint",
    "bit varying",
    "boolean",
    "char",
    "character",
    "character varying",
    "decimal",
    "double precision",
    "float",
    "int",
    "integer",
    "real",
    "smallint",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
];

/// The type of a column in Rust.
pub(super) enum RustType {
    /// By its path.
    Known(TokenStream),
    Enum {
        schema: String,
        name: String,
    },
    Vec(Box<Self>),
}

impl RustType {
    pub(super) fn of(snapshot: &Snapshot, ty: &str) -> Self {
        resolve(snapshot, ty, DEEPEST)
    }

    /// The schema and name of the enum that it is, or that it is an array of.
    pub(super) fn as_enum(&self) -> Option<(&str, &str)> {
        match self {
            Self::Known(_) => None,
            Self::Enum { schema, name } => Some((schema, name)),
            Self::Vec(element) => element.as_enum(),
        }
    }
}

fn resolve(snapshot: &Snapshot, ty: &str, depth: u32) -> RustType {
    if depth == 0 {
        return any();
    }
    if let Some(element) = ty.strip_suffix("[]") {
        return RustType::Vec(Box::new(resolve(snapshot, element, depth - 1)));
    }
    let Some((schema, name)) = read_reference(ty) else { return any() };
    match snapshot.ty(&schema, &name) {
        Some(Type::Domain { base }) => resolve(snapshot, base, depth - 1),
        Some(Type::Enum { labels }) if enum_name(snapshot, &schema, &name, labels).is_some() => {
            RustType::Enum { schema, name }
        }
        Some(Type::Enum { .. }) => any(),
        // An extension's type, in whichever schema that was installed.
        Some(Type::Other) if name == "citext" => RustType::Known(quote!(::std::string::String)),
        _ if schema == PG_CATALOG => built_in(&name),
        _ => any(),
    }
}

fn any() -> RustType {
    RustType::Known(quote!(::callslip_sdk::Any))
}

fn built_in(name: &str) -> RustType {
    RustType::Known(match name {
        "int2" => quote!(i16),
        "int4" => quote!(i32),
        "int8" => quote!(i64),
        "float4" => quote!(f32),
        "float8" => quote!(f64),
        "bool" => quote!(bool),
        "numeric" => quote!(::callslip_sdk::Numeric),
        "text" | "varchar" | "bpchar" | "name" | "char" => quote!(::std::string::String),
        "date" => quote!(::callslip_sdk::Date),
        "time" => quote!(::callslip_sdk::Time),
        "timestamp" => quote!(::callslip_sdk::Timestamp),
        "timestamptz" => quote!(::callslip_sdk::Timestamptz),
        "interval" => quote!(::callslip_sdk::Interval),
        "uuid" => quote!(::callslip_sdk::Uuid),
        "json" | "jsonb" => quote!(::callslip_sdk::Json),
        "bytea" => quote!(::callslip_sdk::Bytes),
        _ => return any(),
    })
}

/// The name of an enum type as `SqlEnum::TYPE` has it: without its schema, where that is searched.
///
/// There is none for an enum that has no value, and for a name of which the SDK would read something else.
pub(super) fn enum_name(snapshot: &Snapshot, schema: &str, name: &str, labels: &[String]) -> Option<String> {
    if labels.is_empty() || name.ends_with("[]") || schema.contains('.') {
        return None;
    }
    let read_as_it_is = !name.contains('.') && !SPELLINGS.contains(&name);
    if read_as_it_is && snapshot.finds(schema, |schema| schema.types.contains_key(name)) {
        return Some(name.to_owned());
    }
    Some(format!("{schema}.{name}"))
}
