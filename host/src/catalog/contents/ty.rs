use super::{Check, ObjectName, Oid};

/// A type (`pg_type`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Type {
    /// Its id in `pg_type`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name: `int4`, `_int4`, `interview_status`.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// `typcategory`.
    pub category: char,
    /// `typispreferred`.
    pub preferred: bool,
    /// The type of its arrays (`typarray`).
    pub array: Option<Oid>,
    /// The role that owns it; nothing of those of `pg_catalog`.
    pub owner: String,
    /// The extension that it is of. An array is of its element's, a multirange of its range's, the rows of a relation of the
    /// relation's.
    pub extension: Option<String>,
    /// `COMMENT ON`; nothing of those of `pg_catalog`.
    pub comment: Option<String>,
}

/// What a [`Type`] is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TypeKind {
    /// A base type.
    #[default]
    Base,
    /// A true array: one that another type names as its array type.
    Array {
        /// The type of its elements.
        element: Oid,
    },
    /// An enum.
    Enum {
        /// Its labels, in their sort order.
        labels: Vec<String>,
    },
    /// A domain.
    Domain {
        /// The type that it is over.
        base: Oid,
        /// What it adds to that; of a domain over a domain, only its own.
        rules: Box<DomainRules>,
    },
    /// A composite type.
    Composite {
        /// Its attributes in their order, without dropped ones. Those of a relation's row type are all its columns, since a
        /// row has them all: also those that the login may not read.
        attributes: Vec<Attribute>,
    },
    /// A range.
    Range {
        /// The type of its bounds.
        subtype: Oid,
        /// The collation of its bounds, where that is not their type's own.
        collation: Option<ObjectName>,
    },
    /// A multirange.
    Multirange {
        /// The range type that it is made of.
        range: Oid,
    },
    /// A pseudo-type, such as `anyelement`.
    Pseudo,
}

impl TypeKind {
    /// The types that one of this kind is made of.
    pub(in crate::catalog) fn made_of(&self) -> Vec<Oid> {
        match self {
            Self::Array { element: other }
            | Self::Domain { base: other, .. }
            | Self::Range { subtype: other, .. }
            | Self::Multirange { range: other } => vec![*other],
            Self::Composite { attributes } => attributes.iter().map(|attribute| attribute.ty).collect(),
            Self::Base | Self::Enum { .. } | Self::Pseudo => Vec::new(),
        }
    }
}

/// What a domain adds to the type that it is over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainRules {
    /// The type modifier of the base type (`pg_type.typtypmod`), or none.
    pub type_modifier: Option<i32>,
    /// Whether it refuses null.
    pub not_null: bool,
    /// Its default, as SQL.
    pub default: Option<String>,
    /// Its collation, where that is not its base type's.
    pub collation: Option<ObjectName>,
    /// Its checks, by name.
    pub checks: Vec<Check>,
}

/// An attribute of a composite type, or a column of a function's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier (`pg_attribute.atttypmod`), -1 for none.
    pub type_modifier: i32,
}
