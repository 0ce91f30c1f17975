//! How often a caller may ask, and how many connections there are.

use std::time::{Duration, Instant};

use callslip_tests::http;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::issuer::Issuer;
use super::serving::{Serving, request, with_language};
use crate::served::SOON;

const MINE: &str = "/q/language/mine";
const JWT: &str = "[identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"key\"\n";

/// So few that a slow machine asks no more often either, and so many at once.
fn limited(per_second: u32, burst: u32) -> String {
    format!("[rate_limits]\nper_second = {per_second}\nburst = {burst}\n")
}

/// The number of a member of the header `RateLimit`.
fn told(answer: &http::Response, member: &str) -> u64 {
    let (_, line) = answer.head.split_once("\r\nratelimit: ").unwrap_or_else(|| panic!("{}", answer.head));
    let (_, value) = line.split_once(&format!(";{member}=")).unwrap();
    value.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let issuer = Issuer::new(jsonwebtoken::Algorithm::EdDSA);
    let config = with_language(&format!("{}{JWT}", limited(1, 40)));
    let mut serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let token = |name: &str| issuer.token(json!({ "sub": name, "company": 1, "admin": false }));
    let (often, seldom) = (token("often"), token("seldom"));
    let first = serving.ask_as(MINE, &often).await;
    assert!(
        first.status == 200 && first.head.contains("\r\nratelimit-policy: \"caller\";q=40;w=40\r\n"),
        "{}",
        first.head
    );
    assert_eq!(told(&first, "r"), 39);

    let deadline = Instant::now() + SOON;
    let refused = loop {
        let answers = (0..60).map(|_| serving.ask_as(MINE, &often));
        let answers = futures_util::future::join_all(answers).await;
        if let Some(refused) = answers.into_iter().find(|answer| answer.status != 200) {
            break refused;
        }
        assert!(Instant::now() < deadline);
    };
    refused.assert_problem(429, "CS1019");
    assert_eq!((told(&refused, "r"), told(&refused, "t")), (0, 1), "{}", refused.head);
    assert!(refused.head.contains("\r\nretry-after: 1\r\n"), "{}", refused.head);
    let other = serving.ask_as(MINE, &seldom).await;
    assert!(other.status == 200 && told(&other, "r") == 39, "{}", other.head);

    // Whatever is wrong with a request, it counts, and its caller is told so.
    for (path, status) in [(format!("{MINE}?%FF"), 400), (format!("{MINE}?format=a&format=b"), 400)] {
        let answer = serving.ask_as(&path, &seldom).await;
        assert!(answer.status == status && told(&answer, "r") < 39, "{}", answer.head);
    }
    let nobody_s = serving.ask(MINE, &[]).await;
    assert!(nobody_s.status == 401 && told(&nobody_s, "r") == 39, "{}", nobody_s.head);

    // It counts on after a reload, and anew where it is limited otherwise.
    serving.reload(&config, &[]).unwrap();
    let again = serving.ask_as(MINE, &seldom).await;
    assert!(told(&again, "r") < 39, "{}", again.head);
    serving.reload(&with_language(&format!("{}{JWT}", limited(1, 50))), &[]).unwrap();
    assert_eq!(told(&serving.ask_as(MINE, &seldom).await, "r"), 49);
    serving.reload(&with_language(JWT), &[]).unwrap();
    assert!(!serving.ask_as(MINE, &often).await.head.contains("ratelimit"));
}

#[tokio::test]
async fn who_is_not_known_is_counted_by_the_address() {
    let issuer = Issuer::new(jsonwebtoken::Algorithm::EdDSA);
    let proxied = "[service]\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let config = with_language(&format!("{proxied}{}{JWT}", limited(1, 10)));
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let ask = async |client: &str| {
        let client = format!("x-forwarded-for: 1.1.1.1, {client}");
        serving.ask(MINE, &[&client, "authorization: Bearer wrong"]).await.status
    };
    let exhaust = async |client: &str| {
        let deadline = Instant::now() + SOON;
        loop {
            let statuses = futures_util::future::join_all((0..30).map(|_| ask(client))).await;
            assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
            if statuses.contains(&429) {
                return;
            }
            assert!(Instant::now() < deadline);
        }
    };
    exhaust("203.0.113.7").await;
    assert_eq!(ask("203.0.113.8").await, 401);
    exhaust("2001:db8:0:1::1").await;
    // Who tries keys from there does not keep others from there from calling.
    let token = issuer.token(json!({ "company": 1, "admin": false }));
    let known = format!("authorization: Bearer {token}");
    assert_eq!(serving.ask(MINE, &["x-forwarded-for: 203.0.113.7", &known]).await.status, 200);
}

/// Opens a connection and keeps it, once it has been answered on it.
async fn keep(serving: &Serving) -> TcpStream {
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut bytes = [0; 12];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP/1.1 200");
    stream
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_closed() {
    let mut serving = Serving::start(&with_language("[service]\nconnections = 2\n"), &[]).await;
    let kept = [keep(&serving).await, keep(&serving).await];
    let refused = http::get(serving.address, "/healthz").await;
    refused.assert_problem(503, "CS1116");
    assert!(refused.whole && refused.head.contains("retry-after: 1\r\n"), "{}", refused.head);
    drop(kept);
    let deadline = Instant::now() + SOON;
    while http::get(serving.address, "/healthz").await.status != 200 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What holds for new connections can be changed while it serves.
    serving.reload(&with_language("[service]\nconnections_per_address = 1\n"), &[]).unwrap();
    let kept = loop {
        let kept = keep(&serving).await;
        if http::get(serving.address, "/healthz").await.status == 503 {
            break kept;
        }
        assert!(Instant::now() < deadline);
    };
    drop(kept);
}

#[tokio::test]
async fn a_request_is_no_larger_than_the_configuration_says() {
    let config = "[service]\nbody_kib = 1\nquery_string_kib = 1\nheader_kib = 8\nheaders = 10\n";
    let serving = Serving::start(&with_language(config), &[]).await;
    let path = format!("{MINE}?a={}", "a".repeat(1_100));
    http::get(serving.address, &path).await.assert_problem(414, "CS1008");
    let body = format!("{{\"a\":\"{}\"}}", "a".repeat(1_100));
    http::post(serving.address, MINE, "application/json", &body).await.assert_problem(413, "CS1008");
    let large = format!("x-large: {}", "a".repeat(9_000));
    serving.ask(MINE, &[&large]).await.assert_problem(431, "CS1008");
    let many: Vec<String> = (0..11).map(|n| format!("x-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    http::send(serving.address, request("GET", MINE, &many)).await.assert_problem(431, "CS1008");
}
