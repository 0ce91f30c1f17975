//! Requests that can't be answered.

use std::net::SocketAddr;

use callslip::service::ServiceLimits;
use callslip_tests::{component_with, database};

use super::{assert_serving, assert_told};
use crate::client::{get, post, request, send, serve};
use crate::support::config;

/// A server of good plugins, one whose file is missing, and one that attacks when it is called.
async fn server() -> SocketAddr {
    let hostile = component_with("tests/guests/hostile", Some("at-call"));
    // Each of them is to be told, and not that the plugin is suspended for those before.
    let text = "[limits]\nfailures = 1000\n".to_owned()
        + &config("language", "tests/guests/language")
        + &config("hiring", "example-plugins/hiring")
        + &format!("[plugins.hostile]\ncomponent = {hostile:?}\n")
        + "[plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n";
    let host = database().host(&text).await;
    let generation = host.generation();
    for (name, plugin) in generation.plugins() {
        assert_eq!(plugin.is_ok(), name != "gone", "{name}: {:?}", plugin.err());
    }
    serve(host, ServiceLimits::default()).await
}

#[tokio::test]
async fn what_is_asked_for() {
    let address = server().await;
    for (path, status, code, says) in [
        // Names.
        ("/q/languag/slices", 404, "CS1001", "there is no plugin \"languag\""),
        ("/q/nobody/funnel", 404, "CS1001", "there is no plugin \"nobody\""),
        ("/q/language/slice", 404, "CS1002", "the plugin language has no query \"slice\""),
        ("/q/hiring/x", 404, "CS1002", "the plugin hiring has no query \"x\""),
        ("/q/gone/query", 503, "CS1205", "the log says why"),
        ("/q/%ff/slices", 404, "CS1002", "/q/{plugin}/{query}"),
        ("/q/lang%00uage/slices", 404, "CS1001", "\"lang\\u{0}uage\""),
        ("/q/language/%2e%2e%2fslices", 404, "CS1002", "\"../slices\""),
        ("/q/language%2fslices", 404, "CS1002", "/q/{plugin}/{query}"),
        ("/q/language/slices/", 404, "CS1002", "/q/{plugin}/{query}"),
        ("/q/language", 404, "CS1002", "/q/{plugin}/{query}"),
        ("/elsewhere", 404, "CS1002", "/q/{plugin}/{query}"),
        ("/", 404, "CS1002", "/q/{plugin}/{query}"),
        // Parameters.
        ("/q/language/slices?limit=3&offse=1", 400, "CS1003", "no parameter `offse`; did you mean `offset`?"),
        ("/q/language/slices?limit=3&=1", 400, "CS1003", "no parameter ``"),
        ("/q/language/joins?x=1", 400, "CS1003", "no parameter `x`; it has none"),
        ("/q/language/slices?limit=3&a%0Ab=1", 400, "CS1003", "no parameter `a\\nb`"),
        ("/q/language/slices", 400, "CS1004", "parameter `limit` is missing"),
        ("/q/language/slices?limit=x", 400, "CS1005", "`limit` is not a whole number: `x`"),
        ("/q/language/slices?limit=", 400, "CS1005", "`limit` is not a whole number: ``"),
        ("/q/language/slices?limit=1.0", 400, "CS1005", "`limit` is not a whole number: `1.0`"),
        (
            "/q/language/slices?limit=99999999999999999999",
            400,
            "CS1005",
            "is not from -9223372036854775808 to 9223372036854775807",
        ),
        ("/q/language/slices?limit=1&limit=2", 400, "CS1005", "`limit` is given 2 times; it is not an array"),
        ("/q/language/slices?limit=3&nulls_first=maybe", 400, "CS1005", "is not true or false: `maybe`"),
        ("/q/hiring/funnel?company=1&limit=501", 400, "CS1005", "`limit` is not from 1 to 500: `501`"),
        ("/q/hiring/funnel?company=1&limit=0", 400, "CS1005", "`limit` is not from 1 to 500: `0`"),
        (
            "/q/hiring/funnel?company=2147483648",
            400,
            "CS1005",
            "`company` is not from -2147483648 to 2147483647",
        ),
        (
            "/q/hiring/funnel?company=1&since=yesterday",
            400,
            "CS1005",
            "`since` is not a timestamp, such as 2026-01-31T23:59:59Z",
        ),
        (
            "/q/hiring/funnel?company=1&since=2025-02-29",
            400,
            "CS1005",
            "`since` is not a timestamp, such as 2026-01-31T23:59:59Z",
        ),
        ("/q/language/enums?status=expird", 400, "CS1005", "`expired`"),
        ("/q/language/lists?years=1&countries=[1", 400, "CS1005", "`countries` is not JSON"),
        ("/q/language/slices?limit=%FF", 400, "CS1008", "percent-encoded UTF-8"),
        ("/q/language/search?words=%00", 400, "CS1005", "NUL"),
        ("/q/language/slices?limit=-1", 400, "CS1012", "PostgreSQL refuses a value"),
        // What the plugin has to say.
        ("/q/language/search?words=%20", 422, "CS1009", "say at least one word"),
        ("/q/language/position?id=2000000000", 404, "CS1010", "there is no such row"),
        ("/q/language/mine", 403, "CS1006", "claim `company` is missing"),
        ("/q/hostile/bide?deed=unknown_failure", 500, "CS1201", "no\\nyes"),
        // What it does when it is called.
        ("/q/language/search?words=panic", 500, "CS1201", "the plugin failed"),
        ("/q/hostile/bide?deed=abort", 500, "CS1201", "the plugin failed"),
        ("/q/hostile/bide?deed=panic_forging_log_lines", 500, "CS1201", "the plugin failed"),
        ("/q/hostile/bide?deed=endless_recursion", 500, "CS1201", "the plugin failed"),
        ("/q/hostile/bide?deed=endless_loop", 504, "CS1202", "the plugin failed"),
        ("/q/hostile/bide?deed=allocation_bomb", 500, "CS1203", "the plugin failed"),
        ("/q/hostile/bide?deed=huge_shape", 500, "CS1204", "the plugin failed"),
        ("/q/hostile/bide?deed=many_statements", 500, "CS1204", "the plugin failed"),
        ("/q/hostile/bide?deed=garbage_shape", 500, "CS0201", "the plugin failed"),
        ("/q/hostile/bide?deed=lying_length", 500, "CS0201", "the plugin failed"),
        ("/q/hostile/bide?deed=garbage_bindings", 500, "CS0201", "the plugin failed"),
        ("/q/hostile/bide?deed=harmless", 503, "CS1205", "a statement that can't be run"),
    ] {
        assert_told(path, &get(address, path).await, status, code, says);
        assert_serving(path, address).await;
    }
}

