pub(crate) mod v1;

use serde::{Deserialize, Serialize};

use crate::TypeName;

/// What a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// What built it, for people: `callslip-sdk 0.1.0`.
    pub sdk: String,
    /// Its queries.
    pub queries: Vec<Query>,
}

/// A query that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QueryDeclaration"))]
pub struct Query {
    /// Its name, which requests use: `[a-z][a-z0-9_]*`, at most 63 bytes.
    pub name: String,
    /// What it is for, in Markdown.
    pub doc: String,
    /// What a caller gives.
    pub parameters: Vec<Parameter>,
    /// What the service knows of the caller, of which the query reads these and no others.
    pub claims: Vec<Parameter>,
    /// What comes back.
    pub reply: Reply,
    /// Calls that are worth showing; tools run them.
    pub examples: Vec<Example>,
    /// How PostgreSQL plans its statements.
    pub plan: PlanMode,
}

/// How PostgreSQL plans a statement that is run again and again with other values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlanMode {
    /// As PostgreSQL chooses: after five runs on a session it may keep a plan for any values, where that seems to cost no
    /// more than the plans for these five did.
    #[default]
    Auto,
    /// For the values of each call, each time. It costs the planning, and is worth it where the values make very
    /// different plans good: of tenants, say, one of which has half of all rows and the others ten each.
    Custom,
}

/// A parameter or claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Parameter {
    /// Its name: `[a-z][a-z0-9_]*`, at most 63 bytes.
    pub name: String,
    /// What it is for, in Markdown.
    pub doc: String,
    /// What values it takes.
    pub ty: ValueType,
    /// What the plugin sees of it.
    pub mode: ParameterMode,
    /// Whether it may be left out.
    pub presence: Presence,
    /// The least and greatest value.
    pub range: Option<Range>,
}

/// What a plugin sees of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ParameterMode {
    /// Nothing but, where it is optional, its presence.
    Bound,
    /// Its value, one of finitely many: a bool, an enum or a sort order.
    Seen,
    /// Its value, one of infinitely many. This makes the query open: its plan runs for each new value.
    Open,
}

/// Whether a parameter may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Presence {
    /// It must be given.
    Required,
    /// It may be left out; the plugin sees whether it is there.
    Optional,
    /// It has this value when left out, as JSON text.
    Default(String),
}

/// The bounds of a number, both included, as decimal numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Range {
    /// The least value.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
}

/// The values that a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValueType {
    /// The scalar, or the element of an array.
    pub domain: Domain,
    /// Whether it is an array, of one dimension, without null elements.
    pub array: bool,
    /// Whether null is a value. That is not the same as absent.
    pub nullable: bool,
}

/// A set of values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Domain {
    /// A built-in scalar.
    Scalar(Scalar),
    /// One of these labels; bound as the enum type that is named, or as `text`.
    Enum {
        /// The labels, without duplicates.
        labels: Vec<String>,
        /// The PostgreSQL enum type, if it is one.
        ty: Option<TypeName>,
    },
    /// Sort orders: any of these keys, each once, in any order, and descending after a `-`. In text they are separated by
    /// commas (`-closed,title`), and no key at all is empty. It is seen, as this text.
    Sort {
        /// The keys, without duplicates: `[a-z][a-z0-9_]*`, at most 63 bytes.
        keys: Vec<String>,
    },
    /// Any other PostgreSQL type, by its name, which is no array: a range, a composite type, a domain, `inet`. A value is
    /// written as a string that the type's input function reads: `[2026-01-01,2026-02-01)`, `10.0.0.0/8`. Of what is made
    /// of other types a host takes JSON too: `{"lower": "2026-01-01", "upper": null}` of a range, an array of these of a
    /// multirange, an object with the attributes of a composite type. A default and an example are written as strings.
    Named(TypeName),
    /// Where a page begins that follows another: what the host gave as `next` with that one, and nothing else. A query
    /// with a [`Rows::Page`] has one such parameter, which is optional and bound, and is bound to no slot: the host itself
    /// adds the condition that it stands for.
    Cursor,
}

/// The built-in scalars, each named as the PostgreSQL type that it is bound as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Scalar {
    /// `bool`.
    Bool,
    /// `int2`.
    Int2,
    /// `int4`.
    Int4,
    /// `int8`.
    Int8,
    /// `float4`.
    Float4,
    /// `float8`.
    Float8,
    /// `numeric`.
    Numeric,
    /// `text`.
    Text,
    /// `date`.
    Date,
    /// `time`.
    Time,
    /// `timestamp`.
    Timestamp,
    /// `timestamptz`.
    Timestamptz,
    /// `interval`.
    Interval,
    /// `uuid`.
    Uuid,
    /// `jsonb`.
    Json,
    /// `bytea`.
    Bytes,
}

impl Scalar {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Bool,
        Self::Int2,
        Self::Int4,
        Self::Int8,
        Self::Float4,
        Self::Float8,
        Self::Numeric,
        Self::Text,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Timestamptz,
        Self::Interval,
        Self::Uuid,
        Self::Json,
        Self::Bytes,
    ];

    /// The name of the PostgreSQL type, in `pg_catalog`.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
            Self::Bytes => "bytea",
        }
    }
}

impl ValueType {
    /// The PostgreSQL type that a value is bound as.
    pub fn type_name(&self) -> TypeName {
        let mut name = match &self.domain {
            Domain::Scalar(scalar) => TypeName::parse(&format!("pg_catalog.{}", scalar.type_name())),
            Domain::Enum { ty: Some(ty), .. } | Domain::Named(ty) => ty.clone(),
            Domain::Enum { ty: None, .. } | Domain::Sort { .. } | Domain::Cursor => {
                TypeName::parse("pg_catalog.text")
            }
        };
        name.array = self.array;
        name
    }
}

/// What a query gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Reply {
    /// One statement, whose name is empty.
    Single(Rows),
    /// Several statements by name, in this order.
    Named(Vec<NamedReply>),
}

/// A statement of a [`Reply::Named`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedReply {
    /// The statement's name.
    pub name: String,
    /// How many rows it has.
    pub rows: Rows,
}

/// The cardinality of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Rows {
    /// Any number: an array of objects.
    Many,
    /// At most one: an object, or nothing. More than one is an error.
    One,
    /// Some of all that there are, and where the next ones begin. Its query has an ORDER BY, which tells each two rows
    /// apart, and a LIMIT that is a slot, bound to a parameter with a range; no OFFSET, and no DISTINCT ON. Given a
    /// [`Domain::Cursor`], the host runs it for the rows that come after the one with which the page before ended.
    Page,
}

/// A call that is worth showing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Example {
    /// The parameters by name, each as JSON text.
    pub parameters: Vec<(String, String)>,
    /// The claims by name, each as JSON text.
    pub claims: Vec<(String, String)>,
}
