//! What stands in FROM. The tests are named after the constructs.

use callslip_sdk::prelude::*;
use callslip_sdk::rare::{TableSample, bernoulli, column, record, rows_from, sampling_method, system};

use crate::support::{refused, same};

fn json(text: &str) -> Json {
    Json::new(text)
}

#[tokio::test]
async fn joins_with_on() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let on = l.col("book_id").eq(b.col("id")).and(l.col("fine").is_not_null());
    let order = (b.col("id"), l.col("id"));
    let base = || select((b.col("title"), l.col("id").alias("loan"))).from(b);
    let sql = |join: &str| {
        format!(
            "SELECT b.title, l.id AS loan FROM book b {join} JOIN loan l
             ON l.book_id = b.id AND l.fine IS NOT NULL ORDER BY b.id, l.id"
        )
    };
    same(base().join(l, on).order_by(order), &sql("")).await;
    same(base().inner_join(l, on).order_by(order), &sql("INNER")).await;
    same(base().left_join(l, on).order_by(order), &sql("LEFT")).await;
    same(base().right_join(l, on).order_by(order), &sql("RIGHT")).await;
    same(
        base().full_join(l, b.col("id").eq(l.col("book_id"))).order_by(order),
        "SELECT b.title, l.id AS loan FROM book b FULL JOIN loan l ON b.id = l.book_id ORDER BY b.id, l.id",
    )
    .await;
    same(
        base().cross_join(l).order_by(order),
        "SELECT b.title, l.id AS loan FROM book b CROSS JOIN loan l ORDER BY b.id, l.id",
    )
    .await;
}

#[tokio::test]
async fn only_leaves_out_what_inherits() {
    let b = table("book").alias("b");
    same(select(count_all()).from(b.only()), "SELECT count(*) FROM ONLY book").await;
    same(select(count_all()).from(b), "SELECT count(*) FROM book").await;
    let only = b.only();
    same(
        select(b.col("title"))
            .from(only)
            .join(table("shelf").only(), table("shelf").col("id").eq(b.col("shelf_id")))
            .order_by(b.col("id")),
        "SELECT b.title FROM ONLY book b JOIN ONLY shelf ON shelf.id = b.shelf_id ORDER BY b.id",
    )
    .await;
}

#[tokio::test]
async fn column_aliases() {
    let s = table("shelf").alias("s").column_aliases(["number", "above"]);
    same(
        select((s.col("number"), s.col("above"), s.col("name"))).from(s).order_by(s.col("number")),
        "SELECT number, above, name FROM shelf AS s (number, above) ORDER BY number",
    )
    .await;
    let b = table("book").alias("b");
    let priced =
        select((b.col("id"), b.col("price") * 2)).from(b.only()).alias("p").column_aliases(["book", "twice"]);
    same(
        select((priced.col("book"), priced.col("twice"))).from(priced).order_by(priced.col("book")),
        "SELECT book, twice FROM (SELECT id, price * 2 FROM ONLY book) AS p (book, twice) ORDER BY book",
    )
    .await;
    let c = cte("c", select((b.col("id"), b.col("title"))).from(b));
    let again = c.alias("again").column_aliases(["x", "y"]);
    same(
        select((c.col("id"), again.col("y")))
            .from(c)
            .join(again, again.col("x").eq(c.col("id")))
            .order_by(c.col("id")),
        "WITH c AS (SELECT id, title FROM book)
         SELECT c.id, again.y FROM c JOIN c AS again (x, y) ON again.x = c.id ORDER BY c.id",
    )
    .await;
}

#[test]
fn column_aliases_hide_the_names_and_are_no_more_than_the_columns() {
    let s = table("shelf").alias("s").column_aliases(["number"]);
    assert_eq!(
        refused(select(s.col("id")).from(s)),
        "CS0302: shelf (alias \"s\") has no column \"id\"; its columns are number, parent_id, name"
    );
    let s = table("shelf").alias("s").column_aliases(["a", "b", "c", "d"]);
    assert_eq!(refused(select(s.col("a")).from(s)), "CS0203: 4 column aliases for 3 columns");
}

