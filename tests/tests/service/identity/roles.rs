//! What a caller may call by its roles, and with whose rights it then reads.

use callslip::Host;
use callslip::loan::ConnectionSettings;
use callslip_tests::{component, database};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::issuer::Issuer;
use super::serving::{Serving, ids, read, request, with_language};
use crate::served::Served;

const JWT: &str = "[identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"key\"\n";

#[tokio::test]
async fn a_plugin_that_is_none_for_a_caller_is_not_there() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let roles =
        "roles = [\"staff\"]\n[plugins.language.queries.positions]\nroles = [\"staff\", \"partner\"]\n";
    // Of a table, keys come before what is below it.
    let plugin = |lines: &str| {
        with_language(JWT).replace("[plugins.language.grants]", &format!("{lines}[plugins.language.grants]"))
    };
    let mut serving = Serving::start(&plugin(roles), &[("key", &issuer.public)]).await;
    let token = |role: Value| issuer.token(json!({ "role": role, "company": 1, "admin": false }));
    let (staff, partner, guest) =
        (token(json!("staff")), token(json!(["other", "partner"])), token(json!("guest")));

    assert_eq!(serving.ask_as("/q/language/mine", &staff).await.status, 200);
    let refused = serving.ask_as("/q/language/mine", &partner).await;
    refused.assert_problem(403, "CS1018");
    assert!(refused.head.contains("error=\"insufficient_scope\""), "{}", refused.head);
    // It may call another one, whether there is such a one or not.
    let answer = serving.ask_as("/q/language/positions", &partner).await;
    assert!(answer.status != 401 && answer.status != 403, "{}", answer.status);

    // What is hidden is told of as what is not there, whatever is asked of it.
    let name = |text: &[u8], name: &str| String::from_utf8_lossy(text).replace(name, "…");
    for (method, rest) in
        [("GET", "/mine"), ("GET", "/positions"), ("GET", "/none"), ("GET", "/mine?%FF"), ("POST", "/mine")]
    {
        for guest in [
            &guest,
            &token(json!(7)),
            &token(json!([])),
            &token(json!(null)),
            &token(json!({ "staff": true })),
        ] {
            let headers = [&*format!("authorization: Bearer {guest}"), "content-length: 0"];
            let ask = async |plugin: &str| {
                let request = request(method, &format!("/q/{plugin}{rest}"), &headers);
                let answer = callslip_tests::http::send(serving.address, request).await;
                let mut problem = answer.json();
                problem.as_object_mut().unwrap().remove("instance");
                (answer.status, name(problem.to_string().as_bytes(), plugin))
            };
            assert_eq!(ask("language").await, ask("nothing1").await, "{method} {rest}");
        }
    }
    serving.ask_as("/q/language/mine", &guest).await.assert_problem(404, "CS1001");

    // Who develops is told.
    let exposing = format!("[service]\nexpose_errors = true\n{}", plugin(roles));
    serving.reload(&exposing, &[]).unwrap();
    serving.ask_as("/q/language/mine", &guest).await.assert_problem(403, "CS1018");
    // Without a word of roles it is for everybody who is known.
    serving.reload(&plugin(""), &[]).unwrap();
    assert_eq!(serving.ask_as("/q/language/mine", &guest).await.status, 200);
    serving.ask("/q/language/mine", &[]).await.assert_problem(401, "CS1017");
}

