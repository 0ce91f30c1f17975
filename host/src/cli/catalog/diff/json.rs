use serde_json::{Value, json};

use crate::PluginFinding;
use crate::catalog::diff::{Change, ObjectRef};
use crate::cli::check::{finding_json, seen};
use crate::drift::{AffectedShapes, BrokenQuery, ChangedReply, Drift, Effect};
use crate::select::Finding;

/// The whole drift, for programs.
pub(super) fn of(drift: &Drift) -> Value {
    let effect = |Effect { change, breaks, replies }: &Effect| {
        let Change { object, what: _ } = change;
        json!({
            "object": object_json(object),
            "words": change.to_string(),
            "breaks": list(breaks, |its| broken(its)),
            "replies": list(replies, |its| reply(its)),
        })
    };
    let mended = |(plugin, query): &(String, Option<String>)| json!({ "plugin": plugin, "query": query });
    json!({
        "broken": drift.broken(),
        "changes": list(&drift.effects, effect),
        "breaks": list(&drift.breaks, |its| broken(its)),
        "replies": list(&drift.replies, |its| reply(its)),
        "refused": list(&drift.refused, broken),
        "broken_before": list(&drift.broken_before, broken),
        "in_part": list(&drift.in_part, |its| json!({
            "plugin": its.plugin,
            "query": its.query,
            "tried": its.tried,
            "total": its.total.map(|total| u64::try_from(total).unwrap_or(u64::MAX)),
        })),
        "mended": list(&drift.mended, mended),
        "untried": list(&drift.untried, |its| json!({
            "plugin": its.plugin,
            "findings": list(&its.findings, finding_json),
        })),
    })
}

fn list<T>(items: &[T], json: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(json).collect()
}

fn object_json(object: &ObjectRef) -> Value {
    let schema = Some(&object.name.schema).filter(|schema| !schema.is_empty());
    json!({
        "kind": object.kind.as_str(),
        "schema": schema,
        "name": object.name.name,
        "arguments": object.arguments,
        "part": object.part,
    })
}

fn broken(broken: &BrokenQuery) -> Value {
    let finding = |finding: &Finding| {
        finding_json(&PluginFinding { query: broken.query.clone(), finding: finding.clone() })
    };
    json!({
        "plugin": broken.plugin,
        "query": broken.query,
        "shapes": shapes(&broken.shapes),
        "findings": list(&broken.findings, finding),
    })
}

fn reply(reply: &ChangedReply) -> Value {
    let columns = list(&reply.columns, |its| json!({ "name": its.name, "from": its.from, "to": its.to }));
    json!({
        "plugin": reply.plugin,
        "query": reply.query,
        "statement": reply.statement,
        "shapes": shapes(&reply.shapes),
        "columns": columns,
    })
}

fn shapes(shapes: &AffectedShapes) -> Value {
    let affected = list(
        &shapes.affected,
        |shape| json!({ "parameters": seen(&shape.parameters), "claims": seen(&shape.claims) }),
    );
    json!({ "affected": affected, "of": shapes.of, "all": shapes.is_all(), "open": shapes.total.is_none() })
}
