use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;

use super::named::names_in;
use super::unused::drop_unused;
use super::{Contents, ObjectName, Oid, Relation};

impl Contents {
    /// What plugins can be proven against of contents that were reflected with
    /// [everything](crate::catalog::Snapshot::of_everything): what the login may use.
    ///
    /// Gone are the schemas, functions and operators that are [hidden](crate::catalog::Schema::hidden) with what is in them, the
    /// columns that the login may not SELECT, which are counted among the [hidden ones](Relation::hidden_columns), the keys that
    /// have such a column or refer to one, the relations of which no column is left, and what types nothing else is of then. A
    /// row has all columns all the same.
    ///
    /// Gone too is what names such a column, as in contents that were reflected of what the login may use. Here that is read of
    /// its SQL: what only has a name like it goes as well. Contents of what the login may use stay as they are.
    pub fn readable(mut self) -> Self {
        if self.is_readable() {
            return self;
        }
        let closed: HashSet<String> =
            self.schemas.iter().filter(|its| its.hidden).map(|its| its.name.clone()).collect();
        let run_by_casts: HashSet<Oid> = self.casts.iter().filter_map(|cast| cast.function).collect();
        self.schemas.retain(|schema| !schema.hidden);
        self.functions.retain(|function| !function.hidden || run_by_casts.contains(&function.oid));
        self.operators.retain(|operator| !operator.hidden);
        self.collations.retain(|collation| !closed.contains(&collation.schema));

        let hidden = Hidden::taken_from(&mut self.relations);
        let mut gone: HashSet<Oid> =
            self.types.iter().filter(|ty| closed.contains(&ty.schema)).map(|ty| ty.oid).collect();
        let rows: HashSet<Oid> = hidden.relations.iter().filter_map(|its| its.row_type).collect();
        let row_types = self.types.iter().filter(|ty| rows.contains(&ty.oid));
        gone.extend(row_types.flat_map(|ty| ty.array.into_iter().chain([ty.oid])));

        for relation in &mut self.relations {
            hidden.narrow(relation);
        }
        let parted = |its: &Relation| its.partitioning.as_ref().map(|_| name(its));
        let parted: HashSet<ObjectName> = self.relations.iter().filter_map(parted).collect();
        for relation in &mut self.relations {
            match relation.partition_of.take() {
                Some(of) if parted.contains(&of.parent) => relation.partition_of = Some(of),
                Some(of) => relation.inherits = hidden.nearest(vec![of.parent]),
                None => {}
            }
        }
        drop_unused(&mut self, &gone);
        self
    }

    /// Whether the login may use all of it.
    fn is_readable(&self) -> bool {
        let mut columns = self.relations.iter().flat_map(|relation| &relation.columns);
        let run_by_casts = || self.casts.iter().filter_map(|cast| cast.function).collect::<HashSet<_>>();
        let mut hidden = self.functions.iter().filter(|function| function.hidden).peekable();
        let functions = hidden.peek().is_none() || {
            let run_by_casts = run_by_casts();
            hidden.all(|function| run_by_casts.contains(&function.oid))
        };
        functions
            && columns.all(|column| column.privileges.select)
            && !self.schemas.iter().any(|schema| schema.hidden)
            && !self.operators.iter().any(|operator| operator.hidden)
    }
}

/// What the login may not read.
struct Hidden {
    /// The names of columns, by relation; of those that are hidden only in part.
    columns: HashMap<Oid, HashSet<String>>,
    /// The relations of which nothing is left.
    relations: Vec<Relation>,
    /// The columns of relations of that name, none of a relation that is gone.
    by_name: HashMap<String, HashSet<String>>,
}

