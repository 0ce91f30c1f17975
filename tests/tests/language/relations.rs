//! What stands in FROM.

use callslip_sdk::prelude::*;

use crate::support::same;

#[tokio::test]
async fn joins() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let on = l.col("book_id").eq(b.col("id"));
    let order = (b.col("id"), l.col("id"));
    let items = (b.col("title"), l.col("id").alias("loan"));
    same(
        select(items.clone()).from(b).left_join(l, on).order_by(order),
        "SELECT b.title, l.id AS loan FROM book b LEFT JOIN loan l ON l.book_id = b.id ORDER BY b.id, l.id",
    )
    .await;
}