#[tokio::test]
async fn tablesample() {
    let b = table("book").alias("b");
    let ids = |b: Table| select(b.col("id")).from(b).order_by(b.col("id"));
    same(ids(b.tablesample(bernoulli(100.0))), "SELECT id FROM book TABLESAMPLE bernoulli (100) ORDER BY id")
        .await;
    // Numbers of all widths become what the method takes.
    same(ids(b.tablesample(system(100))), "SELECT id FROM book TABLESAMPLE system (100) ORDER BY id").await;
    same(
        ids(b.tablesample(bernoulli(dec("50")).repeatable(7))),
        "SELECT id FROM book TABLESAMPLE bernoulli (50) REPEATABLE (7) ORDER BY id",
    )
    .await;
    // More than one in a query, not the last, with ONLY and column aliases.
    let (x, y) = (b.alias("x").only().column_aliases(["number"]), b.alias("y"));
    let (x, y) = (x.tablesample(bernoulli("100")), y.tablesample(system(100_i64).repeatable("3")));
    same(
        select((x.col("number"), y.col("title")))
            .from(x)
            .join(y, y.col("id").eq(x.col("number")))
            .order_by(x.col("number")),
        "SELECT x.number, y.title FROM ONLY book AS x (number) TABLESAMPLE bernoulli (100)
         JOIN book AS y TABLESAMPLE system (100) REPEATABLE (3) ON y.id = x.number ORDER BY x.number",
    )
    .await;
}

