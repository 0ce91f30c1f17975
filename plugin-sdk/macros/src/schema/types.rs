use super::snapshot::{PG_CATALOG, Snapshot, Type, reference};

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
#[derive(Clone)]
pub(super) enum RustType {
    /// By its path.
    Known(&'static str),
    Enum {
        schema: String,
        name: String,
    },
    Vec(Box<Self>),
}

const ANY: RustType = RustType::Known("::callslip_sdk::Any");

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
        return ANY;
    }
    if let Some(element) = ty.strip_suffix("[]") {
        return RustType::Vec(Box::new(resolve(snapshot, element, depth - 1)));
    }
    let Some((schema, name)) = reference(ty) else { return ANY };
    match snapshot.ty(&schema, &name) {
        Some(Type::Domain { base }) => resolve(snapshot, base, depth - 1),
        Some(Type::Enum { labels }) if enum_name(snapshot, &schema, &name, labels).is_some() => {
            RustType::Enum { schema, name }
        }
        Some(Type::Enum { .. }) => ANY,
        // An extension's type, in whichever schema that was installed.
        Some(Type::Other) if name == "citext" => RustType::Known("::std::string::String"),
        _ if schema == PG_CATALOG => built_in(&name),
        _ => ANY,
    }
}

fn built_in(name: &str) -> RustType {
    RustType::Known(match name {
        "int2" => "i16",
        "int4" => "i32",
        "int8" => "i64",
        "float4" => "f32",
        "float8" => "f64",
        "bool" => "bool",
        "numeric" => "::callslip_sdk::Numeric",
        "text" | "varchar" | "bpchar" | "name" | "char" => "::std::string::String",
        "date" => "::callslip_sdk::Date",
        "time" => "::callslip_sdk::Time",
        "timestamp" => "::callslip_sdk::Timestamp",
        "timestamptz" => "::callslip_sdk::Timestamptz",
        "interval" => "::callslip_sdk::Interval",
        "uuid" => "::callslip_sdk::Uuid",
        "json" | "jsonb" => "::callslip_sdk::Json",
        "bytea" => "::callslip_sdk::Bytes",
        _ => return ANY,
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
