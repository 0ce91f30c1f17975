//! Pages of other sites.

use callslip_tests::http;

use super::serving::{Serving, request, with_language};

const MINE: &str = "/q/language/mine";

fn config(cors: &str) -> String {
    with_language(&format!("[identity]\nkeys_file = \"keys.toml\"\n{cors}"))
}

async fn preflight(serving: &Serving, origin: &str) -> http::Response {
    let origin = format!("origin: {origin}");
    let headers =
        [&origin, "access-control-request-method: POST", "access-control-request-headers: authorization"];
    http::send(serving.address, request("OPTIONS", MINE, &headers)).await
}

#[tokio::test]
async fn a_browser_learns_whether_a_page_may_call_before_anybody_asks_who_it_is() {
    let cors = "[service.cors]\norigins = [\"https://app.example\"]\ncredentials = true\nmax_age_s = 77\n";
    let mut serving = Serving::start(&config(cors), &[("keys.toml", "")]).await;
    let allowed = preflight(&serving, "https://app.example").await;
    assert_eq!(allowed.status, 200);
    for header in [
        "access-control-allow-origin: https://app.example\r\n",
        "access-control-allow-credentials: true\r\n",
        "access-control-allow-methods: get,head,post\r\n",
        "access-control-max-age: 77\r\n",
        "authorization",
    ] {
        assert!(allowed.head.contains(header), "{header}: {}", allowed.head);
    }
    for origin in
        ["https://app.example.attacker.example", "http://app.example", "https://app.example:444", "null"]
    {
        let other = preflight(&serving, origin).await;
        assert!(!other.head.contains("access-control-allow-origin"), "{origin}: {}", other.head);
        assert!(other.head.contains("vary: origin"), "{}", other.head);
    }

    // An error can be read by the page, too.
    let refused = serving.ask(MINE, &["origin: https://app.example"]).await;
    refused.assert_problem(401, "CS1017");
    assert!(
        refused.head.contains("access-control-allow-origin: https://app.example\r\n"),
        "{}",
        refused.head
    );
    assert!(refused.head.contains("access-control-expose-headers: "), "{}", refused.head);
    let unknown = serving.ask("/nowhere", &["origin: https://app.example"]).await;
    assert!(
        unknown.status == 404 && unknown.head.contains("access-control-allow-origin"),
        "{}",
        unknown.head
    );

    serving.reload(&config("[service.cors]\norigins = [\"*\"]\n"), &[]).unwrap();
    let every = preflight(&serving, "https://anybody.example").await;
    assert!(every.head.contains("access-control-allow-origin: *\r\n"), "{}", every.head);
    assert!(!every.head.contains("access-control-allow-credentials"), "{}", every.head);

    serving.reload(&config(""), &[]).unwrap();
    let none = preflight(&serving, "https://app.example").await;
    assert_eq!(none.status, 405);
    assert!(!none.head.contains("access-control"), "{}", none.head);
}