#[test]
fn tablesample_has_its_rules() {
    let b = table("book").alias("b");
    let sampled = |b: Table| refused(select(b.col("id")).from(b));
    assert_eq!(
        sampled(b.tablesample(sampling_method("bernouli", 1))),
        "CS0305: there is no sampling method bernouli; did you mean \"bernoulli\"?"
    );
    // A function of any other kind is no method.
    assert_eq!(
        sampled(b.tablesample(sampling_method("overdue", 1))),
        "CS0305: there is no sampling method overdue"
    );
    assert_eq!(
        sampled(b.tablesample(sampling_method("system", (1, 2)))),
        "CS0203: system takes one argument, the percentage of rows"
    );
    // Its arguments see no relation beside it.
    let s = table("shelf").alias("s");
    assert_eq!(
        refused(select(b.col("id")).from(s).from(b.tablesample(bernoulli(s.col("id"))))),
        "CS0303: no relation with the alias \"s\" is in scope here; is a .from() or a join missing?"
    );
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
        "CS0402: the function pg_catalog.pg_read_file was not granted to the plugin this; add \"pg_catalog.pg_read_file\" to \
         functions in [plugins.this.grants]"
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
async fn using_and_natural() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let (order, items) =
        ((b.col("id"), l.col("id")), (b.col("id"), l.col("id").alias("loan"), l.col("fine")));
    let base = || select(items.clone()).from(b);
    for (query, join) in [
        (base().join_using(l, ["id"]), ""),
        (base().left_join_using(l, ["id"]), "LEFT"),
        (base().right_join_using(l, ["id"]), "RIGHT"),
        (base().full_join_using(l, ["id"]), "FULL"),
    ] {
        let sql = format!(
            "SELECT b.id, l.id AS loan, l.fine FROM book b {join} JOIN loan l USING (id) ORDER BY b.id, l.id"
        );
        same(query.order_by(order), &sql).await;
    }
    // The merged column is of both sides, and of their common type.
    let (b, l) = (
        select(b.col("id")).from(b).filter(b.col("id").lt(3)).alias("b"),
        select(l.col("id")).from(l).filter(l.col("id").gt(1)).alias("l"),
    );
    let u = using(["id"]).alias("u");
    same(
        select((
            u.col("id"),
            b.col("id").alias("b"),
            l.col("id").alias("l"),
            call("to_jsonb", u.col("id")).alias("j"),
        ))
        .from(b)
        .full_join_using(l, &u)
        .order_by(u.col("id")),
        "SELECT id, b.id AS b, l.id AS l, to_jsonb(id) AS j FROM (SELECT id FROM book WHERE id < 3) b
         FULL JOIN (SELECT id FROM loan WHERE id > 1) l USING (id) ORDER BY id",
    )
    .await;
    let (b, r) = (table("book").alias("b"), table("rare_book").alias("r"));
    let natural = [
        (
            select((b.col("title"), r.col("vault"))).from(b).join_using(r, ["id"]).order_by(b.col("id")),
            "JOIN rare_book r USING (id)",
        ),
        (
            select((b.col("title"), r.col("vault")))
                .from(b)
                .left_join_using(r, ["id", "title"])
                .order_by(b.col("id")),
            "LEFT JOIN rare_book r USING (id, title)",
        ),
    ];
    for (query, join) in natural {
        same(query, &format!("SELECT b.title, r.vault FROM book b {join} ORDER BY b.id")).await;
    }
    let s = select((b.col("id"), b.col("genre"))).from(b).alias("s");
    let t = select((b.col("id"), b.col("genre"), b.col("title")))
        .from(b.only())
        .filter(b.col("id").gt(2))
        .alias("t");
    for (query, join) in [
        (select((s.col("id"), t.col("title"))).from(s).natural_join(t), "NATURAL JOIN"),
        (select((s.col("id"), t.col("title"))).from(s).natural_left_join(t), "NATURAL LEFT JOIN"),
        (select((s.col("id"), t.col("title"))).from(s).natural_right_join(t), "NATURAL RIGHT JOIN"),
        (select((s.col("id"), t.col("title"))).from(s).natural_full_join(t), "NATURAL FULL JOIN"),
    ] {
        let sql = format!(
            "SELECT s.id, t.title FROM (SELECT id, genre FROM book) s {join}
             (SELECT id, genre, title FROM ONLY book WHERE id > 2) t ORDER BY s.id"
        );
        same(query.order_by(s.col("id")), &sql).await;
    }
    // The merged column is one for the joins after it.
    let (x, y, z) = (table("shelf").alias("x"), table("shelf").alias("y"), table("shelf").alias("z"));
    same(
        select((x.col("id"), z.col("name")))
            .from(x)
            .join_using(y, ["id"])
            .join_using(z, ["id"])
            .order_by(x.col("id")),
        "SELECT x.id, z.name FROM shelf x JOIN shelf y USING (id) JOIN shelf z USING (id) ORDER BY x.id",
    )
    .await;
    // With no column in common it is a cross join.
    let (n, m) = (call("generate_series", (1, 2)).in_from("n"), call("generate_series", (3, 4)).in_from("m"));
    same(
        select((n.value(), m.value())).from(n).natural_join(m).order_by((n.value(), m.value())),
        "SELECT n, m FROM generate_series(1, 2) n NATURAL JOIN generate_series(3, 4) m ORDER BY n, m",
    )
    .await;
}

