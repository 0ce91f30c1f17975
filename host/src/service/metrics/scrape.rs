use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::Recorder;
use super::families::{Families, Labels};
use super::process::Process;
use super::queries::{OfQuery, read};
use crate::host::{Generation, Standing};
use crate::service::hosts::Hosts;
use crate::service::traces::Traces;
use crate::{Host, LookupCounts, ReplicaStatus};

/// What is counted, and how all else is at this moment.
struct Scrape {
    recorder: Arc<Recorder>,
    queries: Vec<(Arc<str>, Arc<str>, Arc<OfQuery>)>,
    databases: Vec<Database>,
    traces: Option<Traces>,
}

struct Database {
    name: String,
    host: Host,
    generation: Arc<Generation>,
}

pub(super) fn text(recorder: &Arc<Recorder>, hosts: &Hosts, traces: Option<&Traces>) -> String {
    let databases = hosts.started().map(|(name, host)| Database {
        name: name.to_owned(),
        host: host.clone(),
        generation: host.generation(),
    });
    let scrape = Scrape {
        recorder: recorder.clone(),
        queries: recorder.queries.all(),
        databases: databases.collect(),
        traces: traces.cloned(),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(scrape));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => text,
        // To write to a text does not fail.
        Err(fmt::Error) => String::new(),
    }
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrape").finish_non_exhaustive()
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        self.requests(&mut families)?;
        self.calls(&mut families)?;
        self.proofs(&mut families)?;
        self.caches(&mut families)?;
        self.pools(&mut families)?;
        self.replicas(&mut families)?;
        self.plugins(&mut families)?;
        self.catalogs(&mut families)?;
        self.spans(&mut families)?;
        self.process(&mut families)
    }
}

const PLUGIN: &str = "plugin";
const QUERY: &str = "query";
const DATABASE: &str = "database";

fn of_replica<'l>(database: &'l str, replica: &'l ReplicaStatus) -> Labels<'l, 2> {
    [(DATABASE, database), ("replica", &replica.name)]
}

impl Scrape {
    /// Something of each query, with the labels that it has beside the names.
    fn of_each<'s, T: 's>(
        &'s self,
        of: impl Fn(&'s OfQuery) -> T + 's,
    ) -> impl Iterator<Item = (Labels<'s, 2>, T)> {
        self.queries
            .iter()
            .map(move |(plugin, query, its)| ([(PLUGIN, &**plugin), (QUERY, &**query)], of(its)))
    }

    fn counted<'s>(&'s self, of: fn(&OfQuery) -> &AtomicU64) -> impl Iterator<Item = (Labels<'s, 2>, u64)> {
        self.of_each(move |its| read(of(its)))
    }

    fn requests(&self, families: &mut Families<'_>) -> fmt::Result {
        let requests = self.of_each(|its| its.requests.all());
        let requests: Vec<_> = requests
            .flat_map(|([plugin, query], all)| {
                all.into_iter()
                    .map(move |((status, format), count)| (plugin, query, status.to_string(), format, count))
            })
            .collect();
        families.counters(
            "callslip_http_requests",
            "Requests that were answered, by the status of the answer and how it is written. 499: the client went away before.",
            requests.iter().map(|(plugin, query, status, format, count)| {
                ([*plugin, *query, ("status", status.as_str()), ("format", *format)], *count)
            }),
        )?;
        families.gauges(
            "callslip_http_requests_in_flight",
            "Requests of callers that are answered now.",
            [([], self.recorder.in_flight.load(Ordering::Relaxed) as f64)],
        )?;
        families.histograms(
            "callslip_http_request_duration_seconds",
            "From the head of a request to the last byte that was handed on.",
            self.of_each(|its| &its.request_time),
        )?;
        families.counters(
            "callslip_http_response_bytes",
            "Bytes of bodies, as they were sent.",
            self.counted(|its| &its.body_bytes),
        )?;
        families.counters(
            "callslip_http_responses_broken",
            "Answers of which their clients were given a part, that can't look whole, or nothing.",
            self.counted(|its| &its.broken),
        )
    }

