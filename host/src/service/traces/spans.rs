use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanLinks};

use crate::{CallEnded, CallOutcome, Observation, RequestEnded, TraceContext};

/// Makes spans of what was observed, with the attributes that OpenTelemetry's semantic conventions name.
pub(super) struct Spans {
    scope: InstrumentationScope,
    query_text: bool,
}

/// How much of the text of statements is sent: many spans may wait.
const TEXT_BYTES: usize = 8 << 10;

/// A part of the time that something took.
struct Part {
    name: &'static str,
    kind: SpanKind,
    from: Duration,
    to: Duration,
}

impl Spans {
    pub fn new(query_text: bool) -> Self {
        let scope = InstrumentationScope::builder("callslip").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { scope, query_text }
    }

    /// Gives the spans of an observation, if it is of a trace that is to be sent.
    pub fn of(&self, observation: &Observation, give: &mut dyn FnMut(SpanData)) {
        match observation {
            Observation::RequestEnded(request) => {
                if let Some(trace) = request.trace.as_ref().filter(|trace| trace.is_sampled()) {
                    give(self.request(request, trace));
                }
            }
            Observation::CallEnded(call) => {
                if let Some(trace) = call.trace.as_ref().filter(|trace| trace.is_sampled()) {
                    self.call(call, trace, give);
                }
            }
            _ => {}
        }
    }

    fn request(&self, request: &RequestEnded, trace: &TraceContext) -> SpanData {
        let end = SystemTime::now();
        // What the conventions call a method that HTTP does not define, and a span of it.
        let (method, verb) = match request.method {
            "OTHER" => ("_OTHER", "HTTP"),
            method => (method, method),
        };
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("url.path", request.path.clone()),
            KeyValue::new("http.response.body.size", signed(request.bytes)),
            KeyValue::new("callslip.read_ms", request.read.as_secs_f64() * 1e3),
            KeyValue::new("callslip.reply.format", request.format),
            KeyValue::new("callslip.reply.whole", request.is_whole),
        ];
        let mut add = |key: &'static str, value: Option<String>| {
            attributes.extend(value.map(|value| KeyValue::new(key, value)));
        };
        add("http.route", request.route.as_deref().map(str::to_owned));
        add("client.address", request.peer.map(|peer| peer.to_string()));
        add("callslip.plugin", request.plugin.as_deref().map(str::to_owned));
        add("callslip.query", request.query.as_deref().map(str::to_owned));
        let is_error = request.status.is_some_and(|status| status >= 500);
        add("error.type", request.status.filter(|_| is_error).map(|status| status.to_string()));
        if let Some(status) = request.status {
            attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
        }
        let status = if is_error { Status::error("") } else { Status::Unset };
        let name = match &request.route {
            Some(route) => format!("{verb} {route}"),
            None => verb.to_owned(),
        };
        SpanData {
            span_context: context(trace, trace.span_id()),
            parent_span_id: request.parent.map_or(SpanId::INVALID, SpanId::from),
            parent_span_is_remote: request.parent.is_some(),
            span_kind: SpanKind::Server,
            name: name.into(),
            start_time: end.checked_sub(request.total).unwrap_or(end),
            end_time: end,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: self.scope.clone(),
        }
    }

    /// The parts of a call, one after the other in the order in which it passes them. Of one that was begun anew, each is as long as
    /// all of its kind together.
    fn call(&self, call: &CallEnded, trace: &TraceContext, give: &mut dyn FnMut(SpanData)) {
        let end = SystemTime::now();
        let began = end.checked_sub(call.total).unwrap_or(end);
        let planned = call.queued + call.planned;
        let connected = planned + call.waited.saturating_sub(call.queued);
        let has_connection = call.isolation.is_some();
        let answered = call.first_row.unwrap_or(call.total).max(connected);
        let part = |name, kind, from, to| Part { name, kind, from, to };
        let parts = [
            part("queued", SpanKind::Internal, Duration::ZERO, call.queued),
            part("planned", SpanKind::Internal, call.queued, planned),
            part("connection", SpanKind::Internal, planned, connected),
            part("database", SpanKind::Client, connected, if has_connection { answered } else { connected }),
            part(
                "streamed",
                SpanKind::Internal,
                answered,
                if has_connection { call.total } else { answered },
            ),
        ];
        // What fails has not come further than the last of its parts.
        let parts: Vec<_> = parts.into_iter().filter(|part| part.from < part.to).collect();
        let last = parts.len().saturating_sub(1);
        for (position, part) in parts.into_iter().enumerate() {
            let mut attributes = vec![
                KeyValue::new("callslip.call.id", call.id.to_string()),
                KeyValue::new("callslip.plugin", call.called_plugin.to_string()),
                KeyValue::new("callslip.query", call.called_query.to_string()),
            ];
            if part.kind == SpanKind::Client {
                self.describe_statements(call, &mut attributes);
            }
            let status = match &call.outcome {
                CallOutcome::Failed { code, .. } if position == last => {
                    attributes.push(KeyValue::new("error.type", code.as_str()));
                    // What a caller does wrong is no error of the service.
                    match code.as_str().starts_with("CS10") {
                        true => Status::Unset,
                        false => Status::error(code.title()),
                    }
                }
                _ => Status::Unset,
            };
            give(SpanData {
                span_context: context(
                    trace,
                    u64::from_be_bytes(RandomIdGenerator::default().new_span_id().to_bytes()),
                ),
                parent_span_id: SpanId::from(trace.span_id()),
                parent_span_is_remote: false,
                span_kind: part.kind,
                name: part.name.into(),
                start_time: began + part.from,
                end_time: began + part.to,
                attributes,
                dropped_attributes_count: 0,
                events: SpanEvents::default(),
                links: SpanLinks::default(),
                status,
                instrumentation_scope: self.scope.clone(),
            });
        }
    }

    fn describe_statements(&self, call: &CallEnded, attributes: &mut Vec<KeyValue>) {
        let summary = format!("SELECT {}.{}", call.called_plugin, call.called_query);
        attributes.extend([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", "SELECT"),
            KeyValue::new("db.query.summary", summary),
            KeyValue::new("db.response.returned_rows", signed(call.rows)),
        ]);
        if let Some(shape) = &call.shape {
            attributes.push(KeyValue::new("callslip.shape", shape.to_string()));
        }
        let statements =
            call.proven.iter().filter(|_| self.query_text).flat_map(|proven| proven.statements());
        let texts: Vec<&str> = statements.map(|statement| statement.sql.as_ref()).collect();
        if !texts.is_empty() {
            let mut text = texts.join(";\n");
            text.truncate(text.floor_char_boundary(TEXT_BYTES));
            attributes.push(KeyValue::new("db.query.text", text));
        }
    }
}

fn context(trace: &TraceContext, span_id: u64) -> SpanContext {
    let state = trace.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let (trace_id, span_id) = (TraceId::from(trace.trace_id()), SpanId::from(span_id));
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, state)
}

/// OpenTelemetry's numbers have a sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
