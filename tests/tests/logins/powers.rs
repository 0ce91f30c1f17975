//! What a role may have that its statements reach further than they are granted, and what it may have that nobody needs who reads.

use callslip::cluster::Cluster;
use callslip::loan::{Guard, GuardedRelation, LoanError, Privilege};
use callslip_tests::connect;
use tokio_postgres::Client;

use crate::on_every_version;

fn guarded() -> Vec<GuardedRelation> {
    vec![GuardedRelation { schema: "app".into(), name: "position".into(), exempt: Some("boss".into()) }]
}

async fn prepared(cluster: &Cluster) -> Client {
    let owner = connect(&cluster.config()).await;
    owner
        .batch_execute(
            "CREATE ROLE boss; CREATE ROLE reader LOGIN; CREATE SCHEMA app;
             CREATE TABLE app.position (id int); ALTER TABLE app.position OWNER TO boss;
             GRANT USAGE ON SCHEMA app TO PUBLIC; GRANT SELECT ON app.position TO reader;
             REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
             CREATE ROLE files IN ROLE pg_read_server_files; CREATE ROLE passer BYPASSRLS; CREATE ROLE maker CREATEROLE;
             CREATE ROLE group_of_root IN ROLE postgres",
        )
        .await
        .unwrap();
    owner
}

