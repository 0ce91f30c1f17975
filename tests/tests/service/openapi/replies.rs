//! What is replied, held to the schemas of the document.

use std::process::Command;

use callslip::plugin::Inputs;
use callslip::service::openapi_document;
use callslip::{CallError, Host};
use callslip_tests::{database, language_and_slow, tpch};
use serde_json::{Map, Value, json};

use super::{plugin, tools};

/// Replies, and what a document says of them. They are looked at all at once.
struct Held {
    document: Value,
    cases: Vec<Value>,
}

impl Held {
    fn to(host: &Host) -> Self {
        Self { document: document(host), cases: Vec::new() }
    }

    /// A reply of a query, and whether it is one that the document describes.
    fn add(&mut self, query: &str, of: &str, reply: Value, valid: bool) {
        self.cases.push(json!({ "query": query, "of": of, "reply": reply, "valid": valid }));
    }

    /// Has a validator look at them, where there is one.
    fn assert(&self) {
        let Some(python) = tools::python() else { return };
        let file = tempfile::NamedTempFile::new().unwrap();
        serde_json::to_writer(&file, &json!({ "document": self.document, "cases": self.cases })).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/openapi/validate.py");
        let output = Command::new(python).arg(script).arg(file.path()).output().unwrap();
        assert!(output.status.success(), "{}", tools::text(&output));
        let looked_at = format!("{}\n", self.cases.len());
        assert_eq!(String::from_utf8_lossy(&output.stdout), looked_at);
    }
}

fn document(host: &Host) -> Value {
    openapi_document([&*host.generation()], |_, _| true)
}

async fn reply(
    host: &Host,
    plugin: &str,
    query: &str,
    parameters: Inputs,
    claims: Inputs,
) -> Result<Value, CallError> {
    let mut reply = host.call(plugin, query).params(parameters).claims(claims).run().await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&bytes).unwrap())
}

fn inputs(given: &[(String, String)]) -> Inputs {
    let read = |(name, json): &(String, String)| (name.clone(), serde_json::from_str(json).unwrap());
    Inputs::from_object(&given.iter().map(read).collect::<Map<_, _>>())
}

/// Runs every example of a plugin's queries, and says of how many.
async fn hold(host: &Host, plugin: &str) -> usize {
    let mut held = Held::to(host);
    let plugins = host.plugins();
    let hosted = plugins.iter().find(|its| its.name() == plugin).unwrap();
    let mut examples = 0;
    for query in hosted.queries() {
        let name = format!("{plugin}.{}", query.name());
        for example in &query.declaration().examples {
            let of = format!("{name} {example:?}");
            let (parameters, claims) = (inputs(&example.parameters), inputs(&example.claims));
            let reply = reply(host, plugin, query.name(), parameters, claims).await;
            let reply = reply.unwrap_or_else(|error| panic!("{of}: {}", error.log_message()));
            examples += 1;
            // There is no such row, which over HTTP is 404.
            if reply.is_null() {
                continue;
            }
            held.add(&name, &of, reply.clone(), true);
            held.add(&name, &format!("{of} with another member"), with_another_member(reply), false);
        }
    }
    held.assert();
    examples
}

/// The same where the first row, or the whole, has a member more.
fn with_another_member(mut reply: Value) -> Value {
    let object = match &mut reply {
        Value::Array(rows) if rows.is_empty() => return Value::Null,
        Value::Array(rows) => &mut rows[0],
        whole => whole,
    };
    object["another"] = json!(1);
    reply
}

#[tokio::test]
async fn every_example_replies_what_the_document_says() {
    let host = database().host(&plugin("hiring")).await;
    assert!(hold(&host, "hiring").await > 10);
    assert!(hold(&tpch().await.host().await, "tpch").await >= 22);
}