impl Hidden {
    /// Takes away the columns that may not be read, and the relations of which no column is left.
    fn taken_from(relations: &mut Vec<Relation>) -> Self {
        let mut hidden = Self { columns: HashMap::new(), relations: Vec::new(), by_name: HashMap::new() };
        for mut relation in mem::take(relations) {
            let columns = mem::take(&mut relation.columns).into_iter();
            let (readable, others): (Vec<_>, Vec<_>) = columns.partition(|column| column.privileges.select);
            relation.columns = readable;
            relation.hidden_columns = relation.hidden_columns.saturating_add(others.len());
            let others: HashSet<String> = others.into_iter().map(|column| column.name).collect();
            if relation.columns.is_empty() {
                hidden.relations.push(relation);
                continue;
            }
            if !others.is_empty() {
                hidden.by_name.entry(relation.name.clone()).or_default().extend(others.iter().cloned());
                hidden.columns.insert(relation.oid, others);
            }
            relations.push(relation);
        }
        hidden
    }

    /// These parents; in the place of one that is gone, those of it.
    fn nearest(&self, parents: Vec<ObjectName>) -> Vec<ObjectName> {
        let (mut open, mut seen, mut nearest) = (VecDeque::from(parents), HashSet::new(), Vec::new());
        while let Some(parent) = open.pop_front() {
            if !seen.insert(parent.clone()) {
                continue;
            }
            match self.relations.iter().find(|gone| name(gone) == parent) {
                Some(gone) => {
                    open.extend(gone.partition_of.iter().map(|of| of.parent.clone()));
                    open.extend(gone.inherits.iter().cloned());
                }
                None => nearest.push(parent),
            }
        }
        nearest
    }

    /// Takes away of a relation what names something that is hidden.
    fn narrow(&self, relation: &mut Relation) {
        let is_gone = |oid: Oid| self.relations.iter().any(|its| its.oid == oid);
        let has = |oid: Oid, columns: &[String]| {
            let hidden = self.columns.get(&oid);
            !is_gone(oid) && !hidden.is_some_and(|hidden| columns.iter().any(|its| hidden.contains(its)))
        };
        let oid = relation.oid;
        relation.foreign_keys.retain(|key| has(oid, &key.columns) && has(key.target, &key.target_columns));
        relation.inherits = self.nearest(mem::take(&mut relation.inherits));
        relation.row_security.policies.retain(|policy| {
            let conditions = policy.using.iter().chain(&policy.check);
            !conditions.into_iter().any(|condition| self.is_in_policy(oid, condition))
        });
        let Some(hidden) = self.columns.get(&oid) else { return };
        let own = relation.name.clone();
        let shows = |sql: &str| {
            let names = names_in(sql);
            names.is_disjoint(hidden) && !(names.contains(&own) && sql.contains(WHOLE_ROW))
        };
        relation.unique_keys.retain(|key| has(oid, &key.columns));
        relation.checks.retain(|check| shows(&check.expression));
        relation.exclusions.retain(|exclusion| shows(&exclusion.definition));
        relation.indexes.retain(|index| {
            has(oid, &index.included) && index.keys.iter().chain(&index.predicate).all(|sql| shows(sql))
        });
        relation.partitioning = relation.partitioning.take().filter(|its| shows(&its.key));
        for column in relation.columns.iter_mut().filter(|column| column.generated.is_some()) {
            column.default = column.default.take().filter(|sql| shows(sql));
        }
    }

    /// Whether a policy's condition names something that is hidden, of its own relation or of another that it reads.
    fn is_in_policy(&self, own: Oid, condition: &str) -> bool {
        let names = names_in(condition);
        let read = self.by_name.iter().filter(|(relation, _)| names.contains(*relation));
        let mut columns = read.map(|(_, columns)| columns).peekable();
        let whole_row = columns.peek().is_some() && condition.contains(WHOLE_ROW);
        whole_row
            || self.relations.iter().any(|relation| names.contains(&relation.name))
            || columns.chain(self.columns.get(&own)).any(|columns| !names.is_disjoint(columns))
    }
}

/// How PostgreSQL ends the name of a whole row.
const WHOLE_ROW: &str = ".*";

fn name(relation: &Relation) -> ObjectName {
    ObjectName { schema: relation.schema.clone(), name: relation.name.clone() }
}
