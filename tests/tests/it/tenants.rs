//! Logical schemas: what plugins call `tenant` is the schema that a claim of the caller names.

use callslip::catalog::Snapshot;
use callslip::loan::ConnectionSettings;
use callslip::{CallError, Code, Config, Generation, Host, LoadedQuery, Standing};
use callslip_tests::{component, configured, database};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::command::callslip;
use crate::support::read;

/// Two tenants, of which one has a column more, and an amount of another type. Each has a type, a function and a collation; the
/// first has a `lower` of its own besides, and there is a real schema of the name `tenant`.
const SCHEMAS: &str = "
    CREATE SCHEMA tenants_shared; CREATE SCHEMA reporting_v3; CREATE SCHEMA eu_tax; CREATE SCHEMA us_tax;
    CREATE SCHEMA acme; CREATE SCHEMA globex; CREATE SCHEMA tenant;
    CREATE TABLE tenants_shared.country (code text); INSERT INTO tenants_shared.country VALUES ('CH'), ('NL');
    CREATE TABLE reporting_v3.report (total int4); INSERT INTO reporting_v3.report VALUES (42);
    CREATE TABLE eu_tax.tax (rate int4); INSERT INTO eu_tax.tax VALUES (20);
    CREATE TABLE us_tax.tax (rate int4); INSERT INTO us_tax.tax VALUES (7);
    CREATE TYPE acme.status AS ENUM ('new', 'paid'); CREATE TYPE globex.status AS ENUM ('new', 'sent');
    CREATE TABLE acme.invoice (id int4 PRIMARY KEY, title text, status acme.status, amount int4);
    CREATE TABLE globex.invoice (id int4 PRIMARY KEY, title text, status globex.status, amount numeric, vat int4);
    CREATE TABLE tenant.invoice (id int4 PRIMARY KEY, title text, status text, amount int4);
    INSERT INTO acme.invoice VALUES (1, 'anvil', 'new', 10), (2, 'rocket', 'paid', 20);
    INSERT INTO globex.invoice VALUES (7, 'laser', 'new', 0.5, 1);
    INSERT INTO tenant.invoice VALUES (99, 'hidden', 'new', 0);
    CREATE FUNCTION acme.label(int4) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'A' || $1$$;
    CREATE FUNCTION globex.label(int4) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'G' || $1$$;
    CREATE FUNCTION acme.lower(int4) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'stolen'$$;
    CREATE COLLATION acme.own FROM \"C\"; CREATE COLLATION globex.own FROM \"C\";
    GRANT USAGE ON SCHEMA tenants_shared, reporting_v3, eu_tax, us_tax, acme, globex, tenant TO PUBLIC;
    GRANT SELECT ON ALL TABLES IN SCHEMA tenants_shared, reporting_v3, eu_tax, us_tax, acme, globex, tenant TO PUBLIC;
    GRANT INSERT ON globex.invoice TO callslip_writer";

const MAPPING: &str = r#"
    [database]
    schemas = ["tenant", "tenants_shared"]
    [schemas.tenant]
    claim = "tenant"
    allowed = ["acme", "globex"]
    [schemas.region]
    claim = "market"
    allowed = ["eu_tax", "us_tax"]
    [schemas.reporting]
    schema = "reporting_v3"
"#;

async fn made() {
    static MADE: OnceCell<()> = OnceCell::const_new();
    MADE.get_or_init(|| database().execute(SCHEMAS)).await;
}

fn config(name: &str, grants: &str) -> String {
    let component = component(&format!("tests/guests/{name}"));
    format!("{MAPPING}\n[plugins.{name}]\ncomponent = {component:?}\n[plugins.{name}.grants]\n{grants}")
}

const GRANTS: &str = r#"
    relations = ["invoice", "country", "reporting.report", "region.tax"]
    functions = ["tenant.label"]
"#;

async fn host() -> Host {
    made().await;
    let host = database().host(&config("tenants", GRANTS)).await;
    if let Err(refusal) = host.generation().plugin("tenants").unwrap() {
        panic!("{refusal}");
    }
    host
}

