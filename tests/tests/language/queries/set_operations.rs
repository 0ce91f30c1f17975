use callslip_sdk::{prelude::*, testing::describe};

use crate::support::{library, refused, same};

fn titles(genre: &str) -> Select {
    let b = table("book").alias("b");
    select(b.col("title")).from(b).filter(b.col("genre").eq(genre))
}

#[tokio::test]
async fn set_operations_left_operand_is_in_parentheses() {
    let nested = titles("novel").union(titles("poetry").except(titles("poetry"))).intersect(titles("novel"));
    same(
        nested.order_by(output("title")),
        "(SELECT title FROM book WHERE genre = 'novel' UNION (SELECT title FROM book WHERE genre = 'poetry' EXCEPT
          SELECT title FROM book WHERE genre = 'poetry')) INTERSECT SELECT title FROM book WHERE genre = 'novel'
         ORDER BY title",
    )
    .await;
    // UNION binds weaker than INTERSECT where nothing is in parentheses.
    same(
        select(constant(1).alias("n")).union(select(2)).intersect(select(2).union(select(3))),
        "(SELECT 1 AS n UNION SELECT 2) INTERSECT (SELECT 2 UNION SELECT 3)",
    )
    .await;
}

#[tokio::test]
async fn set_operations_intersect_all_and_except_all() {
    let (b, o) = (table("book").alias("b"), table("book").alias("o"));
    let genres = || select(b.col("genre")).from(b);
    let old = || select(o.col("genre")).from(o).filter(o.col("published").lt("2000-01-01"));
    for (query, operator) in [
        (genres().union_all(old()), "UNION ALL"),
        (genres().union(old()), "UNION"),
        (genres().intersect_all(old()), "INTERSECT ALL"),
        (genres().intersect(old()), "INTERSECT"),
        (genres().except_all(old()), "EXCEPT ALL"),
    ] {
        let expected = format!(
            "SELECT genre FROM book {operator} SELECT genre FROM book WHERE published < '2000-01-01' ORDER BY genre"
        );
        same(query.order_by(output("genre")), &expected).await;
    }
    same(
        select(b.col("id"))
            .from(b)
            .except(select(o.col("id")).from(o).filter(o.col("id").gt(2)))
            .order_by(output("id")),
        "SELECT id FROM book EXCEPT SELECT id FROM book WHERE id > 2 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn set_operations_operands_with_order_by_and_limit() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    let longest = select((b.col("title").alias("name"), b.col("pages").alias("n")))
        .from(b)
        .filter(b.col("pages").is_not_null())
        .order_by(b.col("pages").desc())
        .limit(2);
    let first = select((r.col("name"), r.col("id"))).from(r).order_by(r.col("joined")).limit(1).offset(1);
    same(
        longest.union_all(first).order_by((output("n").desc(), output("name"))).limit(2).offset(1),
        "(SELECT title AS name, pages AS n FROM book WHERE pages IS NOT NULL ORDER BY pages DESC LIMIT 2)
         UNION ALL (SELECT name, id FROM reader ORDER BY joined LIMIT 1 OFFSET 1) ORDER BY n DESC, name LIMIT 2 OFFSET 1",
    )
    .await;
}

#[tokio::test]
async fn a_set_operation_is_a_relation_an_operand_and_a_cte() {
    let b = table("book").alias("b");
    let both = || titles("novel").union(titles("poetry"));
    let u = both().alias("u");
    same(
        select((b.col("id"), u.col("title")))
            .from(b)
            .join(u, u.col("title").eq(b.col("title")))
            .filter(b.col("title").in_query(both()))
            .filter(exists(both()))
            .order_by(b.col("id")),
        "SELECT id, title FROM book WHERE genre IN ('novel', 'poetry') ORDER BY id",
    )
    .await;
    let c = cte("c", both());
    same(
        select(c.col("title")).from(c).union_all(select(c.col("title")).from(c)).order_by(output("title")),
        "WITH c AS (SELECT title FROM book WHERE genre IN ('novel', 'poetry'))
         SELECT title FROM c UNION ALL SELECT title FROM c ORDER BY title",
    )
    .await;
    same(
        select(select(constant(1).alias("n")).intersect(select(1)).scalar().alias("one")),
        "SELECT (SELECT 1 INTERSECT SELECT 1) AS one",
    )
    .await;
}

#[tokio::test]
async fn the_columns_of_both_sides_come_to_one_type() {
    let b = table("book").alias("b");
    // A constant takes the other side's type, whichever side it is on.
    same(
        select(constant("2000-01-01").alias("day"))
            .union(select(b.col("published")).from(b))
            .order_by(output("day")),
        "SELECT '2000-01-01' AS day UNION SELECT published FROM book ORDER BY day",
    )
    .await;
    same(
        select((b.col("pages").alias("n"), b.col("genre").cast::<String>()))
            .from(b)
            .union_all(select((constant(1.5), "none")))
            .union_all(select((constant(7_i64), b.col("title"))).from(b))
            .order_by((output("n").asc().nulls_first(), output("genre"))),
        "SELECT pages AS n, genre::text FROM book UNION ALL SELECT 1.5, 'none' UNION ALL
         SELECT 7, title FROM book ORDER BY n NULLS FIRST, genre",
    )
    .await;
    same(
        select(constant("a").alias("x")).union(select(constant("b"))).order_by(output("x").desc()),
        "SELECT 'a' AS x UNION SELECT 'b' ORDER BY x DESC",
    )
    .await;
}

#[tokio::test]
async fn values_are_a_query() {
    let b = table("book").alias("b");
    let rows = || values([("novel", 1), ("poetry", 2)]).query();
    same(
        rows().order_by(output("column2").desc()).limit(1),
        "VALUES ('novel', 1), ('poetry', 2) ORDER BY column2 DESC LIMIT 1",
    )
    .await;
    same(
        select((b.col("genre").cast::<String>(), b.col("id"))).from(b).intersect(rows()).union_all(values([("science", 9.5)]).query()),
        "SELECT genre::text, id FROM book INTERSECT VALUES ('novel', 1), ('poetry', 2) UNION ALL VALUES ('science', 9.5)",
    )
    .await;
    let grades = cte("grades", rows()).columns(["genre", "grade"]);
    same(
        select((b.col("id"), grades.col("grade")))
            .from(b)
            .join(grades, grades.col("genre").eq(b.col("genre").cast::<String>()))
            .filter(b.col("id").in_query(values([[1], [2], [3]]).query()))
            .order_by(b.col("id")),
        "WITH grades (genre, grade) AS (VALUES ('novel', 1), ('poetry', 2))
         SELECT id, grade FROM book JOIN grades ON grades.genre = book.genre::text WHERE id IN (VALUES (1), (2), (3))
         ORDER BY id",
    )
    .await;
    let n = cte_recursive("n", |n| {
        values([[1]]).query().union_all(select(n.col("column1") * 2).from(n).filter(n.col("column1").lt(50)))
    });
    same(
        select(sum(n.col("column1")).alias("sum")).from(n),
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n * 2 FROM n WHERE n < 50) SELECT sum(n) FROM n",
    )
    .await;
}

