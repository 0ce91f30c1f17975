//! Running queries, and comparing what comes back.

use callslip::{CallError, Host};
use callslip_tests::{component, database};
use serde_json::{Map, Value};

/// The tables of the hiring data, as grants list them.
pub const TABLES: &str = r#"["answer", "candidate", "candidate_tag", "company", "interview", "position", "question", "reviewer", "tag", "rating"]"#;

/// A configuration with one plugin that may read every table of the hiring data.
pub fn config(name: &str, source: &str) -> String {
    let component = component(source);
    format!(
        r#"
        [plugins.{name}]
        component = {component:?}
        [plugins.{name}.grants]
        relations = {TABLES}
        "#
    )
}

/// A host with the plugin of the language tests.
pub async fn language() -> Host {
    database().host(&config("language", "tests/guests/language")).await
}

/// Calls a query and reads its whole reply.
pub async fn call(host: &Host, plugin: &str, query: &str, parameters: Value) -> Result<Value, CallError> {
    let mut call = host.call(plugin, query);
    for (name, value) in object(parameters) {
        call = call.param(name, value);
    }
    read(call).await
}

/// Reads the whole reply of a call.
pub async fn read(call: callslip::Call<'_>) -> Result<Value, CallError> {
    let text = text(call).await?;
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// The same as it was sent.
pub async fn text(call: callslip::Call<'_>) -> Result<String, CallError> {
    let mut reply = call.run().await?;
    let mut text = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        text.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

/// Compares the rows of a call with those of hand-written SQL; there must be some.
#[track_caller]
pub fn assert_same_rows(what: &str, found: &Value, expected: &[Value]) {
    let found = found.as_array().unwrap_or_else(|| panic!("{what}: not an array: {found}"));
    assert!(!expected.is_empty(), "{what}: the hand-written SQL has no rows, so that it shows nothing");
    assert_eq!(found.len(), expected.len(), "{what}: number of rows");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(same_form(found), same_form(expected), "{what}: row {index}");
    }
}

/// Numbers by value and times by instant: PostgreSQL's own JSON writes `4.0` and `+00:00` where ours writes `4` and `Z`.
fn same_form(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::String(text) => match text.strip_suffix("+00:00") {
            Some(time) => Value::from(format!("{time}Z")),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(same_form).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), same_form(value))).collect()
        }
        other => other.clone(),
    }
}
