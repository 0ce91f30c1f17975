use callslip_ir::{Cycle, NodeId, NodeKind, Search, SearchOrder};

use crate::{Expr, Expressions, IntoCte, IntoExpr, arena, operand::Comparable};

/// `SEARCH DEPTH FIRST BY columns SET name`, of a recursive CTE: adds a column to order by, in which each row comes before those
/// that were found from it. The columns are the CTE's own: `search_depth_first(tree, tree.id, "path")`.
///
/// # Panics
/// If `columns` are anything but columns; so do the other functions here.
#[track_caller]
pub fn search_depth_first(cte: impl IntoCte, columns: impl Expressions, name: &str) -> Expr {
    search(cte, SearchOrder::Depth, columns.into_expressions(), name)
}

/// `SEARCH BREADTH FIRST BY columns SET name`, of a recursive CTE: adds a column to order by, in which the rows that were found
/// earlier come first.
#[track_caller]
pub fn search_breadth_first(cte: impl IntoCte, columns: impl Expressions, name: &str) -> Expr {
    search(cte, SearchOrder::Breadth, columns.into_expressions(), name)
}

#[track_caller]
fn search(cte: impl IntoCte, order: SearchOrder, columns: Vec<NodeId>, name: &str) -> Expr {
    let cte = cte.into_cte();
    let search = Search { order, by: names(columns), set: name.to_owned() };
    arena::search_cte(cte.definition(), search);
    cte.col(name)
}

/// `CYCLE columns SET mark USING path`, of a recursive CTE: ends where a row has the values of these columns a second time. Adds a
/// column that is true in such a row and one with the rows on the way to it, and gives both.
///
/// ```
/// # use callslip_sdk::{prelude::*, rare};
/// # let (s, c) = (table("shelf").alias("s"), table("shelf").alias("c"));
/// let tree = cte_recursive!("tree", { id: s.col("id") }, |q, tree| {
///     q.from(s).union_all(select(c.col("id")).from(c).join(tree, c.col("parent_id").eq(tree.id)))
/// });
/// let (is_cycle, path) = rare::cycle(tree, tree.id, "is_cycle", "path");
/// let shelves = select((tree.id, path)).from(tree).filter(is_cycle.is_false());
/// ```
#[track_caller]
pub fn cycle(cte: impl IntoCte, columns: impl Expressions, mark: &str, path: &str) -> (Expr<bool>, Expr) {
    let (mark, path) = set_cycle(cte, columns.into_expressions(), mark, None, path);
    (Expr::new(mark.id), path)
}

/// `CYCLE columns SET mark TO value DEFAULT default USING path`: [`cycle`] with a mark that is `value` in a row that closes a
/// cycle and `default` in any other. Both are constants or parameters. The recursive term itself does not see the mark.
#[track_caller]
pub fn cycle_to<V: IntoExpr + Comparable<D>, D: IntoExpr>(
    cte: impl IntoCte,
    columns: impl Expressions,
    mark: &str,
    value: V,
    default: D,
    path: &str,
) -> (Expr<V::Ty>, Expr) {
    let values = (value.into_expr().id, default.into_expr().id);
    let (mark, path) = set_cycle(cte, columns.into_expressions(), mark, Some(values), path);
    (Expr::new(mark.id), path)
}

#[track_caller]
fn set_cycle(
    cte: impl IntoCte,
    columns: Vec<NodeId>,
    mark: &str,
    values: Option<(NodeId, NodeId)>,
    path: &str,
) -> (Expr, Expr) {
    let cte = cte.into_cte();
    let columns = names(columns);
    arena::cycle_cte(
        cte.definition(),
        Cycle { columns, mark: mark.to_owned(), values, path: path.to_owned() },
    );
    (cte.col(mark), cte.col(path))
}

#[track_caller]
fn names(columns: Vec<NodeId>) -> Vec<String> {
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        let NodeKind::Column { name, .. } = arena::kind(column) else {
            panic!("SEARCH and CYCLE take columns of the CTE, and no other expression");
        };
        names.push(name);
    }
    names
}
