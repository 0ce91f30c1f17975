//! What SQL gives a syntax of its own.

use callslip_sdk::{Item, prelude::*};

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
async fn between_symmetric() {
    let b = table("book").alias("b");
    let pages = b.col("pages");
    same(
        select((
            b.col("id"),
            pages.between(300, 100).alias("a"),
            pages.between_symmetric(300, 100).alias("b"),
            pages.not_between(300, 100).alias("c"),
            pages.not_between_symmetric(300, 100).alias("d"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, pages BETWEEN 300 AND 100 AS a, pages BETWEEN SYMMETRIC 300 AND 100 AS b,
                pages NOT BETWEEN 300 AND 100 AS c, pages NOT BETWEEN SYMMETRIC 300 AND 100 AS d
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn at_time_zone() {
    let r = table("reader").alias("r");
    let joined = r.col("joined");
    let kind = |value: Expr, name: &str| value.alias(name);
    same(
        select((
            kind(joined.at_time_zone("Asia/Tokyo"), "local"),
            kind(joined.at_time_zone("Asia/Tokyo").at_time_zone("UTC"), "moment"),
            kind(joined.at_time_zone(hours(2)), "by_interval"),
            kind(joined.cast_as("date").at_time_zone("Asia/Tokyo"), "of_a_date"),
            kind(joined.cast_as("timetz").at_time_zone("Asia/Tokyo"), "of_a_time"),
        ))
        .from(r)
        .order_by(r.col("id")),
        "SELECT joined AT TIME ZONE 'Asia/Tokyo' AS local,
                joined AT TIME ZONE 'Asia/Tokyo' AT TIME ZONE 'UTC' AS moment,
                joined AT TIME ZONE interval '2 hours' AS by_interval,
                joined::date AT TIME ZONE 'Asia/Tokyo' AS of_a_date,
                joined::timetz AT TIME ZONE 'Asia/Tokyo' AS of_a_time
         FROM reader ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn extract_fields() {
    let r = table("reader").alias("r");
    let joined = r.col("joined");
    same(
        select((
            extract("year", joined).alias("year"),
            extract("epoch", joined).alias("epoch"),
            extract("isodow", joined.cast::<Date>()).alias("weekday"),
            extract("hour", joined.cast_as("time")).alias("hour"),
            extract("day", days(3)).alias("days"),
            (extract("month", joined) + 1).alias("next"),
        ))
        .from(r)
        .order_by(r.col("id")),
        "SELECT EXTRACT(year FROM joined) AS year, EXTRACT(epoch FROM joined) AS epoch,
                EXTRACT(isodow FROM joined::date) AS weekday, EXTRACT(hour FROM joined::time) AS hour,
                EXTRACT(day FROM interval '3 days') AS days, EXTRACT(month FROM joined) + 1 AS next
         FROM reader ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn overlapping_periods() {
    let b = table("book").alias("b");
    let published = b.col("published");
    same(
        select((
            b.col("id"),
            overlaps((published, days(30)), (Date::new("1999-03-15"), Date::new("2000-01-01")))
                .alias("dates"),
            overlaps((published, Date::new("2011-07-16")), (Date::new("2011-07-15"), years(1)))
                .alias("mixed"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (published, interval '30 days') OVERLAPS (DATE '1999-03-15', DATE '2000-01-01') AS dates,
                (published, DATE '2011-07-16') OVERLAPS (DATE '2011-07-15', interval '1 year') AS mixed
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn patterns() {
    let b = table("book").alias("b");
    let title = b.col("title");
    same(
        select((
            b.col("id"),
            title.like("%Tide%").alias("a"),
            title.not_like("%Tide%").alias("b"),
            title.ilike("%tide%").alias("c"),
            title.not_ilike("%tide%").alias("d"),
            title.concat("%").like_escape("%!%", "!").alias("e"),
            title.not_like_escape("%!_%", "!").alias("f"),
            title.ilike_escape("s%", "").alias("g"),
            title.not_ilike_escape("s%", "!").alias("h"),
            title.similar_to("(Low|On) Tides?").alias("i"),
            title.not_similar_to("(Low|On) Tides?").alias("j"),
            title.similar_to_escape("S!alt", "!").alias("k"),
            title.not_similar_to_escape("S_lt", "!").alias("l"),
            title.regex("^S").alias("m"),
            title.iregex("^s").alias("n"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, title LIKE '%Tide%' AS a, title NOT LIKE '%Tide%' AS b, title ILIKE '%tide%' AS c,
                title NOT ILIKE '%tide%' AS d, title || '%' LIKE '%!%' ESCAPE '!' AS e,
                title NOT LIKE '%!_%' ESCAPE '!' AS f, title ILIKE 's%' ESCAPE '' AS g,
                title NOT ILIKE 's%' ESCAPE '!' AS h, title SIMILAR TO '(Low|On) Tides?' AS i,
                title NOT SIMILAR TO '(Low|On) Tides?' AS j, title SIMILAR TO 'S!alt' ESCAPE '!' AS k,
                title NOT SIMILAR TO 'S_lt' ESCAPE '!' AS l, title ~ '^S' AS m, title ~* '^s' AS n
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn truth() {
    let b = table("book").alias("b");
    let long = b.col("pages").gt(300);
    same(
        select((
            b.col("id"),
            long.is_true().alias("a"),
            long.is_not_true().alias("b"),
            long.is_false().alias("c"),
            long.is_not_false().alias("d"),
            long.is_unknown().alias("e"),
            long.is_not_unknown().alias("f"),
            b.col("pages").is_distinct_from(320).alias("g"),
            b.col("pages").is_not_distinct_from(null_of::<i32>()).alias("h"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (pages > 300) IS TRUE AS a, (pages > 300) IS NOT TRUE AS b, (pages > 300) IS FALSE AS c,
                (pages > 300) IS NOT FALSE AS d, (pages > 300) IS UNKNOWN AS e, (pages > 300) IS NOT UNKNOWN AS f,
                pages IS DISTINCT FROM 320 AS g, pages IS NOT DISTINCT FROM NULL AS h
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn case_both_ways() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("id"),
            case().when(b.col("pages").gt(300), "long").when(b.col("pages").is_null(), "unknown").otherwise("short").alias("a"),
            case().when(b.col("pages").gt(300), 1).alias("b"),
            case_of(b.col("genre")).when("novel", 1).when("poetry", 2).otherwise(3).alias("c"),
            case_of(b.col("pages") + 1).when(65, b.col("title")).alias("d"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, CASE WHEN pages > 300 THEN 'long' WHEN pages IS NULL THEN 'unknown' ELSE 'short' END AS a,
                CASE WHEN pages > 300 THEN 1 END AS b,
                CASE genre WHEN 'novel' THEN 1 WHEN 'poetry' THEN 2 ELSE 3 END AS c,
                CASE pages + 1 WHEN 65 THEN title END AS d
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn coalesce_nullif_greatest_least() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("id"),
            coalesce((b.col("isbn"), "none")).alias("a"),
            nullif(b.col("pages"), 64).alias("b"),
            greatest((b.col("pages"), b.col("price"), 100)).alias("c"),
            least((b.col("pages"), b.col("price"), 100)).alias("d"),
            nullif(b.col("genre"), "novel").alias("e"),
            coalesce((b.col("genre"), "poetry")).alias("f"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, COALESCE(isbn, 'none') AS a, NULLIF(pages, 64) AS b, GREATEST(pages, price, 100) AS c,
                LEAST(pages, price, 100) AS d, NULLIF(genre, 'novel') AS e, COALESCE(genre, 'poetry') AS f
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn casts_with_modifiers_nulls_and_collations() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("id"),
            b.col("price").cast_as("numeric(10,1)").alias("a"),
            b.col("title").cast_as("varchar(4)").alias("b"),
            b.col("tags").cast_as("varchar(3)[]").alias("c"),
            b.col("title").cast_as("char").alias("d"),
            null_of::<Date>().alias("e"),
            null("numeric(4,1)[]").alias("f"),
            (b.col("title").collate("C").lt("b")).alias("g"),
            b.col("genre").cast::<String>().concat("!").alias("h"),
        ))
        .from(b)
        .order_by((b.col("title").collate("C"), b.col("id"))),
        "SELECT id, price::numeric(10,1) AS a, title::varchar(4) AS b, tags::varchar(3)[] AS c, title::char AS d,
                NULL::date AS e, NULL::numeric(4,1)[] AS f, title COLLATE \"C\" < 'b' AS g, genre::text || '!' AS h
         FROM book ORDER BY title COLLATE \"C\", id",
    )
    .await;
}

#[tokio::test]
async fn the_current_moment() {
    same(
        select((
            current_date().eq(now().cast::<Date>()).alias("a"),
            current_timestamp(None).eq(now()).alias("b"),
            current_timestamp(0).eq(now().cast_as("timestamptz(0)")).alias("c"),
            localtimestamp(3).eq(now().cast_as("timestamp(3)")).alias("d"),
            localtime(None).eq(now().cast::<Time>()).alias("e"),
            current_time(6).eq(now().cast_as("timetz")).alias("f"),
        )),
        "SELECT true AS a, true AS b, true AS c, true AS d, true AS e, true AS f",
    )
    .await;
}

#[test]
fn operands_that_a_form_does_not_take() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    let any = |value: Item| value;
    for (value, finding) in [
        (
            any(b.col("pages").at_time_zone("UTC").alias("x")),
            "CS0305: there is no function timezone(unknown, int4)",
        ),
        (
            any(extract("year", b.col("title")).alias("x")),
            "CS0305: there is no function extract(unknown, text)",
        ),
        (
            any(overlaps((b.col("id"), b.col("id")), (1, 2)).alias("x")),
            "CS0305: there is no function overlaps(int4, int4, int4, int4)",
        ),
        (any(b.col("pages").like_escape("a", "b").alias("x")), "CS0306: there is no operator int4 ~~ text"),
        (
            any(b.col("title").similar_to(b.col("pages")).alias("x")),
            "CS0305: there is no function similar_to_escape(int4)",
        ),
        (
            any(b.col("pages").between(1, b.col("title")).alias("x")),
            "CS0306: there is no operator int4 <= text",
        ),
        (any(nullif(b.col("pages"), b.col("title")).alias("x")), "CS0306: there is no operator int4 = text"),
        (
            any(b.col("pages").in_list([b.col("title")]).alias("x")),
            "CS0306: there is no operator int4 = text",
        ),
        (
            any(b.col("pages").in_query(select(r.col("name")).from(r)).alias("x")),
            "CS0306: there is no operator int4 = text",
        ),
        (
            any(coalesce((b.col("pages"), b.col("title"))).alias("x")),
            "CS0315: COALESCE has values that have no type together: int4, text; cast some of them with .cast_as(\"…\")",
        ),
        (
            any(case_of(b.col("pages")).when(b.col("title"), 1).alias("x")),
            "CS0306: there is no operator int4 = text",
        ),
        (
            any(extract("yeer", b.col("published")).alias("x")),
            "CS0305: EXTRACT knows no field \"yeer\"; did you mean \"year\"?",
        ),
        (any(localtime(7).alias("x")), "CS0203: a time has at most 6 digits of a second"),
    ] {
        let found = refused(select(value).from(b));
        assert!(found.starts_with(finding), "{found}\n{finding}");
    }
}

#[tokio::test]
async fn types_with_modifiers() {
    let r = table("reader").alias("r");
    let age = r.col("joined") - Timestamptz::new("2020-01-01 00:00:00.5+00");
    same(
        select((
            age.cast_as("interval(0)").alias("a"),
            age.cast_as("interval").alias("b"),
            r.col("joined").cast_as("timestamptz(0)").alias("c"),
            r.col("name").cast_as("varchar(2)").alias("d"),
            r.col("name").cast_as("char").alias("e"),
            r.col("id").cast_as("numeric(5,2)").alias("f"),
        ))
        .from(r)
        .order_by(r.col("id")),
        "SELECT CAST(joined - timestamptz '2020-01-01 00:00:00.5+00' AS interval(0)) AS a,
                joined - timestamptz '2020-01-01 00:00:00.5+00' AS b, CAST(joined AS timestamptz(0)) AS c,
                CAST(name AS varchar(2)) AS d, CAST(name AS char) AS e, CAST(id AS numeric(5,2)) AS f
         FROM reader ORDER BY id",
    )
    .await;
}
