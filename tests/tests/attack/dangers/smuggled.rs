//! What a description has no construct for, tried all the same: SQL in each of the strings of a description that uses many
//! constructs, and constructs of the plugin's own invention. Whatever is not refused has to be harmless.

use std::collections::BTreeMap;
use std::time::Instant;

use callslip_ir::{Description, QueryDeclaration, encoding};
use serde_json::{Value, json};

use super::host::{Attacker, read};
use super::{Danger, Harm};
use crate::describe::described;
use crate::ground::Ground;
use crate::guest::{Guest, number, query, telling};
use crate::suite::{Attack, Contained};

/// A description with a string at every place that has a name in SQL.
const CARRIER: &str = "WITH cte_c (n, t) AS (SELECT i.id AS n, i.secret AS t FROM app.item AS i)
    SELECT c.n AS number, lower(c.t) AS lowered, CAST(c.n AS text) AS cast_text, c.n + 1 AS plus,
           coalesce(c.t, 'none') AS text_or_none, s.n AS series
    FROM cte_c AS c, generate_series(1, 2) AS s (n), (SELECT j.id AS id FROM app.item AS j WHERE j.label LIKE 'Item 1%') AS sub (id)
    WHERE c.n = sub.id ORDER BY c.n LIMIT 3";

/// What is smuggled: the text, what the twin sends, and what shows the harm.
const ROWS: &[(&str, Danger)] = &[
    (
        "FOR UPDATE",
        row("FOR UPDATE", "SELECT i.id FROM app.item AS i FOR UPDATE", Harm::BlockedLocks(ROW_LOCKS)),
    ),
    (
        "FOR KEY SHARE",
        row("FOR KEY SHARE", "SELECT i.id FROM app.item AS i FOR KEY SHARE", Harm::BlockedLocks(ROW_LOCKS)),
    ),
    (
        "; DELETE FROM app.written",
        row(
            "a data-modifying CTE",
            "WITH d AS (DELETE FROM app.written RETURNING n) SELECT count(*) FROM d",
            Harm::Blocked("SELECT count(*) FROM app.written"),
        )
        .after("INSERT INTO app.written VALUES (7)"),
    ),
    (
        "INTO app.stolen",
        row(
            "SELECT INTO",
            "SELECT i.secret INTO app.stolen FROM app.item AS i",
            Harm::Blocked("SELECT to_regclass('app.stolen')"),
        ),
    ),
    (
        "; CREATE TEMPORARY TABLE attacked (n int)",
        row(
            "CREATE TEMP",
            "CREATE TEMPORARY TABLE attacked (n int)",
            Harm::Blocked("SELECT count(*) FROM pg_class WHERE relname = 'attacked'"),
        ),
    ),
    (
        "; COMMIT; INSERT INTO app.written VALUES (1)",
        Danger::new(
            "SQL in a name",
            "a second statement",
            "SELECT 1; COMMIT; INSERT INTO app.written VALUES (1)",
            Harm::Changes("SELECT count(*) FROM app.written"),
        ),
    ),
    (
        "; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; INSERT INTO app.written VALUES (1)",
        Danger::new(
            "SQL in a name",
            "a way out of READ ONLY",
            "SELECT 1; COMMIT; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; INSERT INTO app.written VALUES (1)",
            Harm::Changes("SELECT count(*) FROM app.written"),
        ),
    ),
];

const ROW_LOCKS: &str =
    "SELECT count(*) FROM pg_locks WHERE relation = 'app.item'::regclass AND mode = 'RowShareLock'";

const fn row(name: &'static str, sql: &'static str, harm: Harm) -> Danger {
    Danger::new("what READ ONLY blocks", name, sql, harm)
}

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let row = |(payload, danger): &'static (&str, Danger)| {
        let sql = danger.sql.to_owned();
        let twin = danger.twin(ground, danger.before.to_owned(), sql);
        Attack::new(danger.line, danger.name, smuggled(ground, payload, danger), twin)
    };
    ROWS.iter().map(row).collect()
}

