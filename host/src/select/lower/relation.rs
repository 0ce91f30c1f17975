use callslip_ir::{
    Functions, Join, JoinCondition, JoinKind, NodeId, NodeKind, RelationName, Table, TableFunction,
};
use sea_query::{Expr, Func, IntoIden, TableRef};

use super::{Lowerer, fill, identifier, qualified, type_name, unverified};
use crate::select::dialect::template;
use crate::select::verified::{DefinedColumn, Resolution};

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
            NodeKind::Functions(functions) => self.functions(node, functions),
            NodeKind::Join(join) => self.join(join),
            NodeKind::JsonTable(table) => self.json_table(table),
            _ => unverified(),
        };
        self.placed(node, lowered)
    }

    fn table(&mut self, node: NodeId, table: &'a Table) -> Expr {
        if let Some(filtered) = self.verified.filtered.get(&node) {
            return self.filtered(node, table, filtered);
        }
        let name = match (&table.name, self.resolution(node)) {
            (RelationName::Stored(_), Resolution::Sampled { relation: (schema, name), .. }) => {
                qualified(schema, name)
            }
            (RelationName::Stored(_), _) => self.object(node),
            (RelationName::Cte(name), _) => identifier(name),
        };
        let name = if table.only { fill(template::ONLY, [name]) } else { name };
        let lowered = aliased(name, &table.alias, &table.columns);
        self.sampled(node, table, lowered)
    }

    fn functions(&mut self, node: NodeId, functions: &'a Functions) -> Expr {
        let Resolution::Columns(defined) = self.resolution(node) else { return unverified() };
        let mut defined = defined.iter();
        let [only] = functions.calls.as_slice() else {
            let mut calls = Vec::with_capacity(functions.calls.len());
            for function in &functions.calls {
                let columns = definitions(function, &mut defined);
                calls.push(defined_call(self.expression(function.call), columns));
            }
            return finish(functions, fill(template::ROWS_FROM, calls));
        };
        let call = self.expression(only.call);
        let columns = definitions(only, &mut defined);
        if columns.is_empty() {
            return finish(functions, call);
        }
        if functions.ordinality || !functions.columns.is_empty() {
            // Only within ROWS FROM does the grammar let anything stand after the definitions.
            return finish(functions, fill(template::ROWS_FROM, [defined_call(call, columns)]));
        }
        let call = if functions.lateral { fill(template::LATERAL_FUNCTIONS, [call]) } else { call };
        let head = [call, identifier(&functions.alias)];
        fill(template::ALIASED_COLUMNS, head.into_iter().chain(columns))
    }

    fn join(&mut self, join: &'a Join) -> Expr {
        let left = self.relation(join.left);
        let right = self.relation(join.right);
        // A join on the right side needs parentheses, unless its alias gave it some; one on the left is left-deep already.
        let right = match self.kind(join.right) {
            NodeKind::Join(nested) if nested.alias.is_none() => fill(template::GROUP, [right]),
            _ => right,
        };
        let natural = join.condition == JoinCondition::Natural;
        let template = match (join.kind, natural) {
            (JoinKind::Inner, false) => template::JOIN,
            (JoinKind::Left, false) => template::LEFT_JOIN,
            (JoinKind::Right, false) => template::RIGHT_JOIN,
            (JoinKind::Full, false) => template::FULL_JOIN,
            (JoinKind::Cross, _) => template::CROSS_JOIN,
            (JoinKind::Inner, true) => template::NATURAL_JOIN,
            (JoinKind::Left, true) => template::NATURAL_LEFT_JOIN,
            (JoinKind::Right, true) => template::NATURAL_RIGHT_JOIN,
            (JoinKind::Full, true) => template::NATURAL_FULL_JOIN,
        };
        let joined = fill(template, [left, right]);
        let joined = match &join.condition {
            JoinCondition::None | JoinCondition::Natural => joined,
            JoinCondition::On(condition) => fill(template::ON, [joined, self.expression(*condition)]),
            JoinCondition::Using { columns, alias } => {
                let columns = fill(template::LIST, columns.iter().map(|column| identifier(column)));
                match alias {
                    None => fill(template::USING, [joined, columns]),
                    Some(alias) => fill(template::USING_ALIAS, [joined, columns, identifier(alias)]),
                }
            }
        };
        match &join.alias {
            Some(alias) => aliased(fill(template::GROUP, [joined]), alias, &join.columns),
            None => joined,
        }
    }
}

/// The column definitions of a function, of which the types and collations come next.
fn definitions<'d>(
    function: &TableFunction,
    defined: &mut impl Iterator<Item = &'d DefinedColumn>,
) -> Vec<Expr> {
    let definition = |(column, defined): (&callslip_ir::ColumnDefinition, &DefinedColumn)| {
        let (name, ty) = (identifier(&column.name), type_name(&defined.ty));
        match &defined.collation {
            None => fill(template::COLUMN_DEFINITION, [name, ty]),
            Some((schema, collation)) => {
                fill(template::COLUMN_DEFINITION_COLLATE, [name, ty, qualified(schema, collation)])
            }
        }
    };
    function.columns.iter().zip(defined).map(definition).collect()
}

fn defined_call(call: Expr, columns: Vec<Expr>) -> Expr {
    if columns.is_empty() {
        call
    } else {
        fill(template::COLUMN_DEFINITIONS, std::iter::once(call).chain(columns))
    }
}

/// Functions with all that stands around them.
fn finish(functions: &Functions, mut lowered: Expr) -> Expr {
    if functions.ordinality {
        lowered = fill(template::WITH_ORDINALITY, [lowered]);
    }
    if functions.lateral {
        lowered = fill(template::LATERAL_FUNCTIONS, [lowered]);
    }
    aliased(lowered, &functions.alias, &functions.columns)
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
