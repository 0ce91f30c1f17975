//! Filters of a configuration, on calls of a component: claims, what is said of absent ones, and what is refused.

use callslip::loan::ConnectionSettings;
use callslip::{CallError, Code, Config, Host, Observation};
use callslip_tests::{Seen, cluster, component, configured, database};
use serde_json::{Value, json};

const GRANTS: &str = r#"relations = ["answer", "candidate", "candidate_tag", "company", "interview", "position", "question", "reviewer", "tag", "rating"]"#;

fn config(filters: &str) -> String {
    let component = component("example-plugins/hiring");
    format!("[plugins.hiring]\ncomponent = {component:?}\n[plugins.hiring.grants]\n{GRANTS}\n{filters}")
}

const BY_COMPANY: &str = "[filters]\nposition = \"company_id = claim('company')\"";

async fn funnel(
    host: &Host,
    company: i32,
    claims: &[(&str, Value)],
) -> Result<(Value, Vec<String>), CallError> {
    let mut call = host.call("hiring", "funnel").param("company", company).param("open", false);
    for (name, value) in claims {
        call = call.claim(*name, value.clone());
    }
    let mut reply = call.run().await?;
    let mut text = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        text.extend_from_slice(&chunk);
    }
    Ok((serde_json::from_slice(&text).unwrap(), reply.absent_claims().to_vec()))
}

#[tokio::test]
async fn a_caller_gets_the_rows_of_the_claim() {
    let host = database().host(&config(BY_COMPANY)).await;
    let open = database().host(&config("")).await;
    let (expected, _) = funnel(&open, 1, &[]).await.unwrap();
    assert!(expected.as_array().is_some_and(|rows| !rows.is_empty()));
    for claim in [json!(1), json!("1")] {
        let (found, absent) = funnel(&host, 1, &[("company", claim)]).await.unwrap();
        let count = |rows: &Value| rows.as_array().unwrap().len();
        assert_eq!((count(&found), absent), (count(&expected), vec![]));
    }
    assert_eq!(funnel(&host, 1, &[("company", json!(2))]).await.unwrap(), (json!([]), vec![]));
}

#[tokio::test]
async fn an_absent_claim_gives_no_rows_and_is_told() {
    let seen = Seen::default();
    let config = Config::parse(&configured(&config(BY_COMPANY)), "".as_ref()).unwrap();
    let builder = Host::builder().connect(&database().connection()).observe(seen.observer());
    let host = builder.start(&config).await.unwrap_or_else(|error| panic!("{error}"));
    seen.take();
    for claims in [vec![], vec![("company", Value::Null)], vec![("other", json!(1))]] {
        assert_eq!(funnel(&host, 1, &claims).await.unwrap(), (json!([]), vec!["company".to_owned()]));
        let told = seen.take();
        let [Observation::CallEnded(call)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((&*call.absent_claims, call.rows), (&["company".to_owned()][..], 0));
    }
    let rows = host.call("hiring", "funnel").param("company", 1).rows().await.unwrap();
    assert_eq!(rows.absent_claims(), ["company"]);
}

#[tokio::test]
async fn a_claim_of_another_type_is_refused_without_its_value() {
    let host = database().host(&config(BY_COMPANY)).await;
    for claim in [json!("secret"), json!([1]), json!({"a": 1}), json!(1.5), json!("99999999999")] {
        let error = funnel(&host, 1, &[("company", claim.clone())]).await.unwrap_err();
        let CallError::Arguments(errors) = &error else { panic!("{error:?}") };
        assert_eq!((errors.len(), errors[0].code), (1, Code::InvalidClaim), "{claim}");
        assert!(
            errors[0].message.starts_with("claim `company` ") && !errors[0].message.contains("secret"),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn a_filter_that_can_t_be_used_refuses_the_plugin_and_is_told_once() {
    for (filters, table) in [
        ("[filters]\nposition = \"company = 1\"", "filters"),
        ("[plugins.hiring.filters]\nposition = \"company = 1\"", "plugins.hiring.filters"),
    ] {
        let host = database().host(&config(filters)).await;
        let generation = host.generation();
        let refusal = generation.plugin("hiring").unwrap().unwrap_err();
        let told: Vec<String> = refusal.findings.iter().map(|its| its.finding.to_string()).collect();
        assert_eq!(
            told,
            [format!(
                "CS0408: the filter of \"position\" in [{table}] can't be used: there is no column \"company\", or the host's login may not read it"
            )]
        );
        let error = funnel(&host, 1, &[("company", json!(1))]).await.unwrap_err();
        assert_eq!(error.code(), Code::PluginDegraded);
    }
}

#[tokio::test]
async fn what_is_filtered_can_be_seen() {
    let host = database()
        .host(&config(&format!("{BY_COMPANY}\n[plugins.hiring.filters]\nposition = \"id > 0\"")))
        .await;
    let generation = host.generation();
    let plugin = generation.plugin("hiring").unwrap().unwrap();
    let filters = plugin.row_filters();
    let shown: Vec<_> = filters
        .iter()
        .map(|its| (its.relation(), its.conditions().collect::<Vec<_>>(), its.claims()))
        .collect();
    assert_eq!(
        shown,
        [("public.position".to_owned(), vec!["company_id = claim('company')", "id > 0"], ["company"].into())]
    );
}

/// For who owns a table its policies do not hold, and what a filter asks there would be another thing.
#[tokio::test]
async fn who_owns_what_a_filter_asks_is_refused() {
    let (cluster, _owner) = cluster(
        "CREATE ROLE login LOGIN; CREATE TABLE position (id int, company_id int); GRANT SELECT ON position TO login;
         CREATE TABLE member (company_id int); ALTER TABLE member OWNER TO login",
    )
    .await;
    let filter =
        "[filters]\nposition = \"EXISTS (SELECT 1 FROM member m WHERE m.company_id = position.company_id)\"";
    let url = cluster.url("postgres").replacen("://postgres@", "://login@", 1);
    let connection = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    for (filters, expected) in [("", None), (filter, Some("the role \"login\" owns \"public\".\"member\""))] {
        let text = format!(
            "[plugins.hiring]\ncomponent = {:?}\n[plugins.hiring.grants]\nrelations = [\"position\"]\n{filters}",
            component("example-plugins/hiring")
        );
        let config = Config::parse(&text, "".as_ref()).unwrap();
        let error = Host::start(&config, &connection).await.err().map(|error| error.to_string());
        assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
        assert!(error.is_none_or(|error| error.contains(expected.unwrap_or_default())));
    }
}