async fn smuggled(ground: &'static Ground, payload: &str, danger: &Danger) -> Contained {
    let look = danger.harm.look().expect("it is seen");
    let (guest, count) = carrying(payload);
    let before = ground.look(look).await;
    let began = Instant::now();
    let attacker = Attacker::with(ground, &guest, "relations = [\"app.item\"]").await;
    let mut met = BTreeMap::<String, usize>::new();
    for index in 0..count {
        let by = match read(attacker.host.call("attacker", &format!("q{}", number(index)))).await {
            Ok(_) => "quoted".to_owned(),
            // It was refused when it was loaded.
            Err(refusal) => {
                assert_eq!(refusal.code, "CS1205", "{}", refusal.log);
                "refused".to_owned()
            }
        };
        *met.entry(by).or_default() += 1;
    }
    let took = began.elapsed();
    let codes = codes(&attacker);
    assert!(met.len() == 2, "nothing came through, or everything: {met:?}");
    assert_eq!(ground.look(look).await, before, "it is harmed");
    assert_eq!(ground.look("SELECT count(*) FROM app.item").await, "200");
    attacker.neighbour_answers().await;
    Contained { by: format!("{codes}; {}× as a name", met["quoted"]), took }
}

/// The codes of all refusals.
fn codes(attacker: &Attacker) -> String {
    let generation = attacker.host.generation();
    let refusal = generation.plugin("attacker").unwrap().expect_err("nothing is refused");
    let mut codes: Vec<&str> = refusal.findings.iter().map(|found| found.finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in &codes {
        // A name that is not there or not granted, a rule of the format, or one that PostgreSQL has no value of.
        assert!(["CS02", "CS03", "CS04"].contains(&&code[..4]), "{refusal}");
    }
    codes.join(" ")
}

/// A plugin that carries it in each string, plain and behind either kind of quote.
fn carrying(payload: &str) -> (Guest, usize) {
    let carrier = described(CARRIER);
    let document = serde_json::to_value(&carrier.description).unwrap();
    let mut shapes = Vec::new();
    for place in 0..strings(&document) {
        for text in [format!(" {payload}"), format!("\" {payload} --"), format!("' {payload} --")] {
            let mut changed = document.clone();
            let mut left = place;
            append(&mut changed, &mut left, &text);
            shapes.push(changed);
        }
    }
    // Constructs that there are not, in place of the whole statement's.
    for invented in
        [json!({"Lock": {"strength": payload}}), json!({"Insert": {"sql": payload}}), json!({"Raw": payload})]
    {
        let mut changed = document.clone();
        let last = changed["nodes"].as_array_mut().and_then(|nodes| nodes.last_mut()).unwrap();
        last["kind"] = invented;
        shapes.push(changed);
    }
    let mut locking = document;
    locking["nodes"].as_array_mut().and_then(|nodes| nodes.last_mut()).unwrap()["kind"]["Query"]["locking"] =
        json!(payload);
    shapes.push(locking);

    let bindings = encoding::encode(&carrier.bindings);
    let said: Vec<_> = shapes.iter().map(|shape| (in_json(shape), bindings.clone())).collect();
    let queries: Vec<QueryDeclaration> =
        (0..said.len()).map(|index| query(&format!("q{}", number(index)), Vec::new())).collect();
    (telling(queries, &said), said.len())
}

fn in_json(shape: &Value) -> Vec<u8> {
    use encoding::Message;
    [&[b'j', Description::VERSION], shape.to_string().as_bytes()].concat()
}

/// How many strings are in it, keys aside.
fn strings(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(items) => items.iter().map(strings).sum(),
        Value::Object(members) => members.values().map(strings).sum(),
        _ => 0,
    }
}

/// Appends to the string behind so many others.
fn append(value: &mut Value, left: &mut usize, text: &str) {
    match value {
        Value::String(its) => {
            if *left == 0 {
                its.push_str(text);
            }
            *left = left.wrapping_sub(1);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| append(item, left, text)),
        Value::Object(members) => members.values_mut().for_each(|member| append(member, left, text)),
        _ => {}
    }
}
