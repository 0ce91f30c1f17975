//! Row-level security has to hold for whatever plugins read: roles for which it does not are refused.

use std::process::Output;

use callslip::loan::{LoanError, Privilege};
use callslip::{Code, StartError};
use callslip_tests::{connect_to, database};
use serde_json::{Value, json};
use tokio_postgres::IsolationLevel;

use crate::command::callslip;
use crate::guarded::{Guarded, a_second, kept, seen};
use crate::support::read;

/// The privilege for which it is refused.
fn privilege_of(error: &StartError) -> Option<Privilege> {
    match error {
        StartError::Loan(LoanError::Privileged(role)) => Some(role.privilege()),
        _ => None,
    }
}

/// For whom the policies don't hold.
const REFUSED: [(&str, Privilege, &str); 4] = [
    ("admin", Privilege::Superuser, "the role \"NAME_admin\" is a superuser"),
    ("bypass", Privilege::BypassRls, "the role \"NAME_bypass\" has BYPASSRLS"),
    ("boss", Privilege::Owner, "the role \"NAME_boss\" owns \"NAME\".\"position\""),
    (
        "member",
        Privilege::Owner,
        "the role \"NAME_member\" has the rights of \"NAME_boss\", which owns \"NAME\".\"position\"",
    ),
];

/// For whom they do, and who may call what PostgreSQL keeps for superusers, such as pg_read_file.
const MEMBERS: [(&str, Privilege, &str); 2] = [
    ("deputy", Privilege::Superuser, "the role \"NAME_deputy\" is a member of \"postgres\", a superuser"),
    ("clerk", Privilege::ServerFiles, "the role \"NAME_clerk\" is a member of \"pg_read_server_files\""),
];

#[tokio::test]
async fn the_role_of_each_call_is_looked_at_on_one_session_as_it_changes() {
    let guarded = Guarded::new("guarded_lent").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let mut kept = kept(&database().owner_url()).await;
    let mut bare = database().owner().await;
    // The second time round its statements are prepared, or its types known.
    for _ in 0..2 {
        for (role, _, reason) in REFUSED.into_iter().chain(MEMBERS) {
            let (set, reset) = (format!("SET ROLE guarded_lent_{role}"), "SET ROLE guarded_lent_reader");
            let refused = |found: Result<bool, (Code, String)>| {
                let (code, message) = found.expect_err(role);
                assert_eq!(code, Code::PrivilegedRole, "{message}");
                assert!(message.contains(&reason.replace("NAME", guarded.name)), "{message}");
                let remedy = "CREATE ROLE callslip LOGIN; GRANT USAGE ON SCHEMA \"guarded_lent\" TO callslip; \
                              GRANT SELECT ON \"guarded_lent\".\"position\" TO callslip";
                assert!(message.contains(remedy) && message.contains("[database] allow = ["), "{message}");
            };
            // As it is, on a session without a transaction.
            kept.batch_execute(&set).await.unwrap();
            refused(seen(&host, &mut kept).await);
            kept.batch_execute(reset).await.unwrap();
            assert_eq!(seen(&host, &mut kept).await, Ok(false), "{role}");
            bare.batch_execute(&set).await.unwrap();
            refused(seen(&host, &mut bare).await);
            bare.batch_execute("RESET ROLE").await.unwrap();

            // Within a transaction, which stays usable.
            let mut transaction = bare.transaction().await.unwrap();
            assert_eq!(seen(&host, &mut transaction).await.unwrap_err().0, Code::PrivilegedRole);
            transaction.batch_execute(&set.replace("SET ROLE", "SET LOCAL ROLE")).await.unwrap();
            refused(seen(&host, &mut transaction).await);
            transaction.batch_execute("SET LOCAL ROLE guarded_lent_reader").await.unwrap();
            assert_eq!(seen(&host, &mut transaction).await, Ok(false), "{role}");
            transaction.commit().await.unwrap();
        }
        kept.batch_execute("RESET ROLE").await.unwrap();
    }
    // Who would first have to set another role has none of its rights.
    bare.batch_execute("SET ROLE guarded_lent_guest").await.unwrap();
    assert_eq!(seen(&host, &mut bare).await, Ok(false));
    drop((bare, kept));
    guarded.end().await;
}

