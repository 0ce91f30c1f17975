//! What was once written must be read for good, byte by byte.
//!
//! `tests/golden` has what each version writes of everything in `everything`: postcard as hex, and JSON. With
//! `CALLSLIP_WRITE_GOLDEN=1` these tests write the files that are missing, and never one that is there; the schema,
//! which grows with each new variant, is written anew.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod everything;

use std::{collections::BTreeSet, env, fmt::Debug, fs, path::PathBuf};

use callslip_ir::{
    Description, Manifest, NodeKind,
    encoding::{DecodeError, Message, decode, encode, encode_json, schema},
};
use serde::Serialize;
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn writes() -> bool {
    env::var_os("CALLSLIP_WRITE_GOLDEN").is_some_and(|value| value == "1")
}

/// What a golden file holds; it is written first where it is missing and may be.
fn golden(name: &str, contents: impl FnOnce() -> String) -> String {
    let path = file("tests/golden").join(name);
    if writes() && !path.exists() {
        fs::write(&path, contents()).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    let lines =
        bytes.chunks(48).map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n");
    lines.collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Both formats read as `value`, and `value` is written as both.
fn both_ways<T: Message + Serialize + Debug + PartialEq>(name: &str, value: &T) {
    let name = format!("v{}-{name}", T::VERSION);
    let postcard = unhex(&golden(&format!("{name}.hex"), || hex(&encode(value))));
    assert_eq!(encode(value), postcard);
    let text = golden(&format!("{name}.json"), || serde_json::to_string_pretty(value).unwrap() + "\n");
    assert_eq!(serde_json::to_value(value).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    assert_eq!(&decode::<T>(&encode_json(value).unwrap()).unwrap(), value);
    reads(T::VERSION, &name, value);
}

/// Both formats of that version read as `value`.
fn reads<T: Message + Debug + PartialEq>(version: u8, name: &str, value: &T) {
    let unwritten = || panic!("{name} was written when its version was");
    let postcard = unhex(&golden(&format!("{name}.hex"), unwritten));
    assert_eq!(postcard[..2], [b'p', version]);
    assert_eq!(&decode::<T>(&postcard).unwrap(), value);
    let text = golden(&format!("{name}.json"), unwritten);
    assert_eq!(&decode::<T>(&[&[b'j', version], text.as_bytes()].concat()).unwrap(), value);
}

#[test]
fn the_golden_description_reads_as_it_did() {
    both_ways("description", &everything::description());
}

#[test]
fn the_golden_bindings_read_as_they_did() {
    both_ways("bindings", &everything::bindings());
}

#[test]
fn the_golden_manifest_reads_as_it_did() {
    both_ways("manifest", &everything::plan_manifest());
}

#[test]
fn the_golden_pages_read_as_they_did() {
    both_ways("manifest-page", &everything::page_manifest());
}

#[test]
fn the_golden_manifests_of_version_1_read_as_they_did() {
    reads(1, "v1-manifest", &everything::manifest());
    reads(1, "v1-manifest-sort", &everything::sort_manifest());
    reads(1, "v1-manifest-named-types", &everything::named_types_manifest());
}

#[test]
fn the_golden_json_table_reads_as_it_did() {
    both_ways("description-json-table", &everything::json_table_description());
}

#[test]
fn the_descriptions_keep_the_rules_of_the_format() {
    keeps_the_rules(&everything::description());
    keeps_the_rules(&everything::json_table_description());
}

fn keeps_the_rules(description: &Description) {
    let mut uses = vec![0; description.nodes.len()];
    for (at, node) in description.nodes.iter().enumerate() {
        let children = node.kind.children();
        for child in &children {
            assert!((child.0 as usize) < at);
            uses[child.0 as usize] += 1;
        }
        // What reads the children and what replaces them see the same.
        let mut seen = Vec::new();
        let same = node.kind.clone().map_children(|id| {
            seen.push(id);
            id
        });
        assert_eq!((&same, &seen), (&node.kind, &children));
        // And none is missed: every reference in the JSON is a child.
        assert_eq!(references(&serde_json::to_value(&node.kind).unwrap()), children.len(), "{:?}", node.kind);
    }
    assert_eq!(uses.pop(), Some(0));
    assert!(uses.iter().all(|uses| *uses == 1));
    assert!(matches!(description.nodes.last().unwrap().kind, NodeKind::Query(_)));
}

/// How many numbers there are but modifiers, precisions and slots: the references to nodes.
fn references(json: &Value) -> usize {
    match json {
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(references).sum(),
        Value::Object(fields) => {
            let other = ["modifiers", "precision", "Parameter"];
            fields
                .iter()
                .filter(|(key, _)| !other.contains(&key.as_str()))
                .map(|(_, value)| references(value))
                .sum()
        }
        _ => 0,
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let whole = encode(&everything::description());
    let read = |bytes: &[u8]| decode::<Description>(bytes);
    assert!(matches!(read(&[]), Err(DecodeError::TooShort(0))));
    assert!(matches!(read(&[b'x', 1, 0]), Err(DecodeError::UnknownFormat(b'x'))));
    for version in [0, 2, 9] {
        let error = read(&[b'p', version, 0]);
        assert!(matches!(error, Err(DecodeError::UnknownVersion { found, newest: 1 }) if found == version));
    }
    let newer = decode::<Manifest>(b"p\x03").unwrap_err();
    assert_eq!(newer.to_string(), "it is of version 3; this host reads up to version 2");
    // What one version has the other can't be read as.
    let mut manifest = encode(&everything::plan_manifest());
    manifest[1] = 1;
    assert!(matches!(decode::<Manifest>(&manifest), Err(DecodeError::Malformed(_))));
    assert!(matches!(read(&[&whole[..], &[0]].concat()), Err(DecodeError::TrailingBytes(1))));
    for length in 2..whole.len() {
        assert!(matches!(read(&whole[..length]), Err(DecodeError::Malformed(_))), "{length} bytes");
    }
    // A length that lies must not be believed: this list says that it has 2^32 items.
    assert!(matches!(read(&[b'p', 1, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(DecodeError::Malformed(_))));
}

#[test]
fn the_schema_is_current() {
    let path = file("description.schema.json");
    if writes() {
        fs::write(&path, schema()).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap();
    assert!(checked_in == schema(), "write it anew: CALLSLIP_WRITE_GOLDEN=1 cargo test -p callslip-ir");
}

#[test]
fn the_golden_files_have_every_variant_and_field_of_the_schema() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut coverage = Coverage { schema: &schema, seen: BTreeSet::new() };
    // What was appended later has files of its own.
    for (at, name) in [
        (0, "v1-description"),
        (0, "v1-description-json-table"),
        (1, "v1-bindings"),
        (2, "v2-manifest"),
        (2, "v2-manifest-page"),
    ] {
        let text = golden(&format!("{name}.json"), String::new);
        let json = serde_json::from_str(&text).unwrap();
        assert!(coverage.walk(&schema["anyOf"][at], &json, name), "the schema refuses {name}");
    }
    let mut all = BTreeSet::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        features(definition, name, &mut all);
    }
    let missing: Vec<_> = all.difference(&coverage.seen).collect();
    assert!(missing.is_empty(), "the golden files lack {missing:#?}");
}

/// The variants and fields that a schema has below `path`: a variant by its name, a field where it has a value.
fn features(schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    if let Some(labels) = schema["enum"].as_array() {
        all.extend(labels.iter().filter_map(Value::as_str).map(|label| format!("{path}.{label}")));
    }
    if let Some(label) = schema["const"].as_str() {
        all.insert(format!("{path}.{label}"));
    }
    if let Some(fields) = schema["properties"].as_object() {
        for (field, schema) in fields {
            let path = format!("{path}.{field}");
            features(schema, &path, all);
            all.insert(path);
        }
    }
    for of in ["oneOf", "anyOf"] {
        schema[of].as_array().into_iter().flatten().for_each(|schema| features(schema, path, all));
    }
}

/// As much of a JSON Schema validator as the schema needs, which notes what occurs.
struct Coverage<'a> {
    schema: &'a Value,
    seen: BTreeSet<String>,
}

impl Coverage<'_> {
    /// Whether `json` is as `schema` says.
    fn walk(&mut self, schema: &Value, json: &Value, path: &str) -> bool {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            let definition = self.schema["$defs"][name].clone();
            assert!(definition.is_object(), "{reference}");
            return self.walk(&definition, json, name);
        }
        for of in ["oneOf", "anyOf"] {
            if let Some(schemas) = schema[of].as_array() {
                return schemas.iter().any(|schema| self.walk(schema, json, path));
            }
        }
        if let Some(label) = schema["const"].as_str() {
            return json == label && self.note(path, label);
        }
        if let Some(labels) = schema["enum"].as_array() {
            return labels.contains(json) && self.note(path, json.as_str().unwrap_or_default());
        }
        match json {
            Value::Object(object) => {
                let Some(fields) = schema["properties"].as_object() else { return false };
                object.len() == fields.len()
                    && object.iter().all(|(field, json)| {
                        let Some(schema) = fields.get(field) else { return false };
                        let path = format!("{path}.{field}");
                        let has_value =
                            !json.is_null() && json.as_array().is_none_or(|items| !items.is_empty());
                        let valid = self.walk(schema, json, &path);
                        if has_value {
                            self.seen.insert(path);
                        }
                        valid
                    })
            }
            Value::Array(items) => {
                is_of(schema, "array")
                    && items.iter().enumerate().all(|(at, item)| {
                        let of = if schema["prefixItems"].is_array() {
                            &schema["prefixItems"][at]
                        } else {
                            &schema["items"]
                        };
                        self.walk(of, item, path)
                    })
            }
            Value::Null => is_of(schema, "null"),
            Value::Bool(_) => is_of(schema, "boolean"),
            Value::Number(_) => is_of(schema, "integer"),
            Value::String(_) => is_of(schema, "string"),
        }
    }

    fn note(&mut self, path: &str, label: &str) -> bool {
        self.seen.insert(format!("{path}.{label}"));
        true
    }
}

fn is_of(schema: &Value, ty: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == ty,
        Value::Array(several) => several.iter().any(|one| one == ty),
        _ => false,
    }
}