async fn called(host: &Host, query: &str, claims: &[(&str, &str)]) -> Result<Value, CallError> {
    let mut call = host.call("tenants", query).param("descending", false);
    if query != "invoices" {
        call = host.call("tenants", query);
    }
    for (name, value) in claims {
        call = call.claim(*name, *value);
    }
    read(call).await
}

const ACME: (&str, &str) = ("tenant", "acme");
const GLOBEX: (&str, &str) = ("tenant", "globex");

#[tokio::test]
async fn each_caller_reads_the_schema_that_the_claim_names() {
    let host = host().await;
    for (query, acme, globex) in [
        (
            "invoices",
            json!([{"id": 1, "title": "anvil", "status": "new"}, {"id": 2, "title": "rocket", "status": "paid"}]),
            json!([{"id": 7, "title": "laser", "status": "new"}]),
        ),
        ("named", json!([{"id": 1, "label": "A1"}]), json!([{"id": 7, "label": "G7"}])),
        (
            "bound",
            json!([{"id": 1, "tenant": "acme"}, {"id": 2, "tenant": "acme"}]),
            json!([{"id": 7, "tenant": "globex"}]),
        ),
        (
            "amounts",
            json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]),
            json!([{"id": 7, "amount": 0.5}]),
        ),
    ] {
        assert_eq!(called(&host, query, &[ACME]).await.unwrap(), acme, "{query}");
        assert_eq!(called(&host, query, &[GLOBEX]).await.unwrap(), globex, "{query}");
    }
    let (eu, us) = (("market", "eu_tax"), ("market", "us_tax"));
    assert_eq!(called(&host, "regional", &[GLOBEX, eu]).await.unwrap(), json!([{"id": 7, "rate": 20}]));
    assert_eq!(called(&host, "regional", &[GLOBEX, us]).await.unwrap(), json!([{"id": 7, "rate": 7}]));
}

#[tokio::test]
async fn a_claim_is_needed_by_what_depends_on_it_and_must_be_one_of_those_listed() {
    let host = host().await;
    assert_eq!(called(&host, "shared", &[]).await.unwrap(), json!([{"code": "CH"}, {"code": "NL"}]));
    assert_eq!(called(&host, "report", &[]).await.unwrap(), json!([{"total": 42}]));
    assert_eq!(called(&host, "report", &[("tenant", "nobody")]).await.unwrap(), json!([{"total": 42}]));
    for query in ["invoices", "named", "amounts"] {
        let error = called(&host, query, &[]).await.unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            (Code::MissingClaim, "claim `tenant` is missing".to_owned())
        );
        // Real schemas that are no tenants', a tenant of another claim, and what is no text.
        for wrong in ["tenant", "tenants_shared", "eu_tax", "ACME", "", "acme.invoice", "public"] {
            let error = called(&host, query, &[("tenant", wrong)]).await.unwrap_err();
            let message = "claim `tenant` does not name a schema that it may name";
            assert_eq!(
                (error.code(), error.to_string()),
                (Code::InvalidClaim, message.to_owned()),
                "{wrong}"
            );
        }
    }
    for wrong in [json!(1), json!(["acme"]), json!({"schema": "acme"})] {
        let error = read(host.call("tenants", "named").claim("tenant", wrong)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidClaim);
    }
    let error = read(host.call("tenants", "named").claim("tenant", Value::Null)).await.unwrap_err();
    assert_eq!(error.code(), Code::MissingClaim);
    let error = called(&host, "regional", &[ACME]).await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (Code::MissingClaim, "claim `market` is missing".to_owned())
    );
}