/// What is remembered of a role, by the host or by its session, must not outlive what it was.
#[tokio::test]
async fn a_role_that_becomes_another_is_refused_within_a_second() {
    let guarded = Guarded::new("guarded_altered").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let (mut kept, mut bare) = (kept(&guarded.url("reader")).await, connect_to(&guarded.url("reader")).await);
    for (granted, revoked, reason) in [
        ("ALTER ROLE NAME_reader SUPERUSER", "ALTER ROLE NAME_reader NOSUPERUSER", "a superuser"),
        ("ALTER ROLE NAME_reader BYPASSRLS", "ALTER ROLE NAME_reader NOBYPASSRLS", "has BYPASSRLS"),
        ("GRANT NAME_boss TO NAME_reader", "REVOKE NAME_boss FROM NAME_reader", "has the rights of"),
    ] {
        for is_granted in [false, true, false] {
            guarded.execute(if is_granted { granted } else { revoked }).await;
            a_second().await;
            for found in [seen(&host, &mut kept).await, seen(&host, &mut bare).await] {
                match is_granted {
                    false => assert_eq!(found, Ok(false), "{revoked}"),
                    true => {
                        let (code, message) = found.expect_err(granted);
                        assert_eq!(code, Code::PrivilegedRole);
                        assert!(message.contains(reason), "{granted}: {message}");
                    }
                }
            }
        }
    }
    // Whose the table is, the host knows of its catalog.
    guarded.execute("ALTER TABLE NAME.position OWNER TO NAME_reader").await;
    let error = host.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::PrivilegedRole, "{error}");
    assert_eq!(seen(&host, &mut bare).await.unwrap_err().0, Code::PrivilegedRole);
    // For whom the policies are forced they hold.
    guarded.execute("ALTER TABLE NAME.position FORCE ROW LEVEL SECURITY").await;
    host.refresh().await.unwrap();
    assert_eq!(seen(&host, &mut bare).await, Ok(false));
    drop((bare, kept));
    guarded.end().await;
}

/// What a role is holds at once, whatever the snapshot of a transaction says.
#[tokio::test]
async fn an_old_snapshot_does_not_say_what_a_role_is() {
    let guarded = Guarded::new("guarded_old").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let (mut old, mut other) = (connect_to(&guarded.url("reader")).await, kept(&guarded.url("reader")).await);
    for (granted, revoked) in [
        ("ALTER ROLE NAME_reader SUPERUSER", "ALTER ROLE NAME_reader NOSUPERUSER"),
        ("ALTER ROLE NAME_reader BYPASSRLS", "ALTER ROLE NAME_reader NOBYPASSRLS"),
        ("GRANT NAME_boss TO NAME_reader", "REVOKE NAME_boss FROM NAME_reader"),
        ("ALTER TABLE NAME.position OWNER TO NAME_reader", "ALTER TABLE NAME.position OWNER TO NAME_boss"),
    ] {
        let snapshot = old.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let mut transaction = snapshot.start().await.unwrap();
        assert_eq!(seen(&host, &mut transaction).await, Ok(false), "{granted}");
        guarded.execute(granted).await;
        a_second().await;
        let found = seen(&host, &mut transaction).await;
        let (code, message) = found.expect_err(granted);
        assert_eq!(code, Code::PrivilegedRole, "{granted}");
        if granted.contains("BYPASSRLS") {
            let reason = "has become one for which the policies of \"guarded_old\".\"position\" do not hold";
            assert!(message.contains(reason), "{message}");
        }
        // Nor is what it says believed of the role elsewhere.
        assert_eq!(
            seen(&host, &mut other).await.map_err(|(code, _)| code),
            Err(Code::PrivilegedRole),
            "{granted}"
        );
        drop(transaction);
        guarded.execute(revoked).await;
        guarded.execute("GRANT SELECT ON NAME.position TO NAME_reader").await;
        a_second().await;
    }
    drop((old, other));
    guarded.end().await;
}

