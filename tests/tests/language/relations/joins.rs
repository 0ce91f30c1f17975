//! Joins.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

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
        "CS0302: neither side of the join has a column \"books_id\"; both have id; columns of different names are compared \
         with ON"
    );
    assert_eq!(
        refused(base().join_using(l, ["book_id"])),
        "CS0302: the left side of the join has no column \"book_id\"; its columns are details, genre, id, isbn, pages, price, \
         published, scores, shelf_id, tags, title, words"
    );
    // Columns of an alias that names two relations are not looked for.
    let again = table("loan").alias("b");
    assert_eq!(
        refused(base().join(again, again.col("book_id").eq(b.col("id"))).order_by(b.col("title"))),
        "CS0304: the alias \"b\" names both book and loan; give one of them another alias with .alias(\"…\")"
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
async fn joins_by_name_look_through_so_many_columns_only() {
    let b = table("book").alias("b");
    let items: Vec<_> = (0..1_500).map(|n| b.col("id").alias(&format!("c{n}"))).collect();
    let wide = cte("wide", select(items).from(b));
    let mut query = select(wide.col("c0")).from(wide);
    for n in 0..90 {
        query = query.natural_join(wide.alias(&format!("w{n}")));
    }
    assert_eq!(
        refused(query),
        "CS0202: the joins by USING and NATURAL look through more than 200000 columns in all"
    );
}