/// Of each two types: what is inferred is what PostgreSQL says, and what is refused it refuses.
#[tokio::test]
async fn two_types_come_to_the_one_of_postgresql() {
    const TYPES: &[&str] = &[
        "int2",
        "int4",
        "int8",
        "numeric",
        "float4",
        "float8",
        "oid",
        "text",
        "varchar",
        "bpchar",
        "name",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "bool",
        "uuid",
        "json",
        "jsonb",
        "inet",
        "cidr",
        "bit",
        "varbit",
        "int4[]",
        "int8[]",
        "text[]",
        "varchar[]",
        "int4range",
        "public.genre",
        "public.isbn",
        "public.address",
    ];
    let client = library().client().await;
    let mut wrong = Vec::new();
    for a in TYPES {
        for b in TYPES {
            let query = || select(null(a).alias("x")).union_all(select(null(b)));
            let inferred = library().types(&describe(query())).ok().map(|types| types[0]);
            let written = format!("SELECT NULL::{a} AS x UNION ALL SELECT NULL::{b}");
            let of = async |sql: &str| {
                let sql = format!("SELECT pg_typeof(x)::oid FROM ({sql}) AS q");
                client.query(&sql, &[]).await.ok().map(|rows| Some(rows[0].get::<_, u32>(0)))
            };
            let printed = match library().print(&describe(query())) {
                Ok((sql, _)) => of(&sql).await,
                Err(_) => None,
            };
            let expected = of(&written).await;
            if inferred != expected || printed != expected {
                wrong.push(format!("{a} and {b}: {inferred:?}, {printed:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_set_operations_refuse() {
    let b = table("book").alias("b");
    assert_eq!(
        refused(select((b.col("id"), b.col("title"))).from(b).union(select(1))),
        "CS0203: the sides of UNION have 2 and 1 columns"
    );
    assert_eq!(
        refused(select(b.col("id")).from(b).except(select(b.col("title")).from(b))),
        "CS0315: EXCEPT has values that have no type together: int4, text; cast some of them with .cast_as(\"…\")"
    );
    assert_eq!(
        refused(titles("novel").union(titles("poetry")).order_by(b.col("title"))),
        "CS0203: ORDER BY of a UNION, INTERSECT or EXCEPT takes only names of its columns; write output(\"…\"), or \
         select from it with .alias(\"…\") and order that"
    );
    assert_eq!(
        refused(titles("novel").union(titles("poetry")).order_by(output("titel"))),
        "CS0313: the select list has no column named \"titel\"; did you mean \"title\"?"
    );
    assert_eq!(
        refused(select(constant(1)).union(select(constant(2).alias("n")))),
        "CS0310: column 1 has no name; name it with .alias(\"…\")"
    );
}

#[test]
#[should_panic(
    expected = "WHERE belongs to a SELECT, and this is the UNION of tests/tests/language/queries/set_operations.rs:"
)]
fn a_union_has_no_where() {
    let b = table("book").alias("b");
    let _ = titles("novel").union(titles("poetry")).filter(b.col("id").gt(1));
}
