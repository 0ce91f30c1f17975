//! Tokens of every algorithm, and the claims that they become.

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde_json::json;

use super::issuer::{ALGORITHMS, Issuer, jwks, now, with_exp};
use super::serving::{Serving, of_company, with_language};

const MINE: &str = "/q/language/mine";

fn jwt(lines: &str) -> String {
    with_language(&format!(
        "[filters]\nposition = \"company_id = claim('company')\"\n[identity.jwt]\n{lines}\n"
    ))
}

#[tokio::test]
async fn a_token_of_every_algorithm_is_its_caller_s_claims() {
    let first = of_company(1).await;
    // One host for all: what is configured of identity is the service's.
    let files = |issuer: &Issuer| [("key", issuer.public.clone()), ("jwks", jwks(&[issuer]))];
    let issuer = Issuer::new(Algorithm::HS256);
    let config = jwt("algorithms = [\"HS256\"]\nsecret_file = \"key\"");
    let mut serving =
        Serving::start(&config, &files(&issuer).each_ref().map(|(name, text)| (*name, text.as_str()))).await;
    for algorithm in ALGORITHMS {
        let issuer = Issuer::new(algorithm);
        let of_one = match algorithm.family() {
            AlgorithmFamily::Hmac => "secret_file = \"key\"",
            _ => "key_file = \"key\"",
        };
        for source in [of_one, "jwks_file = \"jwks\""] {
            let config = jwt(&format!("algorithms = [\"{algorithm:?}\"]\n{source}"));
            let files = files(&issuer);
            serving
                .reload(&config, &files.each_ref().map(|(name, text)| (*name, text.as_str())))
                .unwrap_or_else(|error| panic!("{algorithm:?} {source}: {error}"));
            let token = issuer.token(json!({ "company": 1, "admin": true }));
            assert_eq!(serving.ids(MINE, &token).await, first, "{algorithm:?} {source}");
            let other = Issuer::new(algorithm).token(json!({ "company": 1, "admin": true }));
            let answer = serving.ask_as(MINE, &other).await;
            answer.assert_problem(401, "CS1017");
            assert!(
                answer.head.contains("www-authenticate: bearer realm=\"callslip\", error=\"invalid_token\"")
            );
        }
    }
}

#[tokio::test]
async fn each_caller_is_given_the_rows_of_its_own_company() {
    let issuer = Issuer::new(Algorithm::ES256);
    let config = jwt("algorithms = [\"ES256\"]\nkey_file = \"key\"");
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    for company in [1, 2, 1, 3] {
        // The plugin takes its caller for an administrator of everything: it is the filter that tells them apart.
        let token = issuer.token(json!({ "company": company, "admin": true }));
        assert_eq!(serving.ids(MINE, &token).await, of_company(company).await);
    }
    let nobody_s = issuer.token(json!({ "admin": true }));
    serving.ask_as(MINE, &nobody_s).await.assert_problem(403, "CS1006");
    let null = issuer.token(json!({ "company": null, "admin": true }));
    serving.ask_as(MINE, &null).await.assert_problem(403, "CS1007");
    let unfit = issuer.token(json!({ "company": "one", "admin": true }));
    serving.ask_as(MINE, &unfit).await.assert_problem(403, "CS1007");
    serving.ask(MINE, &[]).await.assert_problem(401, "CS1017");
}

#[tokio::test]
async fn a_number_keeps_each_of_its_digits() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let config = with_language(
        "[filters]\nposition = \"claim('n')::int8 = 9007199254740993 AND claim('m')::numeric = 0.1000000000000000000001\"\n\
         [identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"key\"\n",
    );
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let token = |n: &str, m: &str| {
        let payload = format!(
            "{{\"sub\":\"s\",\"exp\":{},\"company\":1,\"admin\":false,\"n\":{n},\"m\":{m}}}",
            now(600)
        );
        issuer.sign_text("{\"alg\":\"EdDSA\"}", &payload)
    };
    let exact = serving.ids(MINE, &token("9007199254740993", "0.1000000000000000000001")).await;
    assert_eq!(exact, of_company(1).await);
    for (n, m) in [("9007199254740992", "0.1000000000000000000001"), ("9007199254740993", "0.1")] {
        assert!(serving.ids(MINE, &token(n, m)).await.is_empty(), "{n} {m}");
    }
}

#[tokio::test]
async fn claims_are_found_where_the_configuration_says() {
    let issuer = Issuer::new(Algorithm::ES256);
    let config = jwt("algorithms = [\"ES256\"]\nkey_file = \"key\"\nname = \"act.sub\"\n\
         [identity.jwt.claims]\ncompany = \"org.id\"\nadmin = [\"https://shop.example/admin\"]\n");
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let claims = json!({
        "act": { "sub": "anna" }, "org": { "id": 2 }, "https://shop.example/admin": true,
        // What is not mapped is no claim.
        "company": 1,
    });
    assert_eq!(serving.ids(MINE, &issuer.token(claims)).await, of_company(2).await);
    let unnamed = issuer.token(json!({ "sub": "anna", "org": { "id": 2 } }));
    serving.ask_as(MINE, &unnamed).await.assert_problem(401, "CS1017");
    for org in [json!({}), json!(7), json!(null)] {
        let token = issuer.token(json!({ "act": { "sub": "anna" }, "org": org, "company": 1 }));
        serving.ask_as(MINE, &token).await.assert_problem(403, "CS1006");
    }
}

