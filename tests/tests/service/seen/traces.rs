use std::collections::HashMap;
use std::net::SocketAddr;

use callslip_tests::{database, http, language_and_slow};
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::collector::{Collector, attributes};
use crate::served::Served;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks as a part of a trace that is sampled, or is not.
async fn ask(address: SocketAddr, path: &str, flags: &str) -> http::Response {
    let traced = format!("traceparent: 00-{TRACE}-{PARENT}-{flags}\r\ntracestate: vendor=1\r\n");
    http::send(address, http::request("GET", path).replace("connection:", &(traced + "connection:"))).await
}

fn configured(collector: SocketAddr, more: &str) -> String {
    language_and_slow(&format!("[telemetry]\notlp_endpoint = \"http://{collector}\"\n{more}\n"))
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut named = spans.iter().filter(|span| span.name == name);
    let one = named.next().unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    assert!(named.next().is_none(), "several {name}");
    one
}

/// Without TLS to a collector, one that wants it is told of at once.
#[test]
fn an_address_of_https_is_refused_from_a_variable_too() {
    for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
        let variables = [(name, "https://127.0.0.1:4318")];
        let mut served = Served::start_with(&database().url(), &language_and_slow(""), &[], &variables);
        assert_eq!(served.ended(), Some(1));
        let said = served.wait_for("CS2001");
        assert!(said.contains(name) && said.contains("begins with https:"), "{said}");
    }
}

fn is_of_request(spans: &[Span]) -> bool {
    spans.iter().any(|span| span.kind() == SpanKind::Server)
}

#[tokio::test]
async fn a_request_is_a_part_of_its_clients_trace() {
    let (collector, address) = Collector::start().await;
    let served = Served::start(&database().url(), &configured(address, "service_name = \"shop\""), &[]);
    assert_eq!(ask(served.address(), "/q/language/position?id=1", "01").await.status, 200);
    let spans = collector.wait_for("the request", is_of_request).await;
    assert!(spans.iter().all(|span| hexadecimal(&span.trace_id) == TRACE), "{spans:#?}");
    assert!(spans.iter().all(|span| span.trace_state == "vendor=1"), "{spans:#?}");
    let request = named(&spans, "GET /q/{plugin}/{query}");
    assert_eq!(hexadecimal(&request.parent_span_id), PARENT);
    let said = attributes(&request.attributes);
    for (attribute, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/q/{plugin}/{query}"),
        ("http.response.status_code", "200"),
        ("url.path", "/q/language/position"),
        ("url.scheme", "http"),
        ("client.address", "127.0.0.1"),
        ("callslip.plugin", "language"),
        ("callslip.query", "position"),
        ("callslip.reply.format", "json"),
        ("callslip.reply.whole", "true"),
    ] {
        assert_eq!(said.get(attribute).map(String::as_str), Some(value), "{attribute} of {said:#?}");
    }
    assert!(!format!("{spans:?}").contains("id=1"), "the values of parameters are nobody's business");

    let stages: Vec<&Span> = spans.iter().filter(|span| span.kind() != SpanKind::Server).collect();
    assert!(stages.iter().all(|span| span.parent_span_id == request.span_id), "{spans:#?}");
    for stage in ["planned", "connection", "database", "streamed"] {
        let stage = named(&spans, stage);
        assert!(stage.start_time_unix_nano < stage.end_time_unix_nano, "{stage:#?}");
    }
    assert!(named(&spans, "planned").end_time_unix_nano <= named(&spans, "database").start_time_unix_nano);
    let asked = named(&spans, "database");
    assert_eq!(asked.kind(), SpanKind::Client);
    let said = attributes(&asked.attributes);
    assert_eq!(said["db.system.name"], "postgresql");
    assert_eq!(said["db.query.summary"], "SELECT language.position");
    assert_eq!(said["db.response.returned_rows"], "1");
    assert!(said["db.query.text"].contains("FROM") && said["db.query.text"].contains("$1"), "{said:#?}");
    assert_eq!(collector.resource()["service.name"], "shop");

    // The log has the trace, too.
    let line = served.wait_for("a call has ended");
    assert!(line.contains(&format!("trace_id={TRACE}")), "{line}");
}

