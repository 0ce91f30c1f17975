use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Inner;
use super::budget::Budget;
use super::error::CallError;
use super::fetch::Fetch;
use super::observation::{CallId, ObservedCall, RanOn, TraceContext};
use super::reply::Reply;
use super::request::Request;
use super::rows::Rows;
use super::running::Running;
use crate::loan::{Lender, Lent, Stop};
use crate::plugin::{Inputs, Shape};
use crate::rows::{Format, Numbers};

/// A call of a query, which is given its parameters and then run: on a connection of the host's own, or on a client or
/// transaction that the caller lends with [`Call::on`].
#[must_use = "a call does nothing until it is run"]
pub struct Call<'loan> {
    pub(super) request: Request,
    /// None for a connection of the host's own.
    lent: Option<Lent<'loan>>,
}
impl Call<'_> {
    pub(super) fn new(host: Arc<Inner>, plugin: &str, query: &str) -> Self {
        Self { request: Request::new(host, plugin, query), lent: None }
    }

    /// Gives a parameter as JSON: numbers, strings, bools, null where it is nullable, arrays. A date, a uuid and whatever
    /// else JSON has no form of is given as its text.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Arc::make_mut(&mut self.request.parameters).insert(name.into(), &value.into());
        self
    }

    /// Gives all parameters at once: a JSON object, or text as a query string and a command line have it.
    pub fn params(mut self, parameters: Inputs) -> Self {
        self.request.parameters = Arc::new(parameters);
        self
    }

    /// Gives a claim: what the service knows of its caller.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Arc::make_mut(&mut self.request.claims).insert(name.into(), &value.into());
        self
    }

    /// Gives all claims at once. Those that the query does not read are ignored.
    pub fn claims(mut self, claims: Inputs) -> Self {
        self.request.claims = Arc::new(claims);
        self
    }

    /// Gives it the id by which it is known in the log and to those who [observe](crate::HostBuilder::observe) the host: one that
    /// the service has told its own caller, or written elsewhere. Otherwise it has one that is made for it.
    ///
    /// ```no_run
    /// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
    /// use callslip::CallId;
    ///
    /// let id = CallId::new();
    /// let reply = host.call("hiring", "funnel").param("company", 7).id(id).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: CallId) -> Self {
        self.request.id = Some(id);
        self
    }

    /// Says who calls, for the log and those who [observe](crate::HostBuilder::observe) the host: whatever tells the service who
    /// that was, such as the name of a user or an address. No query sees it. At most 200 characters of it are kept. Where the
    /// configuration has an `audit.claim`, and the call that claim, the caller is its value instead.
    pub fn caller(mut self, caller: impl Into<String>) -> Self {
        self.request.caller = Some(caller.into());
        self
    }

    /// In what format [`Call::run`] gives the reply, if not as JSON.
    ///
    /// ```no_run
    /// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
    /// use callslip::Format;
    ///
    /// let mut reply = host.call("hiring", "funnel").param("company", 7).format(Format::Csv).run().await?;
    /// while let Some(piece) = reply.next_chunk().await? {
    ///     print!("{}", String::from_utf8_lossy(&piece)); // id,title,started,completed
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn format(mut self, format: Format) -> Self {
        self.request.output.format = format;
        self
    }

    /// How the reply writes the numbers that a reader of JSON may not keep exactly, if not as numbers. [The
    /// table](crate::rows) says where that makes a difference.
    pub fn numbers(mut self, numbers: Numbers) -> Self {
        self.request.output.numbers = numbers;
        self
    }

    /// Picks one statement of a query that has several by their names. No other is run, and the reply is that of a query with this
    /// statement alone.
    pub fn statement(mut self, name: impl Into<String>) -> Self {
        self.request.output.statement = Some(name.into());
        self
    }

    /// Says of which span of a distributed trace the call is a part, for the log and those who
    /// [observe](crate::HostBuilder::observe) the host. Nothing of it is sent to the database.
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.request.trace = Some(trace);
        self
    }

    /// How long the call may take: a shorter or a longer time than `limits.call_ms` of the configuration, which else holds, that
    /// of the query or the plugin before that of all.
    /// From the first poll of [`Call::run`] or [`Call::rows`] it counts all that the call waits for: a connection of the
    /// pool, a plan and its proof, a look at the database where that has changed, its statements, and each of its rows. Then
    /// it fails with [`CallError::TimedOut`]; a row that is there by then is given all the same.
    ///
    /// What a statement may take, `pool.statement_timeout_ms`, holds beside it, and is not made longer. On a connection of the
    /// host's own the statements are cancelled. On one that is lent nothing is cancelled: PostgreSQL ends them, which may
    /// take some milliseconds more, and the owner's next statement comes after that.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     host: callslip::Host,
    /// #     mut transaction: tokio_postgres::Transaction<'_>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let call = host.call("hiring", "funnel").param("company", 7).timeout(Duration::from_millis(300));
    /// let reply = call.on(&mut transaction).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Lends a connection: an open transaction, or a client with one on it or without. [`Lender`] says which there are.
    ///
    /// On a transaction the query sees its uncommitted rows, with the rights of its role, and can't write.
    /// Within one round trip it gets a savepoint of its own, which is rolled back at the end, so that the transaction
    /// comes back as it was, whatever happened: usable after a query that fails, and its commit still to be made. On an idle
    /// client it gets a read-only transaction of its own, on one snapshot.
    /// [`Lent::run`](crate::loan::Lent::run) says what stays all the same. The reply borrows the connection until it is dropped; a
    /// reply that is not read to its end is never cancelled there: the owner's next statement waits until each of the
    /// query's has ended, or the time of the call is over.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     host: callslip::Host,
    /// #     mut client: tokio_postgres::Client,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = client.transaction().await?;
    /// transaction.execute("UPDATE position SET closed_at = now() WHERE id = $1", &[&41]).await?;
    /// let mut reply = host.call("hiring", "funnel").param("company", 7).on(&mut transaction).run().await?;
    /// while let Some(chunk) = reply.next_chunk().await? {
    ///     print!("{}", String::from_utf8_lossy(&chunk));
    /// }
    /// drop(reply);
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on<'loan>(self, lender: &'loan mut (impl Lender + ?Sized)) -> Call<'loan> {
        Call { request: self.request, lent: Some(lender.lend()) }
    }

    /// What the plugin would see of this call.
    ///
    /// # Errors
    /// [`CallError`], if there is no such query or its parameters can't be used.
    pub fn shape(&self) -> Result<Shape, CallError> {
        let generation = self.request.host.generation();
        self.request.read(&generation).map(|called| called.arguments.shape)
    }
}

