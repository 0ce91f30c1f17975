mod conditions;
mod expressions;
mod relations;

use std::collections::HashMap;

use callslip_ir::{BooleanOperator, Description, NodeId, NodeKind, QualifiedName, Select};

use super::bare_column::collated_column;
use super::leaves::Leaves;
use crate::catalog::{Catalog, PG_CATALOG, Relation};
use crate::select::verified::Resolution;

/// The relations of one SELECT, and what its conditions say of how many rows of one belong to a row of another.
///
/// Where something isn't known, more is taken to be determined than may be: whoever warns by it rather says too little.
pub(super) struct JoinGraph<'a> {
    description: &'a Description,
    resolutions: &'a [Resolution],
    pub leaves: Vec<Leaf<'a>>,
    /// The columns that anything here is about.
    columns: Vec<LeafColumn<'a>>,
    equalities: Vec<Equality>,
    /// The columns that GROUP BY holds fast within a group.
    grouped: Vec<Position>,
    /// The columns that GROUP BY is about, those within its expressions too.
    group_by: Vec<Position>,
    /// Which relations each condition is about.
    conditions: Vec<Leaves>,
    /// The relations of which something else than equality may select a single row.
    restricted: Leaves,
    /// The relations of which only what has no row is kept: a column of a key is null.
    absent: Leaves,
    /// Of each leaf, which have at most one row for a row of it.
    determined: Vec<Leaves>,
    /// Of each two leaves, which they share; see [`Self::shared_by`].
    shared: HashMap<(usize, usize), usize>,
}

/// A relation in FROM.
pub(super) struct Leaf<'a> {
    pub alias: &'a str,
    /// The stored relation, if it is one whose keys are known.
    pub relation: Option<&'a Relation>,
    /// Each is unique.
    keys: Vec<Vec<Position>>,
}

/// The column of a leaf.
type LeafColumn<'a> = (usize, &'a str);

/// Of a column among all.
type Position = usize;

/// A column that has one value as soon as the others have.
struct Equality {
    column: Position,
    others: Vec<Position>,
}

/// Of a SELECT with more conditions, or more relations than a set holds, nothing is said.
const MOST_CONDITIONS: usize = 128;

