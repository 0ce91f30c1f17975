use serde::{Deserialize, Serialize};

/// The name of a relation, function, operator or collation, as an author wrote it.
///
/// Without a schema the host looks in `pg_catalog` (functions, operators, types, collations) and then in the
/// schemas that it is configured to search. Whatever it finds is printed with its schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QualifiedName {
    /// The schema, if one was written.
    pub schema: Option<String>,
    /// The name itself, unquoted and in its exact case.
    pub name: String,
}

impl QualifiedName {
    /// A name without a schema.
    pub fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    pub fn within(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    /// Reads `name` or `schema.name`; only the first dot counts.
    pub fn parse(written: &str) -> Self {
        match written.split_once('.') {
            Some((schema, name)) => Self::within(schema, name),
            None => Self::new(written),
        }
    }
}

impl std::fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A type with its modifiers, as in `numeric(10,2)[]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TypeName {
    /// The name of the type, or of the element type of an array: `int4`, `timestamptz`, `interview_status`.
    /// PostgreSQL's names in `pg_type`, and SQL's spellings of them (`integer`, `timestamp with time zone`).
    pub name: QualifiedName,
    /// The type modifiers, as in `numeric(10,2)`; empty for none.
    pub modifiers: Vec<i32>,
    /// Whether this is an array of that type. PostgreSQL does not tell the number of dimensions apart.
    pub array: bool,
}

impl TypeName {
    /// A type without modifiers: `int4`, `interview_status`, `audit.level`; a trailing `[]` makes it an array.
    pub fn parse(written: &str) -> Self {
        let (name, array) = match written.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (written, false),
        };
        Self { name: QualifiedName::parse(name), modifiers: Vec::new(), array }
    }
}

impl std::fmt::Display for TypeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some((first, rest)) = self.modifiers.split_first() {
            write!(f, "({first}")?;
            for modifier in rest {
                write!(f, ",{modifier}")?;
            }
            f.write_str(")")?;
        }
        if self.array { f.write_str("[]") } else { Ok(()) }
    }
}
