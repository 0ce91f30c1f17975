use std::rc::Rc;

use callslip_ir::{NodeId, NodeKind, QualifiedName, Subexpression};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use super::refusal::NeedsAll;
use crate::Code;
use crate::catalog::Oid;
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn};
use crate::select::signature::Operand;
use crate::select::verified::Resolution;

/// The operators that compare row with row, column by column, of which PostgreSQL knows what they mean together.
const ROW_OPERATORS: &[&str] = &["<", "<=", "<>", "=", ">", ">="];

/// The values of a row, each with what is known of its type.
pub(super) type RowValues = Vec<(At, Operand)>;

/// The columns of a query, as what a row is compared with.
pub(super) fn columns_of(query: NodeId, columns: &[ScopeColumn]) -> RowValues {
    let operand = |column: &ScopeColumn| column.ty.map_or(Operand::Opaque, Operand::Known);
    columns.iter().map(|column| (At::Fixed(query), operand(column))).collect()
}

impl<'a> Verifier<'a> {
    /// `ROW(…)` as a value of its own: a record, whose fields PostgreSQL names `f1`, `f2`, and so on.
    ///
    /// To compare records PostgreSQL runs the comparison that belongs to the type of each field, as DISTINCT and ORDER BY
    /// do with a column: it is part of the type, and nobody grants it by itself.
    pub(super) fn row(&mut self, node: NodeId, items: &'a [NodeId], scope: &Scope<'_>) -> Operand {
        self.check_row_length(node, items);
        let field = |(index, ty)| ScopeColumn::made(Some(format!("f{}", index + 1).into()), ty);
        let types: Vec<_> = items.iter().map(|&item| self.value(item, scope)).collect();
        self.fields.insert(node, types.into_iter().enumerate().map(field).collect());
        self.known("record")
    }

    /// `alias.*` as one value, of the relation's row type where it has one.
    pub(super) fn whole_row(&mut self, node: NodeId, relation: &str, scope: &Scope<'_>) -> Operand {
        let Some(found) = self.relation_in_reach(node, relation, scope) else { return Operand::Opaque };
        let Some(columns) = found.columns.clone() else { return Operand::Opaque };
        self.check_fields(node, relation, &columns);
        self.flow.whole_row(node, columns.clone());
        if !found.hidden.is_empty() {
            self.all_columns_needed(node, NeedsAll::WholeRow, &found.hidden);
            return Operand::Opaque;
        }
        self.read.extend(columns.iter().filter_map(|column| column.origin));
        match columns.first().and_then(|column| column.table) {
            Some(table) if columns.iter().all(|column| column.table == Some(table)) => {
                self.instances.insert(node, (table, None));
            }
            _ if columns.iter().all(|column| column.origin.is_some() && column.table.is_none()) => {
                self.unfiltered.insert(node);
            }
            _ => {}
        }
        let Some(row_type) = found.row_type.filter(|&its| self.known("record") != Operand::Known(its)) else {
            self.fields.insert(node, columns);
            return self.known("record");
        };
        // Of a function that gives plain values a whole row is the value.
        if self.attributes(Operand::Known(row_type)).is_some() {
            self.fields.insert(node, columns);
        }
        Operand::Known(row_type)
    }

    /// The columns of a whole row become the keys of JSON and the fields of a composite: each needs a name of its own.
    fn check_fields(&mut self, node: NodeId, relation: &str, columns: &Rc<[ScopeColumn]>) {
        let mut names = std::collections::BTreeSet::new();
        for (index, column) in columns.iter().enumerate() {
            let (code, message) = match &column.name {
                None => (Code::UnnamedColumn, format!("column {} of \"{relation}\" has no name", index + 1)),
                Some(name) if !names.insert(name.clone()) => {
                    (Code::DuplicateColumn, format!("two columns of \"{relation}\" are named \"{name}\""))
                }
                Some(_) => continue,
            };
            let help = "a whole row needs a name for each column: give one with .alias(\"…\")";
            self.find(node, Finding::new(code, message).with_help(help));
        }
    }

