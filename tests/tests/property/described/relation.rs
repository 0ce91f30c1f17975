use callslip_ir::{
    ColumnDefinition, Functions, Join, JoinCondition, JoinKind, NodeId, NodeKind, RelationName, Sample,
    Subquery, Table,
};

use super::{Tree, Writer, fixture, quoted};

pub(super) fn alias(name: &str, columns: &[String]) -> Tree {
    Tree::leaf(format!("alias {name:?} {columns:?}"))
}

impl Writer<'_> {
    pub(super) fn relation(self, node: NodeId) -> Tree {
        match self.kind(node) {
            NodeKind::Table(table) => self.table(table),
            NodeKind::Subquery(Subquery { query, lateral, alias: name, columns }) => {
                let head = if *lateral { "subquery lateral" } else { "subquery" };
                Tree::new(head, vec![self.query(*query), alias(name, columns)])
            }
            NodeKind::Functions(functions) => self.functions(functions),
            NodeKind::Join(join) => self.join(join),
            NodeKind::JsonTable(table) => self.json_table(table),
            other => Tree::leaf(format!("{other:?}")),
        }
    }

    fn table(self, table: &Table) -> Tree {
        let Table { name, alias: its, columns, only, sample } = table;
        let name = match name {
            RelationName::Stored(name) => fixture::relation(name),
            RelationName::Cte(name) => quoted([name.as_str()]),
        };
        let table =
            Tree::new(format!("table {}{name}", if *only { "only " } else { "" }), vec![alias(its, columns)]);
        match sample {
            None => table,
            Some(Sample { method, arguments, seed }) => {
                let seed = Tree::optional("operand seed", seed.map(|seed| self.expression(seed)));
                let head = format!("table sample {}", fixture::sample_method(method));
                Tree::new(head, vec![table, Tree::new("arguments", self.expressions(arguments)), seed])
            }
        }
    }

    fn functions(self, functions: &Functions) -> Tree {
        let Functions { calls, ordinality, lateral, alias: name, columns } = functions;
        let mut parts: Vec<Tree> = calls
            .iter()
            .map(|function| {
                let definitions = function.columns.iter().map(definition).collect();
                let definitions = Tree::new("arguments columns", definitions);
                Tree::new("functions call", vec![self.expression(function.call), definitions])
            })
            .collect();
        parts.push(alias(name, columns));
        Tree::new(format!("functions lateral={lateral} ordinality={ordinality}"), parts)
    }

    fn join(self, join: &Join) -> Tree {
        let Join { kind, left, right, condition, alias: name, columns } = join;
        let kind = match kind {
            // The grammar knows no cross join: it is an inner one on nothing.
            JoinKind::Inner | JoinKind::Cross => "inner",
            JoinKind::Left => "left",
            JoinKind::Right => "right",
            JoinKind::Full => "full",
        };
        let condition = match condition {
            JoinCondition::None => Tree::leaf("on nothing"),
            JoinCondition::Natural => Tree::leaf("natural"),
            JoinCondition::On(condition) => Tree::new("on", vec![self.expression(*condition)]),
            JoinCondition::Using { columns, alias: name } => {
                let name = name.as_ref().map_or_else(|| Tree::leaf("alias none"), |name| alias(name, &[]));
                Tree::new("using", vec![Tree::leaf(format!("using {columns:?}")), name])
            }
        };
        let name = name.as_ref().map_or_else(|| Tree::leaf("alias none"), |name| alias(name, columns));
        Tree::new(
            format!("join {kind:?}"),
            vec![self.relation(*left), self.relation(*right), condition, name],
        )
    }
}

fn definition(definition: &ColumnDefinition) -> Tree {
    let ColumnDefinition { name, ty, collation } = definition;
    let collation = collation.as_ref().map(|name| format!(" collate {}", fixture::collation(name)));
    Tree::leaf(format!("column {name:?}{}{}", fixture::type_head(ty), collation.unwrap_or_default()))
}
