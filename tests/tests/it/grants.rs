//! A plugin that reaches for what it was not granted. Each attempt is refused when the plugin is loaded, by the name of the
//! grant that is missing, and the login of the host could do all of it.

use std::path::Path;

use callslip::{Code, Host, PluginFinding, Refusal};
use callslip_tests::{Database, component, connect_to, database};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::command::callslip;
use crate::support::call;

/// The tables, views and functions that there are to reach for.
const SCHEMA: &str = "
    CREATE SCHEMA grasp;
    CREATE TABLE grasp.person (id int PRIMARY KEY, name text, boss_id int REFERENCES grasp.person, salary int, born date);
    INSERT INTO grasp.person VALUES (1, 'Ada', NULL, 170717, '1815-12-10'), (2, 'Bob', 1, 280828, '1950-01-02');
    CREATE TABLE grasp.uncounted (secret text);
    INSERT INTO grasp.uncounted VALUES ('a'), ('b'), ('c');
    CREATE TABLE grasp.secret (word text);
    INSERT INTO grasp.secret VALUES ('swordfish');
    CREATE TABLE grasp.keyed (hidden_key int PRIMARY KEY, kind text, title text);
    CREATE TYPE grasp.mood AS ENUM ('calm', 'cross');
    CREATE TABLE grasp.moods (mood grasp.mood);
    INSERT INTO grasp.moods VALUES ('calm');
    CREATE FUNCTION grasp.mood_text(grasp.mood) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'a mood';
    CREATE FUNCTION grasp.mood_number(grasp.mood) RETURNS int LANGUAGE sql IMMUTABLE RETURN 7;
    CREATE CAST (grasp.mood AS text) WITH FUNCTION grasp.mood_text(grasp.mood);
    CREATE CAST (grasp.mood AS int) WITH FUNCTION grasp.mood_number(grasp.mood);
    CREATE FUNCTION grasp.f(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1;
    CREATE FUNCTION grasp.f(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
    CREATE FUNCTION grasp.owned() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER RETURN 1;
    CREATE FUNCTION grasp.moved() RETURNS int LANGUAGE sql VOLATILE RETURN 1;
    CREATE FUNCTION grasp.f_both(int, int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1;
    CREATE FUNCTION grasp.f_both(text, text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
    CREATE OPERATOR grasp.%% (FUNCTION = grasp.f_both, LEFTARG = int, RIGHTARG = int);
    CREATE OPERATOR grasp.%% (FUNCTION = grasp.f_both, LEFTARG = text, RIGHTARG = text);
    CREATE VIEW grasp.slow_view AS SELECT pg_sleep(0) IS NULL AS x;
    CREATE VIEW grasp.file_view AS SELECT pg_read_file('PG_VERSION') AS x;
    CREATE VIEW grasp.file_view_within AS SELECT x FROM grasp.file_view;
    CREATE VIEW grasp.role_view AS SELECT coalesce(rolpassword, rolname::text) AS x FROM pg_authid;
    CREATE MATERIALIZED VIEW grasp.role_copy AS SELECT x FROM grasp.role_view;
    CREATE VIEW grasp.role_copy_view AS SELECT x FROM grasp.role_copy;
    CREATE MATERIALIZED VIEW grasp.slow_copy AS SELECT 1 AS x, pg_sleep(0) IS NULL AS y;
    CREATE FOREIGN DATA WRAPPER nowhere;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
    CREATE FOREIGN TABLE grasp.elsewhere (x int) SERVER elsewhere;
    CREATE VIEW grasp.foreign_view AS SELECT x FROM grasp.elsewhere;
    CREATE VIEW grasp.everyday_view AS
      SELECT lower(p.name) || '!' AS name, count(q.id) FILTER (WHERE q.salary::text <> '') AS colleagues,
             max(p.born) > date '1900-01-01' AND now() > '2000-01-01' AND p.name ~ 'b$' AS young
      FROM grasp.person p LEFT JOIN grasp.person q ON q.id <> p.id GROUP BY p.name ORDER BY max(p.born);
    GRANT USAGE ON SCHEMA grasp TO callslip_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA grasp TO callslip_reader;";

/// What the plugin may touch.
const GRANTS: &str = r#"
    relations = ["grasp.person(id, name)", "grasp.person(boss_id)", "grasp.uncounted()", "grasp.keyed(kind, title)",
                 "grasp.moods", "grasp.*_view", "grasp.*_within", "grasp.*_copy"]
    functions = ["grasp.f(int4)", "grasp.owned", "grasp.moved"]
    operators = ["grasp.%%(int4, int4)"]
    casts = ["grasp.mood AS text"]
"#;

/// The database, with the schema `grasp`.
async fn prepared() -> &'static Database {
    static PREPARED: OnceCell<()> = OnceCell::const_new();
    PREPARED.get_or_init(async || database().execute(SCHEMA).await).await;
    database()
}

async fn host(grants: &str) -> Host {
    let component = component("tests/guests/grasping");
    let plugin =
        format!("[plugins.grasping]\ncomponent = {component:?}\n[plugins.grasping.grants]\n{grants}");
    prepared().await.host(&plugin).await
}

fn refusal(host: &Host) -> Refusal {
    let generation = host.generation();
    let plugin = generation.plugin("grasping").expect("it is configured");
    plugin.expect_err("a plugin that reaches for everything is served whole").clone()
}

/// The findings of a query, one a line, without their places.
fn of(refusal: &Refusal, query: &str) -> String {
    let found = refusal.findings.iter().filter(|its| its.query.as_deref() == Some(query));
    let told = found.map(|PluginFinding { finding, .. }| {
        callslip::select::Finding { place: None, ..finding.clone() }.to_string()
    });
    told.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_column_that_was_not_granted_is_out_of_reach() {
    let host = host(GRANTS).await;
    let refusal = refusal(&host);
    let column = "CS0401: the column grasp.person.salary was not granted to the plugin grasping; add \"grasp.person(salary)\" \
                  to relations in [plugins.grasping.grants]";
    for query in [
        "named",
        "filtered",
        "sorted",
        "ranked",
        "grouped",
        "using_it",
        "behind_a_join",
        "in_a_cte",
        "correlated",
        "in_an_error",
    ] {
        let found = of(&refusal, query);
        assert!(
            found.lines().next().is_some() && found.lines().all(|line| line == column),
            "{query}: {found}"
        );
    }
    let whole = "add \"grasp.person\" to relations in [plugins.grasping.grants]";
    for query in ["as_json", "null_row", "same_rows", "field", "grouped_rows"] {
        let found = of(&refusal, query);
        let row =
            "CS0401: a whole row of grasp.person has columns that were not granted to the plugin grasping";
        let says = format!("{row}; {whole}, or name the columns that you want");
        assert!(!found.is_empty() && found.lines().all(|line| line == says), "{query}: {found}");
    }
    for (query, says) in [
        ("natural", "CS0401: NATURAL JOIN compares columns of grasp.person too that were not granted"),
        ("by_position", "CS0401: column aliases count columns of grasp.person too that were not granted"),
        (
            "position_in_a_join",
            "CS0401: column aliases count columns of grasp.person too that were not granted",
        ),
        ("row_of_a_join", "CS0401: a whole row of grasp.person has columns that were not granted"),
        ("row_of_a_join", "CS0401: a whole row of grasp.uncounted has columns that were not granted"),
        ("using_alias", column),
        ("whole_table", "CS0401: the relation grasp.secret was not granted to the plugin grasping"),
    ] {
        let found = of(&refusal, query);
        assert!(found.lines().any(|line| line.starts_with(says)), "{query}: {found}");
    }
    // The names of what was not granted are nobody's business.
    for (query, names) in [("misspelt", "salary,born"), ("ungrouped", "hidden_key")] {
        let found = of(&refusal, query);
        assert!(!found.is_empty(), "{query}");
        let told = found.replace("salarys", "");
        assert!(!names.split(',').any(|name| told.contains(name)), "{query}: {found}");
    }
    for query in ["fine", "counted", "renamed", "slow_copy", "everyday_view"] {
        assert_eq!(of(&refusal, query), "", "{query}");
    }
}

#[tokio::test]
async fn what_was_granted_is_read_beside_it() {
    let host = host(GRANTS).await;
    let rows = async |query: &str| {
        let rows = call(&host, "grasping", query, json!({})).await;
        rows.unwrap_or_else(|error| panic!("{query}: {}", error.log_message()))
    };
    let fine = json!([{"id": 1, "name": "Ada", "boss": null}, {"id": 2, "name": "Bob", "boss": "Ada"}]);
    assert_eq!(rows("fine").await, fine);
    assert_eq!(rows("counted").await, json!([{"people": 3}]));
    assert_eq!(rows("renamed").await, json!([{"name": "Ada"}, {"name": "Bob"}]));
    assert_eq!(rows("slow_copy").await, json!([{"x": 1}]));
    let everyday = json!([{"name": "ada!", "colleagues": 1}, {"name": "bob!", "colleagues": 1}]);
    assert_eq!(rows("everyday_view").await, everyday);
    let error = call(&host, "grasping", "as_json", json!({})).await.expect_err("it is not served");
    assert_eq!(error.code(), Code::PluginDegraded);

    let generation = host.generation();
    let refused = generation.plugin("grasping").expect("it is configured").expect_err("it is degraded");
    assert!(!refused.to_string().contains("170717"), "{refused}");
}

#[tokio::test]
async fn the_login_could_do_all_of_it() {
    let login = connect_to(&prepared().await.url()).await;
    for sql in [
        "SELECT to_jsonb(p.*)::text FROM grasp.person p WHERE p.salary = 170717",
        "SELECT ((p.*)::grasp.person).salary::text FROM grasp.person p",
        "SELECT q.salary::text FROM grasp.person p NATURAL JOIN grasp.person q WHERE q.boss_id IS NOT NULL",
        "SELECT p.d::text FROM grasp.person AS p (a, b, c, d)",
        "SELECT x::text FROM grasp.slow_view",
        "SELECT x::text FROM grasp.role_view",
        "SELECT x::text FROM grasp.role_copy_view",
        "SELECT mood::int::text FROM grasp.moods",
        "SELECT word FROM grasp.secret",
    ] {
        let rows = login.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(!rows.is_empty(), "{sql}");
    }
    let told = login.query("SELECT salary::text::uuid FROM grasp.person", &[]).await.unwrap_err();
    assert!(told.as_db_error().unwrap().message().contains("170717"), "{told:?}");
}

#[tokio::test]
async fn functions_operators_and_casts_are_granted_by_signature() {
    let refusal = refusal(&host(GRANTS).await);
    assert_eq!(
        of(&refusal, "other_signature"),
        "CS0402: the function grasp.f was not granted to the plugin grasping; add \"grasp.f(text)\" to functions in \
         [plugins.grasping.grants]"
    );
    assert_eq!(
        of(&refusal, "other_operator"),
        "CS0404: the operator grasp.%% was not granted to the plugin grasping; add \"grasp.%%(text, text)\" to operators in \
         [plugins.grasping.grants]"
    );
    assert_eq!(
        of(&refusal, "other_cast"),
        "CS0405: a cast here calls the function grasp.mood_number, which was not granted to the plugin grasping; add \
         \"grasp.mood AS int4\" to casts in [plugins.grasping.grants], or cast to another type"
    );
    // What may do more than compute is pointed out.
    let warnings: Vec<String> = refusal.warnings.iter().map(|its| its.finding.to_string()).collect();
    for says in [
        "CS0409: the function grasp.owned(), which was granted, runs with its owner's rights (SECURITY DEFINER)",
        "CS0409: the function grasp.moved(), which was granted, is volatile",
    ] {
        assert!(warnings.iter().any(|its| its.starts_with(says)), "{warnings:?}");
    }
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[tokio::test]
async fn a_view_is_not_a_way_round_the_grants() {
    let refusal = refusal(&host(GRANTS).await);
    let runs = "was not granted to the plugin grasping: a view runs its functions with the rights of who reads it; add";
    for (query, says) in [
        (
            "slow_view",
            format!(
                "CS0406: the view grasp.slow_view calls pg_catalog.pg_sleep(float8), which {runs} \
                 \"pg_catalog.pg_sleep(float8)\" to functions in [plugins.grasping.grants]"
            ),
        ),
        (
            "file_view",
            "CS0406: the view grasp.file_view calls pg_read_file(text), which the host's login may not call".into(),
        ),
        (
            "file_view_within",
            "CS0406: the view grasp.file_view_within calls pg_read_file(text), which the host's login may not call"
                .into(),
        ),
        (
            "role_view",
            "CS0406: the view grasp.role_view shows pg_catalog.pg_authid; PostgreSQL's own catalogs can't be granted, nor \
             what shows them"
                .into(),
        ),
        (
            "role_copy",
            "CS0406: the materialized view grasp.role_copy shows pg_catalog.pg_authid; PostgreSQL's own catalogs can't be \
             granted, nor what shows them"
                .into(),
        ),
        (
            "role_copy_view",
            "CS0406: the view grasp.role_copy_view shows pg_catalog.pg_authid; PostgreSQL's own catalogs can't be granted, \
             nor what shows them"
                .into(),
        ),
        (
            "foreign_view",
            "CS0406: the view grasp.foreign_view reads the foreign table grasp.elsewhere, which was not granted to the plugin \
             grasping by its own name; add \"grasp.elsewhere\" to relations in [plugins.grasping.grants]"
                .into(),
        ),
    ] {
        assert_eq!(of(&refusal, query), says);
    }
}

#[tokio::test]
async fn a_query_is_granted_what_its_plugin_is_not() {
    let of_query = "[plugins.grasping.queries.privileged.grants]\nrelations = [\"grasp.secret(word)\"]\n";
    let privileged = host(&format!("{GRANTS}{of_query}")).await;
    let rows = call(&privileged, "grasping", "privileged", json!({})).await.unwrap();
    assert_eq!(rows, json!([{"word": "swordfish"}]));
    let refused = refusal(&privileged);
    assert!(of(&refused, "whole_table").starts_with("CS0401: the relation grasp.secret was not granted"));
    assert_eq!(of(&refused, "privileged"), "");
    // Without it neither may.
    let refused = refusal(&host(GRANTS).await);
    assert!(of(&refused, "privileged").starts_with("CS0401: the relation grasp.secret was not granted"));

    let wrong = "[plugins.grasping.queries.priviledged.grants]\nrelations = [\"grasp.secret\"]\n\
                 [plugins.grasping.queries.fine.grants]\nrelations = [\"grasp.person(wage)\"]\n";
    let refused = refusal(&host(&format!("{GRANTS}{wrong}")).await);
    let of_plugin: Vec<String> = refused
        .findings
        .iter()
        .filter(|its| its.query.is_none())
        .map(|its| its.finding.to_string())
        .collect();
    assert_eq!(of_plugin.len(), 2, "{of_plugin:?}");
    assert!(
        of_plugin[0].starts_with("CS2001: queries.fine.grants.relations names \"grasp.person(wage)\""),
        "{of_plugin:?}"
    );
    assert_eq!(
        of_plugin[1],
        "CS2001: [plugins.grasping.queries.priviledged] is of no query that the plugin has; did you mean \"privileged\"?"
    );
}

/// Runs the command on the plugin `hiring`, with these grants in its configuration, against the snapshot of its tables.
fn run_with(folder: &Path, grants: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let component = component("example-plugins/hiring");
    let text = format!("[plugins.hiring]\ncomponent = {component:?}\n{grants}");
    std::fs::write(folder.join("callslip.toml"), text).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/hiring/schema.json");
    std::fs::copy(schema, folder.join("schema.json")).unwrap();
    let arguments = arguments.iter().chain(&["--snapshot", "schema.json"]);
    let output = callslip().args(arguments).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_grants_that_are_suggested_are_the_smallest_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = |grants: &str, arguments: &[&str]| run_with(folder.path(), grants, arguments);
    assert_eq!(run("", &["check"]).0, Some(1));
    let (code, suggested) = run("", &["check", "--suggest"]);
    assert_eq!(code, Some(0), "{suggested}");
    assert!(suggested.starts_with("[plugins.hiring.grants]\nrelations = [\n"), "{suggested}");
    // It is taken as it is.
    let (code, told) = run(&suggested, &["check"]);
    assert_eq!(code, Some(0), "{suggested}{told}");

    let relations: Vec<&str> =
        suggested.lines().filter(|line| line.contains('(') && line.contains("public.")).collect();
    assert!(relations.len() > 3, "{suggested}");
    for written in [relations[0], relations[relations.len() / 2], relations[relations.len() - 1]] {
        let (name, columns) = written.split_once('(').expect("its columns");
        let first = columns.split([',', ')']).next().unwrap();
        let rest = columns[first.len()..].trim_start_matches(", ");
        let (code, told) = run(&suggested.replace(written, &format!("{name}({rest}")), &["check"]);
        assert!(code == Some(1) && told.contains("CS0401"), "{written} without {first}: {told}");
    }

    // What was granted is shown as it comes to.
    let (code, shown) = run(&suggested, &["inspect", "hiring", "--grants"]);
    assert_eq!(code, Some(0), "{shown}");
    for part in [
        "hiring can see, beside what is built in:\n",
        "  table public.position\n",
        "    id int8\n",
        "    and not ",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
    let (_, shown) = run(&suggested, &["inspect", "hiring", "--grants", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let first = &shown["grants"][0]["choices"][0]["relations"][0];
    assert!(first["name"].as_str().is_some_and(|name| name.starts_with("public.")), "{shown}");
}

#[tokio::test]
async fn what_no_grant_mends_is_told_beside_what_is_suggested() {
    let host = host("").await;
    let suggested = host.generation().suggest_grants("grasping").await.unwrap();
    let relations = suggested.relations.join("\n") + "\n";
    for says in ["grasp.person\n", "grasp.secret(word)\n", "grasp.keyed(kind, title)\n"] {
        assert!(relations.contains(says), "no {says} in {relations}");
    }
    assert!(suggested.functions.contains(&"grasp.f(int4)".to_owned()), "{suggested:?}");
    assert!(suggested.functions.contains(&"pg_catalog.pg_sleep(float8)".to_owned()), "{suggested:?}");
    assert!(suggested.operators.contains(&"grasp.%%(text, text)".to_owned()), "{suggested:?}");
    assert!(suggested.casts.contains(&"grasp.mood AS int4".to_owned()), "{suggested:?}");
    // With these only those are refused that no grant mends.
    let lists = suggested.to_toml();
    let mut refused: Vec<String> =
        refusal(&self::host(&lists).await).findings.into_iter().filter_map(|its| its.query).collect();
    refused.dedup();
    let never = [
        // Both sides have the column then.
        "behind_a_join",
        "misspelt",
        "ungrouped",
        "file_view",
        "file_view_within",
        "role_view",
        "role_copy",
        "role_copy_view",
    ];
    assert!(never.iter().all(|query| refused.contains(&(*query).to_owned())), "{refused:?}");
    assert!(refused.iter().all(|query| never.contains(&query.as_str())), "{refused:?}");
}
