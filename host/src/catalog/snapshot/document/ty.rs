use serde::{Deserialize, Deserializer, Serialize};

use super::{CheckEntry, is_false};

/// A type and, unless it says otherwise, the array type of it that PostgreSQL names `_name`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct TypeEntry {
    pub kind: TypeKindName,
    /// Of an enum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of a domain: the modifier of its base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<i32>,
    /// Of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// Of a domain or a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_null: bool,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckEntry>,
    /// Of a composite type; a relation's columns, where nothing is said of the type of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<AttributeEntry>>,
    /// Of a multirange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Where it is not the usual one of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<char>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub preferred: bool,
    /// The name of its array type, or null for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub array: Option<Option<String>>,
    /// Empty where nothing is said; that of the rows of a relation, and of arrays, is theirs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// As `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// An attribute of a composite type, or a column of a function's result.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct AttributeEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// `atttypmod`; none where it is -1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<i32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog::snapshot) enum TypeKindName {
    #[default]
    Base,
    Enum,
    Domain,
    Composite,
    Range,
    Multirange,
    Pseudo,
}

impl TypeKindName {
    /// The category that types of this kind are in; none, where that is their base's.
    pub(in crate::catalog::snapshot) fn usual_category(self) -> Option<char> {
        Some(match self {
            Self::Base => 'U',
            Self::Enum => 'E',
            Self::Domain => return None,
            Self::Composite => 'C',
            Self::Range | Self::Multirange => 'R',
            Self::Pseudo => 'P',
        })
    }
}

/// A member that is there, if only as null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
