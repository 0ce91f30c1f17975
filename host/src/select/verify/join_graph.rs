use std::collections::{BTreeSet, HashMap};

use callslip_ir::{
    BooleanOperator, Description, Is, IsTest, Join, JoinCondition, NodeId, NodeKind, QualifiedName,
    RelationName, Select, SpecialForm, Subexpression,
};

use super::leaves::{Leaves, MOST_LEAVES};
use crate::catalog::{Catalog, PG_CATALOG, Relation, RelationKind};
use crate::select::verified::Resolution;

/// The relations of one SELECT, and what its conditions say of how many rows of one belong to a row of another.
///
/// Where something isn't known, more is taken to be determined than may be: whoever warns by it rather says too little.
pub(super) struct JoinGraph<'a> {
    description: &'a Description,
    pub leaves: Vec<Leaf<'a>>,
    /// The columns that anything here is about.
    columns: Vec<LeafColumn<'a>>,
    equalities: Vec<Equality>,
    /// The columns that GROUP BY holds fast within a group.
    grouped: Vec<Position>,
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

const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "~~", "!~~"];

impl<'a> JoinGraph<'a> {
    /// The graph of a SELECT that was verified; none, if it has what this does not see through.
    pub fn new(
        description: &'a Description,
        catalog: &'a Catalog,
        resolutions: &[Resolution],
        select: &'a Select,
    ) -> Option<Self> {
        let mut graph = Self {
            description,
            leaves: Vec::new(),
            columns: Vec::new(),
            equalities: Vec::new(),
            grouped: Vec::new(),
            conditions: Vec::new(),
            restricted: Leaves::NONE,
            absent: Leaves::NONE,
            determined: Vec::new(),
            shared: HashMap::new(),
        };
        let mut conditions: Vec<NodeId> = select.filter.into_iter().collect();
        let mut dependents = Vec::new();
        for &from in &select.from {
            graph.relation(from, catalog, resolutions, &mut conditions, &mut dependents)?;
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

    /// Adds the leaves of a relation, and gathers the conditions of joins and what may look at relations before it.
    fn relation(
        &mut self,
        node: NodeId,
        catalog: &'a Catalog,
        resolutions: &[Resolution],
        conditions: &mut Vec<NodeId>,
        dependents: &mut Vec<NodeId>,
    ) -> Option<Leaves> {
        let (alias, stored) = match self.kind(node) {
            NodeKind::Join(join) => {
                let left = self.relation(join.left, catalog, resolutions, conditions, dependents)?;
                let right = self.relation(join.right, catalog, resolutions, conditions, dependents)?;
                return self.join(join, left, right, conditions);
            }
            NodeKind::Table(table) => {
                let stored = match (&table.name, &resolutions[node.0 as usize]) {
                    (RelationName::Stored(_), Resolution::Object { schema, name })
                        if table.columns.is_empty() =>
                    {
                        catalog.relation(schema, name)
                    }
                    _ => None,
                };
                (&table.alias, stored)
            }
            NodeKind::Subquery(subquery) => {
                dependents.extend(subquery.lateral.then_some(node));
                (&subquery.alias, None)
            }
            NodeKind::Functions(functions) => {
                dependents.push(node);
                (&functions.alias, None)
            }
            NodeKind::JsonTable(table) => {
                dependents.push(node);
                (&table.alias, None)
            }
            _ => return None,
        };
        let stored = stored.filter(|relation| {
            let is_table = matches!(
                relation.kind,
                RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView
            );
            // A key of columns that can't be read is not known.
            is_table && !relation.unique_keys.is_empty() && relation.hidden_columns == 0
        });
        if self.leaves.len() == MOST_LEAVES {
            return None;
        }
        self.leaves.push(Leaf { alias, relation: stored, keys: Vec::new() });
        Some(Leaves::one(self.leaves.len() - 1))
    }

    fn join(
        &mut self,
        join: &'a Join,
        left: Leaves,
        right: Leaves,
        conditions: &mut Vec<NodeId>,
    ) -> Option<Leaves> {
        // An alias hides the names inside, and NATURAL joins whatever has one name.
        if join.alias.is_some() {
            return None;
        }
        match &join.condition {
            JoinCondition::None => {}
            JoinCondition::On(condition) => conditions.push(*condition),
            JoinCondition::Using { alias: Some(_), .. } | JoinCondition::Natural => return None,
            JoinCondition::Using { columns, alias: None } => {
                for name in columns {
                    let (left, right) = (self.with_column(left, name)?, self.with_column(right, name)?);
                    for (left, right) in left.iter().flat_map(|l| right.iter().map(move |r| (l, r))) {
                        let (left, right) = (self.position((left, name)), self.position((right, name)));
                        self.equalities.push(Equality { column: left, others: vec![right] });
                        self.equalities.push(Equality { column: right, others: vec![left] });
                    }
                    if self.conditions.len() == MOST_CONDITIONS {
                        return None;
                    }
                    self.conditions.push(left | right);
                }
            }
        }
        Some(left | right)
    }

    /// The leaves among these that have a column of that name; none, if that can't be told of one.
    fn with_column(&self, leaves: Leaves, name: &str) -> Option<Leaves> {
        let mut found = Leaves::NONE;
        for leaf in leaves.iter() {
            let relation = self.leaves[leaf].relation?;
            if relation.columns.iter().any(|column| column.name == name) {
                found = found | Leaves::one(leaf);
            }
        }
        Some(found)
    }

    /// Gives each leaf its relation's keys, among them what a foreign key of another leaf refers to.
    fn add_keys(&mut self) {
        let relations: Vec<&'a Relation> = self.leaves.iter().filter_map(|leaf| leaf.relation).collect();
        for leaf in 0..self.leaves.len() {
            let Some(relation) = self.leaves[leaf].relation else { continue };
            let references = relations.iter().flat_map(|relation| &relation.foreign_keys);
            let references = references.filter(|reference| reference.target == relation.oid);
            let keys = relation.unique_keys.iter().map(|key| &key.columns);
            for columns in keys.chain(references.map(|reference| &reference.target_columns)) {
                let key = columns.iter().map(|name| self.position((leaf, name))).collect();
                self.leaves[leaf].keys.push(key);
            }
        }
    }

    fn condition(&mut self, node: NodeId, bounds: &mut HashMap<usize, BTreeSet<&'a str>>) {
        let mentioned = self.mentioned(node);
        self.conditions.push(mentioned);
        if let NodeKind::Subexpression(Subexpression::Exists(_)) = self.kind(node) {
            return;
        }
        // It may ask for the latest row, or the only one.
        if self.has_query(node) {
            self.restricted = self.restricted | mentioned;
            return;
        }
        match self.kind(node) {
            NodeKind::Operation(operation) => match operation.operands.as_slice() {
                &[left, right] if is_builtin(&operation.operator, &["="]) => self.equality(left, right),
                operands if is_builtin(&operation.operator, &["<", "<=", ">", ">="]) => {
                    for (leaf, column) in operands.iter().filter_map(|&operand| self.column(operand)) {
                        bounds.entry(leaf).or_default().insert(column);
                    }
                }
                _ if is_builtin(&operation.operator, &["@>", "<@", "&&"]) => {
                    self.restricted = self.restricted | mentioned;
                }
                _ => {}
            },
            NodeKind::Special(special) => match (&special.form, special.operands.as_slice()) {
                (SpecialForm::DistinctFrom { negated: true }, &[left, right]) => self.equality(left, right),
                (SpecialForm::Between { .. }, operands) => {
                    for (leaf, column) in operands.iter().filter_map(|&operand| self.column(operand)) {
                        bounds.entry(leaf).or_default().insert(column);
                    }
                }
                (SpecialForm::Overlaps, _) => self.restricted = self.restricted | mentioned,
                _ => {}
            },
            NodeKind::Subexpression(Subexpression::InList { operand, items, negated: false }) => {
                if let &[item] = items.as_slice() {
                    self.equality(*operand, item);
                }
            }
            // Null is no value of a key, but a partial one may be of the rows that have it.
            NodeKind::Is(is) if !is.negated => {
                self.pin(is.value, Vec::new());
                self.without_rows(is);
            }
            _ => {}
        }
    }

    fn without_rows(&mut self, is: &Is) {
        let Some((leaf, name)) = self.column(is.value).filter(|_| is.test == IsTest::Null) else { return };
        let in_key = |key: &Vec<Position>| key.iter().any(|&column| self.columns[column] == (leaf, name));
        if self.leaves[leaf].keys.iter().any(in_key) {
            self.absent = self.absent | Leaves::one(leaf);
        }
    }

    fn equality(&mut self, left: NodeId, right: NodeId) {
        match (self.kind(left), self.kind(right)) {
            (NodeKind::Row(left), NodeKind::Row(right)) => {
                for (&left, &right) in left.iter().zip(right) {
                    self.pin(left, self.columns(right));
                    self.pin(right, self.columns(left));
                }
            }
            _ => {
                self.pin(left, self.columns(right));
                self.pin(right, self.columns(left));
            }
        }
    }

    fn pin(&mut self, node: NodeId, others: Vec<LeafColumn<'a>>) {
        if let Some(column) = self.column(node) {
            let column = self.position(column);
            let others = others.into_iter().map(|other| self.position(other)).collect();
            self.equalities.push(Equality { column, others });
        }
    }

    fn position(&mut self, column: LeafColumn<'a>) -> Position {
        self.columns.iter().position(|its| *its == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// Takes the columns of an item of GROUP BY as having one value in each group.
    fn group(&mut self, node: NodeId) {
        let columns = match self.kind(node) {
            NodeKind::GroupingSet(_) | NodeKind::Row(_) => self.columns(node),
            _ => self.column(node).into_iter().collect(),
        };
        for column in columns {
            let position = self.position(column);
            self.grouped.push(position);
        }
    }

    /// The column that an expression is, under casts.
    fn column(&self, mut node: NodeId) -> Option<LeafColumn<'a>> {
        loop {
            match self.kind(node) {
                NodeKind::Column { relation, name } => return Some((self.leaf(relation)?, name)),
                NodeKind::Cast(cast) => node = cast.value,
                NodeKind::Collate(collate) => node = collate.value,
                _ => return None,
            }
        }
    }

    fn leaf(&self, alias: &str) -> Option<usize> {
        self.leaves.iter().position(|leaf| leaf.alias == alias)
    }

    /// The columns of leaves anywhere in an expression; of a whole row, its name as one.
    fn columns(&self, node: NodeId) -> Vec<LeafColumn<'a>> {
        let column = |node| match self.kind(node) {
            NodeKind::Column { relation, name } => Some((self.leaf(relation)?, name.as_str())),
            NodeKind::WholeRow { relation } => Some((self.leaf(relation)?, "")),
            _ => None,
        };
        self.within(node).into_iter().filter_map(column).collect()
    }

    /// The leaves that an expression or a query is about.
    pub fn mentioned(&self, node: NodeId) -> Leaves {
        self.columns(node).iter().fold(Leaves::NONE, |found, (leaf, _)| found | Leaves::one(*leaf))
    }

    /// The leaves whose columns the value of an expression is made of: not those that only its conditions look at, as in
    /// `CASE WHEN … THEN 1 ELSE 0 END`.
    pub fn valued(&self, node: NodeId) -> Leaves {
        let (mut open, mut found) = (vec![node], Leaves::NONE);
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Case(case) => {
                    open.extend(case.arms.iter().map(|arm| arm.then).chain(case.otherwise));
                }
                NodeKind::Boolean(_)
                | NodeKind::Is(_)
                | NodeKind::Subexpression(Subexpression::Exists(_)) => {}
                NodeKind::Operation(operation) if is_builtin(&operation.operator, COMPARISONS) => {}
                NodeKind::Column { relation, .. } | NodeKind::WholeRow { relation } => {
                    found = self.leaf(relation).map_or(found, |leaf| found | Leaves::one(leaf));
                }
                kind => open.extend(kind.children()),
            }
        }
        found
    }

