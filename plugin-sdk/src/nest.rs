use callslip_ir::{SlotType, TypeName};

use crate::{Call, Expr, IntoExpr, Json, Select, coalesce, select, value::push_constant, whole_row};

/// The rows of a query as JSON, in one column: an array of an object for each row, in the query's order, and `[]` where
/// there is none.
///
/// `(SELECT COALESCE(json_agg(row_to_json(n)), '[]') FROM (query) AS n)`
///
/// The query names the columns of the row that it belongs to, and may have others of its kind in its select list, so that one
/// statement gives a tree. Each column has a name of its own, which is its key.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
/// let loans = select((l.col("id"), l.col("period"))).from(l).filter(l.col("book_id").eq(b.col("id"))).order_by(l.col("id"));
/// let books = select((b.col("title"), nest_many(loans).alias("loans"))).from(b);
/// ```
#[track_caller]
pub fn nest_many(query: Select) -> Expr<Json> {
    let nested = query.alias(ALIAS);
    let row: Call<Json> = Call::new("row_to_json", vec![whole_row(nested).id]);
    let rows: Call<Json> = Call::new("json_agg", vec![row.into_expr().id]);
    let json = SlotType::Declared(TypeName::parse("pg_catalog.json"));
    let none: Expr<Json> = push_constant(json, "[]");
    let rows = coalesce((rows, none));
    Expr::new(select(rows).from(nested).scalar().id)
}

/// The row of a query as JSON, in one column: an object, and null where there is none. More than one row is an error; where
/// the first is meant, say so with `.limit(1)`.
///
/// `(SELECT row_to_json(n) FROM (query) AS n)`
///
/// For the rest it is as [`nest_many`].
#[track_caller]
pub fn nest_one(query: Select) -> Expr<Json> {
    let nested = query.alias(ALIAS);
    let row: Call<Json> = Call::new("row_to_json", vec![whole_row(nested).id]);
    Expr::new(select(row).from(nested).scalar().id)
}

/// Nothing inside the query sees it: a query in FROM has no relations of the query around it in scope but those further
/// out.
const ALIAS: &str = "n";