    fn check_row_length(&mut self, node: NodeId, items: &[NodeId]) {
        if items.len() > self.context.limits.columns {
            let message = format!("a row of {} values", items.len());
            self.report(node, Code::DescriptionTooLarge, message);
        }
    }

    /// `CAST(ROW(…) AS type)`: each value is cast to the attribute in its place.
    pub(super) fn row_cast(
        &mut self,
        node: NodeId,
        items: &'a [NodeId],
        target: Option<Oid>,
        scope: &Scope<'_>,
    ) {
        let attributes = target.and_then(|target| self.attributes(Operand::Known(target)));
        let Some(attributes) = attributes else {
            // PostgreSQL casts a record to what is no composite as text.
            let record = self.row(node, items, scope);
            return target.into_iter().for_each(|target| self.cast_granted(node, record, target));
        };
        if attributes.len() != items.len() {
            let (its, found) = (values(attributes.len()), values(items.len()));
            self.report(node, Code::InvalidStructure, format!("a row of {found} is cast to a type of {its}"));
        }
        for (index, &item) in items.iter().enumerate() {
            match attributes.get(index).and_then(|attribute| attribute.ty) {
                Some(ty) => self.cast_to(item, Some(ty), scope),
                None => _ = self.value(item, scope),
            }
        }
    }

    /// A record that becomes a composite has each of its fields cast; those casts must be granted too. PostgreSQL does this
    /// to a `ROW(…)` and to a whole row, of which the fields are known, and refuses any other record.
    pub(super) fn record_granted(&mut self, node: NodeId, from: Operand, to: Oid) {
        if from != self.known("record") {
            return;
        }
        let (Some(fields), Some(attributes)) =
            (self.fields.get(&node).cloned(), self.attributes(Operand::Known(to)))
        else {
            return;
        };
        for (index, (field, attribute)) in fields.iter().zip(attributes.iter()).enumerate() {
            let from = field.ty.map_or(Operand::Opaque, Operand::Known);
            let Some(to) = attribute.ty else { continue };
            self.cast_granted(node, from, to);
            if let NodeKind::Row(items) = self.kind(node)
                && let Some(&item) = items.get(index)
            {
                self.record_granted(item, from, to);
            }
        }
    }

    /// The values of a `ROW(…)` that is compared column by column, each of a type that its partner may tell.
    pub(super) fn row_of(&mut self, node: NodeId, items: &'a [NodeId], scope: &Scope<'_>) -> RowValues {
        self.check_row_length(node, items);
        items.iter().map(|&item| (At::Value(item), self.expression(item, scope))).collect()
    }

    /// Verifies `ROW(…) operator ROW(…)` and `ROW(…) operator (query)`, and tells whether it was one: then PostgreSQL
    /// compares column with column, each by the operator for its types.
    pub(super) fn row_comparison(
        &mut self,
        node: NodeId,
        operator: &QualifiedName,
        left: NodeId,
        right: NodeId,
        scope: &Scope<'_>,
    ) -> bool {
        let NodeKind::Row(items) = self.kind(left) else { return false };
        let (left, right) = match self.kind(right) {
            NodeKind::Row(others) => (self.row_of(node, items, scope), self.row_of(node, others, scope)),
            NodeKind::Subexpression(Subexpression::Scalar(query)) => {
                let left = self.row_of(node, items, scope);
                (left, columns_of(*query, &self.query(*query, scope)))
            }
            _ => return false,
        };
        self.compare_rows(node, operator, &left, &right);
        true
    }

    /// `ROW(…) BETWEEN ROW(…) AND ROW(…)`, if it is one.
    pub(super) fn rows_between(&mut self, node: NodeId, operands: [NodeId; 3], scope: &Scope<'_>) -> bool {
        let [NodeKind::Row(value), NodeKind::Row(low), NodeKind::Row(high)] =
            operands.map(|operand| self.kind(operand))
        else {
            return false;
        };
        let value = self.row_of(node, value, scope);
        let (low, high) = (self.row_of(node, low, scope), self.row_of(node, high, scope));
        // Whether it is negated or symmetric, each of the other operators is of the same types.
        self.compare_rows_by(node, value, &[(">=", low), ("<=", high)]);
        true
    }

