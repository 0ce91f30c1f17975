use callslip_ir::{
    ColumnDefinition, Functions, Join, JoinCondition, JoinKind, NodeId, NodeKind, RelationName, Sample,
    Subquery, Table, TableFunction, TypeName,
};

use super::{Generator, Place, Relation, Scope, Ty, qualified};

type Columns = &'static [(&'static str, Ty)];

/// The stored relations, and whether they can be sampled.
const STORED: &[(&str, bool, Columns)] = &[
    ("person", true, PERSON),
    ("app.person", true, PERSON),
    ("Odd \"table\"", true, ODD),
    ("lively", false, &[("id", Ty::Int4), ("name", Ty::Text), ("mood", Ty::Mood), ("active", Ty::Bool)]),
];

const PERSON: Columns = &[
    ("id", Ty::Int4),
    ("name", Ty::Text),
    ("points", Ty::Int8),
    ("price", Ty::Numeric),
    ("weight", Ty::Float8),
    ("born", Ty::Date),
    ("seen", Ty::Timestamptz),
    ("wait", Ty::Interval),
    ("facts", Ty::Jsonb),
    ("marks", Ty::Ints),
    ("tags", Ty::Texts),
    ("mood", Ty::Mood),
    ("span", Ty::Span),
    ("home", Ty::Address),
    ("active", Ty::Bool),
];

const ODD: Columns = &[
    ("id", Ty::Int4),
    ("select", Ty::Text),
    ("a\"b", Ty::Int8),
    ("größe", Ty::Numeric),
    ("$1", Ty::Bool),
    ("-- /* {0} */", Ty::Timestamptz),
    ("a.b", Ty::Date),
];

