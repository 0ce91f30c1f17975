use serde_json::{Map, Value, json};

use super::{component, or_null};
use crate::ColumnFacts;
use crate::catalog::{Catalog, TypeKind};
use crate::loan::ResultColumn;
use crate::rows::{ColumnEncoder, ScalarType};

/// The schema of the values of a column.
pub(super) fn of_column(column: &ResultColumn, facts: &ColumnFacts, catalog: &Catalog) -> Value {
    // Only a column that was not described, but inferred without a database, is of a type that has no encoder.
    let Some(encoder) = ColumnEncoder::for_type(column.type_oid) else { return json!({}) };
    let own = catalog.type_by_oid(facts.own_type);
    let schema = match own.map(|ty| &ty.kind) {
        Some(TypeKind::Array { element }) if encoder.element().is_some() => {
            let element = catalog.type_by_oid(catalog.base_type(*element));
            of_elements(of_kind(element.map(|ty| &ty.kind), encoder.scalar()))
        }
        _ if encoder.element().is_some() => of_elements(of_scalar(encoder.scalar())),
        kind => of_kind(kind, encoder.scalar()),
    };
    // Of JSON every value has been described already.
    if schema == json!({}) { schema } else { or_null(schema) }
}

/// What leaves as text may be an enum.
fn of_kind(kind: Option<&TypeKind>, scalar: ScalarType) -> Value {
    match kind {
        Some(TypeKind::Enum { labels }) => json!({ "type": "string", "enum": labels }),
        _ => of_scalar(scalar),
    }
}

/// PostgreSQL's arrays may have null elements, and any number of dimensions, whatever they are declared as.
fn of_elements(element: Value) -> Value {
    json!({ "type": "array", "items": { "anyOf": [element, { "type": "null" }, { "type": "array" }] } })
}

fn of_scalar(scalar: ScalarType) -> Value {
    match scalar {
        ScalarType::Bool => json!({ "type": "boolean" }),
        ScalarType::Int2 => integer("int16", i16::MIN, i16::MAX),
        ScalarType::Int4 => integer("int32", i32::MIN, i32::MAX),
        // Whoever reads bounds as floats would round these.
        ScalarType::Int8 => json!({ "type": "integer", "format": "int64" }),
        ScalarType::Oid => integer("uint32", u32::MIN, u32::MAX),
        ScalarType::Float4 => shared("Float"),
        ScalarType::Float8 => shared("Double"),
        ScalarType::Numeric => shared("Numeric"),
        ScalarType::Int8AsString => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        ScalarType::NumericAsString => {
            json!({ "type": "string", "pattern": r"^(-?[0-9]+(\.[0-9]+)?|NaN|-?Infinity)$" })
        }
        ScalarType::Text | ScalarType::Char => json!({ "type": "string" }),
        ScalarType::Bytea => json!({ "type": "string", "contentEncoding": "base64" }),
        ScalarType::Date => shared("Date"),
        ScalarType::Time => shared("Time"),
        ScalarType::Timetz => shared("TimeWithZone"),
        ScalarType::Timestamp => shared("Timestamp"),
        ScalarType::Timestamptz => shared("TimestampWithZone"),
        ScalarType::Interval => shared("Interval"),
        ScalarType::Uuid => json!({ "type": "string", "format": "uuid" }),
        ScalarType::Json | ScalarType::JsonOnOneLine | ScalarType::Jsonb => json!({}),
        ScalarType::Network => shared("Network"),
        ScalarType::Macaddr => json!({ "type": "string", "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$" }),
        ScalarType::Macaddr8 => json!({ "type": "string", "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){7}$" }),
    }
}

fn integer(format: &str, least: impl Into<Value>, greatest: impl Into<Value>) -> Value {
    json!({ "type": "integer", "format": format, "minimum": least.into(), "maximum": greatest.into() })
}

fn shared(name: &str) -> Value {
    component("schemas", name)
}

