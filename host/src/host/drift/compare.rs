use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::cause::Used;
use super::{AffectedShapes, BrokenQuery, ChangedReply, Drift, ReplyColumn, TriedInPart};
use crate::catalog::ChosenSchemas;
use crate::host::entry::State;
use crate::host::load::PluginFinding;
use crate::host::plugin::{LoadedPlugin, LoadedQuery};
use crate::host::prove::{ProvenShape, ProvenStatement};
use crate::plugin::Shape;
use crate::select::Finding;

/// A statement by its name, what becomes of its columns, in which shapes, and how it was in each.
type Changed<'a> = (String, Vec<ReplyColumn>, Vec<Shape>, Vec<&'a ProvenStatement>);

/// One plugin against the older catalog, the newer one, and, if that is of a live database, as PostgreSQL describes it.
pub(super) struct PluginDrift<'a> {
    pub name: &'a str,
    pub before: &'a State,
    pub after: &'a State,
    pub described: Option<&'a State>,
    /// How many shapes of a closed query are tried.
    pub most: usize,
}

impl PluginDrift<'_> {
    pub fn tell(&self, drift: &mut Drift) {
        let now = self.described.unwrap_or(self.after);
        let (Some(before), Some(after), Some(proven)) =
            (self.before.loaded(), self.after.loaded(), now.loaded())
        else {
            return drift.untried.extend(now.refusal().cloned());
        };
        self.grants(now, drift);
        for query in &before.queries {
            let name = &query.declaration.name;
            let of_same = |plugin: &'_ LoadedPlugin| {
                plugin.queries.iter().position(|its| its.declaration.name == *name)
            };
            let (Some(after), Some(proven)) =
                (of_same(after).map(|at| &after.queries[at]), of_same(proven).map(|at| &proven.queries[at]))
            else {
                continue;
            };
            self.in_part(query, drift);
            self.query(query, (after, proven), now, drift);
            self.replies(query, after, drift);
        }
    }

    fn in_part(&self, query: &LoadedQuery, drift: &mut Drift) {
        if query.total.is_none_or(|total| total > self.most as u128) {
            drift.in_part.push(TriedInPart {
                plugin: self.name.to_owned(),
                query: query.declaration.name.clone(),
                tried: query.total.map(|_| self.most),
                total: query.total,
            });
        }
    }

    /// What the configuration grants and is not there.
    fn grants(&self, now: &State, drift: &mut Drift) {
        let (before, now) = (findings(self.before, None), findings(now, None));
        let only_described = findings(self.after, None).is_empty();
        // What may be meant instead, which comes after it, is another thing in another catalog.
        let what = |finding: &Finding| {
            let message = finding.message.split("; ").next().unwrap_or_default();
            (finding.code, message.to_owned())
        };
        let is_in = |finding: &Finding, of: &[Finding]| of.iter().any(|its| what(its) == what(finding));
        let (old, new): (Vec<_>, Vec<_>) = now.iter().cloned().partition(|finding| is_in(finding, &before));
        let broken = |findings| BrokenQuery {
            plugin: self.name.to_owned(),
            query: None,
            shapes: AffectedShapes::default(),
            findings,
        };
        for finding in new {
            drift.blame_grant(broken(vec![finding]), only_described);
        }
        if !old.is_empty() {
            drift.broken_before.push(broken(old));
        }
        if before.iter().any(|finding| !is_in(finding, &now)) {
            drift.mended.push((self.name.to_owned(), None));
        }
    }

    fn query(
        &self,
        before: &LoadedQuery,
        (after, proven): (&LoadedQuery, &LoadedQuery),
        now: &State,
        drift: &mut Drift,
    ) {
        let name = &before.declaration.name;
        let (old, new) = (findings(self.before, Some(name)), findings(now, Some(name)));
        if new.is_empty() {
            if !old.is_empty() {
                drift.mended.push((self.name.to_owned(), Some(name.clone())));
            }
            return;
        }
        // Like is compared with like: of the live database the schemas may be others, which claims choose, and its findings may be
        // such as no catalog tells.
        let only_described = findings(self.after, Some(name)).iter().all(|its| old.contains(its));
        let verifies: HashSet<_> = after.shapes.iter().map(key).collect();
        let proves: HashSet<&Shape> = proven.shapes.iter().map(|its| &its.shape).collect();
        let is_lost = |its: &&Arc<ProvenShape>| !verifies.contains(&key(its)) || !proves.contains(&its.shape);
        let mut lost: Vec<&Arc<ProvenShape>> = before.shapes.iter().filter(is_lost).collect();
        if lost.is_empty() && old.is_empty() {
            // What is wrong is wrong with the query as a whole: a default that is no value of its type any more.
            lost = before.shapes.iter().collect();
        }
        let added: Vec<Finding> = new.iter().filter(|its| !old.contains(its)).cloned().collect();
        let broken = BrokenQuery {
            plugin: self.name.to_owned(),
            query: Some(name.clone()),
            shapes: shapes_of(before, lost.iter().map(|its| its.shape.clone()).collect()),
            findings: if added.is_empty() { new } else { added },
        };
        if lost.is_empty() && !old.is_empty() {
            return drift.broken_before.push(broken);
        }
        let used = Used::by(lost.iter().flat_map(|its| its.statements()));
        drift.blame(broken, &used, only_described);
    }

    /// What the query gives back otherwise than before, each with all the shapes in which it does.
    fn replies(&self, before: &LoadedQuery, after: &LoadedQuery, drift: &mut Drift) {
        let now: HashMap<_, _> = after.shapes.iter().map(|its| (key(its), its)).collect();
        let mut changed: Vec<Changed<'_>> = Vec::new();
        for shape in &before.shapes {
            let Some(now) = now.get(&key(shape)) else { continue };
            for (old, new) in shape.statements().iter().zip(now.statements()) {
                let columns = columns(old, new);
                if columns.is_empty() && old.sql == new.sql {
                    continue;
                }
                match changed.iter_mut().find(|its| its.0 == old.name && its.1 == columns) {
                    Some((.., shapes, statements)) => {
                        shapes.push(shape.shape.clone());
                        statements.push(old);
                    }
                    None => changed.push((old.name.clone(), columns, vec![shape.shape.clone()], vec![old])),
                }
            }
        }
        for (statement, columns, shapes, statements) in changed {
            let reply = ChangedReply {
                plugin: self.name.to_owned(),
                query: before.declaration.name.clone(),
                shapes: shapes_of(before, shapes),
                statement,
                columns,
            };
            drift.blame_reply(reply, &Used::by(statements.into_iter()));
        }
    }
}