#[test]
fn using_and_natural_have_their_rules() {
    let (b, l, s) = (table("book").alias("b"), table("loan").alias("l"), table("shelf").alias("s"));
    let base = || select(constant(1).alias("one")).from(b);
    assert_eq!(
        refused(base().join_using(l, ["books_id"])),
        "CS0302: the left side of the join has no column \"books_id\"; its columns are details, genre, id, isbn, pages, price, \
         published, scores, shelf_id, tags, title, words\n\
         CS0302: the right side of the join has no column \"books_id\"; did you mean \"book_id\"?"
    );
    assert_eq!(
        refused(base().join_using(l, ["id", "id"])),
        "CS0311: the column \"id\" stands twice in USING"
    );
    assert_eq!(refused(base().join_using(l, [])), "CS0203: USING without a column");
    assert_eq!(
        refused(base().join(l, l.col("book_id").eq(b.col("id"))).join_using(s, ["id"])),
        "CS0311: the left side of the join has more than one column \"id\"; compare the one that you mean in a condition with ON"
    );
    assert_eq!(
        refused(base().natural_join(joined(l).join(s, true))),
        "CS0311: the right side of the join has more than one column \"id\"; compare the one that you mean in a condition with ON"
    );
    let texts = select(b.col("title").alias("id")).from(b).alias("t");
    assert_eq!(
        refused(base().join_using(texts, ["id"])),
        "CS0315: the column \"id\" is int4 on the left and text on the right; join with ON, and cast one of them with \
         .cast_as(\"…\")"
    );
    // There is no = of json.
    let documents = || select(b.col("details").cast_as("json").alias("d")).from(b);
    let (one, two) = (documents().alias("one"), documents().alias("two"));
    assert_eq!(
        refused(select(one.col("d")).from(one).join_using(two, ["d"])),
        "CS0306: there is no operator json = json"
    );
    let unnamed = select(b.col("id") + 1).from(b).alias("u");
    assert_eq!(
        refused(base().natural_join(unnamed)),
        "CS0310: NATURAL JOIN of a query that has a column without a name; name it with .alias(\"…\")"
    );
    // The alias of USING has its columns only, and may not be taken.
    let u = using(["id"]).alias("u");
    assert_eq!(
        refused(select(u.col("title")).from(b).join_using(l, &u)),
        "CS0302: the columns of USING (alias \"u\") has no column \"title\"; its columns are id"
    );
    assert!(
        refused(base().join_using(l, using(["id"]).alias("b")))
            .starts_with("CS0304: the alias \"b\" names both")
    );
}

#[tokio::test]
async fn nested_joins() {
    let (s, b, l) = (table("shelf").alias("s"), table("book").alias("b"), table("loan").alias("l"));
    let (on_book, on_shelf) = (l.col("book_id").eq(b.col("id")), b.col("shelf_id").eq(s.col("id")));
    let items = (s.col("name"), l.col("id").alias("loan"));
    let order = (s.col("id"), l.col("id"));
    same(
        select(items.clone()).from(s).left_join(joined(b).join(l, on_book), on_shelf).order_by(order),
        "SELECT s.name, l.id AS loan FROM shelf s LEFT JOIN (book b JOIN loan l ON l.book_id = b.id) ON b.shelf_id = s.id
         ORDER BY s.id, l.id",
    )
    .await;
    same(
        select(items.clone()).from(joined(joined(b).join(l, on_book)).right_join(s, on_shelf)).order_by(order),
        "SELECT s.name, l.id AS loan FROM (book b JOIN loan l ON l.book_id = b.id) RIGHT JOIN shelf s ON b.shelf_id = s.id
         ORDER BY s.id, l.id",
    )
    .await;
    // Three deep, on the right of the right, and beside others.
    let r = table("reader").alias("r");
    same(
        select((s.col("name"), l.col("id").alias("loan"), r.col("name").alias("reader")))
            .from(r)
            .from(joined(s).left_join(
                joined(b).left_join(
                    joined(l).cross_join(table("shelf").alias("z")),
                    on_book.and(l.col("id").lt(3)),
                ),
                on_shelf,
            ))
            .filter(r.col("id").eq(1))
            .group_by((s.col("id"), l.col("id"), r.col("id")))
            .order_by(order),
        "SELECT s.name, l.id AS loan, r.name AS reader FROM reader r, (shelf s LEFT JOIN (book b LEFT JOIN
            (loan l CROSS JOIN shelf z) ON l.book_id = b.id AND l.id < 3) ON b.shelf_id = s.id)
         WHERE r.id = 1 GROUP BY s.id, l.id, r.id ORDER BY s.id, l.id",
    )
    .await;
}

