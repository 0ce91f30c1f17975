//! Tokens that must not be taken. Each differs in one thing from one that is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::issuer::{Issuer, jwks, now};
use super::serving::{Serving, of_company, with_language};

const MINE: &str = "/q/language/mine";
const ISSUER: &str = "https://login.example";

fn claims(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
    let mut claims = json!({
        "sub": "anna", "iss": ISSUER, "aud": ["other", "reports"], "exp": now(600), "nbf": now(-600),
        "company": 1, "admin": true,
    });
    change(claims.as_object_mut().unwrap());
    claims
}

fn set(name: &'static str, value: impl Into<Value>) -> Value {
    claims(|claims| _ = claims.insert(name.to_owned(), value.into()))
}

fn without(name: &str) -> Value {
    claims(|claims| _ = claims.remove(name).unwrap())
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn a_token_that_is_not_wholly_right_is_not_taken() {
    let issuer = Issuer::new(Algorithm::RS256).named("k1");
    let attacker = Issuer::new(Algorithm::RS256).named("k1");
    let rsa_only = Issuer::new(Algorithm::RS256);
    let elliptic = Issuer::new(Algorithm::ES256).named("k2");
    let config = with_language(&format!(
        "[identity.jwt]\nalgorithms = [\"RS256\", \"ES256\"]\njwks_file = \"jwks\"\nissuer = \"{ISSUER}\"\n\
         audience = \"reports\"\nleeway_s = 30"
    ));
    let serving = Serving::start(&config, &[("jwks", &jwks(&[&issuer, &elliptic]))]).await;
    let good = issuer.sign(&issuer.header(), &claims(|_| {}));
    assert!(!serving.ids(MINE, &good).await.is_empty());
    let late = issuer.sign(&issuer.header(), &set("exp", now(-10)));
    assert!(!serving.ids(MINE, &late).await.is_empty(), "within the leeway");

    let payload = claims(|_| {}).to_string();
    let sign = |claims: &Value| issuer.sign(&issuer.header(), claims);
    let with_header = |change: fn(&mut Header)| {
        let mut header = issuer.header();
        change(&mut header);
        issuer.sign(&header, &claims(|_| {}))
    };
    let headed = |header: &str| issuer.sign_text(header, &payload);
    // The public key, as whoever downloads it has it, taken for a secret.
    let confused = |secret: &[u8]| {
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims(|_| {}), &EncodingKey::from_secret(secret)).unwrap()
    };
    let modulus = URL_SAFE_NO_PAD.decode(issuer.jwk()["n"].as_str().unwrap()).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let mut signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    signature[7] ^= 1;
    let flipped = format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode(&signature));
    let embedded = {
        let mut header = attacker.header();
        header.kid = Some("mine".to_owned());
        header.jwk = Some(serde_json::from_value(attacker.jwk()).unwrap());
        header.jku = Some("https://attacker.example/jwks".to_owned());
        attacker.sign(&header, &claims(|_| {}))
    };
    let twice = payload.replacen("\"company\":1", "\"company\":1,\"company\":2", 1);
    assert_ne!(twice, payload);
    let wrong = [
        ("no algorithm", format!("{}.{}.", part("{\"alg\":\"none\"}"), part(&payload))),
        (
            "no algorithm, with a signature",
            format!("{}.{}.{}", part("{\"alg\":\"None\",\"kid\":\"k1\"}"), parts[1], parts[2]),
        ),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("no part for it", format!("{}.{}", parts[0], parts[1])),
        ("the PEM as a secret", confused(issuer.public.as_bytes())),
        ("the PEM without its end as a secret", confused(issuer.public.trim_end().as_bytes())),
        ("the modulus as a secret", confused(&modulus)),
        ("the JWK as a secret", confused(issuer.jwk().to_string().as_bytes())),
        ("another algorithm of the family", headed("{\"alg\":\"RS512\",\"kid\":\"k1\"}")),
        ("the algorithm of another key", headed("{\"alg\":\"ES256\",\"kid\":\"k1\"}")),
        ("the name of a key of another family", headed("{\"alg\":\"RS256\",\"kid\":\"k2\"}")),
        ("another key of the same name", attacker.sign(&attacker.header(), &claims(|_| {}))),
        ("a key without a name", rsa_only.sign(&rsa_only.header(), &claims(|_| {}))),
        ("a key that comes along", embedded),
        ("the name of no key", with_header(|header| header.kid = Some("../../dev/null".to_owned()))),
        ("an extension", with_header(|header| header.crit = Some(vec!["b64".to_owned()]))),
        ("an extension that has none", with_header(|header| header.crit = Some(Vec::new()))),
        ("no JSON as a header", headed("{\"alg\":\"RS256\",\"kid\":\"k1\"")),
        ("a bit more in the signature", flipped),
        ("other claims", format!("{}.{}.{}", parts[0], part(&set("company", 2).to_string()), parts[2])),
        (
            "the header of another",
            format!("{}.{}.{}", part("{\"alg\":\"RS256\",\"kid\":\"k1\",\"x\":1}"), parts[1], parts[2]),
        ),
        ("a part more", format!("{good}.{}", parts[2])),
        ("its end", sign(&set("exp", now(-3_600)))),
        ("its end just now", sign(&set("exp", now(-40)))),
        ("an end in words", sign(&set("exp", "tomorrow"))),
        ("an end as a text", sign(&set("exp", now(600).to_string()))),
        ("an end before 1970", sign(&set("exp", -1))),
        ("an end beyond all", sign(&set("exp", 1e300))),
        ("no end", sign(&without("exp"))),
        ("null as an end", sign(&set("exp", Value::Null))),
        ("not yet", sign(&set("nbf", now(3_600)))),
        ("not yet, in words", sign(&set("nbf", "tomorrow"))),
        ("another issuer", sign(&set("iss", "https://attacker.example"))),
        ("an issuer that begins so", sign(&set("iss", format!("{ISSUER}.attacker.example")))),
        ("no issuer", sign(&without("iss"))),
        ("a number as an issuer", sign(&set("iss", 7))),
        ("null as an issuer", sign(&set("iss", Value::Null))),
        ("another audience", sign(&set("aud", "other"))),
        ("several others", sign(&set("aud", vec!["other", "reports2"]))),
        ("no audience", sign(&without("aud"))),
        ("an empty audience", sign(&set("aud", Vec::<String>::new()))),
        ("a number as an audience", sign(&set("aud", 7))),
        ("no name", sign(&without("sub"))),
        ("an empty name", sign(&set("sub", ""))),
        ("a name too long to be told from others", sign(&set("sub", "a".repeat(201)))),
        ("a claim twice", issuer.sign_text("{\"alg\":\"RS256\",\"kid\":\"k1\"}", &twice)),
        ("a list for claims", issuer.sign_text("{\"alg\":\"RS256\",\"kid\":\"k1\"}", "[]")),
        ("nothing for claims", issuer.sign_text("{\"alg\":\"RS256\",\"kid\":\"k1\"}", "")),
        ("too long", sign(&set("more", "a".repeat(20_000)))),
        ("no token", "abc".to_owned()),
        ("points", "..".to_owned()),
    ];
    let mut told = None;
    for (what, token) in wrong {
        let answer = serving.ask_as(MINE, &token).await;
        assert_eq!(answer.status, 401, "{what}: {}", String::from_utf8_lossy(&answer.body));
        let mut problem = answer.assert_problem(401, "CS1017");
        problem.as_object_mut().unwrap().remove("instance");
        assert!(
            answer.head.contains("www-authenticate: bearer realm=\"callslip\", error=\"invalid_token\"\r\n")
        );
        // Nothing tells one from another.
        assert_eq!(*told.get_or_insert_with(|| problem.clone()), problem, "{what}");
    }
    assert!(!serving.ids(MINE, &good).await.is_empty(), "nothing has changed by that");
}

