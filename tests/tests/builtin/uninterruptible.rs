//! What PostgreSQL can't interrupt is not done with what a plugin can make as large as it likes. Each operation has a twin: the
//! same on bare PostgreSQL, which goes on long after its statement_timeout.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use callslip::catalog::{Catalog, SearchPath, reflect};
use callslip::cluster::Cluster;
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{Context, Finding, Limits, RowFilters, Verified, verify};
use callslip_sdk::testing::describe;
use callslip_sdk::{Item, prelude::*};
use callslip_tests::{cluster, connect, outlived};

struct Documents {
    cluster: Cluster,
    catalog: Catalog,
}

/// A PostgreSQL with a table of everything that can grow.
fn documents() -> &'static Documents {
    static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let start = async {
            let table = "CREATE TABLE doc (id int, parent int, body text, tags text[], ids int[], data jsonb, line path, \
                         words tsvector, query tsquery);";
            let (cluster, client) = cluster(table).await;
            let catalog = Catalog::new(reflect(&client).await.unwrap());
            Documents { cluster, catalog }
        };
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(start))
            .join()
            .expect("the documents are there")
    })
}

/// What verification says of a query, where the configuration also grants this of operators and functions.
fn findings(query: Select, operators: &[&str], functions: &[&str]) -> Vec<Finding> {
    verified(query, operators, functions).err().unwrap_or_default()
}

fn verified(query: Select, operators: &[&str], functions: &[&str]) -> Result<Verified, Vec<Finding>> {
    let strings = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let settings = GrantSettings {
        relations: vec!["doc".into()],
        operators: strings(operators),
        functions: strings(functions),
        ..GrantSettings::default()
    };
    let (catalog, path, limits) = (&documents().catalog, SearchPath::of(["public"]), Limits::default());
    let grants = Grants::resolve(&settings, catalog, &path).unwrap();
    let context = Context {
        plugin: "this",
        catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: RowFilters::none(),
    };
    verify(&describe(query).shape, context)
}

#[track_caller]
fn allowed(query: Select) {
    let found = findings(query, &[], &[]);
    assert!(found.is_empty(), "{}", found[0]);
}

#[track_caller]
fn refused(query: Select) -> String {
    let found = findings(query, &[], &[]);
    assert!(!found.is_empty(), "it is not refused");
    for finding in &found {
        assert_eq!(finding.code, callslip::Code::Uninterruptible, "{finding}");
    }
    found[0].to_string()
}

/// Runs hand-written SQL on bare PostgreSQL, which outlives its timeout.
async fn outlives_its_timeout(what: &str, sql: &str) {
    outlives_its_timeout_after("SELECT", what, sql).await;
}

/// The same over what another statement has made, which takes its time too and can be interrupted.
async fn outlives_its_timeout_after(made: &str, what: &str, sql: &str) {
    let client = connect(&documents().cluster.config()).await;
    client.batch_execute(made).await.unwrap();
    let outlived =
        outlived(&client, sql).await.unwrap_or_else(|tried| panic!("{what} outlives no timeout: {tried:?}"));
    println!(
        "{what}: refused with CS0209; on bare PostgreSQL it took {:?} with a timeout of {:?}",
        outlived.took, outlived.timeout
    );
    assert!(outlived.sqlstate.is_none_or(|code| code == "57014"), "{what} is not what takes so long");
}

/// A value that grows with the rows of a table, made by an aggregate.
fn all(function: &str, column: &str) -> callslip_sdk::Call {
    call(function, table("doc").alias("d").col(column))
}

fn over_all(value: impl Expression) -> Select {
    select(value.alias("x")).from(table("doc").alias("d"))
}

#[tokio::test]
async fn arrays_are_not_compared_element_by_element() {
    for operator in ["@>", "<@", "&&"] {
        let told = refused(over_all(all("array_agg", "id").op(operator, all("array_agg", "id"))));
        assert!(
            told.contains(&format!("add \"pg_catalog.{operator}(anyarray, anyarray)\" to operators")),
            "{told}"
        );
    }
    for (operator, offset) in [("@>", 0), ("<@", 0), ("&&", 12_000)] {
        let sql = format!(
            "SELECT array_agg(g) {operator} array_agg(g + {offset}) FROM generate_series(1, 12000) AS g"
        );
        outlives_its_timeout(&format!("array {operator}"), &sql).await;
    }
}

