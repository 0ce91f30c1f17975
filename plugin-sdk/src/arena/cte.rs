use std::{collections::BTreeSet, panic::Location};

use callslip_ir::{Cte, Cycle, Materialization, NodeId, NodeKind, RelationName, Search, Table, With};

use super::{Arena, with};

/// The index of a CTE's definition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CteId(u32);

pub(super) struct CteDefinition {
    name: String,
    /// None while that of a recursive CTE is being written.
    query: Option<NodeId>,
    /// How many were complete when it was. A definition only refers to those that were complete before it, and to itself.
    completed: usize,
    recursive: bool,
    columns: Vec<String>,
    materialized: Materialization,
    search: Option<Search>,
    cycle: Option<Cycle>,
    written_at: &'static Location<'static>,
}

impl CteDefinition {
    fn query(&self) -> NodeId {
        let (name, at) = (&self.name, self.written_at);
        self.query.unwrap_or_else(|| {
            panic!("the recursive CTE `{name}` of {at} is used in a query that is no part of its own")
        })
    }

    fn with_query(&self, query: NodeId) -> Cte {
        Cte {
            name: self.name.clone(),
            columns: self.columns.clone(),
            query,
            materialized: self.materialized,
            search: self.search.clone(),
            cycle: self.cycle.clone(),
        }
    }

    /// Whether two are alike, but for the nodes that they hold.
    pub(super) fn like(&self, other: &Self) -> bool {
        const NODE: NodeId = NodeId(0);
        let childless = |cte: &Self| {
            let without = |cycle: Cycle| Cycle { values: cycle.values.map(|_| (NODE, NODE)), ..cycle };
            Cte { cycle: cte.cycle.clone().map(without), ..cte.with_query(NODE) }
        };
        let state = |cte: &Self| (cte.recursive, cte.query.is_some());
        state(self) == state(other) && childless(self) == childless(other)
    }

    pub(super) fn children(&self) -> Vec<NodeId> {
        let values = self.cycle.as_ref().and_then(|cycle| cycle.values);
        let values = values.into_iter().flat_map(|(value, default)| [value, default]);
        self.query.into_iter().chain(values).collect()
    }
}

/// Adds the definition of a CTE, whose query comes later if it is recursive.
pub(crate) fn define_cte(name: &str, query: Option<NodeId>, written_at: &'static Location<'static>) -> CteId {
    with(|arena| {
        let id = CteId(arena.ctes.len() as u32);
        let completed = arena.completed_ctes;
        arena.completed_ctes += usize::from(query.is_some());
        arena.ctes.push(CteDefinition {
            name: name.to_owned(),
            query,
            completed,
            recursive: query.is_none(),
            columns: Vec::new(),
            materialized: Materialization::Unspecified,
            search: None,
            cycle: None,
            written_at,
        });
        id
    })
}

/// Gives a recursive CTE its query.
pub(crate) fn complete_cte(cte: CteId, query: NodeId) {
    with(|arena| {
        let completed = arena.completed_ctes;
        arena.completed_ctes += 1;
        let definition = &mut arena.ctes[cte.0 as usize];
        definition.query = Some(query);
        definition.completed = completed;
    });
}

/// Changes what is written of a CTE's materialization.
pub(crate) fn materialize_cte(cte: CteId, materialized: Materialization) {
    with(|arena| arena.ctes[cte.0 as usize].materialized = materialized);
}

/// Gives the columns of a CTE new names.
pub(crate) fn rename_cte(cte: CteId, columns: Vec<String>) {
    with(|arena| arena.ctes[cte.0 as usize].columns = columns);
}

/// Sets the SEARCH of a CTE.
pub(crate) fn search_cte(cte: CteId, search: Search) {
    with(|arena| arena.ctes[cte.0 as usize].search = Some(search));
}

/// Sets the CYCLE of a CTE.
pub(crate) fn cycle_cte(cte: CteId, cycle: Cycle) {
    with(|arena| arena.ctes[cte.0 as usize].cycle = Some(cycle));
}

/// Adds a relation that names a CTE.
pub(crate) fn push_cte_table(cte: CteId, alias: &str, written_at: &'static Location<'static>) -> NodeId {
    with(|arena| {
        let table = Table {
            name: RelationName::Cte(arena.cte(cte).name.clone()),
            alias: alias.to_owned(),
            columns: Vec::new(),
            only: false,
            sample: None,
        };
        let id = arena.push(NodeKind::Table(table), written_at);
        arena.cte_tables.push((id, cte));
        id
    })
}

/// Adds a relation that is another one, changed; of the same CTE, if that names one.
pub(crate) fn change_relation(
    original: NodeId,
    change: impl FnOnce(&mut NodeKind),
    written_at: &'static Location<'static>,
) -> NodeId {
    let mut kind = super::kind(original);
    change(&mut kind);
    with(|arena| {
        let id = arena.push(kind, written_at);
        if let Some(cte) = arena.cte_of(original) {
            arena.cte_tables.push((id, cte));
        }
        id
    })
}

