//! `callslip catalog login-sql`: the login that it writes can do what the plugins need, and by itself nothing else.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use callslip::cluster::{Cluster, Dataset};
use callslip::loan::ConnectionSettings;
use callslip::plugin::Inputs;
use callslip::{Config, Host};
use callslip_tests::{component, connect, connect_to};
use serde_json::Value;
use tokio_postgres::Client;

use crate::on_every_version;

/// What the example needs, with a relation, a column and a function more, whose names are odd.
fn text() -> String {
    format!(
        "[pool]\nsize = 3\nstatement_timeout_ms = 7000\n[plugins.hiring]\ncomponent = {:?}\n[plugins.hiring.grants]\n\
         relations = [\"candidate\", \"candidate_tag\", \"company\", \"interview\", \"position\", \"question\", \"rating\", \
         \"reviewer\", \"tag\", \"audit(id)\", \"counted()\", \"shown\", \"Odd ' x\"]\n\
         functions = [\"score(int4, _int4)\"]\n",
        component("example-plugins/hiring")
    )
}

async fn prepared(cluster: &Cluster, major: u32) -> Client {
    let owner = connect(&cluster.config()).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/hiring/data");
    owner.batch_execute("ALTER SCHEMA public RENAME TO before").await.unwrap();
    Dataset::read(&folder).unwrap().load(&owner, "public", 0.001, &mut |_| {}).await.unwrap();
    owner
        .batch_execute(
            "CREATE TABLE public.audit (id int, secret text);
             CREATE TABLE public.counted (id int, secret text);
             CREATE TABLE public.hidden (id int);
             CREATE TABLE public.\"Odd ' x\" (id int);
             CREATE FUNCTION public.score(int, int[]) RETURNS int LANGUAGE sql RETURN $1;
             REVOKE EXECUTE ON FUNCTION public.score FROM PUBLIC;
             CREATE ROLE app LOGIN;
             -- As PostgreSQL 14 has it.
             GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC",
        )
        .await
        .unwrap();
    let invoker = if major >= 15 { "WITH (security_invoker)" } else { "" };
    owner
        .batch_execute(&format!(
            "CREATE TABLE public.below (id int, n int);
             CREATE VIEW public.shown {invoker} AS SELECT id, public.score(n, NULL) AS score FROM public.below"
        ))
        .await
        .unwrap();
    owner
}

