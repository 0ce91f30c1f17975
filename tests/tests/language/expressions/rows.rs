//! Row comparison, row IN, `ROW()`, whole rows.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn row_comparison() {
    let b = table("book").alias("b");
    let key = row((b.col("published"), b.col("id")));
    let page = row((Date::new("2011-07-15"), 2));
    same(
        select((
            b.col("id"),
            key.gt(page).alias("gt"),
            key.ge(page).alias("ge"),
            key.lt(page).alias("lt"),
            key.le(page).alias("le"),
            key.eq(page).alias("eq"),
            key.ne(page).alias("ne"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (published, id) > (DATE '2011-07-15', 2) AS gt, (published, id) >= (DATE '2011-07-15', 2) AS ge,
                (published, id) < (DATE '2011-07-15', 2) AS lt, (published, id) <= (DATE '2011-07-15', 2) AS le,
                (published, id) = (DATE '2011-07-15', 2) AS eq, (published, id) <> (DATE '2011-07-15', 2) AS ne
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn constants_of_a_row_take_the_types_of_the_other() {
    let b = table("book").alias("b");
    same(
        select(b.col("id"))
            .from(b)
            .filter(row((b.col("genre"), b.col("published"))).eq(row(("novel", "1999-03-01")))),
        "SELECT id FROM book WHERE (genre, published) = ('novel', '1999-03-01')",
    )
    .await;
}

#[tokio::test]
async fn row_in_a_list() {
    let b = table("book").alias("b");
    let pairs = [row((1, "novel")), row((3, "poetry")), row((4, "novel"))];
    let key = row((b.col("id"), b.col("genre")));
    same(
        select((b.col("id"), key.in_list(pairs).alias("is"), key.not_in_list(pairs).alias("is_not")))
            .from(b)
            .order_by(b.col("id")),
        "SELECT id, (id, genre) IN ((1, 'novel'), (3, 'poetry'), (4, 'novel')) AS is,
                (id, genre) NOT IN ((1, 'novel'), (3, 'poetry'), (4, 'novel')) AS is_not
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn row_in_a_query_of_several_columns() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let lent = || select((l.col("book_id"), l.col("reader_id"))).from(l);
    let key = row((b.col("id"), b.col("shelf_id") - 3));
    same(
        select((
            b.col("id"),
            key.in_query(lent()).alias("is"),
            key.not_in_query(lent()).alias("is_not"),
            key.eq_any(lent()).alias("any"),
            key.op_all(">", lent()).alias("above_all"),
            key.op_any("<=", lent()).alias("not_above_all"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (id, shelf_id - 3) IN (SELECT book_id, reader_id FROM loan) AS is,
                (id, shelf_id - 3) NOT IN (SELECT book_id, reader_id FROM loan) AS is_not,
                (id, shelf_id - 3) = ANY (SELECT book_id, reader_id FROM loan) AS any,
                (id, shelf_id - 3) > ALL (SELECT book_id, reader_id FROM loan) AS above_all,
                (id, shelf_id - 3) <= ANY (SELECT book_id, reader_id FROM loan) AS not_above_all
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn row_with_the_only_row_of_a_query() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let first = select((l.col("book_id"), l.col("reader_id"))).from(l).order_by(l.col("id")).limit(1);
    same(
        select(b.col("id")).from(b).filter(row((b.col("id"), 1)).eq(first.scalar())),
        "SELECT id FROM book WHERE (id, 1) = (SELECT book_id, reader_id FROM loan ORDER BY id LIMIT 1)",
    )
    .await;
}

#[tokio::test]
async fn rows_between_distinct_and_null() {
    let b = table("book").alias("b");
    let key = row((b.col("pages"), b.col("price")));
    same(
        select((
            b.col("id"),
            key.between(row((64, 1)), row((320, 20))).alias("between"),
            key.not_between(row((64, 1)), row((320, 20))).alias("not_between"),
            key.is_distinct_from(row((64, null_of::<Numeric>()))).alias("is_distinct"),
            key.is_not_distinct_from(row((64, null_of::<Numeric>()))).alias("not_distinct"),
            key.is_null().alias("all_null"),
            key.is_not_null().alias("none_null"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (pages, price) BETWEEN (64, 1) AND (320, 20) AS between,
                (pages, price) NOT BETWEEN (64, 1) AND (320, 20) AS not_between,
                (pages, price) IS DISTINCT FROM (64, NULL) AS is_distinct,
                (pages, price) IS NOT DISTINCT FROM (64, NULL) AS not_distinct,
                (pages, price) IS NULL AS all_null, (pages, price) IS NOT NULL AS none_null
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn row_as_a_value() {
    let b = table("book").alias("b");
    same(
        select((
            row((b.col("id"), "x", row((b.col("title"),)))).alias("nested"),
            row(()).alias("empty"),
            row((b.col("id"), "x")).field("f1").alias("first"),
            row(("1 Mill Lane", "Ely", b.col("id"))).cast_as("address").field("zip").alias("zip"),
            call("one_line", row(("1 Mill Lane", "Ely", b.col("id"))).cast_as("address")).alias("line"),
            row((b.col("id"), "x")).cast::<String>().alias("as_text"),
            coalesce((row((b.col("id"), b.col("title"))), row((0, "none")))).alias("either"),
            case_of(row((b.col("id"), b.col("title"))))
                .when(row((1, "The Long Road")), "it")
                .otherwise("no")
                .alias("which"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT ROW(id, 'x'::text, ROW(title)) AS nested, ROW() AS empty, (ROW(id, 'x'::text)).f1 AS first,
                (ROW('1 Mill Lane', 'Ely', id)::address).zip, one_line(ROW('1 Mill Lane', 'Ely', id)::address) AS line,
                ROW(id, 'x'::text)::text AS as_text,
                COALESCE(ROW(id, title), ROW(0, 'none'::text)) AS either,
                CASE ROW(id, title) WHEN ROW(1, 'The Long Road'::text) THEN 'it' ELSE 'no' END AS which
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn whole_rows() {
    let (r, l) = (table("reader").alias("r"), table("loan").alias("l"));
    let on = l.col("reader_id").eq(r.col("id")).and(l.col("id").gt(4));
    same(
        select((
            r.col("id"),
            whole_row(r).alias("reader"),
            call("row_to_json", whole_row(l)).alias("loan"),
            whole_row(l).is_null().alias("unmatched"),
            call("count", whole_row(l)).over(window()).alias("matched"),
            whole_row(r).field("name").alias("name"),
            row((whole_row(l), 1)).alias("in_a_row"),
            whole_row(r).eq(whole_row(r)).alias("itself"),
        ))
        .from(r)
        .left_join(l, on)
        .order_by(r.col("id")),
        "SELECT r.id, r AS reader, row_to_json(l) AS loan, l IS NULL AS unmatched, count(l) OVER () AS matched, (r).name,
                ROW(COALESCE(l), 1) AS in_a_row, r = r AS itself
         FROM reader r LEFT JOIN loan l ON l.reader_id = r.id AND l.id > 4 ORDER BY r.id",
    )
    .await;
}

#[tokio::test]
async fn a_whole_row_is_not_the_column_of_its_name() {
    // `SELECT name FROM shelf AS name` is the column.
    let s = table("shelf").alias("name");
    same(
        select(call("row_to_json", whole_row(s)).alias("shelf")).from(s).order_by(s.col("id")),
        "SELECT row_to_json(s) AS shelf FROM shelf s ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn whole_rows_of_queries() {
    let b = table("book").alias("b");
    let per_genre = cte(
        "per_genre",
        select((b.col("genre"), count_all().alias("books"))).from(b).group_by(b.col("genre")),
    );
    let best = select((per_genre.col("genre"), per_genre.col("books")))
        .from(per_genre)
        .order_by(per_genre.col("books").desc())
        .limit(1)
        .alias("best");
    same(
        select((whole_row(best).alias("best"), whole_row(best).field("books").alias("books"))).from(best),
        "SELECT best, (best).books FROM (SELECT genre, count(*) AS books FROM book GROUP BY genre ORDER BY 2 DESC LIMIT 1) best",
    )
    .await;
}

#[test]
fn rows_that_do_not_go_together() {
    let b = table("book").alias("b");
    let of_two = row((b.col("id"), b.col("title")));
    let query = |condition: Expr<bool>| select(b.col("id")).from(b).filter(condition);
    for (condition, finding) in [
        (
            of_two.eq(row(vec![b.col("id")])),
            "CS0203: a row of 2 values is compared with one of 1 value; both sides have the same number of values, at least one",
        ),
        (
            row(()).eq(row(())),
            "CS0203: a row of 0 values is compared with one of 0 values; both sides have the same number of values, at least \
             one",
        ),
        (
            of_two.in_query(select(b.col("id")).from(b)),
            "CS0203: a row of 2 values is compared with one of 1 value; both sides have the same number of values, at least one",
        ),
        (
            b.col("id").in_query(select((b.col("id"), b.col("title"))).from(b)),
            "CS0203: a subquery used as a value has one column, and this has 2; several are compared with a row((…)) on the \
             left side",
        ),
        (
            of_two.eq(row((b.col("title"), b.col("title")))),
            "CS0306: there is no operator int4 = text; cast the text with .cast_as(\"int4\"), or the other side to its type",
        ),
        (row((1, 2)).cast_as("address").is_null(), "CS0203: a row of 2 values is cast to a type of 3 values"),
        (
            of_two.op_any("~~", select((b.col("id"), b.col("title"))).from(b)),
            "CS0306: rows are compared by <, <=, <>, =, >, >=, not by ~~",
        ),
    ] {
        assert_eq!(refused(query(condition)), finding);
    }
}

#[test]
fn a_whole_row_needs_names() {
    let b = table("book").alias("b");
    let twice = select((b.col("id"), b.col("pages").alias("id"), b.col("id") + 1)).from(b).alias("q");
    assert_eq!(
        refused(select(whole_row(twice).alias("row")).from(twice)),
        "CS0311: two columns of \"q\" are named \"id\"; a whole row needs a name for each column: give one with .alias(\"…\")\n\
         CS0310: column 3 of \"q\" has no name; a whole row needs a name for each column: give one with .alias(\"…\")"
    );
    assert_eq!(
        refused(select(whole_row(twice).alias("row")).from(b)),
        "CS0303: no relation with the alias \"q\" is in scope here; did you mean \"b\"? Or is a .from() or a join missing?"
    );
}

#[tokio::test]
async fn whole_rows_that_are_grouped_and_sorted() {
    let s = table("shelf").alias("s");
    same(
        select((
            call("to_json", whole_row(s)).alias("shelf"),
            whole_row(s).alias("s"),
            count_all().alias("n"),
        ))
        .from(s)
        .group_by(whole_row(s))
        .order_by(whole_row(s)),
        "SELECT to_json(s) AS shelf, s, count(*) AS n FROM shelf s GROUP BY s ORDER BY s",
    )
    .await;
    same(
        select(array_agg(whole_row(s)).distinct().order_by(whole_row(s)).alias("shelves")).from(s),
        "SELECT array_agg(DISTINCT s ORDER BY s) AS shelves FROM shelf s",
    )
    .await;
}

#[tokio::test]
async fn rows_as_arguments_and_in_arrays() {
    let r = table("reader").alias("r");
    same(
        select((
            call("one_line", row(("1 Mill Lane", "Ely", 101))).alias("line"),
            array([row((r.col("id"), r.col("name")))]).alias("rows"),
            array_agg(row((r.col("id"), r.col("name")))).over(window()).alias("all_rows"),
            array_agg(whole_row(r)).over(window()).alias("readers"),
            nullif(row((r.col("id"), 1)), row((1, 1))).alias("none"),
            greatest((row((r.col("id"), 1)), row((2, 0)))).alias("greatest"),
        ))
        .from(r)
        .order_by((row((r.col("name"),)), r.col("id"))),
        "SELECT one_line(ROW('1 Mill Lane', 'Ely', 101)) AS line, ARRAY[ROW(id, name)] AS rows,
                array_agg(ROW(id, name)) OVER () AS all_rows, array_agg(r) OVER () AS readers,
                NULLIF(ROW(id, 1), ROW(1, 1)) AS none, GREATEST(ROW(id, 1), ROW(2, 0)) AS greatest
         FROM reader r ORDER BY ROW(name), id",
    )
    .await;
}

#[tokio::test]
async fn columns_have_the_names_of_what_they_are_parts_of() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    same(
        select((whole_row(r), r.col("home").field("city"), b.col("scores").at(1), b.col("tags").slice_to(1)))
            .from(r)
            .join(b, b.col("id").eq(r.col("id")))
            .order_by(r.col("id")),
        "SELECT r, (r.home).city, b.scores[1], b.tags[:1] FROM reader r JOIN book b ON b.id = r.id ORDER BY r.id",
    )
    .await;
}

#[tokio::test]
async fn whole_rows_of_functions_and_joins() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let overdue = call("overdue", Date::new("2026-03-01")).in_from("o");
    let numbers = unnest(array([1, 2])).in_from("n");
    let lent = joined(b).join(l, l.col("book_id").eq(b.col("id"))).alias("lent");
    let lent = lent.column_aliases(["book", "shelf"]);
    same(
        select((
            whole_row(overdue).alias("o"),
            whole_row(overdue).field("days").alias("days"),
            (whole_row(numbers) + 1).alias("next"),
        ))
        .from(overdue)
        .cross_join(numbers)
        .order_by((overdue.col("loan_id"), numbers.value())),
        "SELECT o, (o).days, n + 1 AS next FROM overdue('2026-03-01') o CROSS JOIN unnest(ARRAY[1, 2]) n ORDER BY o.loan_id, n",
    )
    .await;
    same(
        select(whole_row(lent).field("shelf").alias("shelf")).from(lent).order_by(lent.col("fine")),
        "SELECT (lent).shelf FROM (book b JOIN loan l ON l.book_id = b.id) AS lent (book, shelf) ORDER BY lent.fine",
    )
    .await;
    // Both tables have an id; a join's row has every column of them.
    assert_eq!(
        refused(
            select(whole_row(lent.column_aliases(["id"])).alias("row")).from(lent.column_aliases(["id"]))
        ),
        "CS0311: two columns of \"lent\" are named \"id\"; a whole row needs a name for each column: give one with .alias(\"…\")"
    );
}

#[tokio::test]
async fn columns_of_a_row_that_are_converted() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    let mail = || select((r.col("email"), r.col("id"))).from(r);
    let constant = row(("9780000000003", "2011-07-15", 64_i64));
    let book = row((b.col("isbn"), b.col("published"), b.col("pages")));
    same(
        select((
            b.col("id"),
            row((b.col("title"), b.col("price"))).in_query(mail()).alias("a"),
            row((b.col("isbn"), b.col("id"))).op_any("<>", mail()).alias("b"),
            row((b.col("title"), 1)).le(mail().filter(r.col("id").eq(1)).scalar()).alias("c"),
            book.eq(constant).alias("d"),
            book.in_list([constant]).alias("e"),
            book.between(constant, row(("a", Date::new("2020-01-01"), 1))).alias("f"),
            book.is_distinct_from(constant).alias("g"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (title, price) IN (SELECT email, id FROM reader) AS a,
                (isbn, id) <> ANY (SELECT email, id FROM reader) AS b,
                (title, 1) <= (SELECT email, id FROM reader WHERE id = 1) AS c,
                (isbn, published, pages) = ('9780000000003', '2011-07-15', 64) AS d,
                (isbn, published, pages) IN (('9780000000003', '2011-07-15', 64)) AS e,
                (isbn, published, pages) BETWEEN ('9780000000003', '2011-07-15', 64) AND ('a', '2020-01-01', 1) AS f,
                (isbn, published, pages) IS DISTINCT FROM ROW('9780000000003', '2011-07-15'::date, 64) AS g
         FROM book ORDER BY id",
    )
    .await;
}