/// The schemas that [`of_column`] refers to.
pub(super) fn shared_schemas() -> Map<String, Value> {
    let numbers = [
        (
            "Float",
            "A `float4`: the shortest number that reads back the same.",
            json!({ "type": "number", "format": "float" }),
        ),
        (
            "Double",
            "A `float8`: the shortest number that reads back the same.",
            json!({ "type": "number", "format": "double" }),
        ),
        ("Numeric", "A `numeric`, with all its digits and its scale.", json!({ "type": "number" })),
    ];
    let special = json!({ "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] });
    let numbers = numbers.map(|(name, description, number)| {
        (name.to_owned(), json!({ "description": description, "anyOf": [number, special] }))
    });
    let texts = TEXTS.map(|text| (text.name.to_owned(), text.schema()));
    numbers.into_iter().chain(texts).collect()
}

/// A type whose values are written as strings of one kind.
struct Text {
    name: &'static str,
    description: &'static str,
    /// What almost every value is.
    formats: &'static [&'static str],
    /// What the others are.
    others: &'static str,
    /// What every value is.
    pattern: &'static str,
}

/// What RFC 3339 has no word for.
const FAR: &str = "^-?infinity$|^[0-9]{5}| BC$";

// In a time of day, 24:00:00 is one.
const TEXTS: [Text; 7] = [
    Text {
        name: "Date",
        description: "A date of ISO 8601: `2024-02-29`; also `infinity`, `-infinity`, and years of five digits and more, or with \
                      ` BC` at the end.",
        formats: &["date"],
        others: FAR,
        pattern: r"^(-?infinity|[0-9]{4,7}-[0-9]{2}-[0-9]{2}( BC)?)$",
    },
    Text {
        name: "Time",
        description: "A time of day, without a zone: `12:30:00.5`.",
        formats: &["time-local"],
        others: "^24:00:00$",
        pattern: r"^([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$",
    },
    Text {
        name: "TimeWithZone",
        description: "A time of day with its offset: `12:30:00.5+02:00`.",
        formats: &["time"],
        others: "^24:00:00|:[0-9]{2}:[0-9]{2}$",
        pattern: r"^([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
    },
    Text {
        name: "Timestamp",
        description: "A date and a time of day, without a zone: `2024-02-29T12:30:00.5`; also `infinity`, `-infinity`, and \
                      years as those of a date.",
        formats: &["date-time-local"],
        others: FAR,
        pattern: r"^(-?infinity|[0-9]{4,7}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?( BC)?)$",
    },
    Text {
        name: "TimestampWithZone",
        description: "A moment as RFC 3339 writes it, in UTC: `2024-02-29T12:30:00.5Z`; also `infinity`, `-infinity`, and years \
                      as those of a date.",
        formats: &["date-time"],
        others: FAR,
        pattern: r"^(-?infinity|[0-9]{4,7}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z( BC)?)$",
    },
    Text {
        name: "Interval",
        description: "A duration of ISO 8601, `P1Y2M3DT4H5M6.5S`, with a sign on each part that is negative; also `infinity` and \
                      `-infinity`.",
        formats: &["duration"],
        others: r"infinity$|[-.]",
        pattern: r"^(-?infinity|P(-?[0-9]+Y)?(-?[0-9]+M)?(-?[0-9]+D)?(T(-?[0-9]+H)?(-?[0-9]+M)?(-?[0-9]+(\.[0-9]{1,6})?S)?)?)$",
    },
    Text {
        name: "Network",
        description: "The address of a host, or of a network with the length of its prefix: `10.0.0.0/8`.",
        formats: &["ipv4", "ipv6"],
        others: "/",
        pattern: "^[0-9a-f.:]+(/[0-9]{1,3})?$",
    },
];

impl Text {
    fn schema(&self) -> Value {
        let formats = self.formats.iter().map(|format| json!({ "format": format }));
        let forms: Vec<Value> = formats.chain([json!({ "pattern": self.others })]).collect();
        json!({ "description": self.description, "type": "string", "pattern": self.pattern, "anyOf": forms })
    }
}