#[tokio::test]
async fn aliases_of_joins() {
    let (b, l, r) = (table("book").alias("b"), table("loan").alias("l"), table("reader").alias("r"));
    let lent = joined(b).join(l, l.col("book_id").eq(b.col("id"))).alias("lent");
    same(
        select((r.col("name"), lent.col("title")))
            .from(r)
            .left_join(lent, lent.col("reader_id").eq(r.col("id")))
            .order_by((r.col("id"), lent.col("title"))),
        "SELECT r.name, lent.title FROM reader r LEFT JOIN (book b JOIN loan l ON l.book_id = b.id) AS lent
         ON lent.reader_id = r.id ORDER BY r.id, lent.title",
    )
    .await;
    // The columns of USING come first, and once; an alias inside may be used again outside.
    let numbered =
        joined(b).join_using(l, using(["id"]).alias("u")).alias("j").column_aliases(["number", "shelf"]);
    same(
        select((numbered.col("number"), numbered.col("shelf"), numbered.col("fine"), b.col("title")))
            .from(numbered)
            .join(b, b.col("id").eq(numbered.col("number")))
            .order_by(numbered.col("number")),
        "SELECT number, j.shelf, j.fine, b.title FROM (book b JOIN loan l USING (id) AS u) AS j (number, shelf)
         JOIN book b ON b.id = j.number ORDER BY number",
    )
    .await;
    // An alias on the left side and on the right one, and a CTE in it, which is declared all the same.
    let c = cte("c", select(l.col("book_id")).from(l).filter(l.col("fine").is_not_null()));
    let left = joined(b).join(c, c.col("book_id").eq(b.col("id"))).alias("fined");
    same(
        select(left.col("title")).from(left).order_by(left.col("title")),
        "WITH c AS (SELECT book_id FROM loan WHERE fine IS NOT NULL)
         SELECT title FROM (book b JOIN c ON c.book_id = b.id) AS fined ORDER BY title",
    )
    .await;
}

#[test]
fn an_alias_of_a_join_hides_what_is_in_it() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let lent = joined(b).join(l, l.col("book_id").eq(b.col("id"))).alias("lent");
    assert!(
        refused(select(b.col("title")).from(lent))
            .starts_with("CS0303: no relation with the alias \"b\" is in scope here")
    );
    assert_eq!(
        refused(select(lent.col("id")).from(lent)),
        "CS0311: a join has more than one column named \"id\""
    );
    let u = using(["id"]).alias("u");
    let lent = joined(b).join_using(l, &u).alias("lent");
    assert!(
        refused(select(u.col("id")).from(lent))
            .starts_with("CS0303: no relation with the alias \"u\" is in scope here")
    );
    assert_eq!(
        refused(select(lent.col("titel")).from(lent)),
        "CS0302: a join (alias \"lent\") has no column \"titel\"; did you mean \"title\"?"
    );
}

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
    assert!(
        refused(base().cross_join(of_book))
            .starts_with("CS0303: no relation with the alias \"b\" is in scope here")
    );
    // Where an alias names two relations, one of which is hidden only outside.
    let twice = joined(b).cross_join(of_book.lateral()).alias("j");
    assert_eq!(
        refused(base().cross_join(twice)),
        "CS0303: \"b\" can't be referred to here: it names two relations"
    );
}

#[tokio::test]
async fn values_in_from() {
    let v = values([(1, "a"), (2, "b")]).alias("v", ["id", "name"]);
    same(
        select((v.col("id"), v.col("name"))).from(v).order_by(v.col("id")),
        "SELECT id, name FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, name) ORDER BY id",
    )
    .await;
    // With expressions, and columns of what stands before it.
    let b = table("book").alias("b");
    let v =
        values!("v", (what, of), [("pages", b.col("pages").cast::<i32>()), ("double", b.col("pages") * 2)]);
    same(
        select((b.col("id"), v.what, v.of)).from(b).join_lateral(v, v.of.gt(100)).order_by((b.col("id"), v.of)),
        "SELECT b.id, what, \"of\" FROM book b JOIN LATERAL (VALUES ('pages', b.pages), ('double', b.pages * 2)) AS v (what, \"of\")
         ON v.of > 100 ORDER BY b.id, v.of",
    )
    .await;
}
