//! Which format a request gets, and who says so.

use callslip_tests::http::post;

use super::{FORMATS, ask, header, serve, text};

#[tokio::test]
async fn accept_and_the_query_string_choose() {
    let served = serve("");
    let address = served.address();
    let path = "/q/replies/numbered?rows=2";
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (accept, expected) in [
        ("*/*", "application/json"),
        (browser, "application/json"),
        ("text/*", "text/csv"),
        ("application/json;q=0.2, text/csv;q=0.3", "text/csv"),
        ("application/json;q=0, */*;q=0.1", "application/x-ndjson"),
    ]
    .into_iter()
    .chain(FORMATS.map(|(_, media_type)| (media_type, media_type)))
    {
        let found = ask(address, "GET", path, &format!("accept: {accept}")).await;
        let content_type = header(&found, "content-type").unwrap();
        assert!(found.status == 200 && content_type.starts_with(expected), "{accept}: {content_type}");
        assert_eq!(header(&found, "vary"), Some("accept, accept-encoding"));
    }
    for (name, media_type) in FORMATS {
        let found = ask(address, "GET", &format!("{path}&format={name}"), "accept: text/html").await;
        let content_type = header(&found, "content-type").unwrap();
        assert!(found.status == 200 && content_type.starts_with(media_type), "{name}: {content_type}");
    }
    for (path, accept) in [(path, "accept: image/png"), ("/q/replies/numbered?rows=2&format=xml", "")] {
        let problem = ask(address, "GET", path, accept).await.assert_problem(406, "CS1015");
        assert_eq!(problem["available"], serde_json::json!(FORMATS.map(|(_, media_type)| media_type)));
    }
    let found = ask(address, "GET", path, "accept: application/json; numbers=strings").await;
    assert_eq!(found.json()[1]["amount"], "2.00");
    ask(address, "GET", &format!("{path}&numbers=words"), "").await.assert_problem(400, "CS1005");
    ask(address, "GET", &format!("{path}&format=csv&format=json"), "").await.assert_problem(400, "CS1005");
}

#[tokio::test]
async fn a_post_names_a_format_in_its_query_string() {
    let served = serve("");
    let ask = async |path: &str| post(served.address(), path, "application/json", "{\"rows\": 1}").await;
    let found = ask("/q/replies/numbered?format=csv").await;
    assert_eq!((found.status, text(&found).lines().count()), (200, 2));
    for path in ["/q/replies/numbered?rows=1", "/q/replies/numbered?format=csv&rows=1"] {
        ask(path).await.assert_problem(400, "CS1008");
    }
    ask("/q/replies/numbered?format=xml").await.assert_problem(406, "CS1015");
}

#[tokio::test]
async fn a_parameter_of_the_query_comes_before_one_of_the_service() {
    let served = serve("");
    let address = served.address();
    let path = "/q/replies/colliding?format=csv&statement=none";
    let found = ask(address, "GET", path, "").await;
    assert_eq!(text(&found), "[{\"format\":\"csv\",\"statement\":\"none\"}]");
    let found = ask(address, "GET", path, "accept: text/csv").await;
    assert_eq!(text(&found), "format,statement\r\ncsv,none\r\n");
    let body = "{\"format\": \"x\"}";
    let found = post(address, "/q/replies/colliding?format=csv", "application/json", body).await;
    found.assert_problem(400, "CS1008");
}
