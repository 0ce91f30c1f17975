//! Row-level security that knows who calls: claims that are set for each call, and a role per caller. What one caller sees, no other
//! does, whatever came before on the same session.

use callslip::loan::{ConnectionSettings, Lender};
use callslip::{Call, Code, Config, Host, StartError};
use callslip_tests::{component, configured, connect_to, database};
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::guarded::{a_second, kept};
use crate::support::read;

/// A policy over a claim, and policies over roles.
const BY_CLAIM: &str = "CREATE POLICY own ON NAME.position USING (company_id = nullif(current_setting('app.company', true), '')::int)";
const BY_ROLE: &str = "CREATE POLICY a ON NAME.position TO NAME_a USING (company_id = 1);
                       CREATE POLICY b ON NAME.position TO NAME_b USING (company_id = 2)";

/// Positions of three companies, kept apart by policies, in a schema of their own.
struct Tenants {
    name: &'static str,
    owner: Client,
}

impl Tenants {
    /// All names begin with this one.
    async fn new(name: &'static str, policies: &str) -> Self {
        let tenants = Self { name, owner: database().owner().await };
        tenants
            .execute(
                "CREATE SCHEMA NAME;
                 CREATE ROLE NAME_login LOGIN NOINHERIT;
                 CREATE ROLE NAME_a; CREATE ROLE NAME_b; CREATE ROLE NAME_poor; CREATE ROLE NAME_stranger;
                 CREATE ROLE NAME_bypass BYPASSRLS; CREATE ROLE NAME_root SUPERUSER;
                 GRANT NAME_a, NAME_b, NAME_poor, NAME_bypass TO NAME_login;
                 CREATE TABLE NAME.position AS SELECT * FROM public.position WHERE company_id <= 3;
                 ALTER TABLE NAME.position ENABLE ROW LEVEL SECURITY;
                 GRANT USAGE ON SCHEMA NAME TO NAME_login, NAME_a, NAME_b, NAME_stranger, NAME_bypass;
                 GRANT SELECT ON NAME.position TO NAME_login, NAME_a, NAME_b, NAME_stranger, NAME_bypass",
            )
            .await;
        tenants.execute(policies).await;
        tenants
    }