#[tokio::test]
async fn what_fails_says_so_and_what_its_client_does_not_keep_is_not_sent() {
    let (collector, address) = Collector::start().await;
    let served = Served::start(&database().url(), &configured(address, "query_text = false"), &[]);
    // The answer to this one comes first, and nothing of it is sent.
    assert_eq!(ask(served.address(), "/q/language/position?id=1", "00").await.status, 200);
    assert_eq!(ask(served.address(), "/q/language/nothing", "01").await.status, 404);
    assert!(!ask(served.address(), "/q/language/breaking", "01").await.whole);
    let spans = collector
        .wait_for("both requests", |spans| {
            spans.iter().filter(|span| span.kind() == SpanKind::Server).count() == 2
        })
        .await;
    let said = |span: &Span| -> HashMap<String, String> { attributes(&span.attributes) };
    assert!(
        spans.iter().all(|span| said(span).get("callslip.query").is_none_or(|query| query != "position"))
    );
    let failed =
        spans.iter().find(|span| span.status.as_ref().is_some_and(|its| its.code() == StatusCode::Error));
    let failed = failed.expect("a span that has failed");
    assert_eq!((said(failed)["error.type"].as_str(), failed.name.as_str()), ("CS1103", "streamed"));
    assert!(!format!("{spans:?}").contains("db.query.text"));
    let broken =
        spans.iter().find(|span| said(span).get("callslip.query").is_some_and(|it| it == "breaking"));
    assert!(broken.is_some());
    let unknown =
        spans.iter().find(|span| said(span).get("http.response.status_code").is_some_and(|it| it == "404"));
    let unknown = said(unknown.unwrap());
    assert!(
        !unknown.contains_key("callslip.query") && unknown["callslip.plugin"] == "language",
        "{unknown:#?}"
    );
}

// The collector answers while the test waits for the process.
#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_begins_here_is_sent_as_often_as_it_is_said() {
    for (ratio, is_sent) in [("1", true), ("0", false)] {
        let (collector, address) = Collector::start().await;
        let config = configured(address, &format!("sample_ratio = {ratio}"));
        let mut served = Served::start(&database().url(), &config, &[]);
        assert_eq!(http::get(served.address(), "/q/language/position?id=1").await.status, 200);
        assert_eq!(http::get(served.address(), "/healthz").await.status, 200);
        served.wait_for("a call has ended");
        // What is left is sent before it ends.
        served.signal(Signal::SIGTERM);
        assert_eq!(served.ended(), Some(0));
        let spans = collector.wait_for("it has ended", |_| true).await;
        assert_eq!(is_of_request(&spans), is_sent, "{spans:#?}");
        assert!(spans.iter().all(|span| !span.name.contains("healthz")), "{spans:#?}");
        if is_sent {
            assert!(named(&spans, "GET /q/{plugin}/{query}").parent_span_id.is_empty());
            assert_eq!(collector.resource()["service.name"], "callslip");
        }
    }
}

#[tokio::test]
async fn the_variables_of_opentelemetry_hold_where_the_configuration_says_nothing() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"),
        ("OTEL_SERVICE_NAME", "from the environment"),
    ];
    let served = Served::start_with(&database().url(), &language_and_slow(""), &[], &variables);
    assert_eq!(http::get(served.address(), "/q/language/position?id=1").await.status, 200);
    collector.wait_for("the request", is_of_request).await;
    assert_eq!(collector.resource()["service.name"], "from the environment");
    assert_eq!(collector.headers()["authorization"], "Bearer s3cret");
    assert!(!served.lines().concat().contains("s3cret"));
}

#[tokio::test]
async fn a_collector_that_is_away_does_no_harm_and_is_told_once() {
    // Nobody listens there any more.
    let nobody = super::listener().await.local_addr().unwrap();
    let served = Served::start(&database().url(), &configured(nobody, ""), &[]);
    for _ in 0..3 {
        assert_eq!(http::get(served.address(), "/q/language/position?id=1").await.status, 200);
        served.wait_for("takes no spans");
    }
    // Each is tried after a second at most.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let told = served.lines().iter().filter(|line| line.contains("takes no spans")).count();
    assert_eq!(told, 1, "{:#?}", served.lines());
}
