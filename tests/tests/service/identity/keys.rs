//! API keys, from their making to their end.

use callslip::Code;

use super::serving::{Serving, of_company, with_language};
use crate::served::command;

const MINE: &str = "/q/language/mine";

fn config() -> String {
    with_language(
        "[filters]\nposition = \"company_id = claim('company')\"\n[identity]\nkeys_file = \"keys.toml\"",
    )
}

/// A key and its entry, as the command makes them.
fn make(arguments: &[&str]) -> (String, String) {
    let made = command().arg("key").args(arguments).output().unwrap();
    let (key, entry) = (String::from_utf8(made.stderr).unwrap(), String::from_utf8(made.stdout).unwrap());
    assert!(made.status.success(), "{key}");
    assert!(!entry.contains(key.trim()));
    (key.trim().to_owned(), entry)
}

#[tokio::test]
async fn a_key_is_its_caller_s_claims_until_its_entry_is_taken_out() {
    let (first, first_entry) = make(&["first", "--claim", "company=1", "--claim", "admin=true"]);
    let (second, second_entry) = make(&["second", "--claim", "company=2", "--claim", "admin=true"]);
    let (_, over) = make(&["over", "--claim", "company=2", "--expires", "9999-01-01"]);
    let mut serving =
        Serving::start(&config(), &[("keys.toml", &format!("{first_entry}{second_entry}{over}"))]).await;
    for _ in 0..2 {
        assert_eq!(serving.ids(MINE, &first).await, of_company(1).await);
        assert_eq!(serving.ids(MINE, &second).await, of_company(2).await);
    }
    let answer = serving.ask(MINE, &[&format!("X-API-Key: {first}")]).await;
    assert_eq!(answer.status, 200);

    let hash = first_entry.split('"').nth(1).unwrap();
    assert_eq!(hash.len(), 64);
    for wrong in
        [hash, &first[..first.len() - 1], &format!("{first}A"), "callslip_", &first.to_uppercase(), "first"]
    {
        for header in [format!("authorization: Bearer {wrong}"), format!("x-api-key: {wrong}")] {
            let problem = serving.ask(MINE, &[&header]).await.assert_problem(401, "CS1017");
            assert_eq!(problem["detail"], "the key or the token is not valid here");
        }
    }

    // A file that can't be used leaves everything as it was.
    let error = serving.reload(&config(), &[("keys.toml", "[first]\nsha256 = \"7\"\n")]).unwrap_err();
    assert_eq!(error.code(), Code::BadConfiguration);
    assert!(error.to_string().contains("[first] has a sha256"), "{error}");
    assert_eq!(serving.ids(MINE, &second).await, of_company(2).await);

    serving.reload(&config(), &[("keys.toml", &first_entry)]).unwrap();
    serving.ask_as(MINE, &second).await.assert_problem(401, "CS1017");
    assert_eq!(serving.ids(MINE, &first).await, of_company(1).await);
    let ended = first_entry.replace("claims", "expires = 2020-01-01T00:00:00Z\nclaims");
    assert_ne!(ended, first_entry);
    serving.reload(&config(), &[("keys.toml", &ended)]).unwrap();
    serving.ask_as(MINE, &first).await.assert_problem(401, "CS1017");
}

#[tokio::test]
async fn a_key_or_a_token_is_taken_where_both_are() {
    use super::issuer::Issuer;
    let issuer = Issuer::new(jsonwebtoken::Algorithm::ES256);
    let (key, entry) = make(&["first", "--claim", "company=1", "--claim", "admin=true"]);
    let config = format!("{}\n[identity.jwt]\nalgorithms = [\"ES256\"]\nkey_file = \"key\"\n", config());
    let serving = Serving::start(&config, &[("keys.toml", &entry), ("key", &issuer.public)]).await;
    assert_eq!(serving.ids(MINE, &key).await, of_company(1).await);
    let token = issuer.token(serde_json::json!({ "company": 2, "admin": true }));
    assert_eq!(serving.ids(MINE, &token).await, of_company(2).await);
    serving.ask(MINE, &[&format!("x-api-key: {token}")]).await.assert_problem(401, "CS1017");
}

#[test]
fn a_key_that_can_t_be_is_not_made() {
    for arguments in [&["a b"][..], &["a", "--expires", "tomorrow"], &["a", "--claim", "n=null"]] {
        let made = command().arg("key").args(arguments).output().unwrap();
        let error = String::from_utf8(made.stderr).unwrap();
        assert_eq!(made.status.code(), Some(1), "{error}");
        assert!(
            made.stdout.is_empty() && error.contains("CS2001") && !error.contains("callslip_"),
            "{error}"
        );
    }
}