impl Generator<'_> {
    /// The relations of FROM, and what they bring into scope.
    pub(super) fn relations(&mut self, outer: &Scope<'_>, fuel: usize) -> (Vec<NodeId>, Vec<Relation>) {
        let (mut from, mut relations) = (Vec::new(), Vec::new());
        let count = match self.choices.below(10) {
            0 => 0,
            9 => 2,
            _ => 1,
        };
        for _ in 0..count {
            let (node, found) = self.relation(&relations, outer, true, fuel);
            from.push(node);
            relations.extend(found);
        }
        (from, relations)
    }

    /// A relation. Its aliases differ from those of `before`, which stand before it in FROM and which LATERAL sees.
    fn relation(
        &mut self,
        before: &[Relation],
        outer: &Scope<'_>,
        lateral: bool,
        fuel: usize,
    ) -> (NodeId, Vec<Relation>) {
        if fuel == 0 || self.is_enough() {
            return self.table(before);
        }
        match self.choices.below(9) {
            0..=3 => self.table(before),
            4 | 5 => self.subquery(before, outer, lateral, fuel),
            6 if self.newer && self.choices.chance(50) => self.json_table(before, outer, lateral, fuel),
            6 => self.functions(before, outer, lateral, fuel),
            7 | 8 => self.join(before, outer, lateral, fuel - 1),
            _ => self.table(before),
        }
    }

    pub(super) fn alias(&mut self, before: &[Relation]) -> String {
        let taken: Vec<&str> = before.iter().map(|relation| relation.alias.as_str()).collect();
        self.name(&taken)
    }

    /// New names for the first columns, sometimes.
    pub(super) fn rename(&mut self, columns: &mut [(String, Ty)]) -> Vec<String> {
        if !self.choices.chance(25) {
            return vec![];
        }
        let count = self.choices.below(columns.len() + 1);
        let unused = |name: &String| !columns.iter().any(|(its, _)| its == name);
        let names: Vec<String> =
            (0..).map(|index| format!("n {index}\"")).filter(unused).take(count).collect();
        for (column, name) in columns.iter_mut().zip(&names) {
            column.0.clone_from(name);
        }
        names
    }

    fn table(&mut self, before: &[Relation]) -> (NodeId, Vec<Relation>) {
        let alias = self.alias(before);
        let (name, mut columns, sampled, complete) = if !self.ctes.is_empty() && self.choices.chance(50) {
            let index = self.choices.below(self.ctes.len());
            let wanted = self.ctes[index].name.clone();
            // The nearest of that name is meant.
            let cte =
                self.ctes.iter().rev().find(|cte| cte.name == wanted).unwrap_or(&self.ctes[index]).clone();
            (RelationName::Cte(wanted), cte.columns, false, cte.complete)
        } else {
            let (name, sampled, columns) = self.choices.of(STORED);
            let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
            (RelationName::Stored(qualified(name)), columns, sampled, true)
        };
        let stored = matches!(name, RelationName::Stored(_));
        // PostgreSQL counts the columns that SEARCH and CYCLE add when it reads them, but not when it renames them.
        let renamed = if complete { self.rename(&mut columns) } else { vec![] };
        let only = stored && self.choices.chance(15);
        let sample = (sampled && self.choices.chance(15)).then(|| {
            let method = qualified(self.choices.of(&["bernoulli", "system", "pg_catalog.system"]));
            let argument = self.parameter(Ty::Float8);
            let seed = self.choices.chance(40).then(|| self.parameter(Ty::Float8));
            Sample { method, arguments: vec![argument], seed }
        });
        let node =
            self.add(NodeKind::Table(Table { name, alias: alias.clone(), columns: renamed, only, sample }));
        (node, vec![Relation { alias, columns, whole: complete }])
    }

    fn subquery(
        &mut self,
        before: &[Relation],
        outer: &Scope<'_>,
        lateral: bool,
        fuel: usize,
    ) -> (NodeId, Vec<Relation>) {
        let lateral = lateral && self.choices.chance(40);
        let beside = Scope { relations: before.to_vec(), outer: Some(outer) };
        let (query, mut columns) = self.query(None, if lateral { &beside } else { outer }, fuel - 1);
        let renamed = self.rename(&mut columns);
        let alias = self.alias(before);
        let node =
            self.add(NodeKind::Subquery(Subquery { query, lateral, alias: alias.clone(), columns: renamed }));
        (node, vec![Relation { alias, columns, whole: true }])
    }

    fn functions(
        &mut self,
        before: &[Relation],
        outer: &Scope<'_>,
        lateral: bool,
        fuel: usize,
    ) -> (NodeId, Vec<Relation>) {
        let beside = seen_by_function(before, outer, lateral);
        let place = Place::columns(&beside, fuel.min(2));
        let lateral = lateral && self.choices.chance(30);
        let count = if self.choices.chance(30) { 2 } else { 1 };
        let (mut calls, mut types) = (Vec::new(), Vec::new());
        for index in 0..count {
            let (function, arguments, result): (&str, &[Ty], &[Ty]) = match self.choices.below(5) {
                0 => ("generate_series", &[Ty::Int4, Ty::Int4], &[Ty::Int4]),
                1 => ("unnest", &[Ty::Texts], &[Ty::Text]),
                2 => ("app.pairs", &[Ty::Int4], &[Ty::Int4, Ty::Text]),
                3 => ("anything", &[Ty::Int4], &[Ty::Int8, Ty::Text]),
                _ => ("jsonb_array_elements", &[Ty::Jsonb], &[Ty::Jsonb]),
            };
            let arguments = arguments.iter().map(|&ty| self.expression(ty, place)).collect();
            let call = self.plain_call(qualified(function), arguments);
            let mut columns = Vec::new();
            if function == "anything" {
                columns.push(ColumnDefinition {
                    name: format!("d{index}"),
                    ty: TypeName::parse("bigint"),
                    collation: None,
                });
                let collation = self.choices.chance(50).then(|| qualified("C"));
                columns.push(ColumnDefinition {
                    name: format!("e\"{index}"),
                    ty: TypeName::parse("text"),
                    collation,
                });
            }
            calls.push(TableFunction { call, columns });
            types.extend_from_slice(result);
        }
        let ordinality = self.choices.chance(30);
        types.extend(ordinality.then_some(Ty::Int8));
        let alias = self.alias(before);
        // What a function's columns are named without this list is the function's own affair, unless the query defines them.
        let defined = match calls.as_slice() {
            [TableFunction { columns, .. }] if !columns.is_empty() && self.choices.chance(50) => {
                let names = columns.iter().map(|column| column.name.clone());
                names.chain(ordinality.then(|| "ordinality".to_owned())).collect()
            }
            _ => Vec::new(),
        };
        let columns = if defined.is_empty() { self.names(types.len()) } else { Vec::new() };
        let names = if columns.is_empty() { defined } else { columns.clone() };
        let relation =
            Relation { alias: alias.clone(), columns: names.into_iter().zip(types).collect(), whole: true };
        let node = self.add(NodeKind::Functions(Functions { calls, ordinality, lateral, alias, columns }));
        (node, vec![relation])
    }

    fn join(
        &mut self,
        before: &[Relation],
        outer: &Scope<'_>,
        lateral: bool,
        fuel: usize,
    ) -> (NodeId, Vec<Relation>) {
        let kind = self.choices.of(&[
            JoinKind::Inner,
            JoinKind::Left,
            JoinKind::Right,
            JoinKind::Full,
            JoinKind::Cross,
        ]);
        let (left, mut relations) = self.relation(before, outer, lateral, fuel);
        let beside: Vec<Relation> = before.iter().chain(&relations).cloned().collect();
        let lateral = lateral && !matches!(kind, JoinKind::Right | JoinKind::Full);
        let (right, found) = self.relation(&beside, outer, lateral, fuel);
        let shared = shared_columns(&relations, &found);
        relations.extend(found);
        let condition = match (kind, shared) {
            (JoinKind::Cross, _) => JoinCondition::None,
            (_, Some(shared)) if self.choices.chance(20) => {
                _ = shared;
                JoinCondition::Natural
            }
            (_, Some(shared)) if !shared.is_empty() && self.choices.chance(50) => {
                let kept = 1 + self.choices.below(shared.len());
                let columns = shared.into_iter().take(kept).collect::<Vec<_>>();
                let alias = self.choices.chance(30).then(|| {
                    let taken: Vec<Relation> = before.iter().chain(&relations).cloned().collect();
                    self.alias(&taken)
                });
                if let Some(alias) = &alias {
                    let of = |name: &String| {
                        let column =
                            relations.iter().flat_map(|its| &its.columns).find(|(its, _)| its == name);
                        column.cloned().unwrap_or_else(|| (name.clone(), Ty::Int4))
                    };
                    let merged = columns.iter().map(of).collect();
                    relations.push(Relation { alias: alias.clone(), columns: merged, whole: false });
                }
                JoinCondition::Using { columns, alias }
            }
            _ => {
                let scope = Scope { relations: relations.clone(), outer: Some(outer) };
                JoinCondition::On(self.expression(Ty::Bool, Place::columns(&scope, fuel)))
            }
        };
        if !matches!(condition, JoinCondition::On(_) | JoinCondition::None) {
            // Columns of both are one in what is around.
            relations.iter_mut().for_each(|relation| relation.whole = false);
        }
        let complete = relations.iter().all(|relation| relation.whole);
        let (mut alias, mut columns) = (None, vec![]);
        if complete && self.choices.chance(20) {
            // It hides what is joined. Only columns that have names of their own can be told apart then.
            let mut all: Vec<(String, Ty)> = relations.iter().flat_map(|its| its.columns.clone()).collect();
            columns = (0..all.len()).map(|index| format!("j {index}")).collect();
            all.iter_mut().zip(&columns).for_each(|(column, name)| column.0.clone_from(name));
            let name = self.alias(before);
            relations = vec![Relation { alias: name.clone(), columns: all, whole: true }];
            alias = Some(name);
        }
        (self.add(NodeKind::Join(Join { kind, left, right, condition, alias, columns })), relations)
    }
}