/// Adds a query for which the author declared `ctes`.
pub(crate) fn push_query(
    query: callslip_ir::Query,
    ctes: Vec<CteId>,
    written_at: &'static Location<'static>,
) -> NodeId {
    with(|arena| {
        let id = arena.push(NodeKind::Query(query), written_at);
        if !ctes.is_empty() {
            arena.declarations.push((id, ctes));
        }
        id
    })
}

impl Arena {
    pub(super) fn cte(&self, id: CteId) -> &CteDefinition {
        &self.ctes[id.0 as usize]
    }

    /// The CTE that a relation names.
    fn cte_of(&self, relation: NodeId) -> Option<CteId> {
        let at = self.cte_tables.binary_search_by_key(&relation, |(id, _)| *id).ok()?;
        Some(self.cte_tables[at].1)
    }

    /// The CTE that a relation names, or those that the author declared for a query.
    pub(super) fn ctes_of(&self, node: NodeId) -> Vec<CteId> {
        if let Some(cte) = self.cte_of(node) {
            return vec![cte];
        }
        match self.declarations.binary_search_by_key(&node, |(id, _)| *id) {
            Ok(at) => self.declarations[at].1.clone(),
            Err(_) => Vec::new(),
        }
    }

    /// The CTEs that stand in FROM or a join of a query itself, of each side of a set operation too, and not of a query
    /// below it. What uses a recursive CTE within its own query can only be declared by the side that has it.
    fn ctes_in_from(&self, query: NodeId, found: &mut Vec<CteId>) {
        let before = found.len();
        self.ctes_of_relations(query, found);
        let recursive = self.ctes.iter().position(|cte| cte.recursive && cte.query == Some(query));
        if let Some(itself) = recursive.map(|at| CteId(at as u32)) {
            let mut position = 0;
            found.retain(|cte| {
                position += 1;
                position <= before || *cte == itself || !self.uses(*cte, itself)
            });
        }
    }

    /// Whether a CTE names another one, or one that it uses does.
    fn uses(&self, cte: CteId, other: CteId) -> bool {
        let (mut nodes, mut seen) = (self.cte(cte).children(), BTreeSet::new());
        while let Some(node) = nodes.pop() {
            if !seen.insert(node) {
                continue;
            }
            let ctes = self.ctes_of(node);
            if ctes.contains(&other) {
                return true;
            }
            nodes.extend(ctes.iter().flat_map(|cte| self.cte(*cte).children()));
            nodes.extend(self.nodes[node.0 as usize].kind.children());
        }
        false
    }

    fn ctes_of_relations(&self, query: NodeId, found: &mut Vec<CteId>) {
        let mut queries = vec![query];
        let mut relations: Vec<NodeId> = Vec::new();
        while let Some(query) = queries.pop() {
            let NodeKind::Query(query) = &self.nodes[query.0 as usize].kind else { continue };
            match &self.nodes[query.body.0 as usize].kind {
                NodeKind::Select(select) => relations.extend(&select.from),
                NodeKind::SetOperation(operation) => queries.extend([operation.left, operation.right]),
                _ => {}
            }
        }
        while let Some(relation) = relations.pop() {
            match &self.nodes[relation.0 as usize].kind {
                NodeKind::Join(join) => relations.extend([join.left, join.right]),
                NodeKind::Table(_) => found.extend(self.cte_of(relation)),
                _ => {}
            }
        }
    }

    /// The CTEs that a query has to declare, where those in `scope` are declared around it.
    pub(super) fn declared_by(&self, query: NodeId, scope: &[CteId]) -> Vec<CteId> {
        let mut wanted = match self.declarations.binary_search_by_key(&query, |(id, _)| *id) {
            Ok(at) => self.declarations[at].1.clone(),
            Err(_) => Vec::new(),
        };
        self.ctes_in_from(query, &mut wanted);
        let mut declared: Vec<CteId> = Vec::new();
        while let Some(cte) = wanted.pop() {
            if !scope.contains(&cte) && !declared.contains(&cte) {
                declared.push(cte);
                self.ctes_in_from(self.cte(cte).query(), &mut wanted);
            }
        }
        // A definition only refers to those that were complete before it, so this is the order of dependency.
        declared.sort_unstable_by_key(|cte| self.cte(*cte).completed);
        declared
    }

    pub(super) fn declare(&self, declared: &[CteId], scope: &mut Vec<CteId>) -> Option<With> {
        for cte in declared {
            let definition = self.cte(*cte);
            for other in scope.iter().map(|other| self.cte(*other)) {
                if other.name == definition.name {
                    two_ctes_of_one_name(other, definition);
                }
            }
            scope.push(*cte);
        }
        if declared.is_empty() {
            return None;
        }
        let definitions = || declared.iter().map(|cte| self.cte(*cte));
        let recursive = definitions().any(|definition| definition.recursive);
        Some(With { recursive, ctes: definitions().map(|cte| cte.with_query(cte.query())).collect() })
    }
}

fn two_ctes_of_one_name(first: &CteDefinition, second: &CteDefinition) -> ! {
    panic!(
        "one query sees two CTEs that are called `{}`, from {} and {}; give one another name",
        first.name, first.written_at, second.written_at
    )
}