    fn calls(&self, families: &mut Families<'_>) -> fmt::Result {
        let calls = self.of_each(|its| its.calls.all());
        families.counters(
            "callslip_calls",
            "Calls that have ended: complete, missing, dropped, or with the code of an error.",
            calls.flat_map(|([plugin, query], all)| {
                all.into_iter().map(move |(outcome, count)| ([plugin, query, ("outcome", outcome)], count))
            }),
        )?;
        families.histograms(
            "callslip_call_duration_seconds",
            "From the begin of a call until its last row was read, or it failed or was dropped.",
            self.of_each(|its| &its.call_time),
        )?;
        let stages = self.of_each(|its| its.stages.named());
        families.histograms(
            "callslip_call_stage_duration_seconds",
            "What a call did meanwhile: queued for its place, planned, waited for a connection, waited for its first row (database), \
             streamed its rows, and waited for its client to read.",
            stages.flat_map(|([plugin, query], named)| {
                named.into_iter().map(move |(stage, durations)| ([plugin, query, ("stage", stage)], durations))
            }),
        )?;
        families.counters(
            "callslip_rows",
            "Rows that were read of the database.",
            self.counted(|its| &its.rows),
        )?;
        families.counters(
            "callslip_reply_bytes",
            "Bytes of replies, before compression.",
            self.counted(|its| &its.reply_bytes),
        )
    }

    fn proofs(&self, families: &mut Families<'_>) -> fmt::Result {
        let proven = self.of_each(|its| its.proven.all());
        families.counters(
            "callslip_shape_proofs",
            "Shapes that a call was the first to need: proven, or the code of why not.",
            proven.flat_map(|([plugin, query], all)| {
                all.into_iter().map(move |(outcome, count)| ([plugin, query, ("outcome", outcome)], count))
            }),
        )?;
        families.counters(
            "callslip_statements_stale",
            "Statements that a call found not to be any more what was proven.",
            self.counted(|its| &its.stale),
        )
    }

    fn caches(&self, families: &mut Families<'_>) -> fmt::Result {
        let counts = self.databases.iter().flat_map(|database| {
            let lookups = database.host.cache_lookups();
            let caches = [
                ("shapes", lookups.shapes),
                ("statements", lookups.statements),
                ("compiled", lookups.compiled),
            ];
            let of_cache = |(cache, LookupCounts { hits, misses })| {
                [("hit", hits), ("miss", misses)].map(|(result, count)| {
                    ([(DATABASE, database.name.as_str()), ("cache", cache), ("result", result)], count)
                })
            };
            caches.into_iter().flat_map(of_cache).collect::<Vec<_>>()
        });
        families.counters(
            "callslip_cache_lookups",
            "How often a proven shape, the prepared statements of a call or a compiled component was there (hit) or had to be made (miss).",
            counts,
        )
    }

    fn pools(&self, families: &mut Families<'_>) -> fmt::Result {
        let pools: Vec<_> = self
            .databases
            .iter()
            .filter_map(|its| Some(([(DATABASE, its.name.as_str())], its.host.pool()?.status())))
            .collect();
        let gauges = |of: fn(&crate::loan::PoolStatus) -> usize| {
            pools.iter().map(move |(labels, status)| (*labels, of(status) as f64))
        };
        families.gauges(
            "callslip_pool_connections_max",
            "How many connections the pool may have.",
            gauges(|status| status.max_size),
        )?;
        families.gauges(
            "callslip_pool_connections",
            "How many connections the pool has.",
            gauges(|status| status.size),
        )?;
        families.gauges(
            "callslip_pool_connections_available",
            "How many of them nobody uses.",
            gauges(|status| status.available),
        )?;
        families.gauges("callslip_pool_waiting", "How many wait for one.", gauges(|status| status.waiting))
    }

    fn replicas(&self, families: &mut Families<'_>) -> fmt::Result {
        let replicas: Vec<_> = self
            .databases
            .iter()
            .flat_map(|its| its.host.replicas().into_iter().map(|replica| (its.name.as_str(), replica)))
            .collect();
        families.gauges(
            "callslip_replica_serves",
            "1 for a replica that calls are read from now.",
            replicas
                .iter()
                .map(|(database, its)| (of_replica(database, its), f64::from(u8::from(its.serves)))),
        )?;
        families.gauges(
            "callslip_replica_lag_seconds",
            "How far a replica is behind its database at most. None of one of which nobody knows.",
            replicas
                .iter()
                .filter_map(|(database, its)| Some((of_replica(database, its), its.lag?.as_secs_f64()))),
        )
    }

