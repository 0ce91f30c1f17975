use callslip_ir::{Distinct, JoinCondition, NodeId, NodeKind, Query, Select};

use super::Verifier;
use super::bare_column::{ColumnName, bare_column};
use crate::Code;
use crate::select::{Finding, structure};

impl<'a> Verifier<'a> {
    /// Refuses a DISTINCT ON whose expressions are not those that ORDER BY begins with, where that is certain: of plain
    /// columns. Of other expressions PostgreSQL says it.
    pub(super) fn distinct_on(&mut self, query: &'a Query, select: &'a Select) {
        let Distinct::On(expressions) = &select.distinct else { return };
        // A column that a join has merged goes by several names.
        if self.merges_columns(select) {
            return;
        }
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
            let named =
                |item: &&callslip_ir::Item| structure::item_name(self.description, item) == Some(output);
            node = select.items.iter().find(named)?.expression;
        }
        bare_column(self.description, &self.resolutions, node)
    }
}