#[tokio::test]
async fn every_shape_is_proven_for_every_schema_on_which_it_depends() {
    let host = host().await;
    let generation = host.generation();
    let plugin = generation.plugin("tenants").unwrap().unwrap();
    let choices = |query: &LoadedQuery| {
        query.shapes().iter().map(|shape| shape.schemas.to_string()).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("invoices", &["tenant = acme", "tenant = globex", "tenant = acme", "tenant = globex"][..]),
        ("shared", &[""]),
        ("report", &[""]),
        (
            "regional",
            &[
                "region = eu_tax, tenant = acme",
                "region = eu_tax, tenant = globex",
                "region = us_tax, tenant = acme",
                "region = us_tax, tenant = globex",
            ],
        ),
    ] {
        let query = plugin.query(query).unwrap();
        assert_eq!(choices(query), expected);
        assert!(query.is_complete());
    }
    for shape in plugin.query("invoices").unwrap().shapes() {
        let tenant = shape.schemas.get("tenant").unwrap();
        let [statement] = shape.outcome.as_deref().unwrap() else { panic!("{shape:?}") };
        assert!(statement.sql.contains(&format!(" tenant={tenant} */")), "{}", statement.sql);
        assert_eq!(*statement.relations, [format!("{tenant}.invoice")]);
    }
    let warnings: Vec<String> = plugin.warnings().iter().map(|warning| warning.finding.to_string()).collect();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(
        warning.starts_with(
            "CS0208: with tenant = globex the columns of the reply are (id int4, amount numeric), and with tenant = acme \
             they are (id int4, amount int4)"
        ),
        "{warning}"
    );
}

#[tokio::test]
async fn an_open_query_is_proven_for_the_caller_s_schema_when_it_comes() {
    let host = host().await;
    let either = |what: &str| host.call("tenants", "either").param("what", what);
    assert_eq!(read(either("country")).await.unwrap(), json!([{"rows": 2}]));
    // Twice: the second time it is remembered, for each tenant by itself.
    for _ in 0..2 {
        assert_eq!(read(either("invoice").claim("tenant", "acme")).await.unwrap(), json!([{"rows": 2}]));
        assert_eq!(read(either("invoice").claim("tenant", "globex")).await.unwrap(), json!([{"rows": 1}]));
        let error = read(either("invoice")).await.unwrap_err();
        assert_eq!(error.code(), Code::MissingClaim);
        let error = read(either("invoice").claim("tenant", "tenant")).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidClaim);
    }
}