#[tokio::test]
async fn json_is_not_compared_element_by_element() {
    refused(over_all(all("jsonb_agg", "id").op("@>", all("jsonb_agg", "id"))));
    refused(over_all(all("jsonb_agg", "id").op("<@", all("jsonb_agg", "id"))));
    refused(over_all(all("jsonb_agg", "body").op("?|", all("array_agg", "body"))));
    refused(over_all(all("jsonb_agg", "body").op("?&", all("array_agg", "body"))));
    refused(over_all(all("jsonb_agg", "body").op("-", all("array_agg", "body"))));
    let made = |operator: &str, other: &str, rows: u32| {
        format!("SELECT jsonb_agg(g::text) {operator} {other} FROM generate_series(1, {rows}) AS g")
    };
    outlives_its_timeout("jsonb @>", &made("@>", "jsonb_agg(g::text)", 14_000)).await;
    outlives_its_timeout("jsonb <@", &made("<@", "jsonb_agg(g::text)", 14_000)).await;
    outlives_its_timeout("jsonb ?|", &made("?|", "array_agg('-' || g)", 12_000)).await;
    outlives_its_timeout("jsonb ?&", &made("?&", "array_agg(g::text)", 16_000)).await;
    outlives_its_timeout("jsonb - text[]", &made("-", "array_agg('-' || g)", 20_000)).await;
}

#[tokio::test]
async fn texts_are_not_searched() {
    let text = || call("string_agg", (table("doc").alias("d").col("body"), ""));
    for operator in ["~~", "!~~", "~~*", "!~~*"] {
        refused(over_all(text().op(operator, "%b%")));
    }
    refused(over_all(call("strpos", (text(), "b"))));
    refused(over_all(call("split_part", (text(), "b", 2))));
    refused(over_all(call("replace", (text(), "b", ""))));
    refused(over_all(call("string_to_array", (text(), "b"))));
    refused(over_all(call("btrim", (text(), "b"))));
    refused(over_all(call("translate", (text(), "b", ""))));
    refused(over_all(call("normalize", (text(), "NFC"))));

    let made = "(SELECT repeat('a', 60000) AS a, repeat('a', 30000) AS b OFFSET 0) AS t";
    let bare = |expression: &str| format!("SELECT {expression} FROM {made}");
    outlives_its_timeout("LIKE", &bare("a LIKE '%' || b || 'b%'")).await;
    outlives_its_timeout("ILIKE", &bare("a ILIKE '%' || b || 'b%'")).await;
    let longer = made.replace("60000", "90000").replace("30000", "45000");
    let longer = |expression: &str| format!("SELECT {expression} FROM {longer}");
    outlives_its_timeout("strpos", &longer("strpos(a, 'b' || b)")).await;
    outlives_its_timeout("split_part", &longer("split_part(a, 'b' || b, -2)")).await;
    outlives_its_timeout("replace", &longer("length(replace(a, 'b' || b, ''))")).await;
    outlives_its_timeout("string_to_array", &longer("cardinality(string_to_array(a, 'b' || b))")).await;
    let shorter = made.replace("60000", "15000").replace("30000", "8000");
    let shorter = |expression: &str| format!("SELECT {expression} FROM {shorter}");
    outlives_its_timeout("btrim", &shorter("length(btrim(a, replace(b, 'a', 'b') || 'a'))")).await;
    outlives_its_timeout("translate", &shorter("length(translate(a, replace(b, 'a', 'b'), ''))")).await;
    let marks = "SELECT length(normalize(repeat(chr(769) || chr(803), 6000), NFD))";
    outlives_its_timeout("normalize", marks).await;
}

