use callslip_ir::{
    Cte, Cycle, Distinct, Item, Materialization, NodeId, NodeKind, Query, RelationName, Search, SearchOrder,
    Select, SetOperation, SetOperator, Table, With,
};

use super::{Generator, NamedColumns, Place, Relation, Scope, Ty};

impl Generator<'_> {
    /// `WITH RECURSIVE`, of one CTE that refers to itself.
    pub(super) fn recursive(&mut self, outer: &Scope<'_>, fuel: usize) -> With {
        // Types without modifiers and collations, which both sides would have to agree on.
        const TYPES: &[Ty] = &[Ty::Int4, Ty::Int8, Ty::Bool, Ty::Date];
        // It hides a CTE of the same name from its own query, where it may be named in few places.
        let around: Vec<String> = self.ctes.iter().map(|cte| cte.name.clone()).collect();
        let name = self.name(&around.iter().map(String::as_str).collect::<Vec<_>>());
        let types: Vec<Ty> = (0..=self.choices.below(2)).map(|_| self.choices.of(TYPES)).collect();
        let columns = self.names(types.len());
        let own: Vec<(String, Ty)> = columns.iter().cloned().zip(types.iter().copied()).collect();
        let place = Place::columns(outer, fuel.min(2));
        let first = types.iter().map(|&ty| self.expression(ty, place)).collect();
        let left = self.simple_select(first, vec![], None);

        let alias = self.name(&[]);
        let table = Table {
            name: RelationName::Cte(name.clone()),
            alias: alias.clone(),
            columns: vec![],
            only: false,
            sample: None,
        };
        let from = self.add(NodeKind::Table(table));
        let scope = Scope {
            relations: vec![Relation { alias, columns: own.clone(), whole: true }],
            outer: Some(outer),
        };
        let place = Place::columns(&scope, fuel.min(2));
        let next = types.iter().map(|&ty| self.expression(ty, place)).collect();
        let filter = self.choices.chance(60).then(|| self.expression(Ty::Bool, place));
        let right = self.simple_select(next, vec![from], filter);
        let all = self.choices.chance(70);
        let body =
            self.add(NodeKind::SetOperation(SetOperation { operator: SetOperator::Union, all, left, right }));
        let query = self.add(NodeKind::Query(Query {
            with: None,
            body,
            order_by: vec![],
            limit: None,
            offset: None,
        }));

        let mut visible = own;
        let taken: Vec<&str> = columns.iter().map(String::as_str).collect();
        let (sequence, mark, path) = {
            let sequence = self.name(&taken);
            let mark = self.name(&[&taken[..], &[&sequence]].concat());
            let path = self.name(&[&taken[..], &[&sequence, &mark]].concat());
            (sequence, mark, path)
        };
        let search = self.choices.chance(40).then(|| {
            let order = self.choices.of(&[SearchOrder::Breadth, SearchOrder::Depth]);
            Search { order, by: columns.clone(), set: sequence }
        });
        let cycle = self.choices.chance(40).then(|| {
            let values =
                self.choices.chance(50).then(|| (self.parameter(Ty::Int4), self.parameter(Ty::Int4)));
            visible.push((mark.clone(), if values.is_some() { Ty::Int4 } else { Ty::Bool }));
            Cycle { columns: columns.clone(), mark, values, path }
        });
        let complete = search.is_none() && cycle.is_none();
        self.ctes.push(NamedColumns { name: name.clone(), columns: visible, complete });
        let materialized = Materialization::Unspecified;
        With { recursive: true, ctes: vec![Cte { name, columns, query, materialized, search, cycle }] }
    }

    fn simple_select(&mut self, items: Vec<NodeId>, from: Vec<NodeId>, filter: Option<NodeId>) -> NodeId {
        let item = |(index, expression)| Item { expression, alias: Some(format!("i{index}")) };
        let body = self.add(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: items.into_iter().enumerate().map(item).collect(),
            from,
            filter,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }
}