#[tokio::test]
async fn a_call_runs_with_the_rights_of_the_role_that_its_caller_claims() {
    let database = database();
    database
        .execute(
            "CREATE SCHEMA by_role;
             CREATE ROLE by_role_login LOGIN NOINHERIT;
             CREATE ROLE by_role_a; CREATE ROLE by_role_b; CREATE ROLE by_role_c;
             GRANT by_role_a, by_role_b, by_role_c TO by_role_login;
             CREATE TABLE by_role.position AS SELECT * FROM public.position WHERE company_id <= 3;
             ALTER TABLE by_role.position ENABLE ROW LEVEL SECURITY;
             GRANT USAGE ON SCHEMA by_role TO by_role_login, by_role_a, by_role_b, by_role_c;
             GRANT SELECT ON by_role.position TO by_role_login, by_role_a, by_role_b, by_role_c;
             CREATE POLICY a ON by_role.position TO by_role_a USING (company_id = 1);
             CREATE POLICY b ON by_role.position TO by_role_b USING (company_id = 2)",
        )
        .await;
    let issuer = Issuer::new(Algorithm::EdDSA);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), &issuer.public).unwrap();
    let text = format!(
        "[database]\nschemas = [\"by_role\"]\nrole_claim = \"db\"\nroles = [\"by_role_a\", \"by_role_b\"]\n{JWT}\
         [plugins.language]\ncomponent = {:?}\ngrants = {{ relations = [\"position\"] }}\n",
        component("tests/guests/language")
    );
    let config = read(&text, folder.path());
    let url = database.url().replacen("://callslip_reader@", "://by_role_login@", 1);
    let connection = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let host = Host::start(&config, &connection).await.unwrap();
    let serving = Serving::of(host, &config, folder).await;
    let token = |role: Value| issuer.token(json!({ "db": role, "company": 3, "admin": true }));
    for (role, company) in [("by_role_a", 1), ("by_role_b", 2), ("by_role_a", 1)] {
        let sql = format!("SELECT id FROM public.position WHERE company_id = {company} ORDER BY id");
        let expected = ids(&database.rows(&sql).await);
        assert_eq!(serving.ids("/q/language/mine", &token(json!(role))).await, expected, "{role}");
    }
    for (role, code) in [
        (json!("by_role_c"), "CS1007"),
        (json!("postgres"), "CS1007"),
        (json!("none"), "CS1007"),
        (json!(["by_role_a"]), "CS1007"),
        (json!(null), "CS1006"),
    ] {
        serving.ask_as("/q/language/mine", &token(role)).await.assert_problem(403, code);
    }
    drop(serving);
    database
        .execute("DROP SCHEMA by_role CASCADE; DROP ROLE by_role_login, by_role_a, by_role_b, by_role_c")
        .await;
}

#[tokio::test]
async fn the_document_of_what_is_served_has_what_its_reader_may_call() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let roles = "[plugins.language.queries.mine]\nroles = [\"staff\"]\n";
    let keys = "[identity]\nkeys_file = \"keys.toml\"\n";
    let config = format!("{keys}{}{roles}", with_language(JWT));
    let mut serving = Serving::start(&config, &[("key", &issuer.public), ("keys.toml", "")]).await;
    let token = |role: &str| issuer.token(json!({ "role": role }));
    let paths = async |serving: &Serving, headers: &[&str]| {
        let answer = serving.ask("/openapi.json", headers).await;
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("vary: authorization, x-api-key\r\n"), "{}", answer.head);
        let document = answer.json();
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        assert_eq!(schemes.keys().collect::<Vec<_>>(), ["bearer", "key"]);
        assert_eq!(document["security"], json!([{ "bearer": [] }, { "key": [] }]));
        document["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let mine = "/q/language/mine".to_owned();
    let (staff, guest) = (token("staff"), token("guest"));
    let (staff, guest) = (format!("authorization: Bearer {staff}"), format!("authorization: Bearer {guest}"));
    for _ in 0..2 {
        let (all, some) = (paths(&serving, &[&staff]).await, paths(&serving, &[&guest]).await);
        assert!(
            all.contains(&mine) && !some.contains(&mine) && some.len() + 1 == all.len(),
            "{all:?}\n{some:?}"
        );
        assert_eq!(paths(&serving, &[]).await, some);
    }
    serving.ask("/openapi.json", &["x-api-key: wrong"]).await.assert_problem(401, "CS1017");
    // What roles mean can change while all else stays.
    let all = format!("{keys}{}", with_language(JWT));
    serving.reload(&all, &[]).unwrap();
    assert!(paths(&serving, &[]).await.contains(&mine));
}

#[tokio::test]
async fn the_command_serves_by_roles() {
    let issuer = Issuer::new(Algorithm::EdDSA);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), &issuer.public).unwrap();
    let config = format!(
        "{JWT}[plugins.hiring]\ncomponent = {:?}\nroles = [\"staff\", \"partner\"]\n[plugins.hiring.grants]\n\
         relations = [\"position\", \"interview\"]\n[plugins.hiring.queries.progress]\nroles = [\"staff\"]\n",
        component("example-plugins/hiring")
    );
    let served = Served::start_in(folder, &database().url(), &config, &[]);
    let ask = async |role: &str, query: &str| {
        let header = format!("authorization: Bearer {}", issuer.token(json!({ "role": role })));
        let asked = request("GET", &format!("/q/hiring/{query}?company=1"), &[&header]);
        callslip_tests::http::send(served.address(), asked).await.status
    };
    let of_staff = (ask("staff", "funnel").await, ask("staff", "progress").await);
    let of_partner = (ask("partner", "funnel").await, ask("partner", "progress").await);
    assert_eq!((of_staff, of_partner), ((200, 200), (200, 403)));
    assert_eq!(ask("guest", "funnel").await, 404);
}
