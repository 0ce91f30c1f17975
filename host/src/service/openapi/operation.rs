use callslip_ir::{Example, Presence};
use serde_json::{Map, Value, json};

use super::reply_schema::ReplySchema;
use super::{component, formats, parameter_schema, responses};
use crate::LoadedQuery;
use crate::catalog::Catalog;

/// A query: how it is asked by GET and by POST, and what they refer to.
pub(super) struct Operation {
    pub path: String,
    pub item: Value,
    pub schemas: Map<String, Value>,
    /// The name of its reply, and what that is.
    pub response: (String, Value),
}

impl Operation {
    /// The query of a plugin; `has_etag` says whether who has its reply may ask whether it is still the same.
    pub fn of(plugin: &str, query: &LoadedQuery, has_etag: bool, catalog: &Catalog) -> Self {
        // No name has a point, so that no two queries come to the same.
        let name = format!("{plugin}.{}", query.name());
        let ReplySchema { whole, rows: mut schemas } = ReplySchema::of(query, &name, catalog);
        let body = format!("{name}.parameters");
        schemas.insert(body.clone(), parameters(query));
        let response = formats::response(query, whole, has_etag);
        let mut answers = responses::of_calls();
        answers.insert("200".to_owned(), component("responses", &name));
        let asked = query.parameters().iter().map(|parameter| {
            let mut object = parameter_schema::in_query_string(parameter);
            let shown =
                query.declaration().examples.iter().find_map(|example| given(example, &parameter.name));
            if let Some(value) = shown.and_then(|json| parameter_schema::value(parameter, json)) {
                object["example"] = value;
            }
            object
        });
        let of_service = formats::parameters(query);
        let mut get = json!({
            "operationId": name,
            "parameters": asked.chain(of_service.clone()).collect::<Vec<_>>(),
            "responses": answers,
        });
        let mut content = json!({ "schema": component("schemas", &body) });
        let examples = examples(query);
        if !examples.is_empty() {
            content["examples"] = examples.into();
        }
        let required = query.parameters().iter().any(|its| its.presence == Presence::Required);
        let mut post = json!({
            "operationId": format!("{name}.post"),
            "parameters": of_service,
            "requestBody": { "required": required, "content": { "application/json": content } },
            "responses": get["responses"],
        });
        if has_etag {
            get["responses"]["304"] = component("responses", responses::NOT_MODIFIED);
        }
        for operation in [&mut get, &mut post] {
            operation["tags"] = json!([plugin]);
            if !query.doc().is_empty() {
                operation["summary"] = summary(query.doc()).into();
                operation["description"] = query.doc().into();
            }
        }
        let item = json!({ "get": get, "post": post });
        Self { path: format!("/q/{plugin}/{}", query.name()), item, schemas, response: (name, response) }
    }
}

/// The body of a POST.
fn parameters(query: &LoadedQuery) -> Value {
    let schema =
        |its: &callslip_ir::Parameter| (its.name.clone(), parameter_schema::in_body(its, query.form(its)));
    let properties: Map<String, Value> = query.parameters().iter().map(schema).collect();
    let required: Vec<&str> = query
        .parameters()
        .iter()
        .filter(|its| its.presence == Presence::Required)
        .map(|its| its.name.as_str())
        .collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// What an example gives for a parameter, as JSON text.
fn given<'a>(example: &'a Example, parameter: &str) -> Option<&'a str> {
    example.parameters.iter().find(|(name, _)| name == parameter).map(|(_, json)| json.as_str())
}

/// The author's examples as bodies, each once.
fn examples(query: &LoadedQuery) -> Map<String, Value> {
    let mut bodies: Vec<Map<String, Value>> = Vec::new();
    for example in &query.declaration().examples {
        let value = |its: &callslip_ir::Parameter| {
            Some((its.name.clone(), parameter_schema::value(its, given(example, &its.name)?)?))
        };
        let body = query.parameters().iter().filter_map(value).collect();
        // Two may differ in their claims alone.
        if !bodies.contains(&body) {
            bodies.push(body);
        }
    }
    let numbered = bodies.into_iter().enumerate();
    numbered.map(|(index, body)| (format!("example_{}", index + 1), json!({ "value": body }))).collect()
}

/// How many characters of a summary there are at most.
const SUMMARY_CHARACTERS: usize = 120;

/// The first sentence of a text, without its full stop and without Markdown's emphasis, which nobody reads there.
fn summary(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let end = words.iter().position(|word| word.ends_with(['.', '!', '?', ':']));
    let sentence = words[..end.map_or(words.len(), |end| end + 1)].join(" ");
    let sentence = sentence.trim_end_matches(['.', ':']).replace(['*', '`'], "");
    match sentence.char_indices().nth(SUMMARY_CHARACTERS) {
        Some((at, _)) => format!("{}…", &sentence[..at]),
        None => sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(summary("Started\nand completed. Of each."), "Started and completed");
        assert_eq!(summary("One\n\nTwo."), "One");
        assert_eq!(summary("That **others** have: `a_b`."), "That others have");
        assert_eq!(summary("Is it 2.5 or more? Yes."), "Is it 2.5 or more?");
        assert_eq!(summary(""), "");
        assert_eq!(summary(&"é".repeat(200)).chars().count(), SUMMARY_CHARACTERS + 1);
    }
}
