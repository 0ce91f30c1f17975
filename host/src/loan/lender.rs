use std::any::Any;
use std::sync::Arc;

use tokio_postgres::{Client, Transaction};

use super::caller::Caller;
use super::cancel::Canceller;
use super::connection::Companion;
use super::guard::Guard;
use super::stop::Stop;

/// What can lend its connection to a call.
///
/// A transaction of tokio-postgres can, whose uncommitted rows the call then sees; so can a client, idle or not; and with
/// the feature `deadpool` the objects and transactions of deadpool-postgres, whose sessions keep the call's statements
/// prepared. Of any other pool, lend what its object points to: `&mut *connection` of an object of bb8 is a
/// `&mut Client`.
///
/// A connection is lent as a whole: `&mut` says that nobody else uses it meanwhile, since a statement that came between
/// would run inside of the loan's own transaction. A client that is shared can't be lent, and a transaction can't be
/// committed before the reply of its call is dropped.
///
/// A type of your own lends what it has inside:
///
/// ```
/// use callslip::loan::{Lender, Lent};
///
/// struct UnitOfWork<'a> {
///     transaction: tokio_postgres::Transaction<'a>,
/// }
///
/// impl Lender for UnitOfWork<'_> {
///     fn lend(&mut self) -> Lent<'_> {
///         self.transaction.lend()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be lent to a call",
    label = "not a connection or transaction of tokio-postgres",
    note = "of what points to a `tokio_postgres::Client` or `Transaction`, lend that: `.on(&mut *connection)`",
    note = "the objects and transactions of deadpool-postgres are lenders with callslip's feature `deadpool`",
    note = "a connection that is shared can't be lent: take one of its own from a pool"
)]
pub trait Lender {
    /// Lends the connection for one call.
    fn lend(&mut self) -> Lent<'_>;
}

/// A connection that is lent for one call, by somebody whose it stays.
#[must_use = "nothing runs on it yet"]
pub struct Lent<'loan> {
    pub(super) client: &'loan Client,
    /// Whether it is known that a transaction is open on it.
    pub(super) in_transaction: bool,
    /// What identifies its session, if the session may keep statements prepared.
    pub(super) session: Option<Arc<dyn Any + Send + Sync>>,
    /// By which what runs on it can be cancelled.
    pub(super) canceller: Option<Canceller>,
    /// By which a run is stopped that has not begun.
    pub(super) stop: Option<Arc<Stop>>,
    pub(super) guard: Option<Arc<Guard>>,
    pub(super) caller: Option<Arc<Caller>>,
    /// Dropped when the run has ended.
    pub(super) companion: Option<Companion>,
}

impl<'loan> Lent<'loan> {
    /// Lends an open transaction.
    pub fn transaction(transaction: &'loan mut Transaction<'_>) -> Self {
        Self::new(transaction.client(), true)
    }

    /// Lends a connection. Whether a transaction is open on it is found out first, which takes a round trip.
    pub fn client(client: &'loan mut Client) -> Self {
        Self::new(client, false)
    }

    fn new(client: &'loan Client, in_transaction: bool) -> Self {
        Self {
            client,
            in_transaction,
            session: None,
            canceller: None,
            stop: None,
            guard: None,
            caller: None,
            companion: None,
        }
    }

    /// Lets the session keep statements prepared from one call to the next, which saves PostgreSQL their parsing and
    /// planning. Without this nothing stays prepared.
    ///
    /// `session` tells the sessions apart: it belongs to this session alone, and lives as long as it does.
    pub fn keeping_statements(self, session: Arc<dyn Any + Send + Sync>) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Lets [`Run::cancel`](super::Run::cancel) stop what runs on it.
    pub fn cancelled_through(self, canceller: Canceller) -> Self {
        Self { canceller: Some(canceller), ..self }
    }

    /// Lets somebody stop the run before it is there.
    pub fn stopped_by(self, stop: Arc<Stop>) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Keeps something for as long as a run has the connection: it is dropped when that has given its last row, failed, or was
    /// dropped. What was dropped half-way may then still run, before the owner's next statement.
    pub fn accompanied_by(self, companion: impl Send + Sync + 'static) -> Self {
        Self { companion: Some(Arc::new(companion)), ..self }
    }

    /// Whether it is lent as a transaction.
    pub fn is_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Runs statements for a caller: the owner's own values and role are back when they have ended. With a role of the caller's the
    /// guard looks at that one, and not at the owner's.
    pub fn for_caller(self, caller: Option<Arc<Caller>>) -> Self {
        Self { caller, ..self }
    }

    /// Has a guard look with each run at the role that the connection has then. A role that it has not let pass within the
    /// last second takes two round trips more; the statements that are on their way already, read only, give no row to anybody.
    /// Once a second a session that keeps statements prepared plans them anew, the owner's too.
    pub fn guarded(self, guard: Arc<Guard>) -> Self {
        Self { guard: Some(guard), ..self }
    }
}

impl Lender for Transaction<'_> {
    fn lend(&mut self) -> Lent<'_> {
        Lent::transaction(self)
    }
}

impl Lender for Client {
    fn lend(&mut self) -> Lent<'_> {
        Lent::client(self)
    }
}

impl<L: Lender + ?Sized> Lender for &mut L {
    fn lend(&mut self) -> Lent<'_> {
        (**self).lend()
    }
}

impl<L: Lender + ?Sized> Lender for Box<L> {
    fn lend(&mut self) -> Lent<'_> {
        (**self).lend()
    }
}

#[cfg(feature = "deadpool")]
mod deadpool {
    use deadpool_postgres::{ClientWrapper, Object, Transaction};

    use super::{Lender, Lent};

    impl Lender for Object {
        fn lend(&mut self) -> Lent<'_> {
            ClientWrapper::lend(self)
        }
    }

    impl Lender for ClientWrapper {
        fn lend(&mut self) -> Lent<'_> {
            // Each of its sessions has a cache of its own, which its transactions share.
            let session = self.statement_cache.clone();
            Lent::client(self).keeping_statements(session)
        }
    }

    impl Lender for Transaction<'_> {
        fn lend(&mut self) -> Lent<'_> {
            let session = self.statement_cache.clone();
            Lent::transaction(self).keeping_statements(session)
        }
    }
}