/// What a session has prepared by the name of a host's own look at it need not be that.
#[tokio::test]
async fn a_session_that_does_not_say_whose_it_is_is_refused() {
    let guarded = Guarded::new("guarded_mute").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let (mut reader, mut mute) = (kept(&guarded.url("reader")).await, kept(&guarded.url("bypass")).await);
    mute.batch_execute("PREPARE callslip_settings_c6b1f03e (text, text) AS SELECT 1 AS one").await.unwrap();
    // A role is known, so that this one is only looked at on the way.
    assert_eq!(seen(&host, &mut reader).await, Ok(false));
    let mut transaction = mute.transaction().await.unwrap();
    let (_, message) = seen(&host, &mut transaction).await.unwrap_err();
    assert!(message.contains("the session does not say what its role is"), "{message}");
    transaction.batch_execute("SELECT").await.unwrap();
    drop(transaction);
    drop((reader, mute));
    guarded.end().await;
}

#[tokio::test]
async fn a_session_shows_nothing_by_a_role_that_it_takes_otherwise() {
    let guarded = Guarded::new("guarded_taken").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let (mut kept, mut bare) = (kept(&database().owner_url()).await, database().owner().await);
    for client in [&mut *kept as &mut tokio_postgres::Client, &mut bare] {
        client.batch_execute("SET SESSION AUTHORIZATION guarded_taken_bypass").await.unwrap();
    }
    assert_eq!(seen(&host, &mut kept).await.unwrap_err().0, Code::PrivilegedRole);
    for session in 0..2 {
        let sql = "SET SESSION AUTHORIZATION guarded_taken_reader; SET row_security = off";
        let found = match session {
            0 => {
                kept.batch_execute(sql).await.unwrap();
                seen(&host, &mut kept).await
            }
            _ => {
                bare.batch_execute(sql).await.unwrap();
                seen(&host, &mut bare).await
            }
        };
        // The setting has an error for what is hidden, but for who asks for it: plugins get what there is for them.
        assert_eq!(found, Ok(false));
    }
    // A role that is not there any more, and one of the same name.
    guarded.execute("CREATE ROLE NAME_late").await;
    for client in [&mut *kept as &mut tokio_postgres::Client, &mut bare] {
        client.batch_execute("RESET SESSION AUTHORIZATION; SET ROLE guarded_taken_late").await.unwrap();
    }
    assert_eq!((seen(&host, &mut kept).await, seen(&host, &mut bare).await), (Ok(false), Ok(false)));
    for other in ["CREATE ROLE NAME_late BYPASSRLS", "CREATE ROLE NAME_late"] {
        guarded.execute("DROP ROLE NAME_late").await;
        assert!(seen(&host, &mut kept).await.is_err() && seen(&host, &mut bare).await.is_err());
        guarded.execute(other).await;
        assert!(seen(&host, &mut kept).await.is_err() && seen(&host, &mut bare).await.is_err());
        a_second().await;
        for client in [&mut *kept as &mut tokio_postgres::Client, &mut bare] {
            client.batch_execute("SET ROLE guarded_taken_late").await.unwrap();
        }
        for found in [seen(&host, &mut kept).await, seen(&host, &mut bare).await] {
            match other.contains("BYPASSRLS") {
                true => assert_eq!(found.unwrap_err().0, Code::PrivilegedRole),
                false => assert_eq!(found, Ok(false)),
            }
        }
    }
    drop((bare, kept));
    guarded.execute("DROP ROLE NAME_late").await;
    guarded.end().await;
}

#[tokio::test]
async fn what_is_allowed_is_allowed_by_itself() {
    let guarded = Guarded::new("guarded_allowed").await;
    for allowed in Privilege::ALL {
        let host = guarded.start("reader", &[*allowed]).await.unwrap();
        for (role, privilege, _) in REFUSED {
            let mut client = connect_to(&guarded.url(role)).await;
            let found = seen(&host, &mut client).await.map_err(|(code, _)| code);
            let started = guarded.start(role, &[*allowed]).await;
            match privilege == *allowed {
                true => {
                    assert_eq!(found, Ok(true), "the policy holds for {role}");
                    let own = read(started.unwrap().call("language", "position").param("id", 2)).await;
                    assert_ne!(own.unwrap(), Value::Null, "{role}");
                }
                false => {
                    assert_eq!(found, Err(Code::PrivilegedRole), "{role} with {allowed}");
                    let error = started.err().unwrap();
                    assert_eq!((privilege_of(&error), error.code()), (Some(privilege), Code::PrivilegedRole));
                }
            }
        }
    }
    guarded.end().await;
}

