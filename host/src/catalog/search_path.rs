use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callslip_ir::QualifiedName;

use super::{Catalog, ChosenSchemas, LogicalSchema, PG_CATALOG, Schemas};

/// The one door from the names that plugins and configurations write to the schemas of the database, for one choice of the
/// schemas that claims choose.
///
/// A schema that a claim can choose has no other name than the logical one, whatever is granted: what is in it, and whether it
/// is there, is nobody else's business. Of a logical schema for which nothing is chosen it can't be told what a name means that
/// one of those that are allowed has: the name is not found, not even in a schema that is searched later. The path keeps in mind which ones had a say ([`Self::consulted`]):
/// if all of these were chosen, everything that was looked up means the same whatever is chosen for the others.
#[derive(Debug)]
pub struct SearchPath {
    schemas: Arc<Schemas>,
    chosen: ChosenSchemas,
    consulted: Mutex<BTreeSet<String>>,
}

/// What a name may be of: each kind has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A relation. None of `pg_catalog` is found without its schema.
    Relation,
    /// A type.
    Type,
    /// A function.
    Function,
    /// An operator.
    Operator,
    /// A collation.
    Collation,
}

/// A schema to look in.
enum Place<'s> {
    Real(&'s str),
    /// One of the logical schemas that claims choose, by its name.
    Chosen {
        logical: &'s str,
        allowed: &'s [String],
        /// None, if nothing is chosen for it.
        real: Option<&'s str>,
    },
}

impl SearchPath {
    /// The path under what claims have chosen.
    pub fn new(schemas: Arc<Schemas>, chosen: ChosenSchemas) -> Self {
        Self { schemas, chosen, consulted: Mutex::default() }
    }

    /// A path through schemas of the database, where there are no logical ones.
    pub fn of(searched: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let searched = searched.into_iter().map(Into::into).collect();
        Self::new(Arc::new(Schemas { searched, ..Schemas::default() }), ChosenSchemas::default())
    }

    /// Where names without a schema are looked for, as the configuration writes it.
    pub fn searched(&self) -> &[String] {
        &self.schemas.searched
    }

    /// What claims have chosen.
    pub fn chosen(&self) -> &ChosenSchemas {
        &self.chosen
    }