    /// `ROW(…) IS DISTINCT FROM ROW(…)`, if it is one.
    pub(super) fn rows_distinct(&mut self, node: NodeId, operands: [NodeId; 2], scope: &Scope<'_>) -> bool {
        let [NodeKind::Row(left), NodeKind::Row(right)] = operands.map(|operand| self.kind(operand)) else {
            return false;
        };
        let (left, right) = (self.row_of(node, left, scope), self.row_of(node, right, scope));
        self.compare_rows_by(node, left, &[("=", right)]);
        true
    }

    /// `ROW(…) IN (…)`: rows are compared column by column, and anything else as a record.
    pub(super) fn row_in_list(
        &mut self,
        node: NodeId,
        row: &'a [NodeId],
        items: &'a [NodeId],
        scope: &Scope<'_>,
    ) {
        let left = self.row_of(node, row, scope);
        let record = self.known("record");
        let mut rows = Vec::with_capacity(items.len());
        for &item in items {
            if let NodeKind::Row(others) = self.kind(item) {
                rows.push(("=", self.row_of(item, others, scope)));
            } else {
                let other = Compared::new("=", item, self.expression(item, scope));
                self.comparison(node, (At::Fixed(node), record), &[other]);
            }
        }
        self.compare_rows_by(node, left, &rows);
    }

    /// Rows that PostgreSQL compares by operators that it looks for by itself, column by column.
    pub(super) fn compare_rows_by(
        &mut self,
        node: NodeId,
        row: RowValues,
        others: &[(&'static str, RowValues)],
    ) {
        let others: Vec<_> = others.iter().filter(|(_, other)| self.fits(node, &row, other)).collect();
        for (column, (at, operand)) in row.into_iter().enumerate() {
            let compared: Vec<Compared> = others
                .iter()
                .map(|&&(operator, ref other)| {
                    let (at, operand) = other[column];
                    Compared { operator, at, operand, taken_as: operand }
                })
                .collect();
            self.comparison(node, (at, operand), &compared);
        }
    }

    /// Resolves an operator that is written for each column. PostgreSQL is told one name for all of them, so that each must
    /// be found in the same schema.
    pub(super) fn compare_rows(
        &mut self,
        node: NodeId,
        operator: &QualifiedName,
        left: &RowValues,
        right: &RowValues,
    ) {
        if !ROW_OPERATORS.contains(&operator.name.as_str()) {
            let message = format!("rows are compared by {}, not by {operator}", ROW_OPERATORS.join(", "));
            return self.report(node, Code::UnknownOperator, message);
        }
        if !self.fits(node, left, right) {
            return;
        }
        let mut chosen: Option<Resolution> = None;
        for (&left, &right) in left.iter().zip(right) {
            let result = self.operator(node, operator, &[left, right]);
            self.is_condition(node, operator, result);
            let found = self.resolutions[node.0 as usize].clone();
            if found == Resolution::None {
                continue;
            }
            if *chosen.get_or_insert_with(|| found.clone()) != found {
                let message = format!("{operator} is not one operator for all columns of the row");
                let help = "its schema depends on the column's type: compare column by column";
                return self.find(node, Finding::new(Code::UnknownOperator, message).with_help(help));
            }
        }
    }

    /// Whether two rows have the same number of values.
    fn fits(&mut self, node: NodeId, left: &RowValues, right: &RowValues) -> bool {
        let fits = left.len() == right.len() && !left.is_empty();
        // A query without columns is a finding already.
        let is_known = !right.is_empty() || self.findings.is_empty();
        if !fits && is_known {
            let message =
                format!("a row of {} is compared with one of {}", values(left.len()), values(right.len()));
            let help = "both sides have the same number of values, at least one";
            self.find(node, Finding::new(Code::InvalidStructure, message).with_help(help));
        }
        fits
    }
}

fn values(count: usize) -> String {
    format!("{count} value{}", if count == 1 { "" } else { "s" })
}
