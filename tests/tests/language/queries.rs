//! What a query is made of, but for its relations and expressions.

use callslip_sdk::prelude::*;

use crate::support::same;

#[tokio::test]
async fn distinct_on_expressions() {
    let b = table("book").alias("b");
    same(
        select((b.col("genre"), b.col("title")))
            .distinct_on(upper(b.col("genre").cast::<String>()))
            .from(b)
            .order_by((upper(b.col("genre").cast::<String>()), b.col("id"))),
        "SELECT DISTINCT ON (upper(genre::text)) genre, title FROM book ORDER BY upper(genre::text), id",
    )
    .await;
}
