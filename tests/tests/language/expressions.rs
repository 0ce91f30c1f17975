//! Expressions.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn between_keeps_its_parentheses() {
    let b = table("book").alias("b");
    let (low, high) = (b.col("pages").between(1, 100), b.col("pages").gt(300));
    same(
        select((b.col("id"), low.and(high).is_unknown().between(false, low.or(high)).alias("odd")))
            .from(b)
            .order_by(b.col("id")),
        "SELECT id, ((pages BETWEEN 1 AND 100 AND pages > 300) IS UNKNOWN) BETWEEN false
                    AND (pages BETWEEN 1 AND 100 OR pages > 300) AS odd
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn a_column_that_is_not_there() {
    let b = table("book").alias("b");
    assert_eq!(
        refused(select(b.col("titel")).from(b)),
        "CS0302: book (alias \"b\") has no column \"titel\"; did you mean \"title\"?"
    );
}
