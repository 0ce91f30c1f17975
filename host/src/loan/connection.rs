use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::statements::Statements;

/// How long the end of a connection may take. Its place in the pool is occupied until then, so that there are no more
/// sessions than the pool may have; but for a backend that PostgreSQL can't interrupt for longer, which must not keep
/// the place from others.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait for a cancel to work before it is sent again: the one before may have come between two
/// statements.
const CANCEL_EVERY: Duration = Duration::from_millis(250);

/// A connection of a pool, with what is known of its state. When the last owner drops it, it goes back to the
/// pool if nothing runs on it; otherwise it is cancelled and closed, or only closed behind a pooler.
pub(super) struct Connection {
    /// Present until the drop.
    object: Option<Object>,
    /// None, where the session is shared.
    statements: Option<Arc<Statements>>,
    /// How many pieces of work were started and are not known to have ended.
    unsettled: AtomicUsize,
}

impl Connection {
    pub(super) fn new(object: Object, statements: Option<Arc<Statements>>) -> Self {
        Self { object: Some(object), statements, unsettled: AtomicUsize::new(0) }
    }

    pub(super) fn client(&self) -> &ClientWrapper {
        self.object.as_deref().expect("the object is there until the drop")
    }

    /// What its session keeps prepared, if it may.
    pub(super) fn statements(&self) -> Option<&Statements> {
        self.statements.as_deref()
    }

    /// To be called before anything is sent. Work that is never settled costs the connection.
    pub(super) fn begin_work(&self) {
        self.unsettled.fetch_add(1, Ordering::Relaxed);
    }

    /// To be called when the server has answered everything that was sent since [`begin_work`](Self::begin_work).
    pub(super) fn settle_work(&self) {
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        if *self.unsettled.get_mut() == 0 && !object.is_closed() {
            return;
        }
        let is_shared = self.statements.is_none();
        let condemned = Condemned(Some(object));
        if is_shared {
            // Closed at once, and not cancelled: PgBouncer of before 1.20 may end, with all that it serves, when a cancel's own
            // connection goes away at the wrong moment. It closes the session, which notices.
            return;
        }
        // Without a runtime the socket is closed at once, and the server notices when it next looks.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(condemned.cancel_and_close());
        }
    }
}

/// A connection that no caller gets again, however this value ends.
struct Condemned(Option<Object>);

impl Condemned {
    async fn cancel_and_close(self) {
        let Some(client) = self.0.as_ref().filter(|client| !client.is_closed()) else { return };
        let token = client.cancel_token();
        let ended = timeout(END_WITHIN, async {
            // Answered only after everything that was sent before it.
            let mut answered = std::pin::pin!(client.check_connection());
            loop {
                if let Err(error) = token.cancel_query(NoTls).await {
                    tracing::debug!(%error, "a cancel could not be sent");
                }
                if timeout(CANCEL_EVERY, &mut answered).await.is_ok() {
                    break;
                }
            }
        });
        if ended.await.is_err() {
            tracing::warn!(
                "a statement did not end within {END_WITHIN:?} of its cancel; its connection is closed"
            );
        }
    }
}

impl Drop for Condemned {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}
