use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::{SpanCounts, TracesError};
use crate::config::TelemetryConfig;
use crate::printable::printable;

/// How many spans wait at most to be sent; more are dropped.
const WAITING: usize = 4_096;
/// How many are sent at once, and after how long fewer are.
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(1);
/// How long it may take to send them.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is told of why the collector can't be reached.
const REASON_CHARACTERS: usize = 300;

/// A collector of OpenTelemetry, to which a task of its own sends spans.
pub(super) struct Collector {
    spans: mpsc::Sender<Message>,
    counters: Arc<Counters>,
}

enum Message {
    Span(Box<SpanData>),
    /// What was given before is to be sent now; then this is told.
    Flush(oneshot::Sender<()>),
}

#[derive(Default)]
struct Counters {
    sent: AtomicU64,
    dropped: AtomicU64,
    /// Whether the last spans could not be sent, which was told.
    is_away: AtomicBool,
}

impl Collector {
    pub fn start(config: &TelemetryConfig) -> Result<Self, TracesError> {
        // What was not sent at the first try is dropped: what comes after it waits meanwhile, and is worth as much.
        let mut builder = SpanExporter::builder().with_http().with_retry_policy(RetryPolicy::disabled());
        if let Some(endpoint) = &config.otlp_endpoint {
            builder = builder.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
        }
        let mut exporter = builder.build().map_err(|error| TracesError(error.to_string()))?;
        exporter.set_resource(&resource(config));
        let (spans, given) = mpsc::channel(WAITING);
        let counters = Arc::<Counters>::default();
        tokio::spawn(send_all(exporter, given, counters.clone()));
        Ok(Self { spans, counters })
    }

    /// Has a span sent, if there is room for it.
    pub fn send(&self, span: SpanData) {
        if self.spans.try_send(Message::Span(Box::new(span))).is_err() {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub async fn flush(&self, within: Duration) {
        let (flushed, done) = oneshot::channel();
        let flush = async {
            if self.spans.send(Message::Flush(flushed)).await.is_ok() {
                _ = done.await;
            }
        };
        if timeout(within, flush).await.is_err() {
            tracing::debug!("the collector of traces did not take the last spans in time");
        }
    }

    pub fn counts(&self) -> SpanCounts {
        SpanCounts {
            sent: self.counters.sent.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
        }
    }
}

/// What is said of the service itself.
fn resource(config: &TelemetryConfig) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = || Resource::builder().with_attribute(version.clone());
    let name = &"service.name".into();
    match &config.service_name {
        Some(name) => builder().with_service_name(name.clone()).build(),
        // What the environment does not say has this name.
        None => {
            let found = builder().build();
            match found.get(name) {
                Some(name) if !name.as_str().starts_with("unknown_service") => found,
                _ => builder().with_service_name("callslip").build(),
            }
        }
    }
}

/// Sends what is given until nobody can give any more.
async fn send_all(exporter: SpanExporter, mut given: mpsc::Receiver<Message>, counters: Arc<Counters>) {
    let mut batch = Vec::new();
    while let Some(first) = given.recv().await {
        let mut flushed = take(first, &mut batch);
        let deadline = Instant::now() + EVERY;
        while batch.len() < BATCH && flushed.is_none() {
            match timeout_at(deadline, given.recv()).await {
                Ok(Some(message)) => flushed = take(message, &mut batch),
                Ok(None) | Err(_) => break,
            }
        }
        if !batch.is_empty() {
            send(&exporter, std::mem::take(&mut batch), &counters).await;
        }
        if let Some(flushed) = flushed {
            _ = flushed.send(());
        }
    }
}

/// Adds a span to those that are sent together, or says whom to tell when they are.
fn take(message: Message, batch: &mut Vec<SpanData>) -> Option<oneshot::Sender<()>> {
    match message {
        Message::Span(span) => {
            batch.push(*span);
            None
        }
        Message::Flush(flushed) => Some(flushed),
    }
}

async fn send(exporter: &SpanExporter, batch: Vec<SpanData>, counters: &Counters) {
    let number = batch.len() as u64;
    let failure = match timeout(PATIENCE, exporter.export(batch)).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("it did not answer within {PATIENCE:?}")),
    };
    match failure {
        None => {
            counters.sent.fetch_add(number, Ordering::Relaxed);
            if counters.is_away.swap(false, Ordering::Relaxed) {
                tracing::info!("the collector of traces takes spans again");
            }
        }
        Some(why) => {
            counters.dropped.fetch_add(number, Ordering::Relaxed);
            if !counters.is_away.swap(true, Ordering::Relaxed) {
                let why = printable(&why, REASON_CHARACTERS);
                tracing::warn!(
                    "the collector of traces takes no spans, which are dropped until it does: {why}"
                );
            }
        }
    }
}
