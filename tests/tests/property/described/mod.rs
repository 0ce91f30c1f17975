//! What a description says, as a [`Tree`]: written from the description alone, with nothing of how the host lowers it.

mod expression;
mod json;
mod relation;
mod window;

use callslip_ir::{
    Cte, Description, Direction, Distinct, Materialization, NodeId, NodeKind, Nulls, Order, Query,
    SearchOrder, Select, SetOperator,
};

use super::fixture;
use super::parsed::quoted;
use super::tree::{CAST, TYPE, Tree};

/// The tree of a whole description.
pub fn statement(description: &Description) -> Tree {
    Writer { description }.query(NodeId(description.nodes.len() as u32 - 1))
}

#[derive(Clone, Copy)]
struct Writer<'a> {
    description: &'a Description,
}

impl<'a> Writer<'a> {
    fn kind(self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    fn query(self, node: NodeId) -> Tree {
        let NodeKind::Query(Query { with, body, order_by, limit, offset }) = self.kind(node) else {
            return Tree::leaf("not a query");
        };
        let with = with.as_ref().map(|with| {
            let ctes = with.ctes.iter().map(|cte| self.cte(cte)).collect();
            Tree::new(if with.recursive { "with recursive" } else { "with" }, ctes)
        });
        let body = match self.kind(*body) {
            NodeKind::Select(select) => self.select(select),
            NodeKind::SetOperation(operation) => {
                let operator = match operation.operator {
                    SetOperator::Union => "union",
                    SetOperator::Intersect => "intersect",
                    SetOperator::Except => "except",
                };
                let head = if operation.all { format!("{operator} all") } else { operator.to_owned() };
                Tree::new(head, vec![self.query(operation.left), self.query(operation.right)])
            }
            NodeKind::Values(values) => {
                let row = |row: &Vec<NodeId>| Tree::new("items", self.expressions(row));
                Tree::new("values", values.rows.iter().map(row).collect())
            }
            other => Tree::leaf(format!("{other:?}")),
        };
        let order_by = self.orders("order by", order_by);
        let clause =
            |head, node: Option<NodeId>| Tree::optional(head, node.map(|node| self.expression(node)));
        let with_ties = limit.as_ref().is_some_and(|limit| limit.with_ties);
        let limit = clause(
            if with_ties { "limit with ties" } else { "limit" },
            limit.as_ref().map(|limit| limit.count),
        );
        Tree::new(
            "query",
            with.into_iter().chain([body, order_by, limit, clause("offset", *offset)]).collect(),
        )
    }

    fn cte(self, cte: &Cte) -> Tree {
        let Cte { name, columns, query, materialized, search, cycle } = cte;
        let materialized = match materialized {
            Materialization::Unspecified => "unspecified",
            Materialization::Materialized => "materialized",
            Materialization::NotMaterialized => "not materialized",
        };
        let mut parts = vec![self.query(*query)];
        if let Some(search) = search {
            let order = match search.order {
                SearchOrder::Breadth => "breadth",
                SearchOrder::Depth => "depth",
            };
            parts.push(Tree::leaf(format!("search {order} by {:?} set {:?}", search.by, search.set)));
        }
        let Some(cycle) = cycle else {
            return Tree::new(format!("cte {name:?} {columns:?} {materialized}"), parts);
        };
        let head = format!("cycle {:?} set {:?} using {:?}", cycle.columns, cycle.mark, cycle.path);
        parts.push(Tree::new(head, vec![Tree::leaf("boolean true"), Tree::leaf("boolean false")]));
        match cycle.values {
            None => Tree::new(format!("cte {name:?} {columns:?} {materialized}"), parts),
            // The grammar takes literals there only: a query around gives the mark its values.
            Some((value, default)) => {
                let inner = Tree::new(format!("cte {name:?} {columns:?} unspecified"), parts);
                let column = |column: &str| Tree::leaf(format!("column {}", quoted([name.as_str(), column])));
                let item = |its: &str, value| Tree::new(format!("item {its:?}"), vec![value]);
                let when = Tree::new("when", vec![column(&cycle.mark), self.expression(value)]);
                let otherwise = Tree::new("else", vec![self.expression(default)]);
                let mark = Tree::new("case", vec![Tree::leaf("operand"), when, otherwise]);
                let plain = columns.iter().chain(search.as_ref().map(|search| &search.set));
                let mut items: Vec<Tree> = plain.map(|its| item(its, column(its))).collect();
                items.extend([item(&cycle.mark, mark), item(&cycle.path, column(&cycle.path))]);
                let table =
                    Tree::new(format!("table {}", quoted([name.as_str()])), vec![Tree::leaf("alias none")]);
                let select = Tree::new(
                    "select",
                    vec![
                        Tree::leaf("distinct no"),
                        Tree::new("items", items),
                        Tree::new("from", vec![table]),
                        Tree::leaf("where"),
                        Tree::leaf("group by"),
                        Tree::leaf("having"),
                        Tree::leaf("windows"),
                    ],
                );
                let with = Tree::new("with recursive", vec![inner]);
                let rest = ["order by", "limit", "offset"].map(Tree::leaf);
                let query = Tree::new("query", [with, select].into_iter().chain(rest).collect());
                Tree::new(format!("cte {name:?} [] {materialized}"), vec![query])
            }
        }
    }

    fn select(self, select: &Select) -> Tree {
        let Select { distinct, items, from, filter, group_by, group_distinct, having, windows } = select;
        let distinct = match distinct {
            Distinct::All => Tree::leaf("distinct no"),
            Distinct::Rows => Tree::leaf("distinct rows"),
            Distinct::On(expressions) => Tree::new("distinct on", self.expressions(expressions)),
        };
        let item = |item: &callslip_ir::Item| {
            let name = match (&item.alias, self.kind(item.expression)) {
                (Some(alias), _) => Some(alias),
                (None, NodeKind::Column { name, .. }) => Some(name),
                _ => None,
            };
            let head = name.map_or_else(|| "item".to_owned(), |name| format!("item {name:?}"));
            Tree::new(head, vec![self.expression(item.expression)])
        };
        let clause =
            |head, node: Option<NodeId>| Tree::optional(head, node.map(|node| self.expression(node)));
        let group = group_by.iter().map(|&node| self.grouped(node, "row explicit")).collect();
        let windows = windows.iter().map(|named| self.window(&named.name, &named.window)).collect();
        Tree::new(
            "select",
            vec![
                distinct,
                Tree::new("items", items.iter().map(item).collect()),
                Tree::new("from", from.iter().map(|&node| self.relation(node)).collect()),
                clause("where", *filter),
                Tree::new(if *group_distinct { "group by distinct" } else { "group by" }, group),
                clause("having", *having),
                Tree::new("windows", windows),
            ],
        )
    }

    /// An item of GROUP BY or within a grouping set, where `(a, b)` is two columns that stay together and `ROW(a, b)` one
    /// value.
    fn grouped(self, node: NodeId, row: &str) -> Tree {
        use callslip_ir::GroupingSetKind;
        match self.kind(node) {
            NodeKind::GroupingSet(set) => {
                let head = match set.kind {
                    GroupingSetKind::Rollup => "rollup",
                    GroupingSetKind::Cube => "cube",
                    GroupingSetKind::Sets => "sets",
                };
                Tree::new(head, set.items.iter().map(|&item| self.grouped(item, "row implicit")).collect())
            }
            NodeKind::Row(items) => match (row, items.as_slice()) {
                ("row implicit", []) => Tree::leaf("empty set"),
                ("row implicit", [only]) => self.expression(*only),
                (row, items) => Tree::new(row, self.expressions(items)),
            },
            _ => self.expression(node),
        }
    }

    fn orders(self, head: &str, orders: &[Order]) -> Tree {
        Tree::new(head, orders.iter().map(|order| self.order(order)).collect())
    }

    fn order(self, order: &Order) -> Tree {
        let direction = match &order.direction {
            Direction::Ascending => "ascending".to_owned(),
            Direction::Descending => "descending".to_owned(),
            Direction::Using(operator) => format!("using {}", fixture::operator(operator)),
        };
        let nulls = match order.nulls {
            Nulls::Unspecified => "",
            Nulls::First => " nulls first",
            Nulls::Last => " nulls last",
        };
        Tree::new(format!("order {direction:?}{nulls}"), vec![self.expression(order.expression)])
    }

    fn expressions(self, nodes: &[NodeId]) -> Vec<Tree> {
        nodes.iter().map(|&node| self.expression(node)).collect()
    }
}
