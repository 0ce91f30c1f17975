use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use callslip_ir::{NodeId, SlotId};

use super::filter::{Filtered, RowFilter};
use super::{Finding, ResolvedType, ValueRule};
use crate::catalog::{ObjectName, Oid};

/// What verification found out about a description: everything that lowering needs, and nothing that came from the
/// plugin unchecked.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What each node's names mean, by node.
    pub(super) resolutions: Vec<Resolution>,
    /// The types that values are cast to where they are used, by node: those that PostgreSQL would convert them to by itself.
    pub(super) coercions: HashMap<NodeId, ResolvedType>,
    /// The operators of ORDER BY … USING, by the expression that they sort.
    pub(super) orderings: HashMap<NodeId, Resolution>,
    /// The filtered relations, by the nodes that name them.
    pub(super) filtered: HashMap<NodeId, Filtered>,
    /// What GROUP BY lacks.
    pub(super) completed: Completion,
    /// The functions that it runs, those behind operators and casts too, as far as they are known.
    pub(crate) runs: BTreeSet<Oid>,
    /// What the values of slots must be. Whoever binds them checks it.
    pub rules: BTreeMap<SlotId, ValueRule>,
    /// The row filters that it is under.
    pub filters: Vec<Arc<RowFilter>>,
    /// The columns of the result.
    pub columns: Vec<OutputColumn>,
    /// The relations that the statement reads, as (schema, name).
    pub relations: BTreeSet<(String, String)>,
    /// The functions that it calls, as (schema, name).
    pub functions: BTreeSet<(String, String)>,
    /// The columns of these relations that it reads: those that it names, those of whole rows, and those that USING and
    /// NATURAL compare.
    pub columns_read: BTreeSet<ColumnName>,
    /// All that it takes from outside of `pg_catalog`: relations, functions, operators, collations, and types, also those of
    /// the columns that it reads.
    pub objects: BTreeSet<ObjectName>,
    /// What PostgreSQL takes and its author hardly means, in the order of the author's source; at most a hundred.
    pub warnings: Vec<Finding>,
}

/// What the columns of filtered relations need that stand beside aggregates, since the primary key of theirs is grouped.
#[derive(Clone, Debug, Default)]
pub(super) struct Completion {
    /// What is added to GROUP BY, by the SELECT.
    pub added: HashMap<NodeId, Vec<NodeId>>,
    /// Of which a value of the group is taken.
    pub single: HashSet<NodeId>,
}

/// A column of a relation, by its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// The relation.
    pub relation: ObjectName,
    /// The column.
    pub column: String,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type, where the verifier could infer it; PostgreSQL has the last word.
    pub ty: Option<Oid>,
}

/// What the names of a node mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It has none.
    None,
    /// A relation, function, operator or collation of the database.
    Object { schema: String, name: String },
    /// The type of a cast or a null, or the type that a slot is bound as.
    Type(ResolvedType),
    /// A slot whose type its surroundings have not told yet.
    Untyped,
    /// A relation of the database of which rows are taken by a method, both as (schema, name).
    Sampled { relation: (String, String), method: (String, String) },
    /// The columns that are defined for functions in FROM, of one function after the other.
    Columns(Vec<DefinedColumn>),
}

/// The type and the collation of a column that is defined for a function in FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DefinedColumn {
    pub ty: ResolvedType,
    /// As (schema, name).
    pub collation: Option<(String, String)>,
}