fn findings(of: &State, query: Option<&str>) -> Vec<Finding> {
    let is_of = |its: &&PluginFinding| its.query.as_deref() == query;
    let all = of.refusal().map_or(&[][..], |refusal| &refusal.findings);
    all.iter().filter(is_of).map(|its| its.finding.clone()).collect()
}

/// What tells the proofs of a query from each other.
fn key(proven: &Arc<ProvenShape>) -> (&Shape, &ChosenSchemas) {
    (&proven.shape, &proven.schemas)
}

fn shapes_of(query: &LoadedQuery, affected: Vec<Shape>) -> AffectedShapes {
    // Of one shape there is a proof for each choice of schemas.
    let distinct: BTreeSet<&Shape> = query.shapes.iter().map(|its| &its.shape).collect();
    let mut seen = HashSet::new();
    let affected = affected.into_iter().filter(|shape| seen.insert(shape.clone())).collect();
    AffectedShapes { affected, of: distinct.len(), total: query.total }
}

/// The columns of a result that are others now. PostgreSQL alone knows the types of some, and these are not compared.
pub(in crate::host) fn columns(old: &ProvenStatement, new: &ProvenStatement) -> Vec<ReplyColumn> {
    const UNKNOWN: &str = "unknown";
    let of = |statement: &'_ ProvenStatement, name: &str| {
        statement.columns.iter().find(|its| its.name == name).map(|its| its.type_name.clone())
    };
    let mut columns = Vec::new();
    for column in old.columns.iter() {
        let (from, to) = (Some(column.type_name.clone()), of(new, &column.name));
        let is_known = [&from, &to].iter().all(|ty| ty.as_deref() != Some(UNKNOWN));
        if from != to && is_known {
            columns.push(ReplyColumn { name: column.name.clone(), from, to });
        }
    }
    for column in new.columns.iter().filter(|its| of(old, &its.name).is_none()) {
        columns.push(ReplyColumn {
            name: column.name.clone(),
            from: None,
            to: Some(column.type_name.clone()),
        });
    }
    columns
}
