//! SQL/JSON: on a server that has it, the rows of hand-written SQL; on an older one, a finding that says so.

use callslip_sdk::rare::json_table::{
    self, Column, JsonTable, column, column_as, json_table, nested, ordinality,
};
use callslip_sdk::testing::describe;
use callslip_sdk::{Item, prelude::*};

use crate::support::{library, same_since};

/// What is printed for a server that has all of it.
#[track_caller]
fn printed(query: Select) -> String {
    let printed = library().print_as_of(180_000, &describe(query));
    printed.unwrap_or_else(|findings| panic!("{findings:#?}")).0
}

/// The findings of a server that has all of it, one a line.
#[track_caller]
fn refused(query: Select) -> String {
    let findings = match library().print_as_of(180_000, &describe(query)) {
        Ok((sql, _)) => panic!("it is not refused: {sql}"),
        Err(findings) => findings,
    };
    let lines: Vec<_> = findings.into_iter().map(|its| format!("{}: {}", its.code, its.message)).collect();
    lines.join("\n")
}

fn editions() -> JsonTable {
    let b = table("book").alias("b");
    json_table(b.col("details"), "$.editions[*]", column::<i32>("year")).alias("e")
}

#[tokio::test]
async fn is_json() {
    let b = table("book").alias("b");
    let text = b.col("title").concat("").cast::<String>();
    let object = b.col("details").cast::<String>();
    same_since(
        16,
        select((
            b.col("id"),
            text.is_json().alias("title"),
            text.is_not_json().alias("not_title"),
            object.is_json_object().with_unique_keys().alias("object"),
            object.is_not_json_object().alias("not_object"),
            b.col("details").is_json_array().alias("array"),
            b.col("details").is_not_json_array().with_unique_keys().alias("not_array"),
            b.col("details").get("award").is_json_scalar().alias("scalar"),
            b.col("details").get("award").is_not_json_scalar().alias("not_scalar"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, title IS JSON AS title, title IS NOT JSON AS not_title,
                details::text IS JSON OBJECT WITH UNIQUE KEYS AS object, details::text IS NOT JSON OBJECT AS not_object,
                details IS JSON ARRAY AS array, details IS NOT JSON ARRAY WITH UNIQUE KEYS AS not_array,
                details->'award' IS JSON SCALAR AS scalar, details->'award' IS NOT JSON SCALAR AS not_scalar
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn functions_on_json() {
    let b = table("book").alias("b");
    let d = b.col("details");
    same_since(
        17,
        select((
            b.col("id"),
            json_exists(d, "$.editions[*] ? (@.year > $x)").passing("x", 2000).alias("reprinted"),
            json_exists(d, "strict $.award").true_on_error().alias("award"),
            json_exists(d, "strict $.award").unknown_on_error().alias("unknown"),
            json_exists(d, "strict $.award").false_on_error().alias("false"),
            json_value(d, "$.award").alias("text"),
            json_value(d, "$.editions[0].year").returning::<i32>().default_on_empty(-1).alias("year"),
            json_value(d, "$.editions[*].year")
                .returning_as("numeric(8,2)")
                .null_on_empty()
                .default_on_error(constant(dec("0.5")).add(1))
                .alias("years"),
            json_query(d, "$.editions[*].year").with_wrapper().alias("wrapped"),
            json_query(d, "$.editions[*].year").with_conditional_wrapper().null_on_error().alias("conditional"),
            json_query(d, "$.award").without_wrapper().returning::<String>().omit_quotes().alias("bare"),
            json_query(d, "$.award").keep_quotes().returning::<String>().alias("quoted"),
            json_query(d, "$.none").empty_array_on_empty().alias("array"),
            json_query(d, "$.none").empty_object_on_empty().alias("object"),
            json_query(d, "strict $.none").empty_array_on_error().alias("error_array"),
            json_query(d, "strict $.none").empty_object_on_error().alias("error_object"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, JSON_EXISTS(details, '$.editions[*] ? (@.year > $x)' PASSING 2000 AS x) AS reprinted,
                JSON_EXISTS(details, 'strict $.award' TRUE ON ERROR) AS award,
                JSON_EXISTS(details, 'strict $.award' UNKNOWN ON ERROR) AS unknown,
                JSON_EXISTS(details, 'strict $.award' FALSE ON ERROR) AS false,
                JSON_VALUE(details, '$.award') AS text,
                JSON_VALUE(details, '$.editions[0].year' RETURNING int DEFAULT -1 ON EMPTY) AS year,
                JSON_VALUE(details, '$.editions[*].year' RETURNING numeric(8,2) DEFAULT 1.5 ON ERROR) AS years,
                JSON_QUERY(details, '$.editions[*].year' WITH WRAPPER) AS wrapped,
                JSON_QUERY(details, '$.editions[*].year' WITH CONDITIONAL WRAPPER) AS conditional,
                JSON_QUERY(details, '$.award' RETURNING text OMIT QUOTES) AS bare,
                JSON_QUERY(details, '$.award' RETURNING text KEEP QUOTES) AS quoted,
                JSON_QUERY(details, '$.none' EMPTY ARRAY ON EMPTY) AS array,
                JSON_QUERY(details, '$.none' EMPTY OBJECT ON EMPTY) AS object,
                JSON_QUERY(details, 'strict $.none' EMPTY ARRAY ON ERROR) AS error_array,
                JSON_QUERY(details, 'strict $.none' EMPTY OBJECT ON ERROR) AS error_object
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn a_default_is_of_every_type() {
    let b = table("book").alias("b");
    let d = b.col("details");
    same_since(
        17,
        select((
            json_value(d, "$.none").default_on_empty("it's \\").alias("text"),
            json_value(d, "$.none")
                .returning::<Date>()
                .default_on_empty(Date::new("2026-01-31"))
                .alias("date"),
            json_value(d, "$.none").returning_as("varchar(3)").default_on_empty("abc").alias("short"),
            json_value(d, "$.none").returning::<i64>().default_on_empty(7).alias("wider"),
            json_value(d, "$.none").returning::<Json>().default_on_empty(Json::new("[1]")).alias("json"),
            json_value(d, "$.none").returning::<i32>().default_on_empty(null("int4")).alias("nothing"),
            json_value(d, "$.none")
                .default_on_empty(constant("7").cast::<i32>().cast::<String>())
                .alias("cast"),
            json_value(d, "$.none").default_on_empty(upper("a")).alias("call"),
        ))
        .from(b)
        .limit(1),
        "SELECT 'it''s \\'::text AS text, date '2026-01-31' AS date,
                'abc' AS short, 7 AS wider, '[1]'::jsonb AS json,
                NULL::int AS nothing, '7' AS cast, 'A' AS call",
    )
    .await;
}

#[tokio::test]
async fn json_table_with_every_kind_of_column() {
    let b = table("book").alias("b");
    let columns = (
        ordinality("n"),
        nested("$.copies[*]", (ordinality("m"), column::<i32>("copies").path("$"))).path_name("c"),
        column::<i32>("year").default_on_empty(0).null_on_error(),
        column_as("text", "varchar(4)").path("$.year").error_on_error(),
        column::<Json>("whole").path("$").without_wrapper().empty_object_on_empty().empty_array_on_error(),
        column::<String>("formatted").format_json().path("$.year").with_wrapper(),
        column::<String>("bare").path("$.year").omit_quotes(),
        json_table::exists("has_copies").path("$.copies").false_on_error(),
    );
    let e = json_table(b.col("details"), "$.editions[*] ? (@.year >= $least)", columns)
        .path_name("editions")
        .passing("least", 1986)
        .empty_array_on_error()
        .alias("e")
        .columns(["number"]);
    same_since(
        17,
        select((
            b.col("id"),
            e.col("number"),
            e.col("year"),
            e.col("text"),
            e.col("whole"),
            e.col("formatted"),
            e.col("bare"),
            e.col("has_copies"),
            e.col("m"),
            e.col("copies"),
        ))
        .from(b)
        .left_join(e, e.col("year").gt(1990))
        .order_by((b.col("id"), e.col("number"))),
        "SELECT b.id, e.* FROM book b LEFT JOIN JSON_TABLE(b.details, '$.editions[*] ? (@.year >= $least)'
             PASSING 1986 AS least COLUMNS (
                 number FOR ORDINALITY, year int DEFAULT 0 ON EMPTY, text varchar(4) PATH '$.year',
                 whole jsonb PATH '$', formatted text FORMAT JSON PATH '$.year' WITH WRAPPER, bare text PATH '$.year',
                 has_copies bool EXISTS PATH '$.copies',
                 NESTED PATH '$.copies[*]' COLUMNS (m FOR ORDINALITY, copies int PATH '$'))) e ON e.year > 1990
         ORDER BY b.id, e.number",
    )
    .await;
}

/// Columns of NESTED come last, whatever stands between.
#[tokio::test]
async fn column_aliases_count_as_postgresql_does() {
    let columns = (
        nested("$.b[*]", column::<i32>("inner").path("$")),
        column::<i32>("a"),
        nested("$", column::<i32>("c")),
    );
    let t =
        json_table(Json::new("{\"a\": 1, \"b\": [2, 3], \"c\": 4}"), "$", columns).columns(["x", "y", "z"]);
    same_since(
        17,
        select((t.col("x"), t.col("y"), t.col("z"))).from(t).order_by((t.col("y"), t.col("z"))),
        "SELECT * FROM (VALUES (1, 2, NULL::int), (1, 3, NULL), (1, NULL, 4)) AS t (x, y, z)",
    )
    .await;
}

#[tokio::test]
async fn a_path_is_a_literal_whatever_is_in_it() {
    let attacks = [
        "$.a' COLUMNS (x int)) AS t; DROP TABLE book; --",
        "$.\"it's\"",
        "$.\"a\\\\\"",
        r#"$.a ? (@ like_regex "\\d' --")"#,
        r"$.\'",
        "$.\"\u{fc}$1/*\"",
    ];
    for attack in attacks {
        let quoted = match attack.contains('\\') {
            true => format!("E'{}'", attack.replace('\'', "''").replace('\\', "\\\\")),
            false => format!("'{}'", attack.replace('\'', "''")),
        };
        let t = json_table(Json::new("{}"), attack, column::<i32>("x").path(attack)).alias("t");
        let sql = printed(select(t.col("x")).from(t));
        let expected = format!(
            "JSON_TABLE(CAST($1 AS \"pg_catalog\".\"jsonb\"), {quoted} COLUMNS (\"x\" \"pg_catalog\".\"int4\" PATH {quoted})) \
             AS \"t\""
        );
        assert!(sql.ends_with(&expected), "{sql}\n{expected}");
    }
    assert_eq!(
        refused(
            select(editions().col("year"))
                .from(json_table(Json::new("{}"), "$\0", column::<i32>("year")).alias("e"))
        ),
        "CS0203: a path contains a NUL byte"
    );
}

/// What a server reads of the hardest paths.
#[tokio::test]
async fn a_path_finds_what_it_names() {
    for key in ["it's", "back\\slash", "both\\'", "'); --", "\u{fc} \u{1f642}", "a\nb", "\""] {
        let key = serde_json::to_string(key).unwrap();
        let (json, path) = (format!("{{{key}: 7}}"), format!("$.{key}"));
        let t = json_table(Json::new(json), &path, column::<i32>("x").path("$")).alias("t");
        same_since(17, select(t.col("x")).from(t), "SELECT 7 AS x").await;
    }
}

#[test]
fn names_are_quoted() {
    let b = table("book").alias("b");
    let evil = "x\" PATH '$', \"y";
    let t =
        json_table(b.col("details"), "$", column::<i32>(evil)).path_name("p\"").passing(evil, 1).alias("\"");
    let sql = printed(select(t.col(evil).alias("x")).from(b).cross_join(t));
    let expected = r#"CROSS JOIN JSON_TABLE("b"."details", '$' AS "p""" PASSING CAST($1 AS "pg_catalog"."int4") AS "x"" PATH '$', ""y" COLUMNS ("x"" PATH '$', ""y" "pg_catalog"."int4")) AS """""#;
    assert!(sql.ends_with(expected), "{sql}");
}

#[test]
fn what_postgresql_would_refuse_is_a_finding() {
    let b = table("book").alias("b");
    let d = b.col("details");
    let of = |expression: Item| refused(select(expression).from(b));
    assert_eq!(
        of(json_exists(b.col("pages"), "$").alias("x")),
        "CS0305: JSON_EXISTS looks in JSON, not in int4"
    );
    assert_eq!(of(json_exists(d, b.col("pages")).alias("x")), "CS0305: a path is a jsonpath, not int4");
    assert_eq!(of(b.col("pages").is_json().alias("x")), "CS0305: IS JSON takes no int4");
    assert_eq!(
        of(json_query(d, "$").with_wrapper().omit_quotes().alias("x")),
        "CS0203: QUOTES has no meaning beside WITH WRAPPER: what is in an array keeps its quotes"
    );
    assert_eq!(
        of(json_value(d, "$").default_on_empty(b.col("title")).alias("x")),
        "CS0203: DEFAULT takes a constant, a call or an operator, and nothing else\n\
         CS0303: no relation with the alias \"b\" is in scope here"
    );
    assert_eq!(of(json_value(d, "$").returning_as("nothing").alias("x")), "CS0307: there is no type nothing");
    assert_eq!(
        of(json_value(d, "$").returning_as("regclass").alias("x")),
        "CS0403: the type pg_catalog.regclass was not granted to the plugin this"
    );

    let columns = |columns: JsonTable| refused(select(d).from(b).cross_join(columns));
    let twice = json_table(d, "$", (column::<i32>("x"), nested("$", column::<i32>("y")).path_name("x")));
    assert_eq!(columns(twice), "CS0311: JSON_TABLE has more than one column or path named \"x\"");
    let numbers = json_table(d, "$", (ordinality("x"), ordinality("y")));
    assert_eq!(columns(numbers), "CS0203: COLUMNS has more than one FOR ORDINALITY");
    assert_eq!(columns(json_table(d, "$", Vec::<Column>::new())), "CS0203: COLUMNS without a column");
    let scalar = json_table(d, "$", column::<i32>("x").empty_array_on_empty());
    assert_eq!(columns(scalar), "CS0203: a column of one value has no EMPTY ARRAY ON EMPTY");
    assert_eq!(
        refused(select(editions().col("yaer")).from(b).cross_join(editions())),
        "CS0302: JSON_TABLE (alias \"e\") has no column \"yaer\""
    );
    assert_eq!(
        refused(select(b.col("id")).from(b).right_join(editions(), true)),
        "CS0303: \"b\" can't be referred to here: the right side of a RIGHT or FULL JOIN can't refer to its left side"
    );
}
