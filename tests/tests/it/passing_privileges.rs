//! What a role has only for a while: PostgreSQL decides about row-level security when it rewrites a statement, and keeps
//! the outcome with what is prepared, which must not outlive the privilege.

use callslip::{Code, Host};
use callslip_tests::{connect_to, database};

use crate::guarded::{Guarded, a_second, kept, seen};
use crate::support::read;

/// How a role comes to see what is hidden, and how that ends.
const PASSING: [(&str, &str); 3] = [
    ("ALTER ROLE NAME_reader SUPERUSER", "ALTER ROLE NAME_reader NOSUPERUSER"),
    ("ALTER ROLE NAME_reader BYPASSRLS", "ALTER ROLE NAME_reader NOBYPASSRLS"),
    ("GRANT NAME_boss TO NAME_reader", "REVOKE NAME_boss FROM NAME_reader"),
];

/// Has PostgreSQL rewrite what reads the table.
const TOUCH: &str = "ALTER TABLE NAME.position ALTER COLUMN id SET STATISTICS 100";

#[tokio::test]
async fn what_is_prepared_in_the_second_of_a_known_role_is_forgotten_with_it() {
    let guarded = Guarded::new("passing_known").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let mut other = connect_to(&guarded.url("reader")).await;
    for (granted, revoked) in PASSING {
        for is_prepared_before in [false, true] {
            let mut kept = kept(&guarded.url("reader")).await;
            if is_prepared_before {
                assert_eq!(seen(&host, &mut kept).await, Ok(false));
            }
            a_second().await;
            assert_eq!(seen(&host, &mut other).await, Ok(false));
            guarded.execute(granted).await;
            guarded.execute(TOUCH).await;
            // Whatever this is, as long as the role is known.
            let _ = seen(&host, &mut kept).await;
            guarded.execute(revoked).await;
            a_second().await;
            assert_eq!(seen(&host, &mut kept).await, Ok(false), "{granted}, {is_prepared_before}");
        }
    }
    drop(other);
    guarded.end().await;
}

#[tokio::test]
async fn what_is_prepared_for_a_role_that_is_then_refused_is_forgotten_at_once() {
    let guarded = Guarded::new("passing_refused").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let mut other = connect_to(&guarded.url("guest")).await;
    for (granted, revoked) in PASSING {
        let mut kept = kept(&guarded.url("reader")).await;
        a_second().await;
        guarded.execute(granted).await;
        // Some role is known then, so that statements are sent before it is asked which one the session has.
        assert_eq!(seen(&host, &mut other).await, Ok(false));
        assert_eq!(seen(&host, &mut kept).await.unwrap_err().0, Code::PrivilegedRole, "{granted}");
        guarded.execute(revoked).await;
        assert_eq!(seen(&host, &mut kept).await, Ok(false), "{granted}");
    }
    drop(other);
    guarded.end().await;
}

/// Each time another role comes, PostgreSQL rewrites what is prepared.
#[tokio::test]
async fn what_is_rewritten_for_another_role_of_the_session_is_forgotten_with_it() {
    let guarded = Guarded::new("passing_set").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let mut kept = kept(&database().owner_url()).await;
    for (granted, revoked) in PASSING {
        for role in ["reader", "guest", "reader", "guest"] {
            kept.batch_execute(&format!("SET ROLE passing_set_{role}")).await.unwrap();
            assert_eq!(seen(&host, &mut kept).await, Ok(false));
        }
        guarded.execute(granted).await;
        kept.batch_execute("SET ROLE passing_set_reader").await.unwrap();
        let _ = seen(&host, &mut kept).await;
        guarded.execute(revoked).await;
        a_second().await;
        kept.batch_execute("SET ROLE passing_set_reader").await.unwrap();
        assert_eq!(seen(&host, &mut kept).await, Ok(false), "{granted}");
    }
    drop(kept);
    guarded.end().await;
}

/// What the host's own login finds.
async fn own(host: &Host) -> Result<bool, Code> {
    let call = host.call("language", "position").param("id", 2);
    read(call).await.map(|row| !row.is_null()).map_err(|error| error.code())
}

#[tokio::test]
async fn what_the_pool_has_prepared_is_forgotten_when_the_host_looks_at_its_login() {
    let guarded = Guarded::new("passing_own").await;
    let host = guarded.start("reader", &[]).await.unwrap();
    let pool = host.pool().unwrap();
    for (granted, revoked) in PASSING {
        // Two sessions, of which one has prepared the statement.
        let lent = pool.loan().await.unwrap();
        assert_eq!(own(&host).await, Ok(false));
        drop(lent);
        for is_noticed in [false, true] {
            guarded.execute(granted).await;
            guarded.execute(TOUCH).await;
            for _ in 0..4 {
                assert_eq!(own(&host).await, Ok(true), "{granted}: the host has not looked since");
            }
            if is_noticed {
                assert_eq!(host.refresh().await.unwrap_err().code(), Code::PrivilegedRole);
            }
            guarded.execute(revoked).await;
            if !is_noticed {
                host.refresh().await.unwrap();
            }
            for _ in 0..4 {
                assert_eq!(own(&host).await, Ok(false), "{revoked}, {is_noticed}");
            }
        }
    }
    drop(host);
    guarded.end().await;
}