#[tokio::test]
async fn what_is_sent() {
    let address = server().await;
    let json = "application/json";
    let deep = format!("{{\"limit\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{{\"limit\": \"{}\"}}", "1".repeat(1 << 20));
    let many = (0..10_000).map(|n| format!("\"p{n}\": 1")).collect::<Vec<_>>().join(", ");
    let many = format!("{{{many}}}");
    for (content_type, body, status, code, says) in [
        (json, "{", 400, "CS1008", "not a JSON object"),
        (json, "[1]", 400, "CS1008", "an object with a member for each parameter"),
        (json, "null", 400, "CS1008", "an object with a member for each parameter"),
        (json, "limit=3", 400, "CS1008", "not a JSON object"),
        (json, "{\"limit\": 1} {}", 400, "CS1008", "trailing characters"),
        (json, "{\"limit\": 1, \"limit\": 2}", 400, "CS1008", "`limit` is given twice"),
        (json, &deep, 400, "CS1005", "`limit` is not a whole number"),
        (json, &large, 413, "CS1008", "the limit is 1048576 bytes"),
        (json, &many, 400, "CS1003", "and 9984 more"),
        (json, "{\"limit\": 1.5}", 400, "CS1005", "`limit` is not a whole number: `1.5`"),
        (json, "{\"limit\": 1e400}", 400, "CS1005", "`limit` is not a whole number"),
        (json, "{\"limit\": true}", 400, "CS1005", "`limit` is not a whole number"),
        (json, "{\"limit\": {}}", 400, "CS1005", "`limit` is not a whole number"),
        (json, "{\"limit\": null}", 400, "CS1005", "can't be null"),
        (json, "{\"limit\": 1, \"offset\": null}", 400, "CS1005", "to have no value for it, leave it out"),
        ("text/plain", "{\"limit\": 1}", 415, "CS1008", "must be application/json"),
        ("application/x-www-form-urlencoded", "limit=3", 415, "CS1008", "must be application/json"),
        ("", "{\"limit\": 1}", 415, "CS1008", "must be application/json"),
    ] {
        let row = &format!("{content_type} {}", &body[..body.len().min(60)]);
        let told = post(address, "/q/language/slices", content_type, body).await;
        assert_told(row, &told, status, code, says);
        assert!(told.body.len() < 4096, "{row}: an answer of {} bytes", told.body.len());
        assert_serving(row, address).await;
    }
    let told = post(address, "/q/language/slices?limit=3", json, "{}").await;
    assert_told(
        "both",
        &told,
        400,
        "CS1008",
        "has its parameters in the body, and in the query string at most format",
    );
    let mut invalid = request("POST", "/q/language/slices").into_bytes();
    invalid.truncate(invalid.len() - 2);
    invalid.extend_from_slice(b"content-type: application/json\r\ncontent-length: 5\r\n\r\n{\"\xff\"}");
    assert_told("invalid UTF-8", &send(address, invalid).await, 400, "CS1008", "not a JSON object");
    assert_serving("all of them", address).await;
}

