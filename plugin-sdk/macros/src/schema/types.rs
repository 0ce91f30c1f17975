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
    /// That of an enum, a composite type or a range of the snapshot, which is made of it.
    Own {
        schema: String,
        name: String,
    },
    Vec(Box<Self>),
}

impl RustType {
    pub(super) fn of(snapshot: &Snapshot, ty: &str) -> Self {
        resolve(snapshot, ty, DEEPEST)
    }

    /// The schema and name of the type of the snapshot that it is, or that it is an array of.
    pub(super) fn own(&self) -> Option<(&str, &str)> {
        match self {
            Self::Known(_) => None,
            Self::Own { schema, name } => Some((schema, name)),
            Self::Vec(element) => element.own(),
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
        _ if schema == PG_CATALOG => built_in(&name),
        Some(
            ty @ (Type::Enum { .. } | Type::Composite { .. } | Type::Range { .. } | Type::Multirange { .. }),
        ) => match type_name(snapshot, &schema, &name, ty) {
            Some(_) => RustType::Own { schema, name },
            None => any(),
        },
        // An extension's type, in whichever schema that was installed.
        Some(Type::Other) if name == "citext" => RustType::Known(quote!(::std::string::String)),
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
        "int4range" => quote!(::callslip_sdk::Range<i32>),
        "int8range" => quote!(::callslip_sdk::Range<i64>),
        "numrange" => quote!(::callslip_sdk::Range<::callslip_sdk::Numeric>),
        "daterange" => quote!(::callslip_sdk::Range<::callslip_sdk::Date>),
        "tsrange" => quote!(::callslip_sdk::Range<::callslip_sdk::Timestamp>),
        "tstzrange" => quote!(::callslip_sdk::Range<::callslip_sdk::Timestamptz>),
        "int4multirange" => quote!(::callslip_sdk::Multirange<i32>),
        "int8multirange" => quote!(::callslip_sdk::Multirange<i64>),
        "nummultirange" => quote!(::callslip_sdk::Multirange<::callslip_sdk::Numeric>),
        "datemultirange" => quote!(::callslip_sdk::Multirange<::callslip_sdk::Date>),
        "tsmultirange" => quote!(::callslip_sdk::Multirange<::callslip_sdk::Timestamp>),
        "tstzmultirange" => quote!(::callslip_sdk::Multirange<::callslip_sdk::Timestamptz>),
        "inet" => quote!(::callslip_sdk::Inet),
        "cidr" => quote!(::callslip_sdk::Cidr),
        "macaddr" => quote!(::callslip_sdk::MacAddr),
        "macaddr8" => quote!(::callslip_sdk::MacAddr8),
        "tsvector" => quote!(::callslip_sdk::TsVector),
        "tsquery" => quote!(::callslip_sdk::TsQuery),
        "jsonpath" => quote!(::callslip_sdk::JsonPath),
        "bit" => quote!(::callslip_sdk::Bit),
        "varbit" => quote!(::callslip_sdk::VarBit),
        "money" => quote!(::callslip_sdk::Money),
        "timetz" => quote!(::callslip_sdk::TimeTz),
        _ => return any(),
    })
}

/// The name of a type as the SDK reads it: without its schema, where that is searched.
///
/// There is none for an enum that has no value, and for a name of which the SDK would read something else.
pub(super) fn type_name(snapshot: &Snapshot, schema: &str, name: &str, ty: &Type) -> Option<String> {
    let is_empty = matches!(ty, Type::Enum { labels, .. } if labels.is_empty());
    // Of what is in parentheses the SDK reads modifiers.
    let is_modified = name.contains('(') || schema.contains('(');
    if is_empty || name.ends_with("[]") || schema.contains('.') || is_modified {
        return None;
    }
    let read_as_it_is = !name.contains('.') && !SPELLINGS.contains(&name);
    if read_as_it_is && snapshot.finds(schema, |schema| schema.types.contains_key(name)) {
        return Some(name.to_owned());
    }
    Some(format!("{schema}.{name}"))
}
