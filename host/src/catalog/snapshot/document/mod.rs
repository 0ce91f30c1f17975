//! The file: a catalog by names. What is usual is left out of it, so that a line says what is particular.

mod function;
mod relation;
mod ty;

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

pub(super) use function::{CastEntry, FunctionEntry, FunctionKindName, OperatorEntry};
pub(super) use relation::{
    CheckEntry, ColumnEntry, ExclusionEntry, ForeignKeyEntry, IndexEntry, PartitionOfEntry, PolicyEntry,
    Privilege, RelationEntry, RowSecurityEntry, USUAL_METHOD, UniqueKeyEntry, ViewEntry,
};
pub(super) use ty::{AttributeEntry, TypeEntry, TypeKindName};

use super::entries::Entries;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// [`callslip_ir::snapshot::FORMAT`].
    pub format: String,
    /// One of [`callslip_ir::snapshot::VERSIONS`].
    pub version: u32,
    /// `server_version_num`.
    pub postgresql: u32,
    #[serde(default)]
    pub settings: Entries<String>,
    /// Where names without a schema are looked for.
    pub search: Vec<String>,
    /// Whether it is of everything, and not of what the login may use.
    #[serde(default)]
    pub everything: bool,
    /// The extensions by name.
    #[serde(default)]
    pub extensions: Entries<ExtensionEntry>,
    /// The schemas by name.
    pub schemas: Entries<SchemaEntry>,
    /// The casts.
    #[serde(default)]
    pub casts: Vec<CastEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtensionEntry {
    pub schema: String,
    pub version: String,
}

/// A schema: its relations and types by name, and what a name does not tell apart.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SchemaEntry {
    /// Whether the login may not use it: it is here for what something else is of, or because everything is.
    pub hidden: bool,
    /// Empty where nothing is said.
    pub owner: String,
    pub comment: Option<String>,
    pub relations: Entries<RelationEntry>,
    pub types: Entries<TypeEntry>,
    pub functions: Vec<FunctionEntry>,
    pub operators: Vec<OperatorEntry>,
    pub collations: Vec<CollationEntry>,
}

/// A collation: its name, and an object where there is more to say.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CollationEntry {
    pub name: String,
    pub nondeterministic: bool,
}

/// A collation of which there is more to say than its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Particular {
    name: String,
    #[serde(default)]
    nondeterministic: bool,
}

impl Serialize for CollationEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, nondeterministic } = self;
        match nondeterministic {
            false => name.serialize(serializer),
            true => Particular { name: name.clone(), nondeterministic: true }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CollationEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrObject;

        impl<'de> Visitor<'de> for NameOrObject {
            type Value = CollationEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a collation's name, or an object")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(CollationEntry { name: name.to_owned(), nondeterministic: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Particular { name, nondeterministic } =
                    Particular::deserialize(MapAccessDeserializer::new(map))?;
                Ok(CollationEntry { name, nondeterministic })
            }
        }

        deserializer.deserialize_any(NameOrObject)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
