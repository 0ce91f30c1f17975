//! Traces for OpenTelemetry, made of what the hosts and the service tell when something has ended: while it runs, there is
//! nothing but an id that goes along.

mod collector;
mod spans;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use collector::Collector;
use spans::Spans;

use crate::config::TelemetryConfig;
use crate::{Observation, TraceContext};

/// Sends traces to a collector of OpenTelemetry. A clone is the same, so that one can serve a process for its whole life, whatever
/// is reloaded.
///
/// A collector that is away or slow is never waited for: what can't be sent is dropped, counted, and told once in the log.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

struct Inner {
    collector: Collector,
    spans: Spans,
    /// A trace that begins here is sent if the lower half of its id, halved, is less than this.
    sampled_below: u64,
}

/// Traces can't be sent as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("traces can't be sent: {0}")]
pub struct TracesError(String);

impl TracesError {
    /// Always [`Code::BadConfiguration`](crate::Code::BadConfiguration).
    pub fn code(&self) -> crate::Code {
        crate::Code::BadConfiguration
    }
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpanCounts {
    pub sent: u64,
    pub dropped: u64,
}

impl Traces {
    /// Begins to send, if the configuration or the variables of OpenTelemetry say where to: `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, and beside them `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT`,
    /// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`; `OTEL_SDK_DISABLED=true` has nothing sent. What the configuration says goes
    /// before these.
    ///
    /// # Errors
    /// [`TracesError`], if an address is none.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: &TelemetryConfig) -> Result<Option<Self>, TracesError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        // In the order in which they hold.
        let told = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)))
            .filter(|_| config.otlp_endpoint.is_none());
        if is_disabled || (config.otlp_endpoint.is_none() && told.is_none()) {
            return Ok(None);
        }
        // Otherwise no span arrived, with words that do not say why.
        if let Some((name, _)) = told.filter(|(_, address)| address.starts_with("https:")) {
            return Err(TracesError(format!(
                "{name} begins with https:, and traces go to a collector nearby, by http, which may send them on by TLS"
            )));
        }
        let collector = Collector::start(config)?;
        // 2^63 as a float is exact, and what is larger becomes the largest.
        let sampled_below = (config.sample_ratio.get() * (1_u64 << 63) as f64) as u64;
        Ok(Some(Self(Arc::new(Inner { collector, spans: Spans::new(config.query_text), sampled_below }))))
    }

    pub(super) fn observe(&self, observation: &Observation) {
        let Inner { collector, spans, .. } = &*self.0;
        spans.of(observation, &mut |span| collector.send(span));
    }

    /// Sends what is there, and waits until that was tried, but no longer than this.
    pub async fn flush(&self, within: Duration) {
        self.0.collector.flush(within).await;
    }

    /// The span of something that begins: a part of the trace that its client has told, or the first of one of its own.
    pub(super) fn begin(&self, told: Option<&TraceContext>) -> TraceContext {
        let ids = RandomIdGenerator::default();
        let span_id = u64::from_be_bytes(ids.new_span_id().to_bytes());
        match told {
            Some(told) => told.with_span(span_id),
            None => {
                let trace_id = u128::from_be_bytes(ids.new_trace_id().to_bytes());
                TraceContext::new(trace_id, span_id, (trace_id as u64) >> 1 < self.0.sampled_below)
            }
        }
    }

    pub(super) fn counts(&self) -> SpanCounts {
        self.0.collector.counts()
    }
}