#[tokio::test]
async fn how_it_is_asked_for() {
    let address = server().await;
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let told = send(address, request(method, "/q/language/slices?limit=1")).await;
        assert_told(method, &told, 405, "CS1008", "see the header Allow");
        assert!(told.head.contains("allow: get,head,post"), "{method}: {}", told.head);
        assert_serving(method, address).await;
    }
    // As many bytes of the address as the server reads, more of them, and a megabyte; in a header, too.
    for (bytes, status, says) in [
        (40_000, 414, "the limit is 32768; send the parameters as the JSON body of a POST"),
        (70_000, 414, "send the parameters as the JSON body of a POST"),
        (1 << 20, 431, "send the parameters as the JSON body of a POST"),
    ] {
        let row = &format!("{bytes} bytes of query string");
        let told = get(address, &format!("/q/language/slices?limit={}", "1".repeat(bytes))).await;
        assert_told(row, &told, status, "CS1008", says);
        assert_serving(row, address).await;
    }
    let malformed = "its first line or one of its headers is malformed";
    let chunked =
        request("POST", "/q/language/slices").replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
    let cookie = format!("cookie: {}\r\n\r\n", "c".repeat(1 << 20));
    for (row, bytes, status, says) in [
        (
            "a megabyte of header",
            request("GET", "/healthz").replace("\r\n\r\n", "\r\n") + &cookie,
            431,
            "headers",
        ),
        ("no HTTP", "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400, malformed),
        ("a space in the address", request("GET", "/q/language/slices?limit=1 2"), 400, malformed),
        ("a NUL in the address", request("GET", "/q/lang\0uage/slices"), 400, malformed),
        (
            "a negative length",
            request("POST", "/q/language/slices").replace("\r\n\r\n", "\r\ncontent-length: -1\r\n\r\n"),
            400,
            malformed,
        ),
        ("a header without a name", "GET /healthz HTTP/1.0\r\n: x\r\n\r\n".to_owned(), 400, malformed),
        ("a malformed chunk", chunked + "x\r\n", 400, "its chunks are malformed"),
    ] {
        assert_told(row, &send(address, bytes).await, status, "CS1008", says);
        assert_serving(row, address).await;
    }
    // HEAD has the status of GET, and no body.
    for (path, status) in [
        ("/q/language/slices?limit=1", 200),
        ("/q/language/slices?limit=x", 400),
        ("/q/language/position?id=2000000000", 404),
        ("/q/nobody/x", 404),
    ] {
        let told = send(address, request("HEAD", path)).await;
        assert_eq!((told.status, told.body.len()), (status, 0), "HEAD {path}: {}", told.head);
        assert_serving(path, address).await;
    }
}