    /// The first schema of the database that has what is named.
    pub fn first<'s>(
        &'s self,
        catalog: &Catalog,
        kind: NameKind,
        name: &'s QualifiedName,
    ) -> Option<&'s str> {
        self.holding(catalog, kind, name).next()
    }

    /// All schemas of the database that have what is named, in the order in which they are searched.
    pub fn all<'s>(&'s self, catalog: &Catalog, kind: NameKind, name: &'s QualifiedName) -> Vec<&'s str> {
        self.holding(catalog, kind, name).collect()
    }

    /// The schema of the database that a written one means. None, if it is the real name of one that a claim chooses, or if
    /// nothing is chosen for it.
    pub fn schema<'s>(&'s self, written: &'s str) -> Option<&'s str> {
        if self.is_of_claim(written) {
            return None;
        }
        match self.place(written) {
            Place::Real(schema) => Some(schema),
            Place::Chosen { logical, real, .. } => {
                self.consult(logical);
                real
            }
        }
    }

    /// Keeps in mind that a name was found nowhere: what is said of that depends on every schema in which it was looked for.
    pub fn missed(&self, name: &QualifiedName) {
        for place in self.places(NameKind::Relation, name) {
            if let Place::Chosen { logical, .. } = place {
                self.consult(logical);
            }
        }
    }

    /// The logical schemas that claims choose and that had a say in what was looked up: they were named, or one of the schemas
    /// that they can be has what was looked for.
    pub fn consulted(&self) -> BTreeSet<String> {
        self.record().clone()
    }

    /// The first logical schema that had a say, and for which nothing is chosen yet.
    pub fn unchosen(&self) -> Option<String> {
        self.record().iter().find(|logical| self.chosen.get(logical).is_none()).cloned()
    }

    /// A schema of the database as plugins name it.
    pub fn shown<'s>(&'s self, real: &'s str) -> &'s str {
        let is_it = |(name, logical): &(&String, &LogicalSchema)| match logical {
            LogicalSchema::Fixed(schema) => schema == real,
            LogicalSchema::Chosen { .. } => self.chosen.get(name) == Some(real),
        };
        self.schemas.logical.iter().find(is_it).map_or(real, |(name, _)| name)
    }

    /// Whether plugins can't name what is in this schema of the database: a claim may choose it, and has not.
    pub fn hides(&self, real: &str) -> bool {
        self.shown(real) == real && self.is_of_claim(real)
    }

    /// The logical schema that the real name of a schema must not be written instead of, since a claim chooses.
    pub fn chosen_as(&self, written: &str) -> Option<&str> {
        if self.schemas.logical.contains_key(written) {
            return None;
        }
        let is_allowed = |allowed: &[String]| allowed.iter().any(|real| real == written);
        self.schemas.chosen().find(|(_, _, allowed)| is_allowed(allowed)).map(|(logical, _, _)| logical)
    }

    /// Keeps in mind that these logical schemas have a say, since something that was looked up before depends on them.
    pub(crate) fn depends_on(&self, logical: &BTreeSet<String>) {
        logical.iter().for_each(|logical| self.consult(logical));
    }

    fn record(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Insertions are all that is done to it.
        self.consulted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn consult(&self, logical: &str) {
        let mut consulted = self.record();
        if !consulted.contains(logical) {
            consulted.insert(logical.to_owned());
        }
    }

    fn places<'s>(&'s self, kind: NameKind, name: &'s QualifiedName) -> impl Iterator<Item = Place<'s>> {
        let builtin =
            (name.schema.is_none() && kind != NameKind::Relation).then_some(Place::Real(PG_CATALOG));
        let (written, searched) = match &name.schema {
            Some(schema) if self.is_of_claim(schema) => (None, &[][..]),
            Some(schema) => (Some(self.place(schema)), &[][..]),
            None => (None, self.schemas.searched.as_slice()),
        };
        if let Some(Place::Chosen { logical, .. }) = written {
            self.consult(logical);
        }
        builtin.into_iter().chain(written).chain(searched.iter().map(|schema| self.place(schema)))
    }

    fn place<'s>(&'s self, written: &'s str) -> Place<'s> {
        match self.schemas.logical.get_key_value(written) {
            None => Place::Real(written),
            Some((_, LogicalSchema::Fixed(schema))) => Place::Real(schema),
            Some((logical, LogicalSchema::Chosen { allowed, .. })) => {
                Place::Chosen { logical, allowed, real: self.chosen.get(logical) }
            }
        }
    }

    /// Whether this is the real name of a schema that a claim can choose.
    fn is_of_claim(&self, written: &str) -> bool {
        self.chosen_as(written).is_some()
    }

    /// The schemas of the database that have what is named, up to the first of which that can't be told.
    fn holding<'s>(
        &'s self,
        catalog: &Catalog,
        kind: NameKind,
        name: &'s QualifiedName,
    ) -> impl Iterator<Item = &'s str> {
        self.places(kind, name)
            .map_while(move |place| self.holds(catalog, kind, &name.name, &place))
            .flatten()
    }

    /// The schema of the database that is meant by a place, if it has the name. Nothing, if that depends on what is not chosen.
    fn holds<'s>(
        &self,
        catalog: &Catalog,
        kind: NameKind,
        name: &str,
        place: &Place<'s>,
    ) -> Option<Option<&'s str>> {
        let has = |schema: &&str| catalog.has(kind, schema, name);
        match place {
            Place::Real(schema) => Some(Some(*schema).filter(has)),
            Place::Chosen { logical, allowed, real } => {
                if !allowed.iter().any(|schema| has(&schema.as_str())) {
                    return Some(None);
                }
                self.consult(logical);
                real.map(|real| Some(real).filter(has))
            }
        }
    }
}
