//! Calls that end because who made them cancels them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use callslip::loan::{BoundStatement, LoanError, Sent, Stop, Terms};
use callslip::{CallError, Code};

use crate::ends::{End, Ends, On, first};
use crate::owners::Owner;
use crate::support::{canceller, drop_after, number, sessions};

/// Much shorter than what is cancelled, and longer than anything takes on a machine that is busy.
const SOON: Duration = Duration::from_secs(30);
const LONG: f64 = 600.0;

/// What must be over soon.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, what).await.expect("it is over soon")
}

/// Lets a call run until something is the case.
async fn until<T>(running: impl Future<Output = T>, is_so: impl Future<Output = ()>) {
    tokio::select! {
        _ = running => panic!("it has ended"),
        () = soon(is_so) => {}
    }
}

impl On<'_> {
    /// The process of the session that is lent.
    async fn pid(&self) -> Option<i32> {
        match self {
            On::Lent(owner) => Some(first(owner.client(), "SELECT pg_backend_pid()").await.parse().unwrap()),
            On::Own => None,
        }
    }

    /// What its owner sends next is answered.
    async fn answers(&self) {
        if let On::Lent(owner) = self {
            soon(owner.client().batch_execute("SELECT 1")).await.unwrap();
        }
    }
}

impl Ends {
    /// Waits until a slow query sleeps: in this session, or in one of a host's own.
    async fn is_asleep(&self, pid: Option<i32>) {
        let sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '/* callslip slow.%' \
                   AND CASE WHEN $1::int4 IS NULL THEN usename <> 'lend_service' ELSE pid = $1 END";
        while self.admin.query(sql, &[&pid]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until something waits for the lock.
    async fn is_waited_for(&self, table: &str) {
        let sql = format!("SELECT 1 FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted");
        while self.admin.query(&sql, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn cancel_call(&self, end: End, on: &mut On<'_>) {
        let pid = on.pid().await;
        let mut running = self.lend_to(end, on, "slow", "sleep").param("seconds", LONG).run();
        until(&mut running, self.is_asleep(pid)).await;
        soon(running.cancel()).await.unwrap();
        on.answers().await;
        let mut running = self.lend_to(end, on, "slow", "sleep").param("seconds", LONG).rows();
        until(&mut running, self.is_asleep(pid)).await;
        soon(running.cancel()).await.unwrap();
        // What was never sent.
        self.lend_to(end, on, "slow", "sleep").param("seconds", LONG).rows().cancel().await.unwrap();
    }

    pub async fn cancel_reply(&self, end: End, on: &mut On<'_>) {
        let mut reply = self.lend_to(end, on, "slow", "late").param("seconds", LONG).run().await.unwrap();
        assert!(reply.next_chunk().await.unwrap().is_some());
        soon(reply.cancel()).await.unwrap();
    }

    pub async fn cancel_rows(&self, end: End, on: &mut On<'_>) {
        let mut rows = self.lend_to(end, on, "slow", "late").param("seconds", LONG).rows().await.unwrap();
        assert!(rows.next().await.unwrap().is_some());
        soon(rows.cancel()).await.unwrap();
        on.answers().await;
        // In the middle of a statement before it.
        let mut rows = self.lend_to(end, on, "slow", "several").param("seconds", LONG).rows().await.unwrap();
        rows.statement("quick").await.unwrap();
        soon(rows.cancel()).await.unwrap();
    }

    pub async fn cancel_run(&self, end: End, on: &mut On<'_>, large: BoundStatement) {
        let mut run = self.run(end, on, vec![large, self.sleep()]).await.unwrap();
        assert!(run.next_row().await.unwrap().is_some());
        soon(run.cancel()).await.unwrap();
    }

    /// When it is not prepared yet, and when it is.
    pub async fn cancel_at_a_lock(&self, end: End, on: &mut On<'_>) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let patient = Terms {
            statement_timeout: Duration::from_secs(300),
            lock_timeout: Duration::from_secs(300),
            ..Terms::default()
        };
        let read = format!("/* {count} waits */ SELECT l.n AS n FROM {} AS l", self.locked);
        let statements = || vec![number(&read, &[]), number("SELECT CAST(1 AS int8) AS n", &[])];
        for _ in 0..2 {
            self.admin.batch_execute(&format!("BEGIN; LOCK TABLE {}", self.locked)).await.unwrap();
            let stop = Arc::new(Stop::default());
            {
                let mut run = Box::pin(async {
                    let run = match on {
                        On::Lent(owner) => {
                            let lent = owner.lend().cancelled_through(canceller()).stopped_by(stop.clone());
                            lent.run(statements(), &patient, sessions()).await?
                        }
                        On::Own => {
                            self.pool(end).loan().await?.stopped_by(stop.clone()).run(statements()).await?
                        }
                    };
                    callslip_tests::rows(run).await
                });
                until(&mut run, self.is_waited_for(&self.locked)).await;
                match stop.ask() {
                    Some(Sent::Lent) => match soon(run).await {
                        Err(LoanError::Cancelled) => {}
                        other => panic!("{other:?}"),
                    },
                    Some(Sent::Own(released)) => {
                        drop(run);
                        soon(released.wait()).await;
                    }
                    None => panic!("nobody knows that it was sent"),
                }
            }
            on.answers().await;
            self.admin.batch_execute("ROLLBACK").await.unwrap();
            self.rows(end, on, statements()).await.unwrap();
        }
    }

    pub async fn cancel_first_use(&self, end: End, on: &mut On<'_>) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let word = format!("cancelled{}", COUNT.fetch_add(1, Ordering::Relaxed));
        for n in 1..10 {
            let mut running = self.lend_to(end, on, "language", "search").param("words", &*word).run();
            let mut waits = 0;
            let ended = std::future::poll_fn(|context| {
                let ended = pin!(&mut running).poll(context);
                waits += usize::from(ended.is_pending());
                match ended {
                    std::task::Poll::Pending if waits < n => std::task::Poll::Pending,
                    ended => std::task::Poll::Ready(ended.is_ready()),
                }
            });
            let ended = ended.await;
            soon(running.cancel()).await.unwrap();
            if ended {
                break;
            }
            on.answers().await;
        }
    }

    /// Drops the cancel of a call after its `n`th wait. Says whether it ended before.
    pub async fn drop_cancel(&self, n: usize, query: &str, owner: &mut dyn Owner) -> bool {
        let pid = On::Lent(owner).pid().await;
        let call = self.brief().call("slow", query).param("seconds", LONG).on(owner);
        let cancelled = match query {
            "sleep" => {
                let mut running = call.run();
                until(&mut running, self.is_asleep(pid)).await;
                drop_after(n, running.cancel()).await
            }
            _ => {
                let mut rows = call.rows().await.unwrap();
                assert!(rows.next().await.unwrap().is_some());
                drop_after(n, rows.cancel()).await
            }
        };
        match cancelled {
            Some(cancelled) => cancelled.map(|()| true).unwrap(),
            None => false,
        }
    }

    pub async fn do_not_cancel(&self, end: End, on: &mut On<'_>) {
        let (pid, is_lent) = (on.pid().await, matches!(on, On::Lent(_)));
        let mut running = self.lend_to(end, on, "slow", "sleep").param("seconds", LONG).run();
        until(&mut running, self.is_asleep(pid)).await;
        let start = Instant::now();
        match running.cancel().await {
            Ok(()) if !is_lent => {}
            Err(CallError::Loan(error @ LoanError::NotCancelled { .. })) if is_lent => {
                assert_eq!(error.code(), Code::NotCancelled);
                assert!(start.elapsed() < Duration::from_secs(1), "it waits for nothing");
            }
            other => panic!("{other:?}"),
        }
    }
}
