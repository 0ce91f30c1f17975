//! GROUP BY on a primary key stands for all columns of its table, under a filter too.

use callslip_sdk::prelude::*;

use crate::support::{BY_COMPANY, BY_FUNCTION, same};

const SEEN: &str = "(SELECT * FROM item WHERE company_id = 1)";

#[tokio::test]
async fn the_columns_of_a_grouped_key_are_selected_sorted_and_compared() {
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let join = || select((i.col("id"), i.col("name"), count(v.col("id")).alias("visits"))).from(i);
    let on = v.col("item_id").eq(i.col("id"));
    let group = "i.id, i.name, i.code, i.company_id, i.divisor, i.facts";
    for filter in [BY_COMPANY, BY_FUNCTION] {
        same(
            filter,
            join().left_join(v, on).group_by(i.col("id")).order_by(i.col("name")),
            &format!(
                "SELECT i.id, i.name, count(v.id) AS visits FROM {SEEN} i LEFT JOIN visit v ON v.item_id = i.id
                 GROUP BY {group} ORDER BY i.name"
            ),
        )
        .await;
        // Of an outer join a key that is null has nulls beside it.
        same(
            filter,
            select((v.col("guest"), i.col("name"), i.col("id"), count_all().alias("n")))
                .from(v)
                .left_join(i, on.and(i.col("id").lt(3)))
                .group_by((v.col("id"), i.col("id")))
                .order_by((v.col("id"), i.col("id"))),
            &format!(
                "SELECT v.guest, i.name, i.id, count(*) AS n FROM visit v LEFT JOIN {SEEN} i ON v.item_id = i.id AND i.id < 3
                 GROUP BY v.id, v.guest, {group} ORDER BY v.id, i.id"
            ),
        )
        .await;
        // Within expressions, in HAVING, in a window, in DISTINCT, in a subquery, and as a whole row.
        same(
            filter,
            select((
                (i.col("name").concat("!")).alias("loud"),
                rank().over(window().order_by(i.col("divisor").desc())).alias("place"),
                scalar(select(count_all()).from(v).filter(v.col("item_id").eq(i.col("divisor")))).alias("others"),
                call("to_jsonb", whole_row(i)).alias("all"),
                call("length", call("lseg", (i.col("place"), i.col("place")))).alias("length"),
            ))
            .from(i)
            .join(v, on)
            .group_by(i.col("id"))
            .having(i.col("divisor").gt(2).and(count_all().gt(1)))
            .distinct()
            .order_by(output("loud")),
            "SELECT DISTINCT i.name || '!' AS loud, rank() OVER (ORDER BY i.divisor DESC) AS place,
                    (SELECT count(*) FROM visit v WHERE v.item_id = i.divisor) AS others, to_jsonb(i.*) AS all, length(lseg(i.place, i.place)) AS length
             FROM item i JOIN visit v ON v.item_id = i.id WHERE i.company_id = 1
             GROUP BY i.id HAVING i.divisor > 2 AND count(*) > 1 ORDER BY loud",
        )
        .await;
    }
}

#[tokio::test]
async fn a_key_in_every_grouping_set_stands_for_its_columns_in_each() {
    let i = table("item").alias("i");
    for filter in [BY_COMPANY, BY_FUNCTION] {
        same(
            filter,
            select((i.col("name"), i.col("divisor"), i.col("code"), count_all().alias("n")))
                .from(i)
                .group_by(grouping_sets(((i.col("id"), i.col("divisor")), (i.col("id"), i.col("code")))))
                .order_by((i.col("name"), i.col("divisor"))),
            "SELECT i.name, i.divisor, i.code, count(*) AS n FROM item i WHERE company_id = 1
             GROUP BY GROUPING SETS ((i.id, i.divisor), (i.id, i.code)) ORDER BY i.name, i.divisor",
        )
        .await;
        same(
            filter,
            select((i.col("name"), i.col("code"), count_all().alias("n")))
                .from(i)
                .group_by((i.col("id"), rollup(i.col("code"))))
                .order_by((i.col("name"), i.col("code"))),
            "SELECT i.name, i.code, count(*) AS n FROM item i WHERE company_id = 1
             GROUP BY i.id, ROLLUP (i.code) ORDER BY i.name, i.code",
        )
        .await;
    }
}

#[tokio::test]
async fn what_a_key_does_not_determine_is_refused_by_postgresql_as_without_a_filter() {
    let i = table("item").alias("i");
    let query =
        || select((i.col("name"), count_all().alias("n"))).from(i).group_by(grouping_sets((i.col("id"), ())));
    let client = crate::support::shop().client().await;
    for filter in [BY_COMPANY, &[]] {
        let error = crate::support::given(&client, filter, query()).await.unwrap_err();
        assert!(error.starts_with("42803"), "{error}");
    }
}