#[tokio::test]
async fn the_host_s_own_login_is_looked_at_with_each_session_and_each_refresh() {
    let guarded = Guarded::new("guarded_own").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let own = async || {
        let call = host.call("language", "position").param("id", 2);
        read(call).await.map(|row| !row.is_null()).map_err(|error| (error.code(), error.to_string()))
    };
    assert_eq!(own().await, Ok(false));
    host.check_login().await.unwrap();
    // A session that there is goes on; another one does not begin.
    guarded.execute("ALTER ROLE NAME_reader BYPASSRLS").await;
    let lent = host.pool().unwrap().loan().await.unwrap();
    let (code, message) = own().await.unwrap_err();
    assert_eq!(code, Code::PrivilegedRole);
    assert!(!message.contains("guarded_own"), "it is not for the caller: {message}");
    drop(lent);
    // A refresh finds it too, and then no session goes on.
    let error = host.refresh().await.unwrap_err();
    assert!(error.to_string().contains("the role \"guarded_own_reader\" has BYPASSRLS"), "{error}");
    for _ in 0..4 {
        assert_eq!(own().await.unwrap_err().0, Code::PrivilegedRole);
    }
    assert_eq!(host.pool().unwrap().status().waiting, 0);
    assert!(host.catalog_status().failure.is_some());
    // It needs nobody to look again when it is mended.
    guarded.execute("ALTER ROLE NAME_reader NOBYPASSRLS").await;
    for _ in 0..4 {
        assert_eq!(own().await, Ok(false));
    }
    host.refresh().await.unwrap();
    assert!(host.catalog_status().failure.is_none());

    // Nor does a session go on when its role has become the owner of a table.
    guarded.execute("ALTER TABLE NAME.position OWNER TO NAME_reader").await;
    assert_eq!(own().await, Ok(true), "the host has not looked since");
    assert_eq!(host.refresh().await.unwrap_err().code(), Code::PrivilegedRole);
    assert_eq!(own().await.unwrap_err().0, Code::PrivilegedRole);
    guarded
        .execute("ALTER TABLE NAME.position OWNER TO NAME_boss; GRANT SELECT ON NAME.position TO NAME_reader")
        .await;
    host.refresh().await.unwrap();
    assert_eq!(own().await, Ok(false));
    drop(host);
    guarded.end().await;
}

#[tokio::test]
async fn a_server_refuses_and_an_author_is_warned() {
    let guarded = Guarded::new("guarded_command").await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("callslip.toml");
    let run = async |role: &str, arguments: &[&str]| -> Output {
        let mut command = callslip();
        command.args(arguments).arg("--config").arg(&config).args(["--database-url", &guarded.url(role)]);
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    };
    std::fs::write(&config, guarded.text(&[])).unwrap();
    for (role, _, reason) in REFUSED.into_iter().chain(MEMBERS) {
        let reason = reason.replace("NAME", guarded.name);
        let served = run(role, &["serve", "--listen", "127.0.0.1:0"]).await;
        let said = String::from_utf8_lossy(&served.stderr);
        assert_eq!(served.status.code(), Some(1), "{role}: {said}");
        assert!(said.contains(&format!("error: CS1112: {reason}")), "{role}: {said}");
        let shown = run(role, &["run", "language", "position", "id=2", "--format", "json"]).await;
        let said = String::from_utf8_lossy(&shown.stderr);
        assert_eq!(shown.status.code(), Some(0), "{role}: {said}");
        let row: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(row == json!(null), MEMBERS.iter().any(|(member, ..)| *member == role), "{role}");
        assert_eq!((said.lines().count(), said.contains(&reason)), (1, true), "{role}: {said}");
    }
    for arguments in [["check", "language"], ["inspect", "language"], ["explain", "language"]] {
        let shown = run("boss", &arguments).await;
        let said = String::from_utf8_lossy(&shown.stderr);
        assert!(said.contains("`callslip serve` refuses this login"), "{arguments:?}: {said}");
    }
    std::fs::write(&config, guarded.text(&[Privilege::Owner])).unwrap();
    let shown = run("boss", &["run", "language", "position", "id=2"]).await;
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    guarded.end().await;
}
