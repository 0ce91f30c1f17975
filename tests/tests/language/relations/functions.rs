//! Functions in FROM.

use callslip_sdk::prelude::*;
use callslip_sdk::rare::{column, record, rows_from};

use crate::support::{refused, same};

fn json(text: &str) -> Json {
    Json::new(text)
}

#[tokio::test]
async fn functions_in_from() {
    let n = call("generate_series", (1, 3)).in_from("n");
    same(select(n.value()).from(n), "SELECT n FROM generate_series(1, 3) AS n").await;
    let o = call("overdue", (Date::new("2026-02-04"), 2)).in_from("o");
    same(
        select((o.col("loan_id"), o.col("days"))).from(o),
        "SELECT loan_id, days FROM overdue('2026-02-04', 2)",
    )
    .await;
    let o = call("overdue", ())
        .named("at_most", 1)
        .named("since", Date::new("2026-02-04"))
        .in_from("o")
        .column_aliases(["loan"]);
    same(
        select((o.col("loan"), o.col("days"))).from(o),
        "SELECT loan, days FROM overdue(at_most => 1, since => '2026-02-04') AS o (loan)",
    )
    .await;
    // A scalar function, and one whose row type is that of its argument.
    let u = upper("a").in_from("u");
    same(select(u.value()).from(u), "SELECT u FROM upper('a') AS u").await;
    let a = call("jsonb_populate_record", (null("address"), json(r#"{"city": "Ely"}"#))).in_from("a");
    same(
        select((a.col("city"), a.col("zip"))).from(a),
        r#"SELECT city, zip FROM jsonb_populate_record(NULL::address, '{"city": "Ely"}') AS a"#,
    )
    .await;
    // A VARIADIC argument.
    let p = record(call("pairs", (2, 3)), [("n", "int4"), ("square", "int4")]).in_from("p");
    same(
        select((p.col("n"), p.col("square"))).from(p),
        "SELECT n, square FROM pairs(2, 3) AS p (n int4, square int4)",
    )
    .await;
}

#[tokio::test]
async fn functions_in_from_see_what_is_before_them() {
    let b = table("book").alias("b");
    let tag = unnest(b.col("tags").cast::<Vec<String>>()).in_from("tag");
    let sql = "SELECT b.id, tag FROM book b, unnest(b.tags) AS tag ORDER BY b.id, tag";
    let items = (b.col("id"), tag.value().alias("tag"));
    let order = (b.col("id"), tag.value());
    same(select(items.clone()).from(b).from(tag).order_by(order), sql).await;
    same(select(items.clone()).from(b).from(tag.lateral()).order_by(order), sql).await;
    same(select(items.clone()).from(b).cross_join(tag).order_by(order), sql).await;
    same(select(items.clone()).from(b).cross_join_lateral(tag).order_by(order), sql).await;
    same(select(items.clone()).from(b).join_lateral(tag, true).order_by(order), sql).await;
    same(
        select(items).from(b).left_join(tag, tag.value().ne("sea")).order_by(order),
        "SELECT b.id, tag FROM book b LEFT JOIN unnest(b.tags) AS tag ON tag <> 'sea' ORDER BY b.id, tag",
    )
    .await;
}

#[tokio::test]
async fn with_ordinality() {
    let b = table("book").alias("b");
    let tag = unnest(b.col("tags").cast::<Vec<String>>()).in_from("tag").with_ordinality();
    same(
        select((b.col("id"), tag.value(), tag.ordinality())).from(b).from(tag).order_by((b.col("id"), tag.ordinality())),
        "SELECT b.id, tag, tag.ordinality FROM book b, unnest(b.tags) WITH ORDINALITY AS tag ORDER BY b.id, ordinality",
    )
    .await;
    let tag = tag.column_aliases(["word", "place"]).lateral();
    same(
        select((b.col("id"), tag.value(), tag.col("place"))).from(b).left_join(tag, true).order_by((b.col("id"), tag.col("place"))),
        "SELECT b.id, word, place FROM book b LEFT JOIN LATERAL unnest(b.tags) WITH ORDINALITY AS tag (word, place) ON true
         ORDER BY b.id, place",
    )
    .await;
}

#[tokio::test]
async fn column_definitions() {
    let text = json(r#"[{"a": 1, "b": "x"}, {"a": 2, "c": 3.14159}]"#);
    let r = record(
        call("jsonb_to_recordset", text.clone()),
        [("a", "int4"), ("b", "text"), ("c", "numeric(6,2)")],
    )
    .in_from("r");
    same(
        select((r.col("a"), r.col("b"), r.col("c"))).from(r),
        r#"SELECT a, b, c FROM jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2, "c": 3.14159}]')
           AS r (a int4, b text, c numeric(6,2))"#,
    )
    .await;
    // Behind the definitions nothing else may stand but within ROWS FROM.
    let r = r.with_ordinality().column_aliases(["x"]);
    same(
        select((r.col("x"), r.col("b"), r.ordinality())).from(r),
        r#"SELECT x, b, ordinality FROM ROWS FROM (jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2, "c": 3.14159}]')
           AS (a int4, b text, c numeric(6,2))) WITH ORDINALITY AS r (x)"#,
    )
    .await;
    let words = json(r#"[{"w": "b", "g": "novel"}, {"w": "B", "g": "poetry"}, {"w": "a", "g": null}]"#);
    let b = table("book").alias("b");
    let columns = [column("w", "text").collate("C"), column("g", "genre")];
    let r = record(call("jsonb_to_recordset", words), columns).in_from("r");
    same(
        select((r.col("w"), r.col("g"), count(b.col("id")).alias("books")))
            .from(r.lateral())
            .left_join(b, b.col("genre").eq(r.col("g")))
            .group_by((r.col("w"), r.col("g")))
            .order_by(r.col("w")),
        r#"SELECT w, g, count(b.id) AS books FROM LATERAL jsonb_to_recordset(
               '[{"w": "b", "g": "novel"}, {"w": "B", "g": "poetry"}, {"w": "a", "g": null}]'
           ) AS r (w text COLLATE "C", g genre) LEFT JOIN book b ON b.genre = r.g GROUP BY w, g ORDER BY w"#,
    )
    .await;
}

#[tokio::test]
async fn functions_that_name_their_columns() {
    let b = table("book").alias("b");
    let tags = call("jsonb_array_elements", b.col("details").get("editions")).in_from("e").with_ordinality();
    same(
        select((b.col("id"), tags.col("value"), tags.ordinality()))
            .from(b)
            .from(tags)
            .order_by((b.col("id"), tags.ordinality())),
        "SELECT b.id, value, ordinality FROM book b, jsonb_array_elements(b.details -> 'editions') WITH ORDINALITY AS e
         ORDER BY b.id, ordinality",
    )
    .await;
    assert_eq!(
        refused(select(tags.value()).from(b).from(tags)),
        "CS0302: jsonb_array_elements (alias \"e\") has no column \"e\"; its columns are value, ordinality: write .col(\"value\")"
    );
}

#[tokio::test]
async fn whole_rows_of_what_stands_in_from() {
    let json = |relation: Expr| call("to_jsonb", relation).alias("row");
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    // Of a function that gives single values the row is the value.
    let n = call("generate_series", (1, 2)).in_from("n");
    same(select(json(whole_row(n))).from(n), "SELECT to_jsonb(n.*) AS row FROM generate_series(1, 2) n")
        .await;
    let n = n.with_ordinality();
    same(
        select(json(whole_row(n))).from(n),
        "SELECT to_jsonb(n.*) AS row FROM generate_series(1, 2) WITH ORDINALITY n",
    )
    .await;
    let o = call("overdue", Date::new("2026-02-04")).in_from("o");
    same(select(json(whole_row(o))).from(o), "SELECT to_jsonb(o.*) AS row FROM overdue('2026-02-04') o")
        .await;
    let a = call("jsonb_populate_record", (null("address"), Json::new("{}"))).in_from("a");
    same(
        select((json(whole_row(a)), call("one_line", whole_row(a)).alias("line"))).from(a),
        "SELECT to_jsonb(a.*) AS row, one_line(a.*) AS line FROM jsonb_populate_record(NULL::address, '{}') a",
    )
    .await;
    let (u, v) = (using(["id"]).alias("u"), values!("v", (id, name), [(1, "x")]));
    let j = joined(b).join_using(l, &u).alias("j").column_aliases(["number"]);
    same(
        select((json(whole_row(j)), call("to_jsonb", whole_row(v)).alias("v")))
            .from(j)
            .join(v, v.id.eq(j.col("number"))),
        "SELECT to_jsonb(j.*) AS row, to_jsonb(v.*) AS v FROM (book b JOIN loan l USING (id) AS u) AS j (number)
         JOIN (VALUES (1, 'x')) AS v (id, name) ON v.id = number",
    )
    .await;
}

#[tokio::test]
async fn rows_from_several_functions() {
    let b = table("book").alias("b");
    let tags = unnest(b.col("tags").cast::<Vec<String>>());
    let r = rows_from(
        "r",
        (tags, call("generate_series", (7, 8)), record(call("pairs", 9), [("n", "int4"), ("m", "int4")])),
    );
    same(
        select((b.col("id"), r.col("unnest"), r.col("generate_series").alias("series"), r.col("m")))
            .from(b)
            .from(r)
            .order_by((b.col("id"), r.col("generate_series"), r.col("unnest"))),
        "SELECT b.id, unnest, generate_series AS series, m
         FROM book b, ROWS FROM (unnest(b.tags), generate_series(7, 8), pairs(9) AS (n int4, m int4)) AS r
         ORDER BY b.id, generate_series, unnest",
    )
    .await;
    let r = rows_from("r", vec![call("generate_series", (1, 2)), call("overdue", ())])
        .with_ordinality()
        .column_aliases(["n"]);
    same(
        select((r.col("n"), r.col("days"), r.ordinality())).from(r),
        "SELECT n, days, ordinality FROM ROWS FROM (generate_series(1, 2), overdue()) WITH ORDINALITY AS r (n)",
    )
    .await;
    // Of one function the alias is the column's name, as without ROWS FROM.
    let n = rows_from("n", call("generate_series", (1, 2)));
    same(select(n.value()).from(n), "SELECT n FROM ROWS FROM (generate_series(1, 2)) AS n").await;
}

#[test]
fn functions_in_from_have_their_rules() {
    let f = |f: TableFunction| refused(select(constant(1).alias("one")).from(f));
    assert_eq!(
        f(call("count", 1).in_from("n")),
        "CS0203: count is an aggregate or a window function, which can't stand in FROM; call it in the select list of a subquery"
    );
    assert_eq!(f(call("rank", ()).in_from("n")), f(call("rank", ()).over(window()).in_from("n")));
    assert_eq!(
        f(call("pairs", 1).in_from("p")),
        "CS0203: pairs returns records, whose columns only the query can tell; define its columns with rare::record(…, \
         [(\"name\", \"type\")])"
    );
    for function in [call("overdue", ()), call("generate_series", (1, 2))] {
        let message = f(record(function, [("a", "int4")]).in_from("p"));
        assert!(message.ends_with("are known: only one that returns records has them defined"), "{message}");
    }
    assert_eq!(
        f(record(call("pairs", 1), [("a", "int4"), ("a", "int4")]).in_from("p")),
        "CS0311: two columns are named \"a\""
    );
    assert_eq!(
        f(record(call("pairs", 1), [("a", "genr")]).in_from("p")),
        "CS0307: there is no type genr; did you mean \"genre\"?"
    );
    assert_eq!(
        f(record(call("pairs", 1), [("a", "regclass")]).in_from("p")),
        "CS0403: the type pg_catalog.regclass was not granted to the plugin this; add \"pg_catalog.regclass\" to types in \
         [plugins.this.grants]"
    );
    assert_eq!(
        f(record(call("pairs", 1), [column("a", "text").collate("klingon")]).in_from("p")),
        "CS0308: there is no collation klingon"
    );
    assert_eq!(
        f(call("pg_read_file", "/etc/passwd").in_from("p")),
        "CS0402: the function pg_catalog.pg_read_file was not granted to the plugin this; add \"pg_catalog.pg_read_file(text)\" \
         to functions in [plugins.this.grants]; it is not built in: Reads, lists or names files of the server."
    );
    let o = call("overdue", ()).in_from("o");
    assert_eq!(
        refused(select(o.col("day")).from(o)),
        "CS0302: overdue (alias \"o\") has no column \"day\"; did you mean \"days\"?"
    );
    // What stands after a function it does not see.
    let b = table("book").alias("b");
    let n = call("generate_series", (1, b.col("id"))).in_from("n");
    assert!(
        refused(select(n.value()).from(n).from(b))
            .starts_with("CS0303: no relation with the alias \"b\" is in scope here")
    );
}

#[tokio::test]
async fn several_arrays_of_one_unnest() {
    let b = table("book").alias("b");
    let both = call("unnest", (b.col("tags"), b.col("scores"))).in_from("both");
    let told = refused(select(both.col("tag")).from(b).cross_join_lateral(both));
    assert!(
        told.contains("several arrays stand in FROM, as the functions of one rare::rows_from(…)"),
        "{told}"
    );
}