#[tokio::test]
async fn a_lent_transaction_sees_its_own_rows_of_the_right_tenant() {
    let host = host().await;
    let mut client = database().writer().await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO globex.invoice VALUES (8, 'lent', 'new', 1, 1)", &[]).await.unwrap();
    let call = |tenant: &str| host.call("tenants", "named").claim("tenant", tenant);
    let globex = json!([{"id": 7, "label": "G7"}, {"id": 8, "label": "G8"}]);
    assert_eq!(read(call("globex").on(&mut transaction)).await.unwrap(), globex);
    assert_eq!(read(call("acme").on(&mut transaction)).await.unwrap(), json!([{"id": 1, "label": "A1"}]));
    let missing = host.call("tenants", "named").on(&mut transaction);
    assert_eq!(read(missing).await.unwrap_err().code(), Code::MissingClaim);
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn another_tenant_s_schema_can_not_be_reached() {
    made().await;
    let config = config("intruder", "relations = [\"tenant.invoice\"]\nfunctions = [\"tenant.label\"]");
    let host = database().host(&config).await;
    let generation = host.generation();
    let refusal = generation.plugin("intruder").unwrap().unwrap_err();
    let found: Vec<(&str, String)> = refusal
        .findings
        .iter()
        .map(|its| (its.query.as_deref().unwrap(), format!("{} {}", its.finding.code, its.finding.message)))
        .collect();
    let of_intruder = "was not granted to the plugin intruder";
    let expected = [
        ("relation", "CS0301 there is no relation globex.invoice".to_owned()),
        ("both", "CS0301 there is no relation globex.invoice".to_owned()),
        ("typed", "CS0307 there is no type globex.status".to_owned()),
        ("function", "CS0305 there is no function globex.label".to_owned()),
        ("collation", "CS0308 there is no collation globex.own".to_owned()),
        ("shadowed", format!("CS0402 with tenant = acme: the function tenant.lower {of_intruder}")),
        ("shadowed", "CS0305 with tenant = globex: ".to_owned()),
        ("column", "CS0302 with tenant = acme: invoice (alias \"i\") has no column \"vat\"".to_owned()),
        ("nothing", "CS0301 there is no relation tenant.invoise".to_owned()),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((query, message), (of, expected)) in found.iter().zip(&expected) {
        assert!(query == of && message.starts_with(expected.as_str()), "{query}: {message}\nnot {expected}");
    }
    let help = refusal.findings.last().unwrap().finding.help.as_deref();
    assert_eq!(help, Some("did you mean \"tenant.invoice\"?"));
}

#[tokio::test]
async fn grants_of_a_logical_schema_are_looked_up_for_each() {
    made().await;
    let grants =
        "relations = [\"invoice\", \"tenant.nothing\", \"globex.invoice\"]\nfunctions = [\"tenant.lower\"]";
    let host = database().host(&config("intruder", grants)).await;
    let generation = host.generation();
    let refusal = generation.plugin("intruder").unwrap().unwrap_err();
    let of_grants = refusal.findings.iter().filter(|its| its.query.is_none());
    let found: Vec<&str> = of_grants.map(|its| its.finding.message.as_str()).collect();
    let [nothing, real, lower] = found.as_slice() else { panic!("{found:#?}") };
    assert!(nothing.starts_with("grants.relations names \"tenant.nothing\""), "{nothing}");
    assert!(real.starts_with("grants.relations names \"globex.invoice\""), "{real}");
    assert!(real.ends_with("it has no other name than \"tenant\""), "{real}");
    assert!(lower.starts_with("with tenant = globex: grants.functions names \"tenant.lower\""), "{lower}");
}

#[tokio::test]
async fn a_snapshot_has_the_logical_schemas_and_plugins_are_checked_against_it() {
    made().await;
    let text = config("tenants", GRANTS);
    let (folder, url) = (tempfile::tempdir().unwrap(), database().url());
    std::fs::write(folder.path().join("callslip.toml"), configured(&text)).unwrap();
    let path = folder.path().to_owned();
    let run = move |arguments: &[&str]| {
        let output =
            callslip().args(arguments).current_dir(&path).env("DATABASE_URL", &url).output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let outputs = tokio::task::spawn_blocking(move || {
        [
            run(&["catalog", "snapshot", "--out", "schema.json"]),
            run(&["check", "--snapshot", "schema.json"]),
            run(&["check", "tenants", "--json"]),
            run(&["explain", "tenants", "named", "--no-plan"]),
            run(&["inspect", "tenants"]),
            run(&["run", "tenants", "named", "--claim", "tenant=globex", "--format", "json"]),
            run(&["run", "tenants", "named"]),
            run(&["catalog", "tenant.invoice"]),
            run(&["catalog", "invoice"]),
            run(&["catalog", "globex.invoice"]),
        ]
    });
    let [written, offline, live, explained, inspected, ran, refused, named, searched, other] =
        outputs.await.unwrap();
    for (success, _, stderr) in
        [&written, &offline, &live, &explained, &inspected, &ran, &named, &searched, &other]
    {
        assert!(success, "{stderr}");
    }
    assert!(
        !offline.1.contains("acme") && offline.1.contains("tenants.named: closed, 1 shape, verified"),
        "{}",
        offline.1
    );
    let live: Value = serde_json::from_str(&live.1).unwrap();
    assert_eq!(live["plugins"][0]["queries"][0]["shapes"][1]["schemas"], json!({"tenant": "globex"}));
    assert!(
        explained.1.contains("with tenant = acme") && explained.1.contains("\"globex\".\"invoice\""),
        "{}",
        explained.1
    );
    assert!(inspected.1.contains("proven with tenant = globex"), "{}", inspected.1);
    assert_eq!(serde_json::from_str::<Value>(&ran.1).unwrap(), json!([{"id": 7, "label": "G7"}]));
    assert!(named.1 == searched.1 && named.1.contains("acme.invoice"), "{}", named.1);
    assert!(other.1.contains("globex.invoice"), "{}", other.1);
    assert!(!refused.0 && refused.2.contains("CS1006") && refused.2.contains("`tenant`"), "{}", refused.2);

    let snapshot =
        Snapshot::read(&std::fs::read_to_string(folder.path().join("schema.json")).unwrap()).unwrap();
    let schemas: Vec<&str> = snapshot.contents.schema_names().collect();
    for (schema, there) in [
        ("tenant", true),
        ("reporting", true),
        ("region", true),
        ("acme", false),
        ("globex", false),
        ("reporting_v3", false),
    ] {
        assert_eq!(schemas.contains(&schema), there, "{schema}");
    }
    // The first tenant's, and not those of the real schema of that name.
    let invoice = snapshot
        .contents
        .relations
        .iter()
        .find(|its| (its.schema.as_str(), its.name.as_str()) == ("tenant", "invoice"));
    let status = &invoice.unwrap().columns[2];
    let ty = snapshot.contents.types.iter().find(|ty| ty.oid == status.ty).unwrap();
    assert_eq!((ty.schema.as_str(), ty.name.as_str()), ("tenant", "status"));
    assert_eq!(snapshot.search[0], "tenant");

    // In this one a logical schema is what it is called.
    let config = Config::parse(&text, folder.path()).unwrap();
    let generation = Generation::offline(&config, snapshot).await.unwrap();
    let plugin = generation.plugin("tenants").unwrap().unwrap();
    assert!(plugin.query("named").unwrap().shapes()[0].schemas.is_empty());
}

/// What is wrong with the schema of one tenant is nothing to the others.
#[tokio::test]
async fn a_tenant_whose_schema_breaks_takes_nothing_from_the_others() {
    let url = database().bare("tenants_break").await;
    let (owner, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    owner.batch_execute(SCHEMAS).await.unwrap();
    let config = Config::parse(&config("tenants", GRANTS), "".as_ref()).unwrap();
    let as_reader = url.replacen("://postgres@", "://callslip_reader@", 1);
    let settings = ConnectionSettings::resolve(Some(&as_reader), &|_| None).unwrap();
    let host = Host::start(&config, &settings).await.unwrap();
    let expected = json!([{"id": 7, "label": "G7"}]);
    for broken in ["ALTER TABLE acme.invoice RENAME COLUMN status TO state", "DROP SCHEMA acme CASCADE"] {
        owner.batch_execute(broken).await.unwrap();
        // Before the host has looked, and after.
        for _ in 0..2 {
            assert_eq!(called(&host, "named", &[GLOBEX]).await.unwrap(), expected, "{broken}");
            let error = called(&host, "named", &[ACME]).await.unwrap_err();
            assert_eq!(error.code(), Code::PluginDegraded, "{broken}: {error}");
            assert_eq!(called(&host, "named", &[]).await.unwrap_err().code(), Code::MissingClaim);
            host.refresh().await.unwrap();
        }
        let generation = host.generation();
        assert_eq!(generation.standing("tenants"), Some(Standing::Degraded));
        let refusal = generation.plugin("tenants").unwrap().unwrap_err();
        let of_named = refusal.findings.iter().find(|its| its.query.as_deref() == Some("named")).unwrap();
        assert!(of_named.finding.message.starts_with("with tenant = acme: "), "{}", of_named.finding);
    }
    // Nothing of any tenant: it is served to all.
    assert_eq!(called(&host, "report", &[ACME]).await.unwrap(), json!([{"total": 42}]));
    owner.batch_execute("DROP SCHEMA globex CASCADE").await.unwrap();
    host.refresh().await.unwrap();
    for claims in [&[ACME][..], &[GLOBEX], &[]] {
        assert_eq!(called(&host, "named", claims).await.unwrap_err().code(), Code::PluginDegraded);
    }
}