    async fn execute(&self, sql: &str) {
        let sql = sql.replace("NAME", self.name);
        self.owner.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    fn config(&self, database: &str) -> Config {
        let text = format!(
            "[database]\nschemas = [{:?}]\n{database}\n[pool]\nsize = 1\n[plugins.language]\ncomponent = {:?}\n\
             grants = {{ relations = [\"position\"] }}",
            self.name,
            component("tests/guests/language")
        );
        Config::parse(&configured(&text.replace("NAME", self.name)), "".as_ref())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// A host with one connection of its own.
    async fn start(&self, database_config: &str) -> Result<Host, StartError> {
        let login = format!("://{}_login@", self.name);
        let url = database().url().replacen("://callslip_reader@", &login, 1);
        assert!(url.contains(&login));
        let connection = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
        Host::start(&self.config(database_config), &connection).await
    }

    /// The URL of the login, to the server itself.
    fn login_url(&self) -> String {
        database().owner_url().replacen("://postgres@", &format!("://{}_login@", self.name), 1)
    }

    async fn of_company(&self, company: i32) -> Vec<i64> {
        let sql = format!("SELECT id::bigint FROM {}.position WHERE company_id = $1 ORDER BY id", self.name);
        let rows = self.owner.query(&sql, &[&company]).await.unwrap();
        assert!(!rows.is_empty());
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn end(self) {
        self.execute(
            "DROP SCHEMA NAME CASCADE;
             DROP ROLE NAME_login, NAME_a, NAME_b, NAME_poor, NAME_stranger, NAME_bypass, NAME_root",
        )
        .await;
    }
}

const TENANT: &str = "[database.claims]\ntenant = \"app.company\"";
const ROLES: &str = "role_claim = \"role\"\nroles = [\"NAME_a\", \"NAME_b\"]";

/// All positions, as far as the plugin is concerned: it takes its caller for an administrator.
fn mine(host: &Host, claims: &Value) -> Call<'static> {
    let call = host.call("language", "mine").claim("company", 3).claim("admin", true);
    let claims = claims.as_object().unwrap().iter();
    claims.fold(call, |call, (name, value)| call.claim(name.clone(), value.clone()))
}

async fn ids(call: Call<'_>) -> Result<Vec<i64>, (Code, String)> {
    match read(call).await {
        Ok(rows) => Ok(rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()),
        Err(error) => Err((error.code(), error.log_message())),
    }
}

#[tokio::test]
async fn the_policies_know_the_caller_of_each_call() {
    let tenants = Tenants::new("callers_claims", BY_CLAIM).await;
    let host = tenants.start(TENANT).await.unwrap();
    let (first, second) = (tenants.of_company(1).await, tenants.of_company(2).await);
    for _ in 0..2 {
        for (claims, expected) in [
            (json!({ "tenant": 1 }), &first),
            (json!({ "tenant": "2" }), &second),
            (json!({ "tenant": "" }), &vec![]),
            (json!({ "tenant": 1 }), &first),
            // Nothing of the caller before, or of the plugin's own claims.
            (json!({}), &vec![]),
            (json!({ "tenant": null }), &vec![]),
            (json!({ "tenant": 2, "app.company": 1 }), &second),
        ] {
            assert_eq!(ids(mine(&host, &claims)).await.as_ref(), Ok(expected), "{claims}");
        }
        // It is a value, whatever it looks like; and the policy's own error is no end of anything.
        for tenant in [json!("1'; RESET ALL; --"), json!("1\\"), json!([1, 2]), json!(true)] {
            let (code, message) = ids(mine(&host, &json!({ "tenant": tenant }))).await.unwrap_err();
            assert_eq!(code, Code::RejectedValue, "{tenant}: {message}");
            assert_eq!(ids(mine(&host, &json!({}))).await, Ok(vec![]));
        }
    }
    // Nothing stays in the session.
    let loan = host.pool().unwrap().loan().await.unwrap();
    let setting =
        loan.client().query_typed("SELECT current_setting('app.company', true)", &[]).await.unwrap();
    assert!(setting[0].get::<_, Option<&str>>(0).is_none_or(str::is_empty));
    drop((loan, host));
    tenants.end().await;
}

/// The plugin's own claim of that name, its filter and what it says of administrators are one thing; the policy is another.
#[tokio::test]
async fn a_plugin_that_declares_the_claim_changes_nothing() {
    let tenants = Tenants::new("callers_declared", BY_CLAIM).await;
    let host = tenants.start("[database.claims]\ncompany = \"app.company\"").await.unwrap();
    let (first, second) = (tenants.of_company(1).await, tenants.of_company(2).await);
    for (company, expected) in [(1, &first), (2, &second)] {
        let call = host.call("language", "mine").claim("company", company).claim("admin", true);
        assert_eq!(ids(call).await.as_ref(), Ok(expected));
    }
    // A query that declares no claim at all is kept to them just so.
    let call = host.call("language", "position").param("id", second[0]).claim("company", 1);
    assert_eq!(read(call).await.unwrap(), Value::Null);
    let call = host.call("language", "position").param("id", second[0]).claim("company", 2);
    assert_eq!(read(call).await.unwrap()["id"], second[0]);
    drop(host);
    tenants.end().await;
}

/// What is lent comes back with its owner's own values, however the call ends.
#[tokio::test]
async fn an_owner_has_its_own_values_again() {
    let tenants = Tenants::new("callers_lent", BY_CLAIM).await;
    let host = tenants.start(TENANT).await.unwrap();
    let (first, second) = (tenants.of_company(1).await, tenants.of_company(2).await);
    let (mut keeps, mut bare) = (kept(&tenants.login_url()).await, connect_to(&tenants.login_url()).await);
    for client in [&mut *keeps as &mut Client, &mut bare] {
        client.batch_execute("SET app.company = '3'").await.unwrap();
    }
    for round in 0..3 {
        let mut of_keeps = keeps.transaction().await.unwrap();
        let mut of_bare = bare.transaction().await.unwrap();
        of_keeps.batch_execute("SET LOCAL app.company = '2'").await.unwrap();
        of_bare.batch_execute("SET LOCAL app.company = '2'").await.unwrap();
        on_lent(&host, &mut of_keeps, &first, &second).await;
        on_lent(&host, &mut of_bare, &first, &second).await;
        for transaction in [&*of_keeps as &tokio_postgres::Transaction<'_>, &of_bare] {
            let row = transaction.query_one("SELECT current_setting('app.company')", &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "2", "{round}");
        }
        of_keeps.commit().await.unwrap();
        of_bare.commit().await.unwrap();
        // Without a transaction.
        on_lent(&host, &mut keeps, &first, &second).await;
        on_lent(&host, &mut bare, &first, &second).await;
        for client in [&*keeps as &Client, &bare] {
            let row = client.query_one("SELECT current_setting('app.company')", &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "3", "{round}");
        }
    }
    drop((host, keeps, bare));
    tenants.end().await;
}

async fn on_lent(host: &Host, lender: &mut impl Lender, first: &[i64], second: &[i64]) {
    let seen = async |lender: &mut dyn Lender, claims: Value| ids(mine(host, &claims).on(lender)).await;
    assert_eq!(seen(lender, json!({ "tenant": 1 })).await.unwrap(), first);
    assert_eq!(
        seen(lender, json!({})).await.unwrap(),
        [] as [i64; 0],
        "the owner's value is not the caller's"
    );
    assert_eq!(seen(lender, json!({ "tenant": "x" })).await.unwrap_err().0, Code::RejectedValue);
    assert_eq!(seen(lender, json!({ "tenant": 2 })).await.unwrap(), second);
    // Dropped before its rows are read.
    drop(mine(host, &json!({ "tenant": 1 })).on(lender).run().await.unwrap());
}

#[tokio::test]
async fn each_caller_has_the_rights_of_its_role() {
    let tenants = Tenants::new("callers_roles", BY_ROLE).await;
    let roles = "role_claim = \"role\"\nroles = [\"NAME_a\", \"NAME_b\", \"NAME_poor\"]";
    let host = tenants.start(roles).await.unwrap();
    let (first, second) = (tenants.of_company(1).await, tenants.of_company(2).await);
    let claims = |role: &str| json!({ "role": role.replace("NAME", tenants.name) });
    let mut keeps = kept(&tenants.login_url()).await;
    // Whose own role would be refused.
    let mut superuser = database().owner().await;
    for _ in 0..2 {
        for (claims, expected) in [
            (claims("NAME_a"), Ok(&first)),
            (claims("NAME_b"), Ok(&second)),
            (claims("NAME_poor"), Err(Code::NotPermitted)),
            (claims("NAME_a"), Ok(&first)),
            (json!({}), Err(Code::MissingClaim)),
            (claims("NAME_root"), Err(Code::InvalidClaim)),
            (claims("none"), Err(Code::InvalidClaim)),
            (claims("NAME_login"), Err(Code::InvalidClaim)),
            (claims("NAME_b"), Ok(&second)),
        ] {
            let expected = expected.map(Vec::as_slice);
            for found in [
                ids(mine(&host, &claims)).await,
                ids(mine(&host, &claims).on(&mut keeps)).await,
                ids(mine(&host, &claims).on(&mut superuser)).await,
            ] {
                assert_eq!(found.as_deref().map_err(|(code, _)| *code), expected, "{claims}: {found:?}");
            }
        }
        let role = "SELECT current_user::text";
        assert_eq!(superuser.query_one(role, &[]).await.unwrap().get::<_, &str>(0), "postgres");
        assert_eq!(keeps.query_one(role, &[]).await.unwrap().get::<_, &str>(0), "callers_roles_login");
    }
    // What a role may not read is no reason to look at the database anew.
    assert!(host.catalog_status().doubted_at.is_none());
    drop((host, keeps, superuser));
    tenants.end().await;
}

/// A role is looked at as any other whose connection is lent, and again after a second.
#[tokio::test]
async fn a_role_that_may_see_more_is_refused() {
    let tenants = Tenants::new("callers_refused", BY_ROLE).await;
    let code = |error: &StartError| error.code();
    for (role, expected, message) in [
        ("bypass", Code::PrivilegedRole, "the role \"callers_refused_bypass\" has BYPASSRLS"),
        ("stranger", Code::NotPermitted, "GRANT \"callers_refused_stranger\" TO the login"),
        ("nobody", Code::NotPermitted, "can't become the caller's role \"callers_refused_nobody\""),
        ("root", Code::NotPermitted, "can't become the caller's role \"callers_refused_root\""),
    ] {
        let config = format!("role_claim = \"role\"\nroles = [\"NAME_a\", \"NAME_{role}\"]");
        let error = tenants.start(&config).await.err().unwrap();
        assert_eq!(code(&error), expected, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let host = tenants.start(ROLES).await.unwrap();
    let claims = json!({ "role": "callers_refused_a" });
    let first = tenants.of_company(1).await;
    let (mut keeps, mut superuser) = (kept(&tenants.login_url()).await, database().owner().await);
    for (granted, revoked, expected) in [
        ("ALTER ROLE NAME_a BYPASSRLS", "ALTER ROLE NAME_a NOBYPASSRLS", Code::PrivilegedRole),
        ("ALTER ROLE NAME_a SUPERUSER", "ALTER ROLE NAME_a NOSUPERUSER", Code::PrivilegedRole),
        (
            "GRANT pg_read_server_files TO NAME_a",
            "REVOKE pg_read_server_files FROM NAME_a",
            Code::PrivilegedRole,
        ),
        ("GRANT postgres TO NAME_a", "REVOKE postgres FROM NAME_a", Code::PrivilegedRole),
    ] {
        assert_eq!(ids(mine(&host, &claims)).await.unwrap(), first);
        tenants.execute(granted).await;
        a_second().await;
        for found in [
            ids(mine(&host, &claims)).await,
            ids(mine(&host, &claims).on(&mut keeps)).await,
            ids(mine(&host, &claims).on(&mut superuser)).await,
        ] {
            assert_eq!(found.unwrap_err().0, expected, "{granted}");
        }
        tenants.execute(revoked).await;
        // What was prepared meanwhile is forgotten with it.
        assert_eq!(ids(mine(&host, &claims)).await.unwrap(), first, "{granted}");
        assert_eq!(ids(mine(&host, &claims).on(&mut keeps)).await.unwrap(), first, "{granted}");
    }
    // The login may not become it any more.
    tenants.execute("REVOKE NAME_a FROM NAME_login").await;
    a_second().await;
    let (code, message) = ids(mine(&host, &claims)).await.unwrap_err();
    assert!(
        code == Code::NotPermitted && message.contains("GRANT \"callers_refused_a\" TO the login"),
        "{message}"
    );
    drop((host, keeps, superuser));
    tenants.end().await;
}

/// Wherever a call is dropped, the next one on the same session is of its own caller.
#[tokio::test]
async fn a_call_that_is_dropped_leaves_nothing_of_its_caller() {
    let tenants = Tenants::new("callers_dropped", BY_ROLE).await;
    tenants.execute("CREATE POLICY c ON NAME.position AS RESTRICTIVE USING (company_id = nullif(current_setting('app.company', true), '')::int)").await;
    let host = tenants.start(&format!("{ROLES}\n{TENANT}")).await.unwrap();
    let (first, second) = (tenants.of_company(1).await, tenants.of_company(2).await);
    let (a, b) = (
        json!({ "role": "callers_dropped_a", "tenant": 1 }),
        json!({ "role": "callers_dropped_b", "tenant": 2 }),
    );
    let (mut keeps, mut bare) = (kept(&tenants.login_url()).await, connect_to(&tenants.login_url()).await);
    for polls in 0..12 {
        {
            let mut call = std::pin::pin!(ids(mine(&host, &a)));
            for _ in 0..polls {
                if call.as_mut().now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(ids(mine(&host, &b)).await.unwrap(), second, "{polls}");
        for client in [&mut *keeps as &mut Client, &mut bare] {
            {
                let mut call = std::pin::pin!(ids(mine(&host, &a).on(client)));
                for _ in 0..polls {
                    if call.as_mut().now_or_never().is_some() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let left = "SELECT current_user::text, coalesce(current_setting('app.company', true), '')";
            let left = client.query_typed(left, &[]).await.unwrap();
            assert_eq!((left[0].get(0), left[0].get(1)), ("callers_dropped_login", ""), "{polls}");
            assert_eq!(ids(mine(&host, &b).on(client)).await.unwrap(), second, "{polls}");
        }
        assert_eq!(ids(mine(&host, &a)).await.unwrap(), first, "{polls}");
    }
    drop((host, keeps, bare));
    tenants.end().await;
}