#[tokio::test]
async fn a_key_of_a_set_is_found_by_its_name_and_taken_out_by_a_reload() {
    let old = Issuer::new(Algorithm::ES256).named("2025");
    let new = Issuer::new(Algorithm::ES256).named("2026");
    let rsa = Issuer::new(Algorithm::RS256);
    let config = jwt("algorithms = [\"ES256\", \"RS256\"]\njwks_file = \"jwks\"");
    let mut serving = Serving::start(&config, &[("jwks", &jwks(&[&old, &new, &rsa]))]).await;
    let claims = || json!({ "company": 1, "admin": true });
    let of_old = old.token(claims());
    for token in [&of_old, &new.token(claims()), &rsa.token(claims())] {
        assert_eq!(serving.ids(MINE, token).await, of_company(1).await);
    }
    let mut header = new.header();
    header.kid = None;
    let unnamed = new.sign(&header, &with_exp(claims()));
    serving.ask_as(MINE, &unnamed).await.assert_problem(401, "CS1017");
    serving.reload(&config, &[("jwks", &jwks(&[&new]))]).unwrap();
    serving.ask_as(MINE, &of_old).await.assert_problem(401, "CS1017");
    assert_eq!(serving.ids(MINE, &new.token(claims())).await, of_company(1).await);
    assert_eq!(serving.ids(MINE, &unnamed).await, of_company(1).await, "there is only one left");
}

#[tokio::test]
async fn what_tokens_can_t_be_checked_with_is_refused_when_it_is_read() {
    let es256 = Issuer::new(Algorithm::ES256).named("a");
    let es384 = Issuer::new(Algorithm::ES384);
    let config = jwt("algorithms = [\"ES256\"]\nkey_file = \"key\"");
    let mut serving = Serving::start(&config, &[("key", &es256.public)]).await;
    let twice = jwks(&[&es256, &Issuer::new(Algorithm::ES256).named("a")]);
    let mut private = es256.jwk();
    private["d"] = json!("AAAA");
    let private = json!({ "keys": [private] }).to_string();
    let short = json!({ "keys": [{ "kty": "oct", "alg": "HS256", "k": "c2hvcnQ" }] }).to_string();
    for (lines, text, expected) in [
        ("algorithms = [\"ES256\"]\nkey_file = \"key\"", es384.public.as_str(), "can't check ES256"),
        ("algorithms = [\"RS256\"]\nkey_file = \"key\"", &es256.public, "can't check RS256"),
        ("algorithms = [\"RS256\"]\nkey_file = \"key\"", "secret text", "no public key in PEM"),
        ("algorithms = [\"RS256\"]\nkey_file = \"key\"", "-----BEGIN PRIVATE KEY-----", "a private key"),
        (
            "algorithms = [\"HS256\"]\nsecret_file = \"key\"",
            &es256.public,
            "a key in PEM, which is no secret",
        ),
        (
            "algorithms = [\"HS256\"]\nsecret_file = \"key\"",
            "31 bytes are less than 32 byte.\n",
            "shorter than 32",
        ),
        ("algorithms = [\"HS256\"]\nsecret_file = \"key\"", "\n", "is empty"),
        ("algorithms = [\"HS256\"]\nsecret_env = \"CALLSLIP_NO_SUCH_VARIABLE\"", "", "which is not set"),
        ("algorithms = [\"HS256\"]\nsecret_file = \"missing\"", "", "can't be read"),
        ("algorithms = [\"ES256\"]\njwks_file = \"key\"", "secret text", "no JSON Web Key Set"),
        ("algorithms = [\"ES256\"]\njwks_file = \"key\"", &twice, "the kid of another"),
        ("algorithms = [\"ES256\"]\njwks_file = \"key\"", &private, "a private key"),
        (
            "algorithms = [\"RS256\"]\njwks_file = \"key\"",
            &jwks(&[&es256]),
            "no key for identity.jwt.algorithms",
        ),
        ("algorithms = [\"HS256\"]\njwks_file = \"key\"", &short, "shorter than 32"),
    ] {
        let error = serving.reload(&jwt(lines), &[("key", text)]).unwrap_err().to_string();
        assert!(error.starts_with("identity.jwt.") && error.contains(expected), "{lines}: {error}");
        assert!(!error.contains("secret text"), "{error}");
    }
    // What was served before is served on.
    let token = es256.sign(
        &jsonwebtoken::Header::new(Algorithm::ES256),
        &with_exp(json!({ "company": 1, "admin": true })),
    );
    assert_eq!(serving.ids(MINE, &token).await, of_company(1).await);
}
