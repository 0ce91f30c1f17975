use std::collections::{HashMap, HashSet};

use super::Filter;
use crate::catalog::{Catalog, ObjectName, Oid, Relation, is_of_the_system};

/// The relations that have no filter of their own, though who reads them may read rows of a relation that has: views of it,
/// and the tables that it shares rows with, being a partition, a parent or a child of theirs.
#[derive(Clone, Debug, Default)]
pub struct Kin(HashMap<Oid, Relative>);

/// Why rows of a filtered relation may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relative {
    /// It leads to this relation, which has a filter.
    Of(ObjectName),
    /// It is a view of this relation, which the login may not read: nobody can tell what that has.
    Unknown(ObjectName),
}

impl Kin {
    /// Looks for the relations that lead to rows of these filtered ones.
    pub fn of(catalog: &Catalog, filters: &[Filter]) -> Self {
        if filters.is_empty() {
            return Self::default();
        }
        let relations = &catalog.contents().relations;
        // Who reads the one reads rows of the other.
        let mut readers: HashMap<Oid, Vec<Oid>> = HashMap::new();
        let mut kin = HashMap::new();
        let mut leads = |from: Oid, to: Oid| readers.entry(to).or_default().push(from);
        let find = |name: &ObjectName| catalog.relation(&name.schema, &name.name);
        for relation in relations {
            for read in relation.view.iter().flat_map(|view| &view.reads) {
                match find(read) {
                    Some(read) => leads(relation.oid, read.oid),
                    // It may be a materialized view, and the rows that it keeps may be anybody's.
                    None if !is_of_the_system(&read.schema) => {
                        kin.entry(relation.oid).or_insert_with(|| Relative::Unknown(read.clone()));
                    }
                    None => {}
                }
            }
            // A parent gives the rows of its children, and a child has rows that its parent gives.
            for parent in parents(relation).filter_map(find) {
                leads(parent.oid, relation.oid);
                leads(relation.oid, parent.oid);
            }
        }
        let filtered: HashSet<Oid> = filters.iter().map(|filter| filter.relation).collect();
        for filter in filters {
            let Some(relation) = catalog.relation_by_oid(filter.relation) else { continue };
            let of =
                Relative::Of(ObjectName { schema: relation.schema.clone(), name: relation.name.clone() });
            let (mut open, mut seen) = (vec![filter.relation], HashSet::from([filter.relation]));
            while let Some(read) = open.pop() {
                for &reader in readers.get(&read).into_iter().flatten() {
                    if seen.insert(reader) {
                        kin.insert(reader, of.clone());
                        open.push(reader);
                    }
                }
            }
        }
        kin.retain(|oid, _| !filtered.contains(oid));
        Self(kin)
    }

    /// Why a relation can't be read without a filter of its own, if it can't.
    pub fn why(&self, relation: Oid) -> Option<&Relative> {
        self.0.get(&relation)
    }
}

fn parents(relation: &Relation) -> impl Iterator<Item = &ObjectName> {
    relation.partition_of.iter().map(|of| &of.parent).chain(&relation.inherits)
}