#[tokio::test]
async fn lines_words_and_json_are_not_looked_through() {
    let d = table("doc").alias("d");
    // A path grows only by being added to itself, again and again.
    let mut line = d.col("line").op("+", d.col("line"));
    for _ in 0..4 {
        line = line.op("+", line);
    }
    refused(over_all(line.op("?#", line)));
    let made =
        "CREATE TEMP TABLE made AS SELECT ('[' || string_agg(format('(%s,%s)', g, g), ',') || ']')::path AS a,
                    ('[' || string_agg(format('(%s,%s)', g, g + 1), ',') || ']')::path AS b
                    FROM generate_series(1, 6000) AS g";
    outlives_its_timeout_after(made, "path ?#", "SELECT a ?# b FROM made").await;
    for (operator, points) in [("<->", 800), ("&&", 8_000)] {
        let made = format!(
            "CREATE TEMP TABLE made AS SELECT ('(' || string_agg(format('%s,%s', g, g), ',') || ')')::polygon AS a,
                    ('(' || string_agg(format('%s,%s', g, g + 0.5), ',') || ')')::polygon AS b
                    FROM generate_series(1, {points}) AS g"
        );
        let sql = format!("SELECT a {operator} b FROM made");
        outlives_its_timeout_after(&made, &format!("polygon {operator}"), &sql).await;
    }

    let words = call("array_to_tsvector", all("array_agg", "body"));
    refused(over_all(call("ts_rank", (words, constant("a & b").cast_as("tsquery")))));
    let made = "CREATE TEMP TABLE made AS SELECT to_tsvector('simple', string_agg('a' || g, ' ')) AS a,
                    string_agg('a' || g, '&') AS b FROM generate_series(1, 16000) AS g";
    outlives_its_timeout_after(made, "ts_rank", "SELECT ts_rank(a, b::tsquery) FROM made").await;

    let text = call("string_agg", (d.col("body"), ","));
    refused(over_all(text.cast_as("jsonb")));
    outlives_its_timeout(
        "text to jsonb",
        "SELECT jsonb_typeof(('[' || repeat('1,', 3000000) || '1]')::jsonb)",
    )
    .await;
}

#[test]
fn what_has_grown_is_known_wherever_it_comes_from() {
    let d = table("doc").alias("d");
    let ids = || select(call("array_agg", d.col("id")).alias("ids")).from(d);
    fn compared(grown: impl Expression) -> Item {
        grown.op("@>", table("doc").alias("d").col("ids")).alias("x")
    }

    // In a subquery in FROM, a CTE, LATERAL, a value, an array of a query.
    let s = ids().alias("s");
    refused(select(compared(s.col("ids"))).from(d).cross_join(s));
    let c = cte("c", ids());
    refused(select(compared(c.col("ids"))).from(d).cross_join(c));
    refused(select(compared(scalar(ids()))).from(d));
    refused(select(compared(array_query(select(d.col("id")).from(d)))).from(d));
    // Either side of a UNION.
    let both = select(d.col("ids").alias("ids")).from(d).union_all(ids()).alias("both");
    refused(select(compared(both.col("ids"))).from(d).cross_join(both));
    // Through what does not make it smaller.
    refused(select(compared(coalesce((scalar(ids()), d.col("ids"))))).from(d));
    refused(select(compared(call("array_remove", (scalar(ids()), 1)))).from(d));
    refused(select(compared(scalar(ids()).cast_as("int4[]"))).from(d));
    // Of a window function's rows.
    let window = call("array_agg", d.col("id")).over(window());
    let w = select(window.alias("ids")).from(d).alias("w");
    refused(select(compared(w.col("ids"))).from(d).cross_join(w));
}

#[test]
fn a_recursive_cte_grows_what_it_puts_together_and_nothing_else() {
    let (top, below) = (table("doc").alias("top"), table("doc").alias("below"));
    let tree = |grows: bool| {
        cte_recursive("tree", move |tree| {
            let first = select((top.col("id"), top.col("body"), top.col("tags")))
                .from(top)
                .filter(top.col("parent").is_null());
            let tags = if grows { tree.col("tags") } else { below.col("tags") };
            let tags = tags.op("||", below.col("tags"));
            let next = select((below.col("id"), below.col("body"), tags.alias("tags")))
                .from(below)
                .join(tree, below.col("parent").eq(tree.col("id")));
            first.union_all(next)
        })
    };
    let common = |grows| {
        let tree = tree(grows);
        select((
            tree.col("body").like("%a%").alias("found"),
            tree.col("tags").op("&&", array(["a", "b"])).alias("tagged"),
        ))
        .from(tree)
    };
    allowed(common(false));
    let told = refused(common(true));
    assert!(told.contains("the operator &&"), "{told}");
}