    fn plugins(&self, families: &mut Families<'_>) -> fmt::Result {
        let plugins = || {
            self.databases
                .iter()
                .flat_map(|its| its.generation.plugins().map(|(name, _)| (&*its.generation, name)))
        };
        let standings = [Standing::Served, Standing::Degraded, Standing::Refused];
        families.gauges(
            "callslip_plugin_standing",
            "1 for how much of a plugin is served: all of it, what proves of it (degraded), or nothing.",
            plugins().flat_map(|(generation, name)| {
                let standing = generation.standing(name);
                standings.map(|its| {
                    let labels = [(PLUGIN, name), ("standing", its.as_str())];
                    (labels, f64::from(u8::from(standing == Some(its))))
                })
            }),
        )?;
        let flag = |is: bool| f64::from(u8::from(is));
        families.gauges(
            "callslip_plugin_version_waiting",
            "1 for a plugin of which a newer version is not served since it does not prove.",
            plugins().map(|(generation, name)| ([(PLUGIN, name)], flag(generation.waiting(name).is_some()))),
        )?;
        let refused = self.recorder.refused_versions.all();
        families.counters(
            "callslip_plugin_versions_refused",
            "How often a newer version was found not to prove.",
            refused.iter().map(|(plugin, count)| ([(PLUGIN, &**plugin)], *count)),
        )?;
        families.gauges(
            "callslip_plugin_suspended",
            "1 for a plugin whose code is not run for a while, since too many of its runs have failed.",
            plugins()
                .map(|(generation, name)| ([(PLUGIN, name)], flag(generation.suspended(name).is_some()))),
        )?;
        let suspensions = self.recorder.suspensions.all();
        families.counters(
            "callslip_plugin_suspensions",
            "How often that began.",
            suspensions.iter().map(|(plugin, count)| ([(PLUGIN, &**plugin)], *count)),
        )
    }

    fn catalogs(&self, families: &mut Families<'_>) -> fmt::Result {
        let gauges = |of: fn(&Database) -> f64| {
            self.databases.iter().map(move |its| ([(DATABASE, its.name.as_str())], of(its)))
        };
        families.gauges(
            "callslip_catalog_generation",
            "Which generation of the catalog is served: 1 at the start, and one more with each change.",
            gauges(|its| its.generation.number() as f64),
        )?;
        families.gauges(
            "callslip_catalog_reflected_timestamp_seconds",
            "When that was read of the database.",
            gauges(|its| seconds(its.generation.reflected_at())),
        )?;
        families.gauges(
            "callslip_catalog_checked_timestamp_seconds",
            "When the database was last found to be as that says.",
            gauges(|its| seconds(its.host.catalog_status().checked_at)),
        )?;
        families.gauges(
            "callslip_catalog_failing",
            "1 while the database can't be looked at.",
            gauges(|its| f64::from(u8::from(its.host.catalog_status().failure.is_some()))),
        )?;
        let refreshes = self.recorder.refreshes.all();
        families.counters(
            "callslip_catalog_refreshes",
            "Looks at a database: changed, unchanged, failed.",
            refreshes.iter().map(|(result, count)| ([("result", *result)], *count)),
        )?;
        let reloads = self.recorder.reloads.all();
        families.counters(
            "callslip_reloads",
            "Reloads of the configuration and the plugins: changed, unchanged, refused, failed.",
            reloads.iter().map(|(result, count)| ([("result", *result)], *count)),
        )?;
        families.counters(
            "callslip_catalog_notifications_lost",
            "How often a database's own notifications were not heard any more.",
            [([], read(&self.recorder.notifications_lost))],
        )
    }

    fn spans(&self, families: &mut Families<'_>) -> fmt::Result {
        let spans = self.traces.as_ref().map(Traces::counts).into_iter();
        families.counters(
            "callslip_spans",
            "Spans of traces: sent to the collector, or dropped since it is away or slow.",
            spans.flat_map(|counts| {
                [([("result", "sent")], counts.sent), ([("result", "dropped")], counts.dropped)]
            }),
        )
    }

    fn process(&self, families: &mut Families<'_>) -> fmt::Result {
        let now = Process::now();
        let gauge = |value: Option<u64>| value.map(|value| ([], value as f64));
        families.gauges("process_resident_memory_bytes", "Resident memory.", gauge(now.resident_bytes))?;
        families.gauges("process_open_fds", "Open files and sockets.", gauge(now.open_files))?;
        families.gauges("process_max_fds", "How many there may be.", gauge(now.most_files))?;
        families.gauges(
            "process_start_time_seconds",
            "When counting began, which is when the process has started.",
            [([], seconds(self.recorder.since))],
        )?;
        families.info("callslip_build", "Which version this is.", &[("version", env!("CARGO_PKG_VERSION"))])
    }
}

/// A time as seconds since 1970.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
