use callslip_ir::{
    Cte, Distinct, Item, Limit, Materialization, NodeId, NodeKind, Order, Query, Select, SetOperation,
    SetOperator, Values, With,
};

use super::{Generator, NamedColumns, Place, Scope, Ty};

/// The columns of a query.
pub(super) type Columns = Vec<(String, Ty)>;

/// What ORDER BY of a query may be.
enum Sortable {
    /// Output columns by their names only.
    Output,
    /// These items, already made.
    Made(Vec<Order>),
}

impl Generator<'_> {
    /// A query, with columns of these types where they are told, and with names that differ.
    pub(super) fn query(
        &mut self,
        types: Option<&[Ty]>,
        outer: &Scope<'_>,
        fuel: usize,
    ) -> (NodeId, Columns) {
        let fuel = fuel.saturating_sub(1);
        let before = self.ctes.len();
        let with = (fuel > 2 && self.choices.chance(20)).then(|| self.with(outer, fuel));
        let types = match types {
            Some(types) => types.to_vec(),
            None => (0..=self.choices.below(3)).map(|_| self.choices.of(Ty::ALL)).collect(),
        };
        let comparable = types.iter().all(|ty| Ty::COMPARABLE.contains(ty));
        let (body, columns, sortable) = match self.choices.below(10) {
            8 if fuel > 1 && comparable => self.set_operation(&types, outer, fuel),
            9 => self.values(&types, outer, fuel),
            _ => self.select(&types, outer, fuel),
        };
        let order_by = match sortable {
            Sortable::Made(orders) => orders,
            Sortable::Output => self.order_by_output(&columns),
        };
        let limit = self.choices.chance(20).then(|| {
            let with_ties = !order_by.is_empty() && self.choices.chance(40);
            Limit { count: self.count(), with_ties }
        });
        let offset = self.choices.chance(15).then(|| self.count());
        self.ctes.truncate(before);
        let query = self.add(NodeKind::Query(Query { with, body, order_by, limit, offset }));
        (query, columns)
    }

    fn with(&mut self, outer: &Scope<'_>, fuel: usize) -> With {
        if self.choices.chance(35) {
            return self.recursive(outer, fuel);
        }
        let mut ctes: Vec<Cte> = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let taken: Vec<&str> = ctes.iter().map(|cte| cte.name.as_str()).collect();
            let name = self.name(&taken);
            let (query, mut columns) = self.query(None, outer, fuel - 1);
            let renamed = if self.choices.chance(40) { self.names(columns.len()) } else { vec![] };
            for (column, name) in columns.iter_mut().zip(&renamed) {
                column.0.clone_from(name);
            }
            let materialized = self.choices.of(&[
                Materialization::Unspecified,
                Materialization::Materialized,
                Materialization::NotMaterialized,
            ]);
            self.ctes.push(NamedColumns { name: name.clone(), columns, complete: true });
            ctes.push(Cte { name, columns: renamed, query, materialized, search: None, cycle: None });
        }
        With { recursive: false, ctes }
    }

    fn set_operation(&mut self, types: &[Ty], outer: &Scope<'_>, fuel: usize) -> (NodeId, Columns, Sortable) {
        let operator = self.choices.of(&[SetOperator::Union, SetOperator::Intersect, SetOperator::Except]);
        let all = self.choices.chance(50);
        let (left, columns) = self.query(Some(types), outer, fuel);
        let (right, _) = self.query(Some(types), outer, fuel);
        let body = self.add(NodeKind::SetOperation(SetOperation { operator, all, left, right }));
        (body, columns, Sortable::Output)
    }

    fn values(&mut self, types: &[Ty], outer: &Scope<'_>, fuel: usize) -> (NodeId, Columns, Sortable) {
        let place = Place::columns(outer, fuel.min(2));
        let mut rows = Vec::new();
        for _ in 0..=self.choices.below(2) {
            rows.push(types.iter().map(|&ty| self.expression(ty, place)).collect());
        }
        let body = self.add(NodeKind::Values(Values { rows }));
        let columns =
            types.iter().enumerate().map(|(index, ty)| (format!("column{}", index + 1), *ty)).collect();
        (body, columns, Sortable::Output)
    }

    fn order_by_output(&mut self, columns: &Columns) -> Vec<Order> {
        let mut orders = Vec::new();
        for (name, ty) in columns {
            if Ty::COMPARABLE.contains(ty) && self.choices.chance(25) {
                let name = self.add(NodeKind::OutputName(name.clone()));
                orders.push(self.order(name));
            }
        }
        orders
    }

    fn select(&mut self, types: &[Ty], outer: &Scope<'_>, fuel: usize) -> (NodeId, Columns, Sortable) {
        let (from, relations) = self.from_clause(outer, fuel);
        let rows = Scope { relations, outer: Some(outer) };
        let filter = self.choices.chance(50).then(|| self.expression(Ty::Bool, Place::columns(&rows, fuel)));
        // An aggregate of a query sees its own relations only: one over those around would be theirs.
        let aggregated = Scope { relations: rows.relations.clone(), outer: None };
        let grouping = if self.choices.chance(30) { Some(self.group_by(&rows, fuel)) } else { None };
        let scope = grouping.as_ref().map_or_else(|| rows.clone(), |grouping| grouping.scope(outer));
        let keys = grouping.as_ref().map_or(&[][..], |grouping| &grouping.keys);
        let place = Place {
            scope: &scope,
            rows: grouping.is_some().then_some(&aggregated),
            windows: None,
            keys,
            fuel,
        };
        let having =
            (grouping.is_some() && self.choices.chance(30)).then(|| self.expression(Ty::Bool, place));
        let (windows, named) = if !from.is_empty() && self.choices.chance(20) {
            self.window_clause(place)
        } else {
            (vec![], vec![])
        };
        let place = Place { windows: Some(&named), ..place };

        let distinct_rows = types.iter().all(|ty| Ty::COMPARABLE.contains(ty)) && self.choices.chance(15);
        let (mut items, mut columns): (Vec<Item>, Columns) = (Vec::new(), Vec::new());
        for &ty in types {
            let grouping_call = match &grouping {
                Some(grouping) if ty == Ty::Int4 && self.choices.chance(40) => self.grouping_call(grouping),
                _ => None,
            };
            let expression = grouping_call.unwrap_or_else(|| self.expression(ty, place));
            let taken: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let alias = match &self.nodes[expression.0 as usize].kind {
                // A column keeps its name.
                NodeKind::Column { name, .. }
                    if !taken.contains(&name.as_str()) && self.choices.chance(40) =>
                {
                    columns.push((name.clone(), ty));
                    None
                }
                _ => {
                    let alias = self.name(&taken);
                    columns.push((alias.clone(), ty));
                    Some(alias)
                }
            };
            items.push(Item { expression, alias });
        }
        let (distinct, sortable) = if distinct_rows {
            (Distinct::Rows, Sortable::Output)
        } else if self.choices.chance(10) {
            self.distinct_on(place)
        } else if self.choices.chance(40) {
            let mut orders = self.order_by_output(&columns);
            for _ in 0..self.choices.below(2) {
                let ty = self.choices.of(Ty::COMPARABLE);
                let by = self.expression(ty, place);
                orders.push(self.order(by));
            }
            (Distinct::All, Sortable::Made(orders))
        } else {
            (Distinct::All, Sortable::Output)
        };
        let (group_by, group_distinct) =
            grouping.map_or((vec![], false), |grouping| (grouping.items, grouping.distinct));
        let select = Select { distinct, items, from, filter, group_by, group_distinct, having, windows };
        (self.add(NodeKind::Select(select)), columns, sortable)
    }

    /// DISTINCT ON, by which ORDER BY has to begin.
    fn distinct_on(&mut self, place: Place<'_>) -> (Distinct, Sortable) {
        let (mut on, mut orders) = (Vec::new(), Vec::new());
        let ordered = self.choices.chance(50);
        for _ in 0..=self.choices.below(2) {
            let ty = self.choices.of(Ty::COMPARABLE);
            let expression = self.expression(ty, place);
            on.push(expression);
            if ordered {
                let by = self.copy(expression);
                orders.push(self.order(by));
            }
        }
        if ordered && self.choices.chance(50) {
            let ty = self.choices.of(Ty::COMPARABLE);
            let by = self.expression(ty, place);
            orders.push(self.order(by));
        }
        (Distinct::On(on), Sortable::Made(orders))
    }
}
