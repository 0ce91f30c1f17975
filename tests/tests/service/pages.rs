//! Pages over HTTP, from servers that share a key and from such that don't.

use std::fs;
use std::net::SocketAddr;

use callslip_tests::Paged;
use callslip_tests::http::{self, Response};

use crate::served::Served;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server whose key is in a file, or one without.
fn serve(paged: &Paged, secret: Option<&str>) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = String::new();
    if let Some(secret) = secret {
        fs::write(folder.path().join("cursor.key"), format!("{secret}\n")).unwrap();
        settings = "[service]\ncursor_key_file = \"cursor.key\"".to_owned();
    }
    Served::start_in(folder, &paged.url, &Paged::settings(&settings, None), &[])
}

/// The target of the link to the next page, which is relative to the address of this one.
fn next_link(answer: &Response) -> Option<String> {
    // The client gives heads in lower case, and a cursor has both.
    let line = answer.head.lines().find_map(|line| line.strip_prefix("link: <?"))?;
    let (target, rel) = line.split_once('>').unwrap();
    assert_eq!(rel, "; rel=\"next\"");
    Some(target.to_owned())
}

fn ids(answer: &Response) -> Vec<i64> {
    let rows = answer.json()["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn list(address: SocketAddr, parameters: &str) -> Response {
    let answer = http::get(address, &format!("/q/paged/sorted?{parameters}")).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer
}

#[tokio::test]
async fn next_in_the_body_and_in_a_header_leads_through_the_whole_list_on_any_server_with_the_key() {
    let paged = Paged::new("served_pages").await;
    let (one, other) = (serve(&paged, Some(SECRET)), serve(&paged, Some(SECRET)));
    let addresses = [one.address(), other.address()];
    let own = "sort=-made,title&page_size=4";
    let (mut all, mut parameters, mut pages) = (Vec::new(), own.to_owned(), 0);
    loop {
        let answer = list(addresses[pages % 2], &parameters).await;
        all.extend(ids(&answer));
        pages += 1;
        let body = answer.json();
        let Some(next) = body["next"].as_str() else {
            assert_eq!((next_link(&answer), &body["next"]), (None, &serde_json::Value::Null));
            assert!(!answer.head.contains("callslip-next-cursor"), "{}", answer.head);
            break;
        };
        parameters = format!("{own}&cursor={next}");
        let expected = format!("sort=-made%2Ctitle&page_size=4&cursor={next}").to_lowercase();
        assert_eq!(next_link(&answer), Some(expected));
        assert!(
            answer.head.contains(&format!("callslip-next-cursor: {}\r\n", next.to_lowercase())),
            "{}",
            answer.head
        );
    }
    let sql = "SELECT id FROM item ORDER BY made DESC NULLS FIRST, title, id";
    let expected: Vec<i64> =
        paged.owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get::<_, i32>(0).into()).collect();
    assert_eq!((all, pages), (expected, 6));
    // The body of a POST takes a cursor too, and its answer has no link: there is no such address.
    let first = http::post(addresses[0], "/q/paged/plain", "application/json", "{\"page_size\": 2}").await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert_eq!((next_link(&first), first.head.contains("callslip-next-cursor: ")), (None, true));
    let body = format!("{{\"cursor\": \"{next}\"}}");
    let second = http::post(addresses[1], "/q/paged/plain", "application/json", &body).await;
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)));
}

#[tokio::test]
async fn a_cursor_that_is_none_is_a_problem_that_says_what_to_do() {
    let paged = Paged::new("served_forgers").await;
    let (with_key, without) = (serve(&paged, Some(SECRET)), serve(&paged, None));
    without.wait_for("the cursors of pages are made with a key of this process");
    let next = list(with_key.address(), "").await.json()["next"].as_str().unwrap().to_owned();
    for (address, parameters) in [
        (without.address(), format!("cursor={next}")),
        (with_key.address(), format!("cursor={next}&sort=title")),
        (with_key.address(), format!("cursor={}", &next[..next.len() - 2])),
        (with_key.address(), "cursor=".to_owned()),
        (with_key.address(), format!("cursor={next}&cursor={next}")),
    ] {
        let answer = http::get(address, &format!("/q/paged/sorted?{parameters}")).await;
        let problem = answer.assert_problem(400, "CS1016");
        assert_eq!(problem["errors"][0]["parameter"], "cursor", "{problem}");
        assert_eq!(problem["errors"][0]["code"], "CS1016", "{problem}");
    }
    let answer = http::get(with_key.address(), "/q/paged/sorted?cursor=AAAA").await;
    let detail = answer.assert_problem(400, "CS1016")["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("ask for the first page again, without `cursor`"), "{detail}");
    for server in [&with_key, &without] {
        assert!(!server.lines().iter().any(|line| line.contains(SECRET)), "{:#?}", server.lines());
    }
}

#[tokio::test]
async fn a_key_that_is_too_short_or_is_not_there_is_refused_at_start() {
    let paged = Paged::new("served_short_keys").await;
    let mut short = serve(&paged, Some("short"));
    short.wait_for("service.cursor_key_file: a secret for cursors has at least 32 bytes, and this has 5");
    assert_ne!(short.ended(), Some(0));
    assert!(!short.lines().iter().any(|line| line.contains("\"short\"")), "{:#?}", short.lines());
    let config = Paged::settings("[service]\ncursor_key_file = \"nowhere.key\"", None);
    let mut missing = Served::start(&paged.url, &config, &[]);
    missing.wait_for("service.cursor_key_file: ");
    assert_ne!(missing.ended(), Some(0));
}
