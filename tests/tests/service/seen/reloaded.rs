use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use callslip_tests::{database, http, language_and_slow};
use nix::sys::signal::Signal;

use super::exposition::Exposition;
use crate::served::{SOON, Served};

async fn until_reloaded(admin: SocketAddr, result: &str) -> Exposition {
    let began = Instant::now();
    loop {
        let answer = http::get(admin, "/metrics").await;
        let scraped = Exposition::parse(&String::from_utf8(answer.body).unwrap());
        if scraped.sum("callslip_reloads_total", &[("result", result)]) == 1.0 {
            return scraped;
        }
        assert!(began.elapsed() < SOON, "no reload that is {result}: {scraped:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_counted_goes_on_across_reloads() {
    let config = |settings: &str| {
        language_and_slow(&format!(
            "{settings}\n[admin]\nlisten = \"127.0.0.1:0\"\n[reload]\nwatch = false\n"
        ))
    };
    let served = Served::start(&database().url(), &config(""), &[]);
    let admin = served.address_after("administration at http://");
    let ask = async || assert_eq!(http::get(served.address(), "/q/language/position?id=1").await.status, 200);
    ask().await;
    served.signal(Signal::SIGHUP);
    until_reloaded(admin, "unchanged").await;
    ask().await;
    // Another pool is another host.
    fs::write(served.config(), config("[pool]\nsize = 3")).unwrap();
    served.signal(Signal::SIGHUP);
    until_reloaded(admin, "changed").await;
    ask().await;
    fs::write(served.config(), "[wrong]").unwrap();
    served.signal(Signal::SIGHUP);
    let scraped = until_reloaded(admin, "refused").await;
    let calls = [("plugin", "language"), ("query", "position"), ("outcome", "complete")];
    assert_eq!(scraped.sum("callslip_calls_total", &calls), 3.0);
    let requests = [("plugin", "language"), ("query", "position"), ("status", "200")];
    assert_eq!(scraped.sum("callslip_http_requests_total", &requests), 3.0);
    let shapes = [("cache", "shapes"), ("result", "hit")];
    assert_eq!(scraped.sum("callslip_cache_lookups_total", &shapes), 3.0);
    assert_eq!(scraped.sum("callslip_pool_connections_max", &[]), 3.0);
    assert_eq!(http::get(admin, "/readyz").await.status, 200);
    assert_eq!(http::get(admin, "/admin/health").await.json()["plugins"]["language"], "served");
}
