//! Replies that clients keep: `ETag`, `If-None-Match`, `Cache-Control`, and the head alone.

use callslip_tests::http::{Response, post};
use callslip_tests::{database, language_and_slow};

use super::{FORMATS, ask, gunzipped, header, serve};
use crate::served::Served;

/// Both queries have a tag, and one may be kept for a minute.
const KEPT: &str = "[plugins.replies.queries.numbered]\netag = true\n\
                    [plugins.replies.queries.several]\netag = true\ncache_control = \"max-age=60\"\n";

#[tokio::test]
async fn a_reply_that_is_known_is_not_sent_again() {
    let served = serve(KEPT);
    let address = served.address();
    let mut tags = Vec::new();
    for (format, _) in FORMATS {
        let path = format!("/q/replies/numbered?rows=1000&format={format}");
        for encoding in ["", "accept-encoding: gzip"] {
            let first = ask(address, "GET", &path, encoding).await;
            let tag = header(&first, "etag").unwrap_or_else(|| panic!("{}", first.head)).to_owned();
            assert!(tag.starts_with('"') && first.whole && !tags.contains(&tag), "{tag}");
            assert_eq!(header(&first, "cache-control"), Some("no-cache"));
            for known in [&tag, "*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
                let again = ask(address, "GET", &path, &format!("{encoding}\nif-none-match: {known}")).await;
                assert_eq!((again.status, again.body.len()), (304, 0), "{known}: {}", again.head);
                assert_eq!(header(&again, "etag"), Some(&*tag));
                assert_eq!(header(&again, "vary"), Some("accept, accept-encoding"));
                assert_eq!(header(&again, "cache-control"), Some("no-cache"));
                for gone in ["content-length", "content-type", "content-encoding", "transfer-encoding"] {
                    assert_eq!(header(&again, gone), None, "{}", again.head);
                }
            }
            for unknown in ["\"other\"".to_owned(), tag.trim_matches('"').to_owned()].iter().chain(&tags) {
                let again =
                    ask(address, "GET", &path, &format!("{encoding}\nif-none-match: {unknown}")).await;
                assert_eq!((again.status, &again.body), (200, &first.body), "{unknown}");
            }
            tags.push(tag);
        }
    }
    // Other rows are another reply.
    let other =
        ask(address, "GET", "/q/replies/numbered?rows=999", &format!("if-none-match: {}", tags[0])).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn what_is_long_has_no_tag_and_a_post_is_not_kept() {
    let served = serve(KEPT);
    let address = served.address();
    for (format, _) in FORMATS {
        for encoding in ["", "accept-encoding: gzip"] {
            let path = format!("/q/replies/numbered?rows=20000&format={format}");
            let long = ask(address, "GET", &path, &format!("{encoding}\nif-none-match: *")).await;
            assert_eq!((long.status, long.whole, header(&long, "etag")), (200, true, None), "{format}");
            let body = if encoding.is_empty() { long.body } else { gunzipped(&long.body).0 };
            assert!(body.len() > 256 << 10, "{format}");
        }
    }
    let posted = post(address, "/q/replies/numbered", "application/json", "{\"rows\": 1}").await;
    assert_eq!((posted.status, header(&posted, "etag"), header(&posted, "cache-control")), (200, None, None));
    let unsaid = ask(address, "GET", "/q/replies/one?found=true", "").await;
    assert_eq!((unsaid.status, header(&unsaid, "etag"), header(&unsaid, "cache-control")), (200, None, None));
}

#[tokio::test]
async fn what_depends_on_a_claim_is_private() {
    let served = serve(KEPT);
    let path = "/q/replies/several?found=true";
    let public = ask(served.address(), "GET", path, "").await;
    assert_eq!(header(&public, "cache-control"), Some("max-age=60"));
    // A row filter reads a claim that this caller does not have.
    let settings = "[filters]\nposition = \"company_id = claim('company')\"\n\
                    [plugins.language.queries.slices]\netag = true\ncache_control = \"max-age=60\"\n";
    let served = Served::start(&database().url(), &language_and_slow(settings), &[]);
    let found = ask(served.address(), "GET", "/q/language/slices?limit=3&nulls_first=true", "").await;
    assert_eq!((found.status, header(&found, "callslip-absent-claims")), (200, Some("company")));
    assert_eq!(header(&found, "cache-control"), Some("private, max-age=60"));
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let served = serve(KEPT);
    let address = served.address();
    for path in [
        "/q/replies/numbered?rows=1000",
        "/q/replies/numbered?rows=100000",
        "/q/replies/several?found=true",
        "/q/replies/several?found=true&format=csv",
        "/q/replies/one?found=true&format=csv",
        "/q/replies/one?found=false",
        "/q/replies/one?found=perhaps",
        "/q/replies/numbered?rows=1&format=xml",
        "/q/replies/none",
    ] {
        for headers in ["", "accept-encoding: gzip", "accept: application/vnd.apache.arrow.stream"] {
            let (get, head) =
                (ask(address, "GET", path, headers).await, ask(address, "HEAD", path, headers).await);
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path} {headers}: {}", head.head);
            let told = |answer: &Response| {
                let is_of_moment = |line: &&str| {
                    !["date:", "callslip-id:", "transfer-encoding:"].iter().any(|name| line.starts_with(name))
                };
                let mut lines: Vec<_> = answer.head.lines().filter(is_of_moment).map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(told(&head), told(&get), "{path} {headers}");
        }
    }
    let tag = ask(address, "HEAD", "/q/replies/numbered?rows=9", "").await;
    let known = format!("if-none-match: {}", header(&tag, "etag").unwrap());
    assert_eq!(ask(address, "HEAD", "/q/replies/numbered?rows=9", &known).await.status, 304);
}
