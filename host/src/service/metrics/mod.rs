//! Metrics: what the hosts and the service tell is counted here, and how their pools and plugins are is asked when somebody
//! reads. A label is only what the configuration names, or one of a list of words: never what callers make up.

mod counts;
mod durations;
mod families;
mod process;
mod queries;
mod scrape;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::SystemTime;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use counts::Counts;
use queries::{Queries, add};

use super::hosts::Hosts;
use super::routes::no_such_address;
use super::state::Service;
use super::traces::Traces;
use crate::Observation;
use crate::host::Change;

/// What is counted of a service and of its hosts, for Prometheus. A clone counts together with it.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Recorder>);

#[derive(Debug)]
struct Recorder {
    since: SystemTime,
    queries: Queries,
    in_flight: AtomicI64,
    /// How often the code of each plugin was suspended.
    suspensions: Counts<Arc<str>>,
    /// How often a new version of a plugin was found not to prove.
    refused_versions: Counts<Arc<str>>,
    /// Looks at a database, by what came of them.
    refreshes: Counts<&'static str>,
    /// Reloads, by how they went.
    reloads: Counts<&'static str>,
    /// How often the notifications of a database were not heard any more.
    notifications_lost: AtomicU64,
}

/// What is counted, for Prometheus.
pub(super) async fn scrape(State(service): State<Service>) -> Response {
    match service.metrics() {
        Some(text) => ([(header::CONTENT_TYPE, Metrics::MEDIA_TYPE)], text).into_response(),
        None => no_such_address().await.into_response(),
    }
}

/// A request that is at hand, for as long as this is kept.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Recorder>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// The media type of what is served.
    const MEDIA_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Nothing is counted yet.
    pub fn new() -> Self {
        Self(Arc::new(Recorder {
            since: SystemTime::now(),
            queries: Queries::default(),
            in_flight: AtomicI64::new(0),
            suspensions: Counts::default(),
            refused_versions: Counts::default(),
            refreshes: Counts::default(),
            reloads: Counts::default(),
            notifications_lost: AtomicU64::new(0),
        }))
    }

    pub(super) fn observe(&self, observation: &Observation) {
        self.0.observe(observation);
    }

    /// The server was told to reload.
    pub(super) fn reloaded(&self, how: &'static str) {
        self.0.reloads.add(&how, 1);
    }

    /// A request has come.
    pub(super) fn begin_request(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.0.clone())
    }

    /// All of it as OpenMetrics text, which Prometheus reads.
    pub(super) fn text(&self, hosts: &Hosts, traces: Option<&Traces>) -> String {
        scrape::text(&self.0, hosts, traces)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Recorder {
    fn observe(&self, observation: &Observation) {
        let refreshed = |came| self.refreshes.add(&came, 1);
        match observation {
            Observation::CallEnded(call) => {
                self.queries.of(call.plugin.as_ref(), call.query.as_ref()).call_ended(call);
            }
            Observation::RequestEnded(request) => {
                self.queries.of(request.plugin.as_ref(), request.query.as_ref()).request_ended(request);
            }
            Observation::ShapeProven(proven) => {
                self.queries.of(Some(&proven.plugin), Some(&proven.query)).shape_proven(proven);
            }
            Observation::StatementStale { plugin, query, .. } => {
                add(&self.queries.of(Some(plugin), Some(query)).stale, 1);
            }
            Observation::Refreshed { refreshed: its, .. } if its.changed => refreshed("changed"),
            Observation::Refreshed { .. } => refreshed("unchanged"),
            Observation::RefreshFailed { .. } => refreshed("failed"),
            Observation::PluginChanged { change, .. } => {
                if let Change::Waiting(_) = change.change {
                    self.refused_versions.add(&change.plugin.as_str().into(), 1);
                }
            }
            Observation::PluginSuspended { plugin, .. } => self.suspensions.add(plugin, 1),
            Observation::NotificationsLost { .. } => add(&self.notifications_lost, 1),
            Observation::PluginResumed { .. }
            | Observation::Doubted
            | Observation::RefreshRecovered
            | Observation::NotificationsRecovered
            | Observation::NotificationsUnheard
            // How replicas are is asked.
            | Observation::ReplicaServes { .. }
            | Observation::ReplicaRests { .. } => {}
        }
    }
}
