//! Foreign keys as conditions.

use callslip_sdk::prelude::*;

use crate::support::same;

/// The library's tables, typed.
mod tables {
    callslip_sdk::schema!("../plugin-sdk/docs/language/library.json");
}
use tables::{Book, Copy, Repair, Shelf};

#[tokio::test]
async fn foreign_keys_are_conditions() {
    let (b, s) = (Book::alias("b"), Shelf::alias("s"));
    same(
        select((b.title, s.name)).from(b).join(s, b.shelf().eq(s)).order_by(b.id),
        "SELECT b.title, s.name FROM book b JOIN shelf s ON b.shelf_id = s.id ORDER BY b.id",
    )
    .await;
    same(
        select((s.name, b.title)).from(s).left_join(b, b.shelf().eq(s)).order_by((s.id, b.id)),
        "SELECT s.name, b.title FROM shelf s LEFT JOIN book b ON b.shelf_id = s.id ORDER BY s.id, b.id",
    )
    .await;
    let above = Shelf::alias("above");
    same(
        select((s.name, above.name.alias("above"))).from(s).left_join(above, s.parent().eq(above)).order_by(s.id),
        "SELECT s.name, above.name AS above FROM shelf s LEFT JOIN shelf above ON s.parent_id = above.id ORDER BY s.id",
    )
    .await;
    // Of two columns, of which both have to be equal, and neither null.
    let (c, r) = (Copy::alias("c"), Repair::alias("r"));
    same(
        select((c.book_id, c.number, r.id)).from(c).full_join(r, r.copy().eq(c)).order_by((c.book_id, c.number, r.id)),
        "SELECT c.book_id, c.number, r.id FROM copy c FULL JOIN repair r ON (r.book_id, r.number) = (c.book_id, c.number)
         ORDER BY c.book_id, c.number, r.id",
    )
    .await;
    same(
        select((c.book_id, c.number))
            .from(c)
            .filter(not_exists(select(1).from(r).filter(r.copy().eq(c))))
            .order_by((c.book_id, c.number)),
        "SELECT book_id, number FROM copy EXCEPT SELECT book_id, number FROM repair ORDER BY 1, 2",
    )
    .await;
}
