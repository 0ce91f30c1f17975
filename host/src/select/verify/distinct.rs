use callslip_ir::{Distinct, Item, JoinCondition, NodeId, NodeKind, Query, Select};

use super::Verifier;
use super::bare_column::{ColumnName, bare_column, collated_column};
use crate::Code;
use crate::select::{Finding, structure};

impl<'a> Verifier<'a> {
    /// Refuses what DISTINCT and ORDER BY can't have together, where that is certain.
    pub(super) fn distinct(&mut self, query: &'a Query, select: &'a Select) {
        // A column that a join has merged goes by several names.
        match &select.distinct {
            Distinct::All => {}
            _ if self.merges_columns(select) => {}
            Distinct::Rows => self.distinct_rows(query, select),
            Distinct::On(expressions) => self.distinct_on(query, select, expressions),
        }
    }

    /// Refuses SELECT DISTINCT that is sorted by a plain column which is not in the select list.
    fn distinct_rows(&mut self, query: &'a Query, select: &'a Select) {
        for order in &query.order_by {
            let NodeKind::Column { relation, name } = self.kind(order.expression) else { continue };
            let sorted = Some((relation.as_str(), name.as_str()));
            let column = |item: &Item| collated_column(self.description, &self.resolutions, item.expression);
            if select.items.iter().any(|item| column(item) == sorted) {
                continue;
            }
            let message = format!(
                "SELECT DISTINCT is sorted by {relation}.{name}, which is not in the select list: the rows that it makes one may differ in it"
            );
            let finding = Finding::new(Code::InvalidStructure, message);
            let help = "select it too, sort by a column of the select list, or use .group_by(…) and sort by an aggregate such as min(…)";
            self.find(order.expression, finding.with_help(help));
        }
    }

    /// Refuses a DISTINCT ON whose expressions are not those that ORDER BY begins with, where that is certain: of plain
    /// columns. Of other expressions PostgreSQL says it.
    fn distinct_on(&mut self, query: &'a Query, select: &'a Select, expressions: &'a [NodeId]) {
        let mut missing = Vec::with_capacity(expressions.len());
        for &expression in expressions {
            match self.kind(expression) {
                NodeKind::Column { relation, name } => missing.push((relation.as_str(), name.as_str())),
                _ => return,
            }
        }
        let distinct = missing.clone();
        let mut other = None;
        for order in &query.order_by {
            let column = self.sorted_column(select, order.expression);
            match column.filter(|column| distinct.contains(column)) {
                Some(column) if other.is_none() => missing.retain(|its| *its != column),
                Some(_) => {}
                None => other = other.or(Some(order.expression)),
            }
        }
        if let Some(other) = other
            && !missing.is_empty()
        {
            let finding = Finding::new(
                Code::InvalidStructure,
                "DISTINCT ON takes the first row in the order of ORDER BY, which has to begin with its expressions",
            );
            self.find(other, finding.with_help("put them first in .order_by(…)"));
        }
    }

    fn merges_columns(&self, select: &Select) -> bool {
        let mut relations = select.from.clone();
        while let Some(relation) = relations.pop() {
            if let NodeKind::Join(join) = self.kind(relation) {
                if matches!(join.condition, JoinCondition::Using { .. } | JoinCondition::Natural) {
                    return true;
                }
                relations.extend([join.left, join.right]);
            }
        }
        false
    }

    /// The column that an item of ORDER BY sorts by, if it is a plain one.
    fn sorted_column(&self, select: &'a Select, mut node: NodeId) -> Option<ColumnName<'a>> {
        if let NodeKind::OutputName(output) = self.kind(node) {
            let named = |item: &&Item| structure::item_name(self.description, item) == Some(output);
            node = select.items.iter().find(named)?.expression;
        }
        bare_column(self.description, &self.resolutions, node)
    }
}