async fn of(cluster: &Cluster, allowed: &[Privilege]) -> Option<(Privilege, String)> {
    let client = connect(cluster.config().user("reader")).await;
    match Guard::new(allowed.iter().copied(), guarded()).check(&client).await {
        Ok(()) => None,
        Err(LoanError::Privileged(role)) => Some((role.privilege(), role.reason())),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reaches_out_of_the_tables_is_refused() {
    on_every_version(|cluster, major| async move {
        let owner = prepared(&cluster).await;
        assert_eq!(of(&cluster, &[]).await, None);
        let member = |of: &str| format!("the role \"reader\" is a member of \"{of}\"");
        let mut cases = vec![
            (
                "ALTER ROLE reader CREATEROLE",
                Privilege::CreateRole,
                "the role \"reader\" has CREATEROLE".into(),
            ),
            (
                "ALTER ROLE reader REPLICATION",
                Privilege::Replication,
                "the role \"reader\" has REPLICATION".into(),
            ),
            ("GRANT pg_read_server_files TO reader", Privilege::ServerFiles, member("pg_read_server_files")),
            (
                "GRANT pg_write_server_files TO reader",
                Privilege::ServerFiles,
                member("pg_write_server_files"),
            ),
            ("GRANT files TO reader", Privilege::ServerFiles, member("pg_read_server_files")),
            (
                "GRANT pg_execute_server_program TO reader",
                Privilege::ServerPrograms,
                member("pg_execute_server_program"),
            ),
            ("GRANT pg_signal_backend TO reader", Privilege::SignalBackend, member("pg_signal_backend")),
            ("GRANT postgres TO reader", Privilege::Superuser, member("postgres") + ", a superuser"),
            ("GRANT group_of_root TO reader", Privilege::Superuser, member("postgres") + ", a superuser"),
            (
                "ALTER ROLE reader NOINHERIT; GRANT files TO reader",
                Privilege::ServerFiles,
                member("pg_read_server_files"),
            ),
            (
                "ALTER ROLE reader NOINHERIT; GRANT postgres TO reader",
                Privilege::Superuser,
                member("postgres") + ", a superuser",
            ),
        ];
        if major >= 16 {
            for sql in [
                "GRANT pg_read_server_files TO reader WITH INHERIT FALSE, SET TRUE",
                "GRANT pg_read_server_files TO reader WITH INHERIT TRUE, SET FALSE",
                "GRANT pg_read_server_files TO reader WITH INHERIT FALSE, SET FALSE, ADMIN TRUE",
            ] {
                cases.push((sql, Privilege::ServerFiles, member("pg_read_server_files")));
            }
        }
        for (sql, privilege, reason) in cases {
            owner.batch_execute(sql).await.unwrap();
            let (found, said) = of(&cluster, &[]).await.unwrap_or_else(|| panic!("{major}: {sql}"));
            assert_eq!((found, said), (privilege, reason), "{major}: {sql}");
            assert_eq!(of(&cluster, &[privilege]).await, None, "{major}: {sql}");
            let others: Vec<Privilege> =
                Privilege::ALL.iter().copied().filter(|its| *its != privilege).collect();
            assert!(of(&cluster, &others).await.is_some(), "{major}: {sql}");
            owner
                .batch_execute(
                    "ALTER ROLE reader NOCREATEROLE NOREPLICATION INHERIT;
                     REVOKE pg_read_server_files, pg_write_server_files, files, pg_execute_server_program,
                     pg_signal_backend, postgres, group_of_root FROM reader",
                )
                .await
                .unwrap();
        }
        // Who would first have to become another has none of that one's rights: these are only told of.
        for other in ["passer", "maker", "boss"] {
            owner
                .batch_execute(&format!("ALTER ROLE reader NOINHERIT; GRANT {other} TO reader"))
                .await
                .unwrap();
            assert_eq!(of(&cluster, &[]).await, None, "{major}: {other}");
            owner
                .batch_execute(&format!("REVOKE {other} FROM reader; ALTER ROLE reader INHERIT"))
                .await
                .unwrap();
        }
    })
    .await;
}

/// Why such roles are refused: what each can do by a SELECT alone, in a transaction that only reads.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_role_could_do_by_a_select() {
    on_every_version(|cluster, major| async move {
        let owner = prepared(&cluster).await;
        owner.batch_execute("CREATE ROLE victim LOGIN").await.unwrap();
        let victim = connect(cluster.config().user("victim")).await;
        let pid: i32 = victim.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        for (granted, sql) in [
            ("GRANT group_of_root TO reader", "SELECT pg_read_file('PG_VERSION')".to_owned()),
            ("GRANT pg_signal_backend TO reader", format!("SELECT pg_terminate_backend({pid})")),
            (
                "ALTER ROLE reader REPLICATION",
                "SELECT pg_create_physical_replication_slot('full', true)".to_owned(),
            ),
        ] {
            let reads = async |sql: &str| {
                let mut client = connect(cluster.config().user("reader")).await;
                let transaction = client.build_transaction().read_only(true).start().await.unwrap();
                transaction.simple_query(sql).await.is_ok()
            };
            assert!(!reads(&sql).await, "{major}: {sql}");
            owner.batch_execute(granted).await.unwrap();
            assert!(reads(&sql).await, "{major}: {granted}");
            assert!(of(&cluster, &[]).await.is_some());
            owner
                .batch_execute(
                    "ALTER ROLE reader NOREPLICATION; REVOKE group_of_root, pg_signal_backend FROM reader",
                )
                .await
                .unwrap();
        }
        assert!(victim.query_one("SELECT 1", &[]).await.is_err(), "{major}: its session has ended");
        let slots = owner.query_one("SELECT count(*) FROM pg_replication_slots", &[]).await.unwrap();
        assert_eq!(slots.get::<_, i64>(0), 1, "it outlives the transaction that was rolled back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_does_not_need_is_told_with_what_takes_it_away() {
    on_every_version(|cluster, major| async move {
        let owner = prepared(&cluster).await;
        let told = async || {
            let client = connect(cluster.config().user("reader")).await;
            let excess = Guard::new([], guarded()).excess(&client).await.unwrap();
            excess.iter().map(|its| (its.what(), its.remedy())).collect::<Vec<_>>()
        };
        assert_eq!(told().await, [], "{major}");
        let mut cases = vec![
            ("GRANT pg_monitor TO reader", "is a member of pg_monitor"),
            ("GRANT pg_read_all_data TO reader", "is a member of pg_read_all_data"),
            ("ALTER ROLE reader NOINHERIT; GRANT passer TO reader", "can become (SET ROLE) \"passer\""),
            ("ALTER ROLE reader NOINHERIT; GRANT boss TO reader", "can become (SET ROLE) \"boss\""),
            ("ALTER ROLE reader CREATEDB", "may create databases"),
            ("GRANT CREATE ON DATABASE postgres TO reader", "may create schemas in the database postgres"),
            ("GRANT TEMPORARY ON DATABASE postgres TO PUBLIC", "may make temporary tables in the database postgres"),
            ("GRANT CREATE ON SCHEMA app TO reader", "may create objects in the schema app"),
            ("GRANT UPDATE (id) ON app.position TO reader", "may write to app.\"position\""),
            ("GRANT INSERT ON app.position TO PUBLIC", "may write to app.\"position\""),
            (
                "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION app.f() OWNER TO reader",
                "may replace the function app.f",
            ),
            ("GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO reader", "may call pg_catalog.pg_ls_dir"),
        ];
        if major >= 17 {
            cases.push(("GRANT pg_maintain TO reader", "is a member of pg_maintain"));
        }
        for (sql, what) in cases {
            owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{major}: {sql}: {error:?}"));
            let found = told().await;
            assert!(found.iter().any(|(its, _)| its.starts_with(what)), "{major}: {sql}: {found:?}");
            owner
                .batch_execute(
                    "ALTER ROLE reader NOCREATEDB INHERIT; REVOKE pg_monitor, pg_read_all_data, passer, boss FROM reader;
                     REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC; REVOKE CREATE ON DATABASE postgres FROM reader;
                     REVOKE CREATE ON SCHEMA app FROM reader; REVOKE ALL ON app.position FROM reader, PUBLIC;
                     REVOKE ALL (id) ON app.position FROM reader;
                     GRANT SELECT ON app.position TO reader; DROP FUNCTION IF EXISTS app.f;
                     REVOKE EXECUTE ON FUNCTION pg_ls_dir(text) FROM reader",
                )
                .await
                .unwrap();
            if major >= 17 {
                owner.batch_execute("REVOKE pg_maintain FROM reader").await.unwrap();
            }
            assert_eq!(told().await, [], "{major}: {sql}");
        }
        // A superuser is told otherwise.
        assert_eq!(Guard::new([], guarded()).excess(&owner).await.unwrap(), []);
    })
    .await;
}
