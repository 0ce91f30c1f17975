//! What PostgreSQL's own parser reads in a text, as a [`Tree`]. Every struct of the parse tree is taken apart without `..`, so
//! that nothing of a statement can go unseen; what a description can't say is an error.

mod expression;
mod json;
mod relation;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CommonTableExpr, CteCycleClause, CteSearchClause, LimitOption, Node, RawStmt, SelectStmt, SetOperation,
    SortBy, SortByDir, SortByNulls, WithClause,
};

use super::tree::Tree;

/// What a `$n` of the text reads: the slot, and the type as [`type_head`] writes it.
pub struct Parameter {
    pub slot: u32,
    pub ty: String,
}

pub type Read = Result<Tree, String>;

/// Reads the one SELECT of a text, and the numbers of its parameters in the order in which they are first met.
pub fn statement(sql: &str, parameters: &[Parameter]) -> Result<(Tree, Vec<i32>), String> {
    let parsed =
        pg_query::parse(sql, 0).map_err(|error| format!("PostgreSQL's parser refuses it: {error}"))?;
    let [RawStmt { stmt: Some(statement), .. }] = parsed.protobuf.stmts.as_slice() else {
        return Err(format!("it is {} statements", parsed.protobuf.stmts.len()));
    };
    let mut reader = Reader { parameters, numbers: Vec::new() };
    let tree = reader.query(Some(statement))?;
    Ok((tree, reader.numbers))
}

struct Reader<'a> {
    parameters: &'a [Parameter],
    numbers: Vec<i32>,
}

fn unexpected<T>(what: &str, found: &impl std::fmt::Debug) -> Result<T, String> {
    Err(format!("{what} is not what a description can say: {found:?}"))
}

/// The names of a list of strings.
fn strings(nodes: &[Node]) -> Result<Vec<&str>, String> {
    nodes
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::String(string)) => Ok(string.sval.as_str()),
            other => unexpected("a name", other),
        })
        .collect()
}

/// A qualified name, quoted.
fn qualified(names: &[Node]) -> Result<String, String> {
    Ok(quoted(strings(names)?))
}

pub fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(".")
}

