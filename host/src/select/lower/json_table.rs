use callslip_ir::{JsonTable, JsonTableColumn, NodeId, NodeKind};
use sea_query::Expr;

use super::relation::aliased;
use super::sql_json::{json_quotes, json_wrapper};
use super::{Lowerer, fill, identifier, literal, unverified, word};
use crate::select::dialect::template;

impl<'a> Lowerer<'a> {
    pub(super) fn json_table(&mut self, table: &'a JsonTable) -> Expr {
        let rows = [self.expression(table.context), literal(&table.path)].into_iter();
        let mut clauses = vec![match &table.path_name {
            None => fill(template::JSON_TABLE_ROWS, rows),
            Some(name) => fill(template::JSON_TABLE_NAMED_ROWS, rows.chain([identifier(name)])),
        }];
        clauses.extend(self.json_passing(&table.passing));
        clauses.push(self.json_columns(&table.columns));
        clauses.extend(self.json_behaviors(None, table.on_error.as_ref()));
        aliased(fill(template::JSON_TABLE, clauses), &table.alias, &table.column_aliases)
    }

    fn json_columns(&mut self, columns: &'a [NodeId]) -> Expr {
        let columns: Vec<Expr> = columns.iter().map(|&column| self.json_column(column)).collect();
        fill(template::JSON_COLUMNS, columns)
    }

    fn json_column(&mut self, node: NodeId) -> Expr {
        let NodeKind::JsonTableColumn(column) = self.kind(node) else { return unverified() };
        let path = |path: &Option<String>| Some(fill(template::JSON_PATH, [literal(path.as_deref()?)]));
        let lowered = match column {
            JsonTableColumn::Ordinality { name } => fill(template::JSON_ORDINALITY, [identifier(name)]),
            JsonTableColumn::Value {
                name,
                format_json,
                path: at,
                wrapper,
                quotes,
                on_empty,
                on_error,
                ..
            } => {
                let mut clauses = vec![identifier(name), self.ty(node)];
                clauses.extend(format_json.then(|| word("FORMAT JSON")));
                clauses.extend(path(at));
                clauses.extend(wrapper.map(json_wrapper));
                clauses.extend(quotes.map(json_quotes));
                clauses.extend(self.json_behaviors(on_empty.as_ref(), on_error.as_ref()));
                fill(template::SEQUENCE, clauses)
            }
            JsonTableColumn::Exists { name, path: at, on_error, .. } => {
                let mut clauses = vec![identifier(name), self.ty(node), word("EXISTS")];
                clauses.extend(path(at));
                clauses.extend(self.json_behaviors(None, on_error.as_ref()));
                fill(template::SEQUENCE, clauses)
            }
            JsonTableColumn::Nested { path, path_name, columns } => {
                let (path, columns) = (literal(path), self.json_columns(columns));
                match path_name {
                    None => fill(template::JSON_NESTED, [path, columns]),
                    Some(name) => fill(template::JSON_NAMED_NESTED, [path, identifier(name), columns]),
                }
            }
        };
        self.placed(node, lowered)
    }
}