#[tokio::test]
async fn a_token_is_not_for_somebody_who_does_not_say_who_it_is() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let config =
        with_language("[identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"key\"\nrequire_exp = false");
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let sign = |claims: Value| issuer.sign(&issuer.header(), &claims);
    let endless = json!({ "sub": "a", "company": 1, "admin": false });
    assert_eq!(serving.ids(MINE, &sign(endless)).await, of_company(1).await);
    for aud in [json!("somebody"), json!(["somebody"]), json!(7)] {
        let token = sign(json!({ "sub": "a", "company": 1, "admin": false, "aud": aud }));
        serving.ask_as(MINE, &token).await.assert_problem(401, "CS1017");
    }
    let over = json!({ "sub": "a", "company": 1, "admin": false, "exp": now(-3_600) });
    serving.ask_as(MINE, &sign(over)).await.assert_problem(401, "CS1017");
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let config = with_language("[identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"key\"");
    let serving = Serving::start(&config, &[("key", &issuer.public)]).await;
    let good = format!("authorization: Bearer {}", issuer.token(json!({ "company": 1, "admin": false })));
    let other = format!("authorization: Bearer {}", issuer.token(json!({ "company": 2, "admin": false })));
    assert_eq!(serving.ask(MINE, &[&good]).await.status, 200);
    for headers in [
        &[good.as_str(), other.as_str()][..],
        &[&good, &good],
        &[&good, "x-api-key: abc"],
        &["authorization: Bearer \u{e9}"],
    ] {
        let answer = serving.ask(MINE, headers).await;
        answer.assert_problem(400, "CS1008");
        assert!(answer.head.contains("error=\"invalid_request\""), "{}", answer.head);
    }
    for headers in
        [&[][..], &["authorization: Basic YTpi"], &["authorization: Bearer  "], &["cookie: token=abc"]]
    {
        let answer = serving.ask(MINE, headers).await;
        answer.assert_problem(401, "CS1017");
        assert!(answer.head.contains("www-authenticate: bearer realm=\"callslip\"\r\n"), "{}", answer.head);
    }
    // In an address it would be in every log on the way.
    let token = issuer.token(json!({ "company": 1, "admin": false }));
    let answer = serving.ask(&format!("{MINE}?access_token={token}"), &[]).await;
    answer.assert_problem(401, "CS1017");
    let long = format!("authorization: Bearer {}", "a".repeat(200_000));
    assert_eq!(serving.ask(MINE, &[&long]).await.status, 431);
}
