//! Several statements on what is lent have one time together, which PostgreSQL itself holds them to.

use std::time::{Duration, Instant};

use callslip::Code;
use callslip::loan::{BoundStatement, LoanError, Terms};
use futures_util::future::join_all;
use tokio_postgres::types::Type;

use crate::ends::first;
use crate::owners::{Kind, Owner, Service};
use crate::state::State;
use crate::support::{drop_after, run, sessions, statement};

/// The timeout that the statement itself has, after so many seconds of sleep.
fn timeout_after(seconds: f64) -> BoundStatement {
    let sql = format!(
        "SELECT CAST(EXTRACT(EPOCH FROM CAST(pg_catalog.current_setting('statement_timeout') AS interval)) * 1000 AS int8) \
         AS n, CAST(pg_catalog.pg_sleep({seconds}) AS text) AS t"
    );
    statement(&sql, &[], &[("n", Type::INT8), ("t", Type::TEXT)])
}

fn terms(statement_timeout: u64, left: u64) -> Terms {
    let statement_timeout = Duration::from_millis(statement_timeout);
    let deadline = Some(Instant::now() + Duration::from_millis(left));
    Terms { statement_timeout, deadline, ..Terms::default() }
}

/// The timeouts of statements, in milliseconds, of which each takes so long.
async fn timeouts(owner: &mut dyn Owner, terms: &Terms, seconds: &[f64]) -> Vec<i64> {
    try_timeouts(owner, terms, seconds).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn try_timeouts(owner: &mut dyn Owner, terms: &Terms, seconds: &[f64]) -> Result<Vec<i64>, LoanError> {
    let statements = seconds.iter().map(|seconds| timeout_after(*seconds)).collect();
    let run = owner.lend().run(statements, terms, sessions()).await?;
    let rows = callslip_tests::rows(run).await?;
    Ok(rows.iter().map(|rows| rows[0].get(0)).collect())
}

async fn with_all(work: impl AsyncFn(Kind, &mut dyn Owner)) {
    let mut service = Service::new().await;
    for kind in Kind::ALL {
        service.with(kind, async |owner| work(kind, owner).await).await.unwrap();
    }
}

#[test]
fn each_has_what_the_others_have_left() {
    run(with_all(async |kind, owner| {
        // The second time a session that keeps statements has prepared them.
        for time in 0..2 {
            let what = format!("{kind:?}, time {time}");
            let found = timeouts(owner, &terms(30_000, 20_000), &[0.1, 0.2, 0.0]).await;
            let [one, two, three] = found[..] else { panic!("{what}: {found:?}") };
            assert!((10_000..=20_000).contains(&one), "{what}: {found:?}");
            assert!(two <= one - 100 && two > one - 5_000, "{what}: {found:?}");
            assert!(three <= two - 200 && three > two - 5_000, "{what}: {found:?}");
        }
    }));
}

#[test]
fn a_timeout_that_is_shorter_stays() {
    run(with_all(async |kind, owner| {
        let found = timeouts(owner, &terms(5_000, 60_000), &[0.1, 0.0]).await;
        assert_eq!(found, [5_000, 5_000], "{kind:?}: that of a statement");
        let set = if kind.is_in_transaction() { "SET LOCAL" } else { "SET" };
        for (own, milliseconds) in [("3s", 3_000), ("1min", 60_000)] {
            owner.client().batch_execute(&format!("{set} statement_timeout = '{own}'")).await.unwrap();
            let found = timeouts(owner, &terms(30_000, 20_000), &[0.1, 0.0]).await;
            match milliseconds {
                3_000 => assert_eq!(found, [3_000, 3_000], "{kind:?}: the owner's own"),
                _ => assert!(found[0] <= 20_000 && found[1] <= found[0] - 100, "{kind:?}: {found:?}"),
            }
            assert_eq!(first(owner.client(), "SHOW statement_timeout").await, own, "{kind:?}");
        }
        owner.client().batch_execute("SET statement_timeout = 0").await.unwrap();
    }));
}

/// The ROLLBACK that ends the block runs within the timeout of the statement before it.
#[test]
fn what_ends_the_block_has_time_left_when_all_is_over() {
    run(with_all(async |kind, owner| {
        let over = Terms { deadline: Some(Instant::now()), ..Terms::default() };
        let found = loop {
            match try_timeouts(owner, &over, &[0.0, 0.0, 0.0]).await {
                // It is enough but on a machine that is very busy.
                Err(LoanError::Stopped(_)) => {}
                found => break found.unwrap_or_else(|error| panic!("{kind:?}: {error}")),
            }
        };
        assert_eq!(found, [50, 50, 50], "{kind:?}");
    }));
}

#[test]
fn nothing_is_done_for_one_statement_or_without_a_deadline() {
    run(with_all(async |kind, owner| {
        assert_eq!(timeouts(owner, &Terms::default(), &[0.1, 0.0]).await, [30_000, 30_000], "{kind:?}");
        let cursors = "SELECT CAST(pg_catalog.count(*) AS int8) AS n, CAST('' AS text) AS t FROM pg_catalog.pg_cursors AS c \
                       WHERE c.name LIKE 'callslip%'";
        let count = |statements: usize, terms: Terms| {
            let cursors = statement(cursors, &[], &[("n", Type::INT8), ("t", Type::TEXT)]);
            (vec![cursors; statements], terms)
        };
        for (statements, terms, cursors) in
            [(1, terms(30_000, 20_000), 0), (2, Terms::default(), 0), (2, terms(30_000, 20_000), 1)]
        {
            let (statements, terms) = count(statements, terms);
            let run = owner.lend().run(statements, &terms, sessions()).await.unwrap();
            let rows = callslip_tests::rows(run).await.unwrap();
            assert_eq!(rows[0][0].get::<_, i64>(0), cursors, "{kind:?}");
        }
    }));
}

/// Three statements of which each alone has time enough, in a time for one and a half: they end when it is over, whether
/// anybody waits for them or not.
#[test]
fn slow_statements_end_within_the_time_of_all() {
    const TIME: Duration = Duration::from_millis(1_500);
    let slow = async |kind: Kind, owner: &mut dyn Owner| {
        for dropped in [false, true] {
            let what = format!("{kind:?}, dropped: {dropped}");
            // The first look takes locks on what it looks at.
            State::of(owner.client()).await.unwrap();
            let before = State::of(owner.client()).await.unwrap();
            let statements = vec![timeout_after(1.0); 3];
            let began = Instant::now();
            let terms = Terms { deadline: Some(began + TIME), ..Terms::default() };
            let run = owner.lend().run(statements, &terms, sessions());
            if dropped {
                assert!(drop_after(2, run).await.is_none(), "{what}: it has ended");
            } else {
                let error = callslip_tests::rows(run.await.unwrap()).await.unwrap_err();
                assert_eq!(
                    (error.code(), error.sqlstate()),
                    (Code::StatementTimeout, Some("57014")),
                    "{what}"
                );
                assert_eq!(error.postgres().unwrap().statement(), 1, "{what}");
                assert!(began.elapsed() >= TIME, "{what}: {:?}", began.elapsed());
            }
            // All that was sent comes before that.
            let after = State::of(owner.client()).await.unwrap();
            let took = began.elapsed();
            assert_eq!(after.difference(&before.lines), [""; 0], "{what}");
            assert!(took < Duration::from_millis(2_800), "{what}: {took:?}");
            if !dropped {
                assert!(took >= TIME, "{what}: {took:?}");
            }
        }
    };
    run(async {
        let kinds = Kind::ALL.map(async |kind| {
            let mut service = Service::new().await;
            service.with(kind, async |owner| slow(kind, owner).await).await.unwrap();
        });
        join_all(kinds).await;
    });
}

/// Its name is reserved.
#[test]
fn an_owner_with_a_cursor_of_that_name_is_told() {
    run(async {
        let mut service = Service::new().await;
        let work = async |owner: &mut dyn Owner| {
            let sql = "DECLARE callslip_began_c6b1f03e CURSOR FOR SELECT 7";
            owner.client().batch_execute(sql).await.unwrap();
            let run = owner.lend().run(vec![timeout_after(0.0); 2], &terms(30_000, 20_000), sessions()).await;
            assert_eq!(run.err().unwrap().sqlstate(), Some("42P03"));
            assert_eq!(first(owner.client(), "FETCH 1 FROM callslip_began_c6b1f03e").await, "7");
        };
        service.with(Kind::ReadCommitted, work).await.unwrap();
    });
}
