use std::collections::HashSet;
use std::mem;

use super::unused::drop_unused;
use super::{Contents, Oid, Relation};

impl Contents {
    /// What plugins can be proven against of contents that were reflected with
    /// [everything](crate::catalog::Snapshot::of_everything): what the login may read.
    ///
    /// Gone are the columns that it may not SELECT, which are counted among the [hidden ones](Relation::hidden_columns), the
    /// keys that have such a column or refer to one, the relations of which no column is left, and what types nothing else is
    /// of then. A row has all columns all the same. Contents of what the login may use stay as they are.
    pub fn readable(mut self) -> Self {
        let mut columns = self.relations.iter().flat_map(|relation| &relation.columns);
        if columns.all(|column| column.privileges.select) {
            return self;
        }
        let mut hidden = HashSet::new();
        for relation in &mut self.relations {
            let columns = mem::take(&mut relation.columns).into_iter();
            let (readable, others): (Vec<_>, Vec<_>) = columns.partition(|column| column.privileges.select);
            relation.columns = readable;
            relation.hidden_columns = relation.hidden_columns.saturating_add(others.len());
            hidden.extend(others.into_iter().map(|column| (relation.oid, column.name)));
        }
        let is_gone = |relation: &Relation| relation.columns.is_empty() && relation.hidden_columns > 0;
        let rows = self.relations.iter().filter(|relation| is_gone(relation)).filter_map(|its| its.row_type);
        let mut gone: HashSet<Oid> = rows.collect();
        gone.extend(
            self.types
                .iter()
                .filter(|ty| gone.contains(&ty.oid))
                .filter_map(|ty| ty.array)
                .collect::<Vec<_>>(),
        );
        self.relations.retain(|relation| !is_gone(relation));
        let left: HashSet<Oid> = self.relations.iter().map(|relation| relation.oid).collect();
        for relation in &mut self.relations {
            let has = |oid: Oid, columns: &[String]| {
                left.contains(&oid) && !columns.iter().any(|column| hidden.contains(&(oid, column.clone())))
            };
            relation.unique_keys.retain(|key| has(relation.oid, &key.columns));
            relation
                .foreign_keys
                .retain(|key| has(relation.oid, &key.columns) && has(key.target, &key.target_columns));
        }
        drop_unused(&mut self, &gone);
        self
    }
}