#[test]
fn what_is_stored_or_sent_is_compared() {
    let d = table("doc").alias("d");
    fn one(value: impl Expression) -> Select {
        select(value.alias("x")).from(table("doc").alias("d"))
    }
    allowed(one(d.col("tags").op("@>", array(["a", "b"]))));
    allowed(one(d.col("tags").op("&&", constant("{a}").cast_as("text[]"))));
    allowed(one(d.col("data").op("@>", constant("{}").cast_as("jsonb"))));
    allowed(one(d.col("data").get("a").op("?|", array(["a"]))));
    allowed(one(d.col("body").like("%a%")));
    allowed(one(d.col("body").op("~~*", constant("%").op("||", "q").op("||", "%"))));
    allowed(one(call("replace", (d.col("body"), "a", "b"))));
    allowed(one(call("max", d.col("body")).op("~~", "a%")));
    allowed(one(constant(4).eq_any(scalar(select(call("array_agg", d.col("id")).alias("x")).from(d)))));
    allowed(one(call("ts_rank", (d.col("words"), d.col("query")))));
    let slug = call("replace", (call("replace", (d.col("body"), "https://", "")), " ", "-"));
    allowed(one(call("split_part", (slug, "/", 1))));
    allowed(one(call("format", ("%s (%s)", d.col("body"), 1))));
    // Search terms are escaped.
    allowed(one(d.col("body").op("~~", call("replace", ("a%", "%", "\\%")))));
}

/// The bytes that the values may have that are sent to a query, in the order of its slots.
fn bytes(query: Select) -> Vec<Option<usize>> {
    let slots = describe(query.clone()).bindings.len();
    let rules = verified(query, &[], &[]).unwrap_or_else(|found| panic!("{}", found[0])).rules;
    (0..slots as u32)
        .map(|slot| rules.get(&callslip_ir::SlotId(slot)).and_then(|rule| rule.most_bytes))
        .collect()
}

#[test]
fn what_is_sent_to_be_searched_for_is_short() {
    let d = table("doc").alias("d");
    fn one(value: impl Expression) -> Select {
        select(value.alias("x")).from(table("doc").alias("d"))
    }
    let short = Some(2_048);
    assert_eq!(bytes(one(d.col("body").op("~~", constant("%").op("||", "q")))), [short, short]);
    assert_eq!(bytes(one(call("strpos", ("a", d.col("body"))))), [short]);
    assert_eq!(bytes(one(call("translate", (d.col("body"), "a", "b")))), [short, short]);
    // What it is replaced with comes back, where it is searched again.
    assert_eq!(bytes(one(call("replace", (d.col("body"), "a", "b")))), [short, short]);
    let again = call("split_part", (call("replace", (d.col("body"), "a", "b")), "c", 1));
    assert_eq!(bytes(one(again))[..3], [short, Some(4), short]);
    // From wherever it comes.
    let s = select(constant("a").alias("pattern")).alias("s");
    let query = select(d.col("body").op("~~", s.col("pattern")).alias("x")).from(d).cross_join(s);
    assert_eq!(bytes(query), [short]);
    // Lists of what arrays may have are lists of any length; compared with what was sent too, they are short.
    assert_eq!(bytes(one(d.col("tags").op("&&", constant("{a}").cast_as("text[]")))), [None]);
    let sent = constant("{a}").cast_as("text[]").op("&&", constant("{b}").cast_as("text[]"));
    assert_eq!(bytes(one(sent)), [short, short]);
    assert_eq!(bytes(one(d.col("id").eq(1))), [None]);
}

#[test]
fn what_is_searched_for_does_not_grow_either() {
    let d = table("doc").alias("d");
    let pattern = || call("string_agg", (table("doc").alias("e").col("body"), ""));
    let p = select(pattern().alias("pattern")).from(table("doc").alias("e")).alias("p");
    refused(select(d.col("body").op("~~", p.col("pattern")).alias("x")).from(d).cross_join(p));
    refused(select(call("strpos", (d.col("body"), p.col("pattern"))).alias("x")).from(d).cross_join(p));
    let grown = call("replace", (d.col("body"), "a", d.col("body")));
    refused(select(call("strpos", (d.col("body"), grown)).alias("x")).from(d));
    let mut grown = call("replace", (d.col("body"), "a", "bbbb"));
    for _ in 0..2 {
        grown = call("replace", (grown, "a", "bbbb"));
    }
    refused(select(call("strpos", (grown, "b")).alias("x")).from(d));
}