#[tokio::test]
async fn the_ends_of_every_type_are_what_the_document_says() {
    let host = database().host(&language_and_slow("")).await;
    let mut held = Held::to(&host);
    let ends = [
        ("bool", json!([false])),
        ("int2", json!([i16::MIN, i16::MAX])),
        ("int4", json!([i32::MIN, i32::MAX])),
        ("int8", json!([i64::MIN, i64::MAX])),
        ("float4", json!(["NaN", "Infinity", "-Infinity", 3.4e38, 1e-37])),
        ("float8", json!(["NaN", "-Infinity", 1.7e308])),
        ("numeric", json!(["NaN", "1e300", "-0.00000000001"])),
        ("text", json!(["", "🙂\n\"\\"])),
        ("date", json!(["infinity", "-infinity", "0001-01-01", "5874897-12-31", "10000-01-01"])),
        ("time", json!(["00:00", "24:00:00", "23:59:59.999999"])),
        (
            "timestamp",
            json!(["infinity", "-infinity", "0001-01-01T00:00:00", "294276-12-31T23:59:59.999999"]),
        ),
        (
            "timestamptz",
            json!(["infinity", "-infinity", "0001-01-01T00:00:00+15:59", "294276-12-31T23:59:59.5Z"]),
        ),
        (
            "interval",
            json!(["0", "-1 year -2 mons 3 days -00:00:00.5", "P1Y2M3DT4H5M6.789S", "178000000 years"]),
        ),
        ("uuid", json!(["00000000-0000-0000-0000-000000000000", "ffffffffffffffffffffffffffffffff"])),
        ("json", json!([null, 1, "x", [], {"a": {}}])),
        ("bytes", json!(["", "AA==", "\\xff"])),
        ("texts", json!([[], ["", "NULL"]])),
        ("nullable", json!([null])),
    ];
    let parameters = json!({
        "bool": true, "int2": 1, "int4": 1, "int8": 1, "float4": 1, "float8": 1, "numeric": 1, "text": "x",
        "date": "2024-02-29", "time": "12:00", "timestamp": "2024-02-29T12:00:00", "timestamptz": "2024-02-29T12:00:00Z",
        "interval": "1 day", "uuid": "00000000-0000-4000-8000-000000000000", "json": {}, "bytes": "", "texts": ["a"],
        "ints": [1], "nullable": null,
    });
    for (name, values) in ends {
        for value in values.as_array().unwrap() {
            let mut parameters = parameters.as_object().unwrap().clone();
            parameters.insert(name.to_owned(), value.clone());
            let parameters = Inputs::from_object(&parameters);
            let reply = reply(&host, "language", "parameters", parameters, Inputs::default()).await;
            let reply = reply.unwrap_or_else(|error| panic!("{name} {value}: {}", error.log_message()));
            held.add("language.parameters", &format!("{name} {value}"), reply, true);
        }
    }
    for (name, wrong) in [
        ("int4", json!("1")),
        ("date", json!("2024-2-29")),
        ("interval", json!("P1X")),
        ("float8", json!("nan")),
    ] {
        let good = reply(
            &host,
            "language",
            "parameters",
            Inputs::from_object(parameters.as_object().unwrap()),
            Inputs::default(),
        );
        let mut row = good.await.unwrap();
        row[0][name] = wrong;
        held.add("language.parameters", &format!("wrong {name}"), row, false);
    }
    held.assert();
}

/// What the example plugins declare of replies, at the places where it is easy to be wrong.
#[tokio::test]
async fn the_document_tells_enums_and_rows_and_statements_apart() {
    let host = database().host(&plugin("hiring")).await;
    let document = document(&host);
    let schemas = &document["components"]["schemas"];
    let status = &schemas["hiring.detail.row"]["properties"]["status"];
    assert!(status.to_string().contains("\"withdrawn\""), "{status}");
    let of = |query: &str| {
        &document["components"]["responses"][format!("hiring.{query}")]["content"]["application/json"]["schema"]
    };
    assert_eq!(of("funnel")["type"], "array");
    assert_eq!(of("detail")["$ref"], "#/components/schemas/hiring.detail.row");
    assert_eq!(of("overview")["anyOf"][0]["required"], json!(["positions", "totals"]));
    let overview = &document["paths"]["/q/hiring/overview"]["get"]["parameters"];
    let parameter = |name: &str| {
        let named = overview.as_array().unwrap().iter().find(|its| its["name"] == name);
        named.unwrap_or_else(|| panic!("no {name} in {overview}"))["schema"]["enum"].clone()
    };
    assert_eq!(parameter("statement"), json!(["positions", "totals"]));
    assert_eq!(parameter("format"), json!(["json", "ndjson"]));
    let content = &document["components"]["responses"]["hiring.overview"]["content"];
    assert!(content.get("text/csv").is_some(), "{content}");
    // One statement by itself.
    let mut held = Held::to(&host);
    for statement in ["positions", "totals"] {
        let call = host.call("hiring", "overview").param("company", 1).statement(statement);
        let mut reply = call.run().await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = reply.next_chunk().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        let reply: Value = serde_json::from_slice(&bytes).unwrap();
        held.add("hiring.overview", statement, reply.clone(), true);
        held.add(
            "hiring.overview",
            &format!("{statement} with another member"),
            with_another_member(reply),
            false,
        );
    }
    held.assert();
    let again = openapi_document([&*host.generation()], |_, _| true);
    assert_eq!(again.to_string(), document.to_string());
    let none = openapi_document([&*host.generation()], |_, query| query == "funnel");
    assert_eq!(none["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/q/hiring/funnel"]);
}
