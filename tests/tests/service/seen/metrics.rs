use callslip_tests::{http, language_and_slow};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Seen;
use crate::served::SOON;

/// Waits until the scrape has what is wanted of it.
async fn until(seen: &Seen, what: &str, has: impl Fn(&super::Exposition) -> bool) -> super::Exposition {
    let began = std::time::Instant::now();
    loop {
        let scraped = seen.scrape().await;
        if has(&scraped) {
            return scraped;
        }
        assert!(began.elapsed() < SOON, "{what}: {scraped:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

const POSITION: [(&str, &str); 2] = [("plugin", "language"), ("query", "position")];

fn with<'a>(labels: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [labels, more].concat()
}

#[tokio::test]
async fn every_call_and_request_is_counted_once_as_it_ended() {
    let seen = Seen::start(&language_and_slow("")).await;
    let before = seen.scrape().await;
    assert_eq!(before.sum("callslip_calls_total", &[]), 0.0);

    for _ in 0..3 {
        assert_eq!(http::get(seen.public, "/q/language/position?id=1").await.status, 200);
    }
    assert_eq!(http::get(seen.public, "/q/language/position?id=2000000000").await.status, 404);
    assert_eq!(http::get(seen.public, "/q/language/position?id=x").await.status, 400);
    assert_eq!(http::get(seen.public, "/q/language/position").await.status, 400);
    assert_eq!(http::get(seen.public, "/q/language/made-up").await.status, 404);
    assert_eq!(http::get(seen.public, "/q/made-up/position").await.status, 404);
    assert_eq!(http::get(seen.public, "/made-up").await.status, 404);
    assert_eq!(http::get(seen.public, "/q/language/position?id=%ff").await.status, 400);
    assert!(!http::get(seen.public, "/q/language/breaking").await.whole);

    let scraped =
        until(&seen, "all are counted", |it| it.sum("callslip_http_requests_total", &[]) >= 11.0).await;
    let calls = |labels: &[(&str, &str)]| scraped.sum("callslip_calls_total", labels);
    assert_eq!(calls(&with(&POSITION, &[("outcome", "complete")])), 3.0);
    assert_eq!(calls(&with(&POSITION, &[("outcome", "missing")])), 1.0);
    assert_eq!(calls(&with(&POSITION, &[("outcome", "CS1005")])), 1.0);
    assert_eq!(calls(&with(&POSITION, &[("outcome", "CS1004")])), 1.0);
    assert_eq!(calls(&[("plugin", "language"), ("query", ""), ("outcome", "CS1002")]), 1.0);
    assert_eq!(calls(&[("plugin", ""), ("query", ""), ("outcome", "CS1001")]), 1.0);
    assert_eq!(calls(&[("query", "breaking"), ("outcome", "CS1103")]), 1.0);
    assert_eq!(calls(&[]), 9.0, "each once");

    let requests = |labels: &[(&str, &str)]| scraped.sum("callslip_http_requests_total", labels);
    assert_eq!(requests(&with(&POSITION, &[("status", "200"), ("format", "json")])), 3.0);
    assert_eq!(requests(&with(&POSITION, &[("status", "404"), ("format", "problem")])), 1.0);
    assert_eq!(requests(&with(&POSITION, &[("status", "400")])), 3.0, "one did not come to a call");
    assert_eq!(requests(&[("plugin", ""), ("status", "404")]), 2.0);
    assert_eq!(requests(&[]), 11.0);
    assert_eq!(scraped.sum("callslip_http_responses_broken_total", &[]), 1.0);
    assert_eq!(scraped.sum("callslip_http_responses_broken_total", &[("query", "breaking")]), 1.0);
    assert_eq!(scraped.sum("callslip_rows_total", &POSITION), 3.0);
    assert!(scraped.sum("callslip_reply_bytes_total", &POSITION) > 3.0);
    assert!(scraped.sum("callslip_http_response_bytes_total", &POSITION) > 3.0);

    for (stage, at_least) in
        [("planned", 3.0), ("connection", 3.0), ("database", 4.0), ("streamed", 4.0), ("read", 3.0)]
    {
        let stages =
            scraped.sum("callslip_call_stage_duration_seconds_count", &with(&POSITION, &[("stage", stage)]));
        assert!(stages >= at_least, "{stage}: {stages}");
    }
    assert_eq!(scraped.sum("callslip_call_duration_seconds_count", &POSITION), 6.0);
    assert_eq!(scraped.sum("callslip_http_request_duration_seconds_count", &POSITION), 7.0);

    // Nothing that callers made up.
    assert_eq!(scraped.values("plugin"), ["", "language", "slow"].into());
    let queries = scraped.values("query");
    assert!(!queries.contains("made-up") && queries.contains("position"), "{queries:?}");
}

#[tokio::test]
async fn a_name_is_the_same_however_its_address_is_written() {
    let seen = Seen::start(&language_and_slow("")).await;
    for path in ["/q/language/position?id=1", "/q/%6canguage/positio%6E?id=1"] {
        assert_eq!(http::get(seen.public, path).await.status, 200);
    }
    let requests = [&POSITION[..], &[("status", "200")]].concat();
    until(&seen, "both are its", |it| it.sum("callslip_http_requests_total", &requests) == 2.0).await;
}

#[tokio::test]
async fn an_answer_without_a_body_is_whole() {
    let seen =
        Seen::start(&(language_and_slow("") + "\n[plugins.language.queries.position]\netag = true\n")).await;
    let path = "/q/language/position?id=1";
    let first = http::get(seen.public, path).await;
    let etag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again =
        http::request("GET", path).replace("connection:", &format!("if-none-match: {etag}\r\nconnection:"));
    assert_eq!(http::send(seen.public, again).await.status, 304);
    assert_eq!(http::send(seen.public, http::request("HEAD", path)).await.status, 200);
    let scraped =
        until(&seen, "all are counted", |it| it.sum("callslip_http_requests_total", &[]) == 3.0).await;
    for (status, format, count) in [("200", "json", 1.0), ("304", "none", 1.0), ("200", "none", 1.0)] {
        let labels = with(&POSITION, &[("status", status), ("format", format)]);
        assert_eq!(scraped.sum("callslip_http_requests_total", &labels), count, "{status} {format}");
    }
    assert_eq!(scraped.sum("callslip_http_responses_broken_total", &[]), 0.0);
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_and_is_no_more_in_flight() {
    let seen = Seen::start(&language_and_slow("")).await;
    let mut client = TcpStream::connect(seen.public).await.unwrap();
    client.write_all(http::request("GET", "/q/slow/sleep?seconds=60").as_bytes()).await.unwrap();
    until(&seen, "it is at hand", |it| it.sum("callslip_http_requests_in_flight", &[]) == 1.0).await;
    let lent = until(&seen, "it has a connection", |it| {
        it.sum("callslip_pool_connections", &[]) - it.sum("callslip_pool_connections_available", &[]) == 1.0
    });
    lent.await;
    drop(client);
    let scraped =
        until(&seen, "it is gone", |it| it.sum("callslip_calls_total", &[("outcome", "dropped")]) == 1.0)
            .await;
    let gone = [("plugin", "slow"), ("query", "sleep"), ("status", "499"), ("format", "none")];
    assert_eq!(scraped.sum("callslip_http_requests_total", &gone), 1.0);
    assert_eq!(scraped.sum("callslip_http_requests_in_flight", &[]), 0.0);
    assert_eq!(scraped.sum("callslip_http_responses_broken_total", &[("plugin", "slow")]), 1.0);
}

#[tokio::test]
async fn what_is_kept_is_seen_to_be_used() {
    let seen = Seen::start(&language_and_slow("[pool]\nsize = 1")).await;
    let lookups = |it: &super::Exposition, cache, result| {
        it.sum(
            "callslip_cache_lookups_total",
            &[("cache", cache), ("result", result), ("database", "default")],
        )
    };
    for _ in 0..4 {
        assert_eq!(http::get(seen.public, "/q/language/position?id=1").await.status, 200);
    }
    // It is open: its shape is proven when it is first wanted.
    for _ in 0..2 {
        assert_eq!(http::get(seen.public, "/q/language/search?words=senior+metric").await.status, 200);
    }
    let scraped = seen.scrape().await;
    assert_eq!((lookups(&scraped, "shapes", "hit"), lookups(&scraped, "shapes", "miss")), (5.0, 1.0));
    // The statements of open queries are prepared anew each time.
    assert_eq!((lookups(&scraped, "statements", "hit"), lookups(&scraped, "statements", "miss")), (3.0, 3.0));
    let proofs = [("plugin", "language"), ("query", "search"), ("outcome", "proven")];
    assert_eq!(scraped.sum("callslip_shape_proofs_total", &proofs), 1.0);
    assert_eq!(scraped.sum("callslip_pool_connections_max", &[("database", "default")]), 1.0);
}

#[tokio::test]
async fn plugins_the_catalog_and_the_process_are_seen() {
    let missing = "\n[plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n";
    let seen = Seen::start(&(language_and_slow("") + missing)).await;
    seen.host.refresh().await.unwrap();
    let scraped = seen.scrape().await;
    for (plugin, standing) in [("language", "served"), ("gone", "refused")] {
        for its in ["served", "degraded", "refused"] {
            let value = scraped.sum("callslip_plugin_standing", &[("plugin", plugin), ("standing", its)]);
            assert_eq!(value == 1.0, its == standing, "{plugin} {its}");
        }
    }
    for name in ["callslip_plugin_suspended", "callslip_plugin_version_waiting", "callslip_catalog_failing"] {
        assert_eq!(scraped.sum(name, &[]), 0.0, "{name}");
        assert!(!scraped.families[name].samples.is_empty(), "{name}");
    }
    assert_eq!(scraped.sum("callslip_catalog_generation", &[("database", "default")]), 1.0);
    assert_eq!(scraped.sum("callslip_catalog_refreshes_total", &[]), 1.0);
    let started = scraped.sum("process_start_time_seconds", &[]);
    assert!(scraped.sum("callslip_catalog_checked_timestamp_seconds", &[]) >= started - 1.0);
    assert_eq!(scraped.sum("callslip_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    if cfg!(target_os = "linux") {
        assert!(scraped.sum("process_resident_memory_bytes", &[]) > 1e6);
        assert!(scraped.sum("process_open_fds", &[]) > 3.0);
    }
}

#[tokio::test]
async fn a_suspended_plugin_is_seen() {
    let seen = Seen::start(&language_and_slow("")).await;
    for _ in 0..5 {
        http::get(seen.public, "/q/language/search?words=panic").await.assert_problem(500, "CS1201");
    }
    let scraped = seen.scrape().await;
    let plugin = [("plugin", "language")];
    assert_eq!(scraped.sum("callslip_plugin_suspensions_total", &plugin), 1.0);
    let of_shapes = [("plugin", "language"), ("query", "search"), ("outcome", "CS1201")];
    assert_eq!(scraped.sum("callslip_shape_proofs_total", &of_shapes), 5.0);
}

#[tokio::test]
async fn callers_see_nothing_of_it() {
    let seen = Seen::start(&language_and_slow("")).await;
    for path in ["/metrics", "/admin/health"] {
        http::get(seen.public, path).await.assert_problem(404, "CS1002");
    }
    let health = http::get(seen.public, "/healthz").await;
    assert_eq!((health.status, health.json()), (200, serde_json::json!({ "status": "ok" })));
    let health = http::get(seen.admin, "/admin/health").await.json();
    assert_eq!(health["plugins"]["language"], "served");
}
