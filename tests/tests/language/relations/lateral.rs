//! LATERAL.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn lateral() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let last = select((l.col("id"), l.col("fine")))
        .from(l)
        .filter(l.col("book_id").eq(b.col("id")))
        .order_by(l.col("id").desc())
        .limit(1)
        .alias("last");
    let (items, order) = ((b.col("title"), last.col("id").alias("loan")), b.col("id"));
    let lateral =
        "LATERAL (SELECT l.id, l.fine FROM loan l WHERE l.book_id = b.id ORDER BY l.id DESC LIMIT 1) last";
    for (query, from) in [
        (select(items.clone()).from(b).from(last.lateral()), format!("book b, {lateral}")),
        (select(items.clone()).from(b).cross_join_lateral(last), format!("book b CROSS JOIN {lateral}")),
        (select(items.clone()).from(b).join_lateral(last, true), format!("book b JOIN {lateral} ON true")),
        (
            select(items.clone()).from(b).left_join_lateral(last, last.col("fine").is_null()),
            format!("book b LEFT JOIN {lateral} ON last.fine IS NULL"),
        ),
    ] {
        let sql = format!("SELECT b.title, last.id AS loan FROM {from} ORDER BY b.id");
        same(query.order_by(order), &sql).await;
    }
    // From within a nested join it sees what stands before that.
    let (s, n) = (table("shelf").alias("s"), call("generate_series", (1, 2)).in_from("n"));
    let of_shelf = select(b.col("title")).from(b).filter(b.col("shelf_id").eq(s.col("id"))).alias("t");
    same(
        select((s.col("name"), of_shelf.col("title"), n.value()))
            .from(s)
            .left_join(joined(of_shelf.lateral()).cross_join(n), true)
            .order_by((s.col("id"), of_shelf.col("title"), n.value())),
        "SELECT s.name, t.title, n FROM shelf s LEFT JOIN (LATERAL (SELECT title FROM book b WHERE b.shelf_id = s.id) t
         CROSS JOIN generate_series(1, 2) n) ON true ORDER BY s.id, t.title, n",
    )
    .await;
    // On the right of a RIGHT JOIN it may refer to what is before the join.
    let again = select(s.col("id").alias("shelf")).alias("again").lateral();
    same(
        select((s.col("id"), b.col("title"), again.col("shelf")))
            .from(s)
            .from(joined(b).right_join(again, again.col("shelf").eq(b.col("shelf_id"))))
            .order_by((s.col("id"), b.col("id"))),
        "SELECT s.id, b.title, again.shelf FROM shelf s,
             (book b RIGHT JOIN LATERAL (SELECT s.id AS shelf) again ON again.shelf = b.shelf_id) ORDER BY s.id, b.id",
    )
    .await;
}

#[test]
fn lateral_has_its_rules() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let of_book = select(l.col("id")).from(l).filter(l.col("book_id").eq(b.col("id"))).alias("o");
    let base = || select(b.col("title")).from(b);
    let message = "CS0303: \"b\" can't be referred to here: the right side of a RIGHT or FULL JOIN can't refer to its left side";
    assert_eq!(refused(base().right_join(of_book.lateral(), true)), message);
    assert_eq!(refused(base().full_join(of_book.lateral(), true)), message);
    assert_eq!(
        refused(base().right_join(call("generate_series", (1, b.col("id"))).in_from("n"), true)),
        message
    );
    // Without LATERAL it does not see what is beside it.
    assert_eq!(
        refused(base().cross_join(of_book)),
        "CS0303: no relation with the alias \"b\" is in scope here; a subquery in FROM sees what stands before it with \
         .lateral() or a join that ends in _lateral"
    );
    // Where an alias names two relations, one of which is hidden only outside.
    let twice = joined(b).cross_join(of_book.lateral()).alias("j");
    assert_eq!(
        refused(base().cross_join(twice)),
        "CS0303: \"b\" can't be referred to here: it names two relations"
    );
}
