use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::counts::Counts;
use super::durations::Durations;
use crate::{CallEnded, Code, RequestEnded, ShapeProven};

/// What is counted of each query that the configuration has had, and of all else together, under no names.
#[derive(Debug, Default)]
pub(super) struct Queries(RwLock<BTreeMap<Arc<str>, OfPlugin>>);

type OfPlugin = BTreeMap<Arc<str>, Arc<OfQuery>>;

/// What is counted of one query.
#[derive(Debug, Default)]
pub(super) struct OfQuery {
    /// Calls, by how they ended.
    pub calls: Counts<&'static str>,
    pub call_time: Durations,
    pub stages: Stages,
    pub rows: AtomicU64,
    /// Bytes of replies as they were written.
    pub reply_bytes: AtomicU64,
    /// Requests, by the status of their answer and how that was written.
    pub requests: Counts<(u16, &'static str)>,
    pub request_time: Durations,
    /// Bytes of bodies as they were sent.
    pub body_bytes: AtomicU64,
    /// Answers that their clients were not given whole.
    pub broken: AtomicU64,
    /// Shapes that were proven on first use, by what came of it.
    pub proven: Counts<&'static str>,
    /// Statements that were found not to be what they were.
    pub stale: AtomicU64,
}

/// How long the stages of calls took.
#[derive(Debug, Default)]
pub(super) struct Stages {
    queued: Durations,
    planned: Durations,
    connection: Durations,
    database: Durations,
    streamed: Durations,
    read: Durations,
}

impl Stages {
    /// By the names that they have as labels.
    pub fn named(&self) -> [(&'static str, &Durations); 6] {
        let Self { queued, planned, connection, database, streamed, read } = self;
        [
            ("queued", queued),
            ("planned", planned),
            ("connection", connection),
            ("database", database),
            ("streamed", streamed),
            ("read", read),
        ]
    }
}

impl Queries {
    /// That of these names, or of none where a name is missing.
    pub fn of(&self, plugin: Option<&Arc<str>>, query: Option<&Arc<str>>) -> Arc<OfQuery> {
        let name = |name: Option<&Arc<str>>| name.cloned().unwrap_or_default();
        {
            let (plugin, query) = (plugin.map_or("", |name| name), query.map_or("", |name| name));
            // Whoever panicked with the lock has left a whole map behind.
            let queries = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = queries.get(plugin).and_then(|of_plugin| of_plugin.get(query)) {
                return known.clone();
            }
        }
        let mut queries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        queries.entry(name(plugin)).or_default().entry(name(query)).or_default().clone()
    }

    /// All of them, in order, with the names of plugin and query.
    pub fn all(&self) -> Vec<(Arc<str>, Arc<str>, Arc<OfQuery>)> {
        let queries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_plugin = |(plugin, of_plugin): (&Arc<str>, &OfPlugin)| {
            let plugin = plugin.clone();
            let named = of_plugin.iter().map(|(query, its)| (query.clone(), its.clone()));
            named.map(move |(query, its)| (plugin.clone(), query, its)).collect::<Vec<_>>()
        };
        queries.iter().flat_map(of_plugin).collect()
    }
}

impl OfQuery {
    pub fn call_ended(&self, call: &CallEnded) {
        self.calls.add(&call.outcome.as_str(), 1);
        self.call_time.add(call.total);
        add(&self.rows, call.rows);
        add(&self.reply_bytes, call.bytes);
        let stages = &self.stages;
        // A stage that there was not takes no time, and would hide how long those took that there were.
        let met = |stage: &Durations, took: Duration| {
            if !took.is_zero() {
                stage.add(took)
            }
        };
        met(&stages.queued, call.queued);
        met(&stages.planned, call.planned);
        met(&stages.connection, call.waited.saturating_sub(call.queued));
        if let Some(first_row) = call.first_row {
            stages.database.add(first_row.saturating_sub(call.waited + call.planned));
            stages.streamed.add(call.total.saturating_sub(first_row));
        }
    }

    pub fn request_ended(&self, request: &RequestEnded) {
        // As proxies write it, where the client was gone before there was an answer.
        self.requests.add(&(request.status.unwrap_or(499), request.format), 1);
        self.request_time.add(request.total);
        add(&self.body_bytes, request.bytes);
        if request.bytes > 0 {
            self.stages.read.add(request.read);
        }
        if !request.is_whole {
            add(&self.broken, 1);
        }
    }

    pub fn shape_proven(&self, proven: &ShapeProven) {
        self.proven.add(&proven.refused.map_or("proven", Code::as_str), 1);
    }
}

pub(super) fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

pub(super) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
