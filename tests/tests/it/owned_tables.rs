//! For whom a table's policies hold, as its owner and its policies change, and through views.

use callslip::Code;
use callslip_tests::connect_to;

use crate::guarded::{Guarded, a_second, kept, seen};

/// Nobody refreshes the host meanwhile: its catalog is as old as itself.
#[tokio::test]
async fn an_owner_is_found_without_a_look_at_the_catalog() {
    let guarded = Guarded::new("owned_since").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let (mut kept, mut bare) = (kept(&guarded.url("reader")).await, connect_to(&guarded.url("reader")).await);
    for (change, expected) in [
        ("ALTER TABLE NAME.position OWNER TO NAME_reader", Err(Code::PrivilegedRole)),
        ("ALTER TABLE NAME.position FORCE ROW LEVEL SECURITY", Ok(false)),
        ("ALTER TABLE NAME.position NO FORCE ROW LEVEL SECURITY", Err(Code::PrivilegedRole)),
        ("ALTER TABLE NAME.position OWNER TO NAME_guest; GRANT SELECT ON NAME.position TO PUBLIC", Ok(false)),
        ("GRANT NAME_guest TO NAME_reader", Err(Code::PrivilegedRole)),
        ("REVOKE NAME_guest FROM NAME_reader", Ok(false)),
        ("ALTER POLICY odd ON NAME.position USING (id % 2 = 0)", Ok(true)),
        ("ALTER POLICY odd ON NAME.position USING (id % 2 = 1)", Ok(false)),
        ("ALTER TABLE NAME.position DISABLE ROW LEVEL SECURITY", Ok(true)),
        ("ALTER TABLE NAME.position ENABLE ROW LEVEL SECURITY", Ok(false)),
    ] {
        guarded.execute(change).await;
        a_second().await;
        for found in [seen(&host, &mut kept).await, seen(&host, &mut bare).await] {
            if let Err((Code::PrivilegedRole, message)) = &found {
                let (owns, has_rights) =
                    ("owns \"owned_since\".\"position\"", "has the rights of \"owned_since_guest\"");
                assert!(message.contains(owns) || message.contains(has_rights), "{message}");
            }
            assert_eq!(found.map_err(|(code, _)| code), expected, "{change}");
        }
    }
    drop((bare, kept));
    guarded.end().await;
}

/// A transaction may have begun before: what it sees of the system's catalog is as old, and its rights are not.
#[tokio::test]
async fn an_owner_is_found_in_a_transaction_that_is_older() {
    let guarded = Guarded::new("owned_before").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let mut bare = connect_to(&guarded.url("reader")).await;
    let builder = bare.build_transaction().isolation_level(tokio_postgres::IsolationLevel::RepeatableRead);
    let mut transaction = builder.start().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    guarded.execute("ALTER TABLE NAME.position OWNER TO NAME_reader").await;
    assert_eq!(host.refresh().await.unwrap_err().code(), Code::PrivilegedRole);
    assert_eq!(seen(&host, &mut transaction).await.unwrap_err().0, Code::PrivilegedRole);
    transaction.commit().await.unwrap();
    drop((bare, host));
    guarded.end().await;
}

/// A view whose tables are read with the rights of who reads it is no way around whose they are.
#[tokio::test]
async fn a_view_is_as_its_tables_where_they_are_read_as_the_caller() {
    let guarded = Guarded::new("owned_viewed").await;
    guarded
        .execute(
            "CREATE SCHEMA NAME_hidden; GRANT USAGE ON SCHEMA NAME_hidden TO PUBLIC;
             ALTER TABLE NAME.position SET SCHEMA NAME_hidden;
             CREATE VIEW NAME_hidden.inside WITH (security_invoker) AS SELECT * FROM NAME_hidden.position;
             GRANT SELECT ON NAME_hidden.inside TO PUBLIC",
        )
        .await;
    for (view, is_of_caller) in [
        ("CREATE VIEW NAME.position WITH (security_invoker) AS SELECT * FROM NAME_hidden.position", true),
        ("CREATE VIEW NAME.position AS SELECT * FROM NAME_hidden.inside", true),
        ("CREATE VIEW NAME.position AS SELECT * FROM NAME_hidden.position", false),
    ] {
        guarded.execute(&format!("{view}; GRANT SELECT ON NAME.position TO PUBLIC")).await;
        let host = guarded.start("reader", &[]).await.unwrap();
        let mut member = connect_to(&guarded.url("member")).await;
        let mut reader = connect_to(&guarded.url("reader")).await;
        let (member, reader) = (seen(&host, &mut member).await, seen(&host, &mut reader).await);
        match is_of_caller {
            true => {
                let (code, message) = member.expect_err(view);
                assert_eq!(code, Code::PrivilegedRole, "{view}");
                let owned = "which owns \"owned_viewed_hidden\".\"position\"";
                assert!(message.contains(owned), "{view}: {message}");
                assert_eq!(reader, Ok(false), "{view}");
            }
            // Its owner, who is a superuser, shows what they see.
            false => assert_eq!((member, reader), (Ok(true), Ok(true)), "{view}"),
        }
        guarded.execute("DROP VIEW NAME.position").await;
    }
    guarded.execute("DROP SCHEMA NAME_hidden CASCADE").await;
    guarded.end().await;
}