impl<'a> JoinGraph<'a> {
    /// The graph of a SELECT that was verified; none, if it has what this does not see through.
    pub fn new(
        description: &'a Description,
        catalog: &'a Catalog,
        resolutions: &'a [Resolution],
        select: &'a Select,
    ) -> Option<Self> {
        let mut graph = Self {
            description,
            resolutions,
            leaves: Vec::new(),
            columns: Vec::new(),
            equalities: Vec::new(),
            grouped: Vec::new(),
            group_by: Vec::new(),
            conditions: Vec::new(),
            restricted: Leaves::NONE,
            absent: Leaves::NONE,
            determined: Vec::new(),
            shared: HashMap::new(),
        };
        let mut conditions: Vec<NodeId> = select.filter.into_iter().collect();
        let mut dependents = Vec::new();
        for &from in &select.from {
            graph.relation(from, catalog, &mut conditions, &mut dependents)?;
        }
        graph.add_keys();
        for node in dependents {
            graph.restricted = graph.restricted | graph.mentioned(node);
        }
        let mut bounds = HashMap::new();
        while let Some(condition) = conditions.pop() {
            match graph.kind(condition) {
                NodeKind::Boolean(boolean) if boolean.operator == BooleanOperator::And => {
                    conditions.extend(&boolean.operands);
                }
                _ if graph.conditions.len() == MOST_CONDITIONS => return None,
                _ => graph.condition(condition, &mut bounds),
            }
        }
        // Two columns of a row bound a time or a number, as the rows of a history do: there may be one row at a time.
        for (leaf, columns) in bounds {
            if columns.len() > 1 {
                graph.restricted = graph.restricted | Leaves::one(leaf);
            }
        }
        // A relation of which nothing is known may tell which row of another it belongs to, and one that must have no row may
        // select the latest of another: `LEFT JOIN loan later ON … later.id > loan.id … WHERE later.id IS NULL`.
        let telling = graph.unknown() | graph.absent;
        for &condition in graph.conditions.iter().filter(|condition| !condition.and(telling).is_empty()) {
            graph.restricted = graph.restricted | condition;
        }
        for &item in &select.group_by {
            graph.group(item);
        }
        graph.determined =
            (0..graph.leaves.len()).map(|leaf| graph.determined_by(Leaves::one(leaf))).collect();
        let count = graph.leaves.len();
        let pairs = (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
        graph.shared = pairs.filter_map(|(a, b)| Some(((a, b), graph.share(a, b)?))).collect();
        Some(graph)
    }

    fn kind(&self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    fn position(&mut self, column: LeafColumn<'a>) -> Position {
        self.columns.iter().position(|its| *its == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// Takes the columns of an item of GROUP BY as having one value in each group.
    fn group(&mut self, node: NodeId) {
        let within: Vec<Position> =
            self.columns(node).into_iter().map(|column| self.position(column)).collect();
        match self.kind(node) {
            NodeKind::GroupingSet(_) | NodeKind::Row(_) => self.grouped.extend(&within),
            _ if self.column(node).is_some() => self.grouped.extend(&within),
            _ => {}
        }
        self.group_by.extend(within);
    }

    fn column(&self, node: NodeId) -> Option<LeafColumn<'a>> {
        let (relation, name) = collated_column(self.description, self.resolutions, node)?;
        Some((self.leaf(relation)?, name))
    }

    fn leaf(&self, alias: &str) -> Option<usize> {
        self.leaves.iter().position(|leaf| leaf.alias == alias)
    }

    fn all(&self) -> Leaves {
        (0..self.leaves.len()).fold(Leaves::NONE, |found, leaf| found | Leaves::one(leaf))
    }

    /// Those of whose rows nothing is known.
    pub fn unknown(&self) -> Leaves {
        let unknown = self.leaves.iter().enumerate().filter(|(_, leaf)| leaf.relation.is_none());
        unknown.fold(Leaves::NONE, |found, (leaf, _)| found | Leaves::one(leaf))
    }

    /// Those that may have many rows for one of another, as far as is known.
    pub fn may_be_many(&self) -> Leaves {
        self.all().without(self.restricted | self.unknown())
    }

    /// The leaves that have at most one row for one row of each of these, in one group.
    pub fn determined_by(&self, leaves: Leaves) -> Leaves {
        self.determined(leaves, &self.grouped, self.all()).0
    }

    /// Those among some leaves, and these themselves, that have at most one row for one row of each of these and one
    /// value of each of the columns; and of which columns they tell the value.
    fn determined(&self, leaves: Leaves, columns: &[Position], among: Leaves) -> (Leaves, Vec<bool>) {
        let mut determined = leaves | self.unknown();
        let mut known = vec![false; self.columns.len()];
        for &column in columns {
            known[column] = true;
        }
        loop {
            for (known, (leaf, _)) in known.iter_mut().zip(&self.columns) {
                *known |= determined.has(*leaf);
            }
            let mut is_settled = true;
            for Equality { column, others } in &self.equalities {
                if !known[*column] && others.iter().all(|other| known[*other]) {
                    known[*column] = true;
                    is_settled = false;
                }
            }
            for index in among.without(determined).iter() {
                let keys = &self.leaves[index].keys;
                if keys.iter().any(|key| key.iter().all(|column| known[*column])) {
                    determined = determined | Leaves::one(index);
                    is_settled = false;
                }
            }
            if is_settled {
                return (determined, known);
            }
        }
    }

    /// Whether what is of these leaves is asked for each row of another one; see [`super::fan_out::warnings`].
    pub fn is_for_each(&self, many: usize, leaves: Leaves) -> bool {
        self.is_grouped_by(many, leaves) || self.is_looked_up(many, leaves) || self.is_link(many, leaves)
    }

    /// Whether GROUP BY is about a column of a leaf, and not about one that these leaves tell the value of.
    fn is_grouped_by(&self, many: usize, leaves: Leaves) -> bool {
        let (_, told) = self.determined(leaves, &[], self.all());
        self.group_by.iter().any(|&column| self.columns[column].0 == many && !told[column])
    }

    /// Whether these leaves stand in FROM after another one and are found from it by their keys, each from those before.
    fn is_looked_up(&self, many: usize, leaves: Leaves) -> bool {
        let after = (many + 1..self.leaves.len()).fold(Leaves::NONE, |found, leaf| found | Leaves::one(leaf));
        leaves.is_within(after) && leaves.is_within(self.determined(Leaves::one(many), &[], after).0)
    }

    /// Whether only by way of one leaf these leaves belong to one another and to those that GROUP BY is about.
    fn is_link(&self, many: usize, leaves: Leaves) -> bool {
        let grouped = self.group_by.iter().map(|&column| Leaves::one(self.columns[column].0));
        let ends = grouped.fold(leaves, |found, leaf| found | leaf).without(Leaves::one(many));
        let Some(start) = leaves.iter().next() else { return false };
        let connected = |without: Leaves| {
            let mut found = Leaves::one(start);
            loop {
                let conditions = self.conditions.iter().map(|condition| condition.without(without));
                let joined = conditions.filter(|condition| !condition.and(found).is_empty());
                let more = joined.fold(found, |found, condition| found | condition);
                if more == found {
                    return found;
                }
                found = more;
            }
        };
        !connected(Leaves::NONE).and(ends).is_within(connected(Leaves::one(many)))
    }

    /// The leaves that have at most one row for one row of this one.
    pub fn determined_by_one(&self, leaf: usize) -> Leaves {
        self.determined[leaf]
    }

    /// The relation that two others are joined to, many rows of each to one of it, and not to one another.
    pub fn shared_by(&self, one: usize, other: usize) -> Option<usize> {
        self.shared.get(&(one, other)).copied()
    }

    fn share(&self, one: usize, other: usize) -> Option<usize> {
        let (of_one, of_other) = (self.determined[one], self.determined[other]);
        if of_one.has(other) || of_other.has(one) {
            return None;
        }
        let (own, its) = (of_one.without(of_other), of_other.without(of_one));
        let join = |a: Leaves, b: Leaves| {
            let joins = |condition: &&Leaves| !condition.and(a).is_empty() && !condition.and(b).is_empty();
            self.conditions.iter().any(|condition| joins(&condition))
        };
        if join(own, its) {
            return None;
        }
        let shared = of_one.and(of_other).without(self.unknown());
        shared.iter().find(|&leaf| join(own, Leaves::one(leaf)) && join(its, Leaves::one(leaf)))
    }
}

/// Whether an operator is one of PostgreSQL's with one of these names.
fn is_builtin(operator: &QualifiedName, names: &[&str]) -> bool {
    operator.schema.as_deref().is_none_or(|schema| schema == PG_CATALOG)
        && names.contains(&operator.name.as_str())
}
