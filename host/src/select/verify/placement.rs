use callslip_ir::{Call, NodeId, NodeKind, RelationName, Select};

use super::Verifier;
use super::comparison::level;
use crate::Code;
use crate::catalog::FunctionKind;
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::verified::Resolution;

/// What was met in an expression, as a bit for each level of queries, the outermost being the lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    /// Of which queries there are columns.
    pub columns: u128,
    /// Of which queries there are aggregates.
    pub aggregates: u128,
    /// Of which queries there are window functions.
    pub windows: u128,
}

impl Met {
    pub fn and(self, other: Self) -> Self {
        Self {
            columns: self.columns | other.columns,
            aggregates: self.aggregates | other.aggregates,
            windows: self.windows | other.windows,
        }
    }
}

/// A level that no query has, for an aggregate of which it is not certain.
const UNCERTAIN: u128 = 1 << 127;

/// A query that is being verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryLevel {
    level: u128,
    clause: Clause,
    /// Whether its FROM names the recursive CTE that it is the recursive term of.
    recurses: bool,
}

/// The part of a query that is being verified, as far as it matters to aggregates and window functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    /// The select list, DISTINCT ON and ORDER BY, which take both.
    Results,
    From,
    On,
    Where,
    GroupBy,
    Having,
    Window,
    Frame,
    Filter,
    Limit,
    Values,
}

impl Clause {
    fn takes_aggregates(self) -> bool {
        matches!(self, Self::Results | Self::Having | Self::Window)
    }

    fn takes_windows(self) -> bool {
        self == Self::Results
    }

    fn name(self) -> &'static str {
        match self {
            Self::Results => "the select list",
            Self::From => "FROM of its own query",
            Self::On => "the condition of a join",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::Having => "HAVING",
            Self::Window => "the definition of a window",
            Self::Frame => "the frame of a window",
            Self::Filter => "FILTER",
            Self::Limit => "LIMIT and OFFSET",
            Self::Values => "VALUES",
        }
    }

    fn instead_of_aggregate(self) -> &'static str {
        match self {
            Self::Where | Self::On => {
                "filter the groups by it with .having(…), or compute it in a subquery and filter by that"
            }
            Self::GroupBy => "compute it in a subquery, and group the query around that by its column",
            Self::Filter => "compute it in a subquery, and filter by its column in the query around that",
            _ => "compute it in a subquery of its own: .scalar() makes one a value",
        }
    }
}

const INSTEAD_OF_WINDOW: &str =
    "compute it in a subquery, and use its column in the query around that, as .filter(…) can";

impl<'a> Verifier<'a> {
    /// Begins a query whose FROM comes first, and gives how many are around it.
    pub(super) fn begin_query(&mut self, body: NodeId, outer: &Scope<'_>) -> usize {
        let (clause, recurses) = match self.kind(body) {
            NodeKind::Select(select) => (Clause::From, self.recurses(select)),
            NodeKind::Values(_) => (Clause::Values, false),
            _ => (Clause::Results, false),
        };
        let level = level(&Scope { relations: &[], outer: Some(outer) });
        self.queries.push(QueryLevel { level, clause, recurses });
        self.queries.len() - 1
    }

    /// Says which part of the innermost query comes now, and gives the one before.
    pub(super) fn enter(&mut self, clause: Clause) -> Clause {
        self.queries.last_mut().map_or(clause, |query| std::mem::replace(&mut query.clause, clause))
    }

    fn recurses(&self, select: &Select) -> bool {
        let mut open = select.from.clone();
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Join(join) => open.extend([join.left, join.right]),
                NodeKind::Table(table) => {
                    if let RelationName::Cte(name) = &table.name
                        && self.ctes.iter().rev().find(|cte| cte.name == name).is_some_and(|cte| cte.recurses)
                    {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Refuses an aggregate or window function where PostgreSQL takes none (`check_agglevels_and_constraints` and
    /// `transformWindowFuncCall` of its parse_agg.c). `direct` was met in the arguments, `rest` in WITHIN GROUP, ORDER BY
    /// and FILTER.
    pub(super) fn placed(&mut self, node: NodeId, call: &Call, direct: Met, rest: Met) {
        let name = &call.function.name;
        if call.over.is_some() {
            return self.window_function(node, name, direct.and(rest));
        }
        let kinds: Vec<FunctionKind> = match (self.called.get(&node), &self.resolutions[node.0 as usize]) {
            (Some(oid), _) => {
                self.context.catalog.function_by_oid(*oid).map(|its| its.kind).into_iter().collect()
            }
            (None, Resolution::Object { schema, name }) => {
                self.context.catalog.functions(schema, name).map(|its| its.kind).collect()
            }
            _ => return,
        };
        let is_aggregate =
            |kind: &FunctionKind| matches!(kind, FunctionKind::Aggregate | FunctionKind::OrderedSet { .. });
        if kinds.is_empty() {
            return;
        }
        if kinds.iter().all(|kind| *kind == FunctionKind::Aggregate) {
            self.aggregate(node, name, direct.and(rest));
        } else if kinds.iter().all(is_aggregate) && !call.within_group.is_empty() {
            // Its level is that of what it sorts.
            let aggregates = rest.aggregates | direct.aggregates;
            self.aggregate(node, name, Met { aggregates, windows: rest.windows | direct.windows, ..rest });
        } else if kinds.iter().any(is_aggregate) {
            self.met.aggregates |= UNCERTAIN;
        }
    }

    fn window_function(&mut self, node: NodeId, name: &str, within: Met) {
        let Some(&here) = self.queries.last() else { return };
        self.met.windows |= here.level;
        let message = if within.windows & here.level != 0 {
            format!("{name} with OVER can't hold another window function")
        } else if !here.clause.takes_windows() {
            format!("{name} with OVER is a window function, which can't stand in {}", here.clause.name())
        } else {
            return;
        };
        self.find(node, Finding::new(Code::InvalidStructure, message).with_help(INSTEAD_OF_WINDOW));
    }

    /// An aggregate, or GROUPING. It is of the innermost query that it has a column or an aggregate of, and without any of the
    /// one that it stands in.
    pub(super) fn aggregate(&mut self, node: NodeId, name: &str, within: Met) {
        let Some(&here) = self.queries.last() else { return };
        let up_to_here = here.level | (here.level - 1);
        if within.aggregates & !up_to_here != 0 {
            // Whether columns in an aggregate of a subquery count is PostgreSQL's to say.
            self.met.aggregates |= UNCERTAIN;
            return;
        }
        let levels = (within.columns | within.aggregates) & up_to_here;
        let level = levels.checked_ilog2().map_or(here.level, |bit| 1 << bit);
        self.met.aggregates |= level;
        let Some(&query) = self.queries.iter().rev().find(|query| query.level == level) else { return };
        let (message, help) = if within.windows & here.level != 0 {
            (format!("the aggregate {name} can't hold a window function"), INSTEAD_OF_WINDOW)
        } else if within.aggregates & level != 0 {
            let help =
                "compute the inner one in a subquery, and aggregate its column in the query around that";
            (format!("the aggregate {name} can't hold another aggregate of the same query"), help)
        } else if !query.clause.takes_aggregates() {
            let message = format!("{name} is an aggregate, which can't stand in {}", query.clause.name());
            (message, query.clause.instead_of_aggregate())
        } else if query.recurses {
            let message = format!("{name} is an aggregate, which can't stand in the recursive term of a CTE");
            (message, "aggregate in the query that uses the CTE")
        } else {
            return;
        };
        self.find(node, Finding::new(Code::InvalidStructure, message).with_help(help));
    }
}
