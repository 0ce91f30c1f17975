use std::collections::BTreeMap;
use std::fmt;

use super::Contents;

/// Where names are looked for, and what the schemas are that plugins name: the part of a configuration that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schemas {
    /// Where a name without a schema is looked for, in this order, after `pg_catalog`. A logical schema is named as plugins
    /// name it.
    pub searched: Vec<String>,
    /// The logical schemas, by the names that plugins know them by. Each hides a real schema of its name.
    pub logical: BTreeMap<String, LogicalSchema>,
}

/// What a logical schema is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogicalSchema {
    /// Always this schema of the database.
    Fixed(String),
    /// The schema that a claim of the caller names.
    Chosen {
        /// The claim.
        claim: String,
        /// The schemas that it may name.
        allowed: Vec<String>,
    },
}

impl LogicalSchema {
    /// The schema that stands for it where there is no caller, as in a snapshot: the only one, or the first that is allowed.
    pub fn representative(&self) -> Option<&str> {
        self.real().first().map(String::as_str)
    }

    /// Every schema that it can be.
    pub fn real(&self) -> &[String] {
        match self {
            Self::Fixed(schema) => std::slice::from_ref(schema),
            Self::Chosen { allowed, .. } => allowed,
        }
    }
}

impl Schemas {
    /// The logical schemas that claims choose: the name, the claim, and the schemas that it may name.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, &str, &[String])> {
        self.logical.iter().filter_map(|(name, logical)| match logical {
            LogicalSchema::Fixed(_) => None,
            LogicalSchema::Chosen { claim, allowed } => {
                Some((name.as_str(), claim.as_str(), allowed.as_slice()))
            }
        })
    }

    /// The schemas that a claim may name, if one chooses this logical schema.
    pub fn allowed(&self, logical: &str) -> Option<&[String]> {
        match self.logical.get(logical)? {
            LogicalSchema::Fixed(_) => None,
            LogicalSchema::Chosen { allowed, .. } => Some(allowed),
        }
    }

    /// The same for a snapshot. One that was written with this configuration has the logical schemas themselves, and none of
    /// the real ones; then each is what it is called.
    pub fn of_snapshot(mut self, contents: &Contents) -> Self {
        let has = |schema: &str| contents.schema_names().any(|its| its == schema);
        // A type is kept where something else is of it, also of a schema that is left out.
        let kept = |schema: &String| {
            contents.relations.iter().any(|its| its.schema == *schema)
                || contents.functions.iter().any(|its| its.schema == *schema)
        };
        for (name, logical) in &mut self.logical {
            if has(name) && !logical.real().iter().any(kept) {
                *logical = LogicalSchema::Fixed(name.clone());
            }
        }
        self
    }
}

/// The schemas that claims have chosen for a call or a proof, by the logical schemas that they stand for. Empty where nothing
/// depends on a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChosenSchemas(BTreeMap<String, String>);

impl ChosenSchemas {
    /// The schema that was chosen for a logical one.
    pub fn get(&self, logical: &str) -> Option<&str> {
        self.0.get(logical).map(String::as_str)
    }

    /// Each logical schema, and the one that was chosen for it, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(logical, real)| (logical.as_str(), real.as_str()))
    }

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it chooses all that another one does.
    pub fn includes(&self, other: &Self) -> bool {
        other.iter().all(|(logical, real)| self.get(logical) == Some(real))
    }

    /// The same, and for one more logical schema a real one.
    #[must_use]
    pub fn with(&self, logical: &str, real: &str) -> Self {
        let mut chosen = self.clone();
        chosen.0.insert(logical.to_owned(), real.to_owned());
        chosen
    }
}

impl fmt::Display for ChosenSchemas {
    /// `tenant = acme, region = eu`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (logical, real)) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{logical} = {real}")?;
        }
        Ok(())
    }
}