/// The command, with a configuration.
async fn command(arguments: &[&str], config: &str) -> Output {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(config.as_bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_callslip-command"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
        .args(["catalog", "login-sql"])
        .args(arguments)
        .arg("--config")
        .arg(file.path())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    drop(file);
    output
}

async fn sql(url: &str, arguments: &[&str], config: &str) -> String {
    let output = command(&[&["--database-url", url], arguments].concat(), config).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn login_url(cluster: &Cluster, name: &str) -> String {
    cluster.url("postgres").replacen("://postgres@", &format!("://{name}@"), 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_can_read_what_the_plugins_are_granted_and_do_nothing_else() {
    on_every_version(|cluster, major| async move {
        let owner = prepared(&cluster, major).await;
        let written = sql(&cluster.url("postgres"), &[], &text()).await;
        assert!(written.contains("CONNECTION LIMIT 5;") && written.contains("statement_timeout = '7000ms'"));
        // Twice: it can be run again.
        for _ in 0..2 {
            owner.batch_execute(&written).await.unwrap_or_else(|error| panic!("{major}: {error:?}\n{written}"));
        }
        let url = login_url(&cluster, "callslip");
        serves(&url, major).await;
        holds(&cluster, &url, major).await;

        // What is not granted any more is taken away.
        owner.batch_execute("GRANT pg_monitor TO callslip; GRANT UPDATE ON public.hidden TO callslip").await.unwrap();
        // Whoever granted it.
        owner
            .batch_execute(
                "CREATE ROLE bob; GRANT USAGE ON SCHEMA public TO bob WITH GRANT OPTION;
                 GRANT SELECT ON public.hidden TO bob WITH GRANT OPTION;
                 GRANT SELECT (secret) ON public.audit TO bob WITH GRANT OPTION;
                 SET ROLE bob; GRANT USAGE ON SCHEMA public TO callslip; GRANT SELECT ON public.hidden TO callslip;
                 GRANT SELECT (secret) ON public.audit TO callslip; RESET ROLE",
            )
            .await
            .unwrap();
        let narrower = text().replace("\"reviewer\", ", "");
        let again = sql(&cluster.url("postgres"), &[], &narrower).await;
        owner.batch_execute(&again).await.unwrap();
        let login = connect_to(&url).await;
        assert!(login.simple_query("SELECT 1 FROM public.reviewer").await.is_err(), "{major}");
        assert!(login.simple_query("SELECT 1 FROM public.\"position\"").await.is_ok(), "{major}");
        let held = "SELECT pg_has_role('callslip', 'pg_monitor', 'MEMBER') OR has_table_privilege('callslip', 'public.hidden', 'UPDATE')
            OR has_table_privilege('callslip', 'public.hidden', 'SELECT')
            OR has_column_privilege('callslip', 'public.audit', 'secret', 'SELECT')
            OR EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) WHERE grantor = 'bob'::regrole)";
        assert!(!owner.query_one(held, &[]).await.unwrap().get::<_, bool>(0), "{major}");
        assert_eq!(owner.query_one("SELECT current_user::text", &[]).await.unwrap().get::<_, &str>(0), "postgres");
    })
    .await;
}

/// A host on that login runs every example, and has nothing to say of it.
async fn serves(url: &str, major: u32) {
    let config = Config::parse(&text(), "".as_ref()).unwrap();
    let connection = ConnectionSettings::resolve(Some(url), &|_| None).unwrap();
    let host = Host::start(&config, &connection).await.unwrap_or_else(|error| panic!("{major}: {error}"));
    host.check_login().await.unwrap();
    assert_eq!(host.login_excess().await.unwrap(), [], "{major}");
    let generation = host.generation();
    let plugin = generation.plugin("hiring").unwrap().unwrap_or_else(|refusal| panic!("{major}: {refusal}"));
    let mut run = 0;
    for query in plugin.queries() {
        let declaration = query.declaration();
        for example in &declaration.examples {
            let inputs = |pairs: &[(String, String)]| {
                let mut inputs = Inputs::default();
                for (name, json) in pairs {
                    inputs.insert(name.clone(), &serde_json::from_str::<Value>(json).unwrap());
                }
                inputs
            };
            let call = host.call("hiring", &declaration.name);
            let call = call.params(inputs(&example.parameters)).claims(inputs(&example.claims));
            let ended = async {
                let mut reply = call.run().await?;
                while reply.next_chunk().await?.is_some() {}
                Ok::<_, callslip::CallError>(())
            };
            // There may be no such row in so little data; there is no statement that may not run.
            match ended.await {
                Ok(()) => run += 1,
                Err(error) => {
                    assert_eq!(error.code(), callslip::Code::NotFound, "{major}: {}", error.log_message())
                }
            }
        }
    }
    assert!(run > 5, "{run}");
}

/// What the login can't do by itself, whoever uses it and however; and what it can all the same.
async fn holds(cluster: &Cluster, url: &str, major: u32) {
    let begin = [
        "",
        "SET default_transaction_read_only = off; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    ];
    for begin in begin {
        let login = connect_to(url).await;
        login.batch_execute(begin).await.unwrap();
        for attempt in [
            "INSERT INTO public.company DEFAULT VALUES",
            "UPDATE public.\"position\" SET title = ''",
            "DELETE FROM public.rating",
            "TRUNCATE public.rating",
            "LOCK TABLE public.rating IN EXCLUSIVE MODE",
            "SELECT 1 FROM public.rating FOR UPDATE",
            "CREATE TEMP TABLE t (a int)",
            "CREATE TABLE public.t (a int)",
            "CREATE SCHEMA s",
            "CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql RETURN ''",
            "SELECT 1 FROM public.hidden",
            "SELECT secret FROM public.audit",
            "SELECT * FROM public.audit",
            "SELECT secret FROM public.counted",
            "SELECT pg_read_file('PG_VERSION')",
            "COPY public.company TO PROGRAM 'true'",
            "COPY public.company TO '/tmp/callslip-never'",
            "CREATE ROLE r",
            "ALTER ROLE callslip SUPERUSER",
            "ALTER ROLE callslip CONNECTION LIMIT -1",
            "SET ROLE postgres",
            "SET SESSION AUTHORIZATION app",
            "SELECT pg_create_physical_replication_slot('s')",
            "CREATE DATABASE d",
            "ALTER SYSTEM SET work_mem = '1GB'",
        ] {
            assert!(login.batch_execute(attempt).await.is_err(), "{major}: {begin}: {attempt}");
        }
        for allowed in [
            "SELECT id FROM public.audit",
            "SELECT count(*) FROM public.counted",
            "SELECT * FROM public.shown",
            "SELECT * FROM public.\"Odd ' x\"",
            "SELECT public.score(1, NULL)",
        ] {
            login
                .batch_execute(allowed)
                .await
                .unwrap_or_else(|error| panic!("{major}: {allowed}: {error:?}"));
        }
    }
    let login = connect_to(url).await;
    let shown = async |name: &str| {
        let row = login.query_one("SELECT current_setting($1)", &[&name]).await.unwrap();
        row.get::<_, String>(0)
    };
    assert_eq!(shown("default_transaction_read_only").await, "on", "{major}");
    assert_eq!(shown("statement_timeout").await, "7s", "{major}");
    assert_eq!(shown("lock_timeout").await, "2s", "{major}");
    assert_eq!(shown("search_path").await, "pg_catalog, pg_temp", "{major}");
    assert_eq!(shown("client_connection_check_interval").await, "1s", "{major}");
    // What no login keeps anybody from: it is said with the SQL, and plugins can't call it.
    let made = login.batch_execute("BEGIN; SELECT lo_create(0); ROLLBACK").await;
    assert_eq!(made.is_ok(), major < 16, "{major}");
    // Who was there before makes temporary tables and objects as before.
    let app = connect(cluster.config().user("app")).await;
    app.batch_execute(
        "CREATE TEMP TABLE t (a int); CREATE TABLE public.of_app (a int); DROP TABLE public.of_app",
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_is_made_by_a_superuser_at_once_and_not_of_any_role() {
    let (cluster, owner) = callslip_tests::cluster(
        "CREATE TABLE public.tag (id int); CREATE ROLE root LOGIN SUPERUSER; CREATE ROLE owning LOGIN;
         CREATE TABLE public.theirs (id int); ALTER TABLE public.theirs OWNER TO owning; CREATE ROLE tenant_a;",
    )
    .await;
    let url = cluster.url("postgres");
    let config = "[database]\nrole_claim = \"role\"\nroles = [\"tenant_a\"]\n[plugins.a]\ncomponent = \"none.wasm\"\n\
         grants = { relations = [\"tag\"] }\n[plugins.b]\ncomponent = \"none.wasm\"\ngrants = { relations = [\"theirs\"] }\n"
        .to_owned();
    let odd = "it's \"odd\" $callslip$";
    let output = command(&["--admin-url", &url, "--name", odd, "--plugin", "a"], &config).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut login = cluster.config();
    let login = connect(login.user(odd)).await;
    login.batch_execute("SELECT id FROM public.tag").await.unwrap();
    assert!(login.batch_execute("SELECT id FROM public.theirs").await.is_err());
    login.batch_execute("SET ROLE tenant_a").await.unwrap();
    assert!(
        login.batch_execute("SELECT id FROM public.tag").await.is_err(),
        "that role has rights of its own"
    );
    // A superuser of that name is none any more; who owns something is left as it is.
    let made = sql(&url, &["--name", "root"], &config).await;
    owner.batch_execute(&made).await.unwrap();
    let is_super = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = 'root'";
    assert!(!owner.query_one(is_super, &[]).await.unwrap().get::<_, bool>(0));
    let refused = owner.batch_execute(&sql(&url, &["--name", "owning"], &config).await).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("owns objects"), "{refused:?}");
    owner.batch_execute("ROLLBACK").await.unwrap();
    // What can't be is said, and nothing is printed.
    for (arguments, config, message) in [
        (vec!["--name", "pg_callslip"], config.clone(), "is no name that a login can have"),
        (vec!["--name", "tenant_a"], config.clone(), "is a role of the callers"),
        (vec!["--plugin", "c"], config.clone(), "no plugin \"c\""),
        (vec![], config.replace("\"theirs\"", "\"thiers\""), "names \"thiers\""),
        (vec!["--admin-url", ""], config.clone(), "--admin-url, or CALLSLIP_ADMIN_URL, is empty"),
    ] {
        let output = command(&[&["--database-url", &url], &arguments[..]].concat(), &config).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_can_read_what_row_filters_ask() {
    let (cluster, _owner) = callslip_tests::cluster(
        "CREATE SCHEMA app; CREATE TABLE public.note (id int, team int, body text);
         CREATE TABLE app.member (team int, who text, secret text);
         CREATE FUNCTION app.same(text, text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 = $2;
         REVOKE EXECUTE ON FUNCTION app.same FROM PUBLIC;",
    )
    .await;
    let config = "[filters]\nnote = \"EXISTS (SELECT 1 FROM app.member m WHERE m.team = note.team AND app.same(m.who, claim('user')))\"\n\
                  [plugins.a]\ncomponent = \"none.wasm\"\ngrants = { relations = [\"note(id)\"] }\n";
    let url = cluster.url("postgres");
    let output = command(&["--admin-url", &url], config).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let login = connect_to(&login_url(&cluster, "callslip")).await;
    let asked = "SELECT id FROM public.note AS n
                 WHERE EXISTS (SELECT 1 FROM app.member AS m WHERE m.team = n.team AND app.same(m.who, 'ann'))";
    login.batch_execute(asked).await.unwrap();
    for refused in ["SELECT secret FROM app.member", "SELECT body FROM public.note"] {
        assert!(login.batch_execute(refused).await.is_err(), "{refused}");
    }
    // What could not be used is said.
    let broken = config.replace("m.who", "m.whom");
    let output = command(&["--database-url", &url], &broken).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("the filter of \"note\" in [filters] can't be used"),
        "{said}"
    );
}