#[test]
fn a_format_is_a_value_that_can_be_looked_at() {
    let d = table("doc").alias("d");
    let told = refused(select(call("format", (d.col("body"), 1)).alias("x")).from(d));
    assert!(told.contains("write the format as a constant"), "{told}");
    refused(select(call("format", (constant("%").op("||", "9s"), 1)).alias("x")).from(d));
    let found = verified(select(call("format", ("%s", 1)).alias("x")), &[], &[]).unwrap();
    let rule = found.rules[&callslip_ir::SlotId(0)];
    assert!(rule.is_format && rule.check("%s").is_ok() && rule.check("%900000000s").is_err());
}

/// The slowest of what may be done with values that are sent, as large as they may be and as often.
#[tokio::test]
async fn the_slowest_that_is_allowed_ends_soon() {
    let texts = "(SELECT repeat('a', 2048) AS a, repeat('a', 1024) AS b, repeat('b', 2047) || 'a' AS c OFFSET 0) AS t";
    let points = "(SELECT ('(' || repeat('1,1,', 511) || '1,1)')::path AS a, ('(' || repeat('9,9,', 511) || '9,9)')::path AS b
                   OFFSET 0) AS t";
    let lists = "(SELECT ('{' || repeat('a,', 1022) || 'a}')::text[] AS a, ('{' || repeat('b,', 1022) || 'b}')::text[] AS b
                  OFFSET 0) AS t";
    let json = "(SELECT ('[' || repeat('[1],', 510) || '[1]]')::jsonb AS a, ('[' || repeat('[],', 680) || '[2]]')::jsonb AS b
                 OFFSET 0) AS t";
    for (expression, made) in [
        ("strpos(a, 'b' || b)", texts),
        ("a LIKE '%' || b || 'b%'", texts),
        ("a ILIKE '%' || b || 'b%'", texts),
        ("length(translate(a, replace(c, 'a', 'b'), ''))", texts),
        ("length(btrim(a, c))", texts),
        ("length(normalize(repeat(chr(769) || chr(803), 512), NFD))", texts),
        ("a && b", lists),
        ("b @> a", json),
        // Once.
        ("a <-> b", points),
        ("a::polygon <-> b::polygon", points),
    ] {
        let times = if made == points { 1 } else { 16 };
        let client = connect(&documents().cluster.config()).await;
        let all = vec![expression; times].join(", ");
        let started = Instant::now();
        client.batch_execute(&format!("SELECT {all} FROM {made}")).await.unwrap();
        let took = started.elapsed();
        println!("{times} times {expression}: {took:?}");
        assert!(took < Duration::from_secs(10), "{expression} took {took:?}");
    }
}

#[test]
fn what_is_sent_is_searched_now_and_then() {
    let many = |times: usize| {
        let searched = (0..times).map(|index| call("strpos", ("a", "b")).alias(&format!("x{index}")));
        select(searched.collect::<Vec<_>>())
    };
    allowed(many(16));
    let told = refused(many(17));
    assert!(told.contains("over arguments and constants alone more than 16 times"), "{told}");
    // With each of a list, over what is put together, and over shapes it is more work.
    let like_any = |count: usize| select(constant("a").op_any("~~", array(vec!["b"; count])).alias("x"));
    allowed(like_any(16));
    refused(like_any(17));
    let put = |parts: usize| (1..parts).fold(constant("a").op("||", ""), |text, _| text.op("||", "a"));
    allowed(select(call("strpos", (put(3), "b")).alias("x")));
    refused(select(call("strpos", (put(4), "b")).alias("x")));
    let shape = |ty: &str| constant("((1,1))").cast_as(ty);
    for ty in ["path", "polygon"] {
        allowed(select(shape(ty).op("<->", shape(ty)).alias("x")));
        refused(select((
            shape(ty).op("<->", shape(ty)).alias("x"),
            shape(ty).op("<->", shape(ty)).alias("y"),
        )));
    }
}

#[test]
fn a_grant_of_the_operator_by_its_signature_allows_it() {
    let query = || over_all(all("array_agg", "id").op("@>", all("array_agg", "id")));
    assert_eq!(findings(query(), &[], &[]).len(), 1);
    assert_eq!(findings(query(), &["pg_catalog.@>(anyarray, anyarray)"], &[]), []);
    assert_eq!(findings(query(), &["pg_catalog.<@(anyarray, anyarray)"], &[]).len(), 1);
    let query =
        || over_all(call("strpos", (call("string_agg", (table("doc").alias("d").col("body"), "")), "b")));
    assert_eq!(findings(query(), &[], &[]).len(), 1);
    assert_eq!(findings(query(), &[], &["pg_catalog.strpos(text, text)"]), []);
}
