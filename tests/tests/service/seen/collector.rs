use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

use crate::served::SOON;

/// A collector of OpenTelemetry that keeps what it is sent.
#[derive(Clone, Default)]
pub struct Collector {
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    spans: Vec<Span>,
    /// Of the resource that sends.
    resource: HashMap<String, String>,
    headers: HeaderMap,
}

impl Collector {
    /// Starts one, and says where it is.
    pub async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(export)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    /// The spans that it has, when they are as they should be.
    pub async fn wait_for(&self, what: &str, are: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let began = Instant::now();
        loop {
            let spans = self.told.lock().unwrap().spans.clone();
            if are(&spans) {
                return spans;
            }
            assert!(began.elapsed() < SOON, "{what}: {spans:#?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// What was said of who sends.
    pub fn resource(&self) -> HashMap<String, String> {
        self.told.lock().unwrap().resource.clone()
    }

    /// The headers of the last that was sent.
    pub fn headers(&self) -> HeaderMap {
        self.told.lock().unwrap().headers.clone()
    }
}

async fn export(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut told = collector.told.lock().unwrap();
    told.headers = headers;
    for sent in request.resource_spans {
        told.resource.extend(attributes(&sent.resource.unwrap().attributes));
        told.spans.extend(sent.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    StatusCode::OK
}

/// Attributes as texts.
pub fn attributes(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(is) => is.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => panic!("nobody sends {other:?}"),
    };
    let value = |its: &KeyValue| text(its.value.as_ref().unwrap().value.as_ref().unwrap());
    attributes.iter().map(|its| (its.key.clone(), value(its))).collect()
}
