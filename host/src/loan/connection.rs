use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool::managed::Object;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::cancel::{CANCEL_EVERY, cancel};
use super::pool::{Manager, Session};
use super::statements::Statements;

/// How long the end of what was dropped may take. The place in the pool is occupied until then, so that there are no more
/// sessions than the pool may have; but for a backend that PostgreSQL can't interrupt for longer, which must not keep
/// the place from others.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait until the server has passed a cancel on.
const DELIVER_WITHIN: Duration = Duration::from_secs(1);

/// A connection of a pool, with what is known of its state. When the last owner drops it, it goes back to the pool: at once
/// if nothing runs on it, and otherwise when that was cancelled, everything is answered, and the session is found as it was.
/// If it is not, or nobody can know, or its session is shared with others, it is closed.
pub(super) struct Connection {
    /// Present until the drop.
    object: Option<Object<Manager>>,
    /// How many pieces of work were started and are not known to have ended.
    unsettled: AtomicUsize,
    /// How many of another kind: of these nobody knows what they leave behind if they don't come to their end.
    unsettled_unknown: AtomicUsize,
    /// Gone when the pool has it back, or it is closed.
    in_use: watch::Sender<()>,
    /// Dropped then.
    companion: OnceLock<Companion>,
}

/// Something that goes along with a connection for as long as it is lent.
pub(super) type Companion = Arc<dyn Send + Sync>;

/// Tells when a connection is back in its pool, or closed.
pub struct Released(watch::Receiver<()>);

impl Released {
    /// Waits until then.
    pub async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Connection {
    pub(super) fn new(object: Object<Manager>) -> Self {
        let none = || AtomicUsize::new(0);
        let (in_use, companion) = (watch::Sender::default(), OnceLock::new());
        Self { object: Some(object), unsettled: none(), unsettled_unknown: none(), in_use, companion }
    }

    /// Keeps something until the pool has the connection back, or it is closed.
    pub(super) fn keep(&self, companion: Companion) {
        // It has one loan, and so one companion.
        _ = self.companion.set(companion);
    }

    /// By which to wait until nothing of it is used any more, and what was dropped half-way is cancelled.
    pub(super) fn released(&self) -> Released {
        Released(self.in_use.subscribe())
    }

    fn session(&self) -> &Session {
        self.object.as_deref().expect("the object is there until the drop")
    }

    pub(super) fn client(&self) -> &Client {
        self.session().client()
    }

    /// What its session keeps prepared, if it may.
    pub(super) fn statements(&self) -> Option<&Statements> {
        self.session().statements()
    }

    /// To be called before anything is sent that leaves nothing behind, however it ends: statements that read, each by
    /// itself, or in a block whose end is sent with its begin. What is never settled is cancelled in the end.
    pub(super) fn begin_work(&self) {
        self.unsettled.fetch_add(1, Ordering::Relaxed);
    }

    /// To be called when the server has answered everything that was sent since [`begin_work`](Self::begin_work).
    pub(super) fn settle_work(&self) {
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
    }

    /// To be called before anything else is sent. What is never settled costs the connection.
    pub(super) fn begin_unknown_work(&self) {
        self.unsettled_unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// To be called when the server has answered everything that was sent since
    /// [`begin_unknown_work`](Self::begin_unknown_work), and nothing of it is left.
    pub(super) fn settle_unknown_work(&self) {
        self.unsettled_unknown.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        let is_spoilt = *self.unsettled_unknown.get_mut() > 0;
        let is_settled = *self.unsettled.get_mut() == 0 && !is_spoilt;
        let is_shared = object.statements().is_none();
        if object.client().is_closed() || (is_shared && !is_settled) {
            // What runs in a session that is shared is not cancelled: PgBouncer of before 1.20 may end, with all that it
            // serves, when a cancel's own connection goes away at the wrong moment. It closes the session, which notices.
            drop(Object::take(object));
        } else if !is_settled {
            let runtime = object.runtime().clone();
            let (_in_use, _companion) = (mem::take(&mut self.in_use), self.companion.take());
            runtime.spawn(Returning { object: Some(object), _in_use, _companion }.settle(is_spoilt));
        }
    }
}

/// A connection that no caller gets again before it is known to be as it was, however this value ends.
struct Returning {
    object: Option<Object<Manager>>,
    _in_use: watch::Sender<()>,
    _companion: Option<Companion>,
}

impl Returning {
    /// Cancels what runs, and gives the connection back if it is not spoilt.
    async fn settle(mut self, is_spoilt: bool) {
        let Some(session) = self.object.as_deref() else { return };
        let ended = timeout(END_WITHIN, async {
            interrupt(session).await && !is_spoilt && end_transaction(session.client()).await.is_ok()
        });
        match ended.await {
            Ok(true) => drop(self.object.take()),
            Ok(false) => {}
            Err(_) => tracing::warn!(
                "a statement did not end within {END_WITHIN:?} of its cancel; its connection is closed"
            ),
        }
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        drop(self.object.take().map(Object::take));
    }
}

/// Cancels what runs in a session until it has answered everything. Says whether no cancel is on its way any more, so that
/// none can hit what is sent from now on: a backend ignores a signal that came while it waited for a statement.
async fn interrupt(session: &Session) -> bool {
    let token = session.client().cancel_token();
    // Answered only after everything that was sent before it.
    let mut answered = pin!(session.client().check_connection());
    let mut all_came = true;
    loop {
        match timeout(DELIVER_WITHIN, cancel(session.address(), session.tls(), &token)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "a cancel could not be sent");
                all_came = false;
            }
            Err(_) => all_came = false,
        }
        if timeout(CANCEL_EVERY, &mut answered).await.is_ok() {
            return all_came;
        }
    }
}

/// Rolls back the transaction that is open if a cancel hit the ROLLBACK of its block. Where none is open, a ROLLBACK
/// leaves a warning in the server's log: so it is sent only if the time stands still, as it does within a transaction.
async fn end_transaction(client: &Client) -> Result<(), Error> {
    let now = async || client.simple_query("SELECT pg_catalog.now()").await;
    let is_open = match now().await {
        Ok(before) => value(&before) == value(&now().await?),
        Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => true,
        Err(error) => return Err(error),
    };
    if is_open { client.batch_execute("ROLLBACK").await } else { Ok(()) }
}

fn value(messages: &[SimpleQueryMessage]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })
}