impl<'loan> Call<'loan> {
    /// Runs the call, and returns its reply when its first statement has started: as JSON, or in the format that
    /// [`Call::format`] says. A shape that was not proven at load
    /// is proven first, on a connection of the host's own; of a host that has none, on the connection that is lent.
    ///
    /// Where the database is not any more as the query was proven against, the host looks at it anew, and the call is run once
    /// more with what is proven then. On a transaction that is lent it is not run again, since that may see another
    /// database than the host does; the next call may find it mended.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn run(self) -> Running<'loan, Reply<'loan>> {
        self.running(Reply::new)
    }

    /// The same for a reply of typed rows.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn rows(self) -> Running<'loan, Rows<'loan>> {
        self.running(Rows::new)
    }

    fn running<T>(self, reply: fn(Fetch<'loan>) -> Result<T, CallError>) -> Running<'loan, T> {
        let stop = Arc::new(Stop::default());
        Running::new(stop.clone(), self.fetch(stop), reply)
    }

    async fn fetch(self, stop: Arc<Stop>) -> Result<Fetch<'loan>, CallError> {
        let Self { mut request, lent } = self;
        let ran_on = match &lent {
            // Until a replica is found for it.
            None => RanOn::Pool,
            Some(lent) if lent.is_transaction() => RanOn::LentTransaction,
            Some(_) => RanOn::LentClient,
        };
        let mut observed = ObservedCall::begin(&request.host.observers, request.begins(ran_on));
        let limit = request.timeout.unwrap_or(request.allowance.call_time);
        let budget = Budget::begin(limit, lent.is_some().then(|| stop.clone()));
        match request.begin(lent, stop, &budget, &mut observed).await {
            Ok(begun) => Ok(Fetch::new(request, begun, budget, observed)),
            Err(error) => Err(observed.fail(error)),
        }
    }
}
