use std::collections::{BTreeMap, BTreeSet};

/// What was granted of the objects of one name: of a relation its columns, of a function or an operator its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Granted<T> {
    /// All of them, also those that come later.
    All,
    /// These.
    These(BTreeSet<T>),
}

impl<T: Ord> Granted<T> {
    pub fn has<Q: Ord + ?Sized>(&self, one: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(one),
        }
    }

    fn and(&mut self, more: Self) {
        match (self, more) {
            (Self::All, _) => {}
            (Self::These(these), Self::These(more)) => these.extend(more),
            (all, Self::All) => *all = Self::All,
        }
    }
}

/// What was granted, by schema and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ByName<T>(BTreeMap<String, BTreeMap<String, Granted<T>>>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> ByName<T> {
    pub fn get(&self, schema: &str, name: &str) -> Option<&Granted<T>> {
        self.0.get(schema)?.get(name)
    }

    /// Adds a grant to those that there are.
    pub fn add(&mut self, schema: &str, name: &str, granted: Granted<T>) {
        let of_schema = self.0.entry(schema.to_owned()).or_default();
        of_schema.entry(name.to_owned()).or_insert_with(|| Granted::These(BTreeSet::new())).and(granted);
    }
}