/// A function sees what stands before it with LATERAL or without. Where it may not, that hides what has the same alias
/// further out.
pub(super) fn seen_by_function<'a>(before: &[Relation], outer: &'a Scope<'a>, lateral: bool) -> Scope<'a> {
    let mut relations = before.to_vec();
    if !lateral {
        for relation in &mut relations {
            relation.columns.clear();
            relation.whole = false;
        }
    }
    Scope { relations, outer: Some(outer) }
}

/// The names of the columns that both sides of a join have, once each and of one type; nothing where some can't be joined by
/// their names.
fn shared_columns(left: &[Relation], right: &[Relation]) -> Option<Vec<String>> {
    if !left.iter().chain(right).all(|relation| relation.whole) {
        return None;
    }
    let named = |side: &[Relation], name: &str| -> Vec<Ty> {
        let columns = side.iter().flat_map(|relation| &relation.columns);
        columns.filter(|(its, _)| its == name).map(|(_, ty)| *ty).collect()
    };
    let mut shared = Vec::new();
    for (name, ty) in left.iter().flat_map(|relation| &relation.columns) {
        match (named(left, name).as_slice(), named(right, name).as_slice()) {
            (_, []) => {}
            ([_], [other]) if other == ty && Ty::COMPARABLE.contains(ty) => shared.push(name.clone()),
            _ => return None,
        }
    }
    Some(shared)
}