impl Reader<'_> {
    fn query(&mut self, node: Option<&Node>) -> Read {
        match node.and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => self.select_statement(select),
            other => unexpected("a query", &other),
        }
    }

    fn select_statement(&mut self, statement: &SelectStmt) -> Read {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option,
            locking_clause,
            with_clause,
            op,
            all,
            larg,
            rarg,
        } = statement;
        if into_clause.is_some() || !locking_clause.is_empty() {
            return Err("it writes or locks".to_owned());
        }
        let with = match with_clause {
            Some(with) => vec![self.with(with)?],
            None => vec![],
        };
        let is_select = !target_list.is_empty() || !from_clause.is_empty();
        let body = match (SetOperation::try_from(*op), larg, rarg) {
            (Ok(SetOperation::SetopNone), None, None) if values_lists.is_empty() => {
                let distinct = match distinct_clause.as_slice() {
                    [] => Tree::leaf("distinct no"),
                    [Node { node: None }] => Tree::leaf("distinct rows"),
                    on => Tree::new("distinct on", self.expressions(on)?),
                };
                let mut items = Vec::new();
                for item in target_list {
                    items.push(self.item(item)?);
                }
                let mut from = Vec::new();
                for relation in from_clause {
                    from.push(self.relation(Some(relation))?);
                }
                let filter = self.optional("where", where_clause.as_deref())?;
                let group = Tree::new(
                    if *group_distinct { "group by distinct" } else { "group by" },
                    self.expressions(group_clause)?,
                );
                let having = self.optional("having", having_clause.as_deref())?;
                let mut windows = Vec::new();
                for window in window_clause {
                    match &window.node {
                        Some(NodeEnum::WindowDef(window)) => windows.push(self.window(window, true)?),
                        other => return unexpected("a window", other),
                    }
                }
                Tree::new(
                    "select",
                    vec![
                        distinct,
                        Tree::new("items", items),
                        Tree::new("from", from),
                        filter,
                        group,
                        having,
                        Tree::new("windows", windows),
                    ],
                )
            }
            (Ok(SetOperation::SetopNone), None, None) if !is_select => {
                let mut rows = Vec::new();
                for row in values_lists {
                    match &row.node {
                        Some(NodeEnum::List(row)) => {
                            rows.push(Tree::new("items", self.expressions(&row.items)?))
                        }
                        other => return unexpected("a row of VALUES", other),
                    }
                }
                Tree::new("values", rows)
            }
            (Ok(operator), Some(left), Some(right)) if !is_select && values_lists.is_empty() => {
                let operator = match operator {
                    SetOperation::SetopUnion => "union",
                    SetOperation::SetopIntersect => "intersect",
                    SetOperation::SetopExcept => "except",
                    other => return unexpected("a set operation", &other),
                };
                let head = if *all { format!("{operator} all") } else { operator.to_owned() };
                Tree::new(head, vec![self.select_statement(left)?, self.select_statement(right)?])
            }
            _ => return unexpected("a body", statement),
        };
        if body.head != "select"
            && !(distinct_clause.is_empty()
                && where_clause.is_none()
                && group_clause.is_empty()
                && having_clause.is_none()
                && window_clause.is_empty())
        {
            return unexpected("a body", statement);
        }
        let order_by = self.orders("order by", sort_clause)?;
        let limit = match (LimitOption::try_from(*limit_option), limit_count) {
            (Ok(LimitOption::Default), None) => "limit",
            (Ok(LimitOption::Count), _) => "limit",
            (Ok(LimitOption::WithTies), Some(_)) => "limit with ties",
            other => return unexpected("a limit", &other),
        };
        let limit = self.optional(limit, limit_count.as_deref())?;
        let offset = self.optional("offset", limit_offset.as_deref())?;
        Ok(Tree::new("query", with.into_iter().chain([body, order_by, limit, offset]).collect()))
    }

    fn with(&mut self, with: &WithClause) -> Read {
        let WithClause { ctes, recursive, location: _ } = with;
        let mut parts = Vec::new();
        for cte in ctes {
            match &cte.node {
                Some(NodeEnum::CommonTableExpr(cte)) => parts.push(self.cte(cte)?),
                other => return unexpected("a CTE", other),
            }
        }
        Ok(Tree::new(if *recursive { "with recursive" } else { "with" }, parts))
    }

    fn cte(&mut self, cte: &CommonTableExpr) -> Read {
        let CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized,
            ctequery,
            search_clause,
            cycle_clause,
            location: _,
            cterecursive: _,
            cterefcount: _,
            ctecolnames: _,
            ctecoltypes: _,
            ctecoltypmods: _,
            ctecolcollations: _,
        } = cte;
        let materialized = match ctematerialized {
            1 => "unspecified",
            2 => "materialized",
            3 => "not materialized",
            other => return unexpected("a CTE", other),
        };
        let columns = strings(aliascolnames)?;
        let mut parts = vec![self.query(ctequery.as_deref())?];
        if let Some(CteSearchClause {
            search_col_list,
            search_breadth_first,
            search_seq_column,
            location: _,
        }) = search_clause
        {
            let order = if *search_breadth_first { "breadth" } else { "depth" };
            let by = strings(search_col_list)?;
            parts.push(Tree::leaf(format!("search {order} by {by:?} set {search_seq_column:?}")));
        }
        if let Some(cycle) = cycle_clause {
            let CteCycleClause {
                cycle_col_list,
                cycle_mark_column,
                cycle_mark_value,
                cycle_mark_default,
                cycle_path_column,
                location: _,
                cycle_mark_type: _,
                cycle_mark_typmod: _,
                cycle_mark_collation: _,
                cycle_mark_neop: _,
            } = cycle.as_ref();
            let columns = strings(cycle_col_list)?;
            let head = format!("cycle {columns:?} set {cycle_mark_column:?} using {cycle_path_column:?}");
            // Without TO and DEFAULT the grammar fills in the booleans.
            let mut values = Vec::new();
            for value in [cycle_mark_value, cycle_mark_default] {
                values.push(self.expression(value.as_deref())?);
            }
            parts.push(Tree::new(head, values));
        }
        Ok(Tree::new(format!("cte {ctename:?} {columns:?} {materialized}"), parts))
    }

    fn item(&mut self, item: &Node) -> Read {
        use pg_query::protobuf::ResTarget;
        match &item.node {
            Some(NodeEnum::ResTarget(target)) => match target.as_ref() {
                ResTarget { name, indirection, val, location: _ } if indirection.is_empty() => {
                    Ok(Tree::new(format!("item {name:?}"), vec![self.expression(val.as_deref())?]))
                }
                other => unexpected("an item", other),
            },
            other => unexpected("an item", other),
        }
    }

    fn orders(&mut self, head: &str, orders: &[Node]) -> Read {
        let mut parts = Vec::new();
        for order in orders {
            match &order.node {
                Some(NodeEnum::SortBy(order)) => parts.push(self.order(order)?),
                other => return unexpected("an item of ORDER BY", other),
            }
        }
        Ok(Tree::new(head, parts))
    }

    fn order(&mut self, order: &SortBy) -> Read {
        let SortBy { node, sortby_dir, sortby_nulls, use_op, location: _ } = order;
        let direction = match (SortByDir::try_from(*sortby_dir), use_op.as_slice()) {
            (Ok(SortByDir::SortbyDefault | SortByDir::SortbyAsc), []) => "ascending".to_owned(),
            (Ok(SortByDir::SortbyDesc), []) => "descending".to_owned(),
            (Ok(SortByDir::SortbyUsing), operator) => format!("using {}", qualified(operator)?),
            other => return unexpected("a direction", &other),
        };
        let nulls = match SortByNulls::try_from(*sortby_nulls) {
            Ok(SortByNulls::SortbyNullsDefault) => "",
            Ok(SortByNulls::SortbyNullsFirst) => " nulls first",
            Ok(SortByNulls::SortbyNullsLast) => " nulls last",
            other => return unexpected("nulls", &other),
        };
        Ok(Tree::new(format!("order {direction:?}{nulls}"), vec![self.expression(node.as_deref())?]))
    }

    fn optional(&mut self, head: &str, node: Option<&Node>) -> Read {
        let part = match node {
            Some(node) => Some(self.expression(Some(node))?),
            None => None,
        };
        Ok(Tree::optional(head, part))
    }

    fn expressions(&mut self, nodes: &[Node]) -> Result<Vec<Tree>, String> {
        nodes.iter().map(|node| self.expression(Some(node))).collect()
    }
}
