use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind, RelationName, Table};
use sea_query::{Expr, Func, IntoIden, TableRef};

use super::{Lowerer, fill, identifier, unverified};
use crate::select::dialect::template;

/// A relation that is printed as it is: sea-query's own table references have no nested joins, column aliases or
/// LATERAL functions.
pub(super) fn table_ref(relation: Expr) -> TableRef {
    TableRef::FunctionCall(Func::cust(template::RELATION).arg(relation), template::RELATION.into_iden())
}

impl<'a> Lowerer<'a> {
    pub(super) fn relation(&mut self, node: NodeId) -> Expr {
        let lowered = match self.kind(node) {
            NodeKind::Table(table) => self.table(node, table),
            NodeKind::Subquery(subquery) => {
                let query = self.query(subquery.query);
                let template = if subquery.lateral { template::LATERAL } else { template::SUBQUERY };
                aliased(fill(template, [query]), &subquery.alias, &subquery.columns)
            }
            NodeKind::Join(join) => self.join(join),
            NodeKind::JsonTable(table) => self.json_table(table),
            _ => unverified(),
        };
        self.placed(node, lowered)
    }

    fn table(&mut self, node: NodeId, table: &Table) -> Expr {
        let name = match &table.name {
            RelationName::Stored(_) => self.object(node),
            RelationName::Cte(name) => identifier(name),
        };
        aliased(name, &table.alias, &table.columns)
    }

    fn join(&mut self, join: &Join) -> Expr {
        let left = self.relation(join.left);
        let right = self.relation(join.right);
        // A join on the right side needs parentheses; one on the left is left-deep already.
        let right = match self.kind(join.right) {
            NodeKind::Join(_) => fill(template::GROUP, [right]),
            _ => right,
        };
        match (join.kind, &join.condition) {
            (JoinKind::Cross, _) => fill(template::CROSS_JOIN, [left, right]),
            (kind, JoinCondition::On(condition)) => {
                let condition = self.expression(*condition);
                let template = match kind {
                    JoinKind::Inner | JoinKind::Cross => template::JOIN,
                    JoinKind::Left => template::LEFT_JOIN,
                    JoinKind::Right => template::RIGHT_JOIN,
                    JoinKind::Full => template::FULL_JOIN,
                };
                fill(template, [left, right, condition])
            }
            _ => unverified(),
        }
    }
}

pub(super) fn aliased(relation: Expr, alias: &str, columns: &[String]) -> Expr {
    let head = [relation, identifier(alias)];
    if columns.is_empty() {
        fill(template::ALIASED, head)
    } else {
        fill(
            template::ALIASED_COLUMNS,
            head.into_iter().chain(columns.iter().map(|column| identifier(column))),
        )
    }
}