    fn has_query(&self, node: NodeId) -> bool {
        self.within(node).into_iter().any(|node| matches!(self.kind(node), NodeKind::Query(_)))
    }

    /// A node and all nodes below it.
    fn within(&self, node: NodeId) -> Vec<NodeId> {
        let mut found = vec![node];
        let mut at = 0;
        while let Some(node) = found.get(at) {
            found.extend(self.kind(*node).children());
            at += 1;
        }
        found
    }

    /// Those of whose rows nothing is known.
    pub fn unknown(&self) -> Leaves {
        let unknown = self.leaves.iter().enumerate().filter(|(_, leaf)| leaf.relation.is_none());
        unknown.fold(Leaves::NONE, |found, (leaf, _)| found | Leaves::one(leaf))
    }

    /// Those that may have many rows for one of another, as far as is known.
    pub fn may_be_many(&self) -> Leaves {
        let all = (0..self.leaves.len()).fold(Leaves::NONE, |found, leaf| found | Leaves::one(leaf));
        all.without(self.restricted | self.unknown())
    }

    /// The leaves that have at most one row for one row of each of these, in one group.
    pub fn determined_by(&self, leaves: Leaves) -> Leaves {
        let mut determined = leaves | self.unknown();
        let mut known = vec![false; self.columns.len()];
        for &column in &self.grouped {
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
            for (index, leaf) in self.leaves.iter().enumerate() {
                if !determined.has(index)
                    && leaf.keys.iter().any(|key| key.iter().all(|column| known[*column]))
                {
                    determined = determined | Leaves::one(index);
                    is_settled = false;
                }
            }
            if is_settled {
                return determined;
            }
        }
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
