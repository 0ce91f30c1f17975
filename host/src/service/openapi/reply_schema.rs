use std::collections::BTreeMap;

use callslip_ir::{Reply, Rows};
use serde_json::{Map, Value, json};

use super::{component, or_null, value_schema};
use crate::catalog::Catalog;
use crate::{LoadedQuery, ProvenStatement};

/// How many kinds of rows are told apart. Of more, a row may have any of their columns.
const KINDS: usize = 8;

/// The schema of a reply, and those that it refers to, by name.
pub(super) struct ReplySchema {
    pub whole: Value,
    pub rows: Map<String, Value>,
}

impl ReplySchema {
    /// The reply of a query, whose schemas have names that begin with this one.
    pub fn of(query: &LoadedQuery, name: &str, catalog: &Catalog) -> Self {
        let mut rows = Map::new();
        let mut refer = |name: String, statement: &str| {
            let schema = row(query, statement, catalog);
            rows.insert(name.clone(), schema);
            component("schemas", &name)
        };
        let whole = match &query.declaration().reply {
            Reply::Single(cardinality) => {
                let row = refer(format!("{name}.row"), "");
                match cardinality {
                    Rows::Many => json!({ "type": "array", "items": row }),
                    Rows::Page => page(row),
                    // Where there is none, the answer is 404.
                    Rows::One => row,
                }
            }
            Reply::Named(statements) => {
                let (mut properties, mut alone) = (Map::new(), Vec::new());
                for statement in statements {
                    let row = refer(format!("{name}.{}.row", statement.name), &statement.name);
                    let schema = match statement.rows {
                        Rows::Many => json!({ "type": "array", "items": row.clone() }),
                        Rows::Page => page(row.clone()),
                        Rows::One => or_null(row.clone()),
                    };
                    // Of one that is picked, a row that is not there is 404.
                    alone.push(if statement.rows == Rows::One { row } else { schema.clone() });
                    properties.insert(statement.name.clone(), schema);
                }
                let required: Vec<&String> = statements.iter().map(|statement| &statement.name).collect();
                let all = json!({
                    "type": "object", "properties": properties, "required": required, "additionalProperties": false,
                });
                // Or the rows of the one that `statement` names.
                json!({ "anyOf": std::iter::once(all).chain(alone).collect::<Vec<_>>() })
            }
        };
        Self { whole, rows }
    }
}

/// A page of rows, and where the next one begins.
fn page(row: Value) -> Value {
    let next = json!({
        "description": "The `cursor` of the next page; null where there is none.",
        "type": ["string", "null"],
    });
    let properties = json!({ "rows": { "type": "array", "items": row }, "next": next });
    json!({ "type": "object", "properties": properties, "required": ["rows", "next"], "additionalProperties": false })
}

/// A row of a statement, in whatever shape of the query.
fn row(query: &LoadedQuery, statement: &str, catalog: &Catalog) -> Value {
    let shapes = query.shapes().iter().filter_map(|shape| shape.outcome.as_ref().ok());
    let mut kinds: Vec<Columns> = Vec::new();
    for proven in shapes.flatten().filter(|its| its.name == statement) {
        let columns = columns(proven, catalog);
        if !kinds.contains(&columns) {
            kinds.push(columns);
        }
    }
    let mut schemas: Vec<Value> =
        if kinds.len() <= KINDS { kinds.iter().map(exactly).collect() } else { vec![any_of(&kinds)] };
    if !query.is_complete() {
        schemas.push(json!({
            "description": "Not every shape of this query was proven when it was loaded: another one may have other columns.",
            "type": "object",
        }));
    }
    match <[Value; 1]>::try_from(schemas) {
        Ok([only]) => only,
        Err(schemas) => json!({ "anyOf": schemas }),
    }
}

/// The columns of a row, by name.
type Columns = BTreeMap<String, Value>;

fn columns(proven: &ProvenStatement, catalog: &Catalog) -> Columns {
    let columns = proven.columns.iter().zip(proven.facts.iter());
    let named =
        columns.map(|(column, facts)| (column.name.clone(), value_schema::of_column(column, facts, catalog)));
    named.collect()
}

/// A row that has these columns and no others.
fn exactly(columns: &Columns) -> Value {
    let required: Vec<&String> = columns.keys().collect();
    json!({ "type": "object", "properties": columns, "required": required, "additionalProperties": false })
}

/// A row that has those columns which all of them have, and may have the others.
fn any_of(kinds: &[Columns]) -> Value {
    let mut properties: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    for (name, schema) in kinds.iter().flatten() {
        let its = properties.entry(name).or_default();
        if !its.contains(&schema) {
            its.push(schema);
        }
    }
    let required: Vec<&&String> =
        properties.keys().filter(|name| kinds.iter().all(|kind| kind.contains_key(**name))).collect();
    let properties: Map<String, Value> = properties
        .iter()
        .map(|(name, schemas)| {
            let schema = match schemas.as_slice() {
                [only] => (*only).clone(),
                several => json!({ "anyOf": several }),
            };
            ((*name).clone(), schema)
        })
        .collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
