use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::Transaction;

use super::Inner;
use super::choice::{Choice, Picked};
use super::error::CallError;
use super::generation::Generation;
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::prove::{ProveError, ProvenShape, ProvenStatement, Prover, ValueSource};
use super::reply::Reply;
use crate::loan::{BoundStatement, LentTransaction};
use crate::plugin::{Arguments, Forms, Inputs, Shape};

/// A call of a query, which is given its parameters and then run: on a connection of the host's own, or on a
/// transaction that the caller lends with [`Call::on`].
#[must_use = "a call does nothing until it is run"]
pub struct Call<'loan> {
    host: Arc<Inner>,
    plugin: String,
    query: String,
    parameters: Inputs,
    claims: Inputs,
    /// None for a connection of the host's own.
    transaction: Option<LentTransaction<'loan>>,
}

impl Call<'_> {
    pub(super) fn new(host: Arc<Inner>, plugin: &str, query: &str) -> Self {
        Self {
            host,
            plugin: plugin.to_owned(),
            query: query.to_owned(),
            parameters: Inputs::default(),
            claims: Inputs::default(),
            transaction: None,
        }
    }

    /// Gives a parameter as JSON: numbers, strings, bools, null where it is nullable, arrays.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), &value.into());
        self
    }

    /// Gives all parameters at once: a JSON object, or text as a query string and a command line have it.
    pub fn params(mut self, parameters: Inputs) -> Self {
        self.parameters = parameters;
        self
    }

    /// Gives a claim: what the service knows of its caller.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), &value.into());
        self
    }

    /// Gives all claims at once. Those that the query does not read are ignored.
    pub fn claims(mut self, claims: Inputs) -> Self {
        self.claims = claims;
        self
    }

    /// Lends an open transaction: one of tokio-postgres, or of a pool that wraps these, such as deadpool's.
    ///
    /// The query then sees the transaction's own uncommitted rows, with the rights of its role, and can't write.
    /// Within one round trip it gets a savepoint of its own, which is rolled back at the end, so that the transaction
    /// comes back as it was, whatever happened: usable after a query that fails, and its commit still to be made.
    /// [`LentTransaction`] says what stays all the same. The reply borrows the transaction until it is dropped; a
    /// reply that is not read to its end is never cancelled there: the owner's next statement waits until each of the
    /// query's has ended, or has reached its timeout, which is each statement's.
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
    pub fn on<'loan>(self, transaction: &'loan mut Transaction<'_>) -> Call<'loan> {
        let lent = LentTransaction::new(transaction, self.host.pool.settings());
        let Self { host, plugin, query, parameters, claims, transaction: _ } = self;
        Call { host, plugin, query, parameters, claims, transaction: Some(lent) }
    }

    /// What the plugin would see of this call.
    ///
    /// # Errors
    /// [`CallError`], if there is no such query or its parameters can't be used.
    pub fn shape(&self) -> Result<Shape, CallError> {
        self.read(&self.host.generation()).map(|called| called.arguments.shape)
    }

    fn read<'g>(&self, generation: &'g Generation) -> Result<Called<'g>, CallError> {
        let (plugin, query) = generation.find(&self.plugin, &self.query)?;
        let limits = plugin.component.engine().limits();
        let choice = Choice::of(&generation.basis.schemas, &self.claims);
        let forms = match choice.pick(query.forms.iter().map(|(schemas, forms)| (schemas, forms))) {
            Picked::Found(forms) => forms,
            Picked::Refused(errors) => return Err(CallError::Arguments(errors)),
            // They were made for every choice.
            Picked::NotMade => &Forms::default(),
        };
        let arguments = Arguments::read(query.declaration(), forms, &self.parameters, &self.claims, limits)
            .map_err(CallError::Arguments)?;
        Ok(Called { plugin, query, choice, arguments })
    }
}

/// What a call is of.
struct Called<'g> {
    plugin: &'g LoadedPlugin,
    query: &'g LoadedQuery,
    choice: Choice,
    arguments: Arguments,
}

impl<'loan> Call<'loan> {
    /// Runs the call, and returns when its first statement has started. A shape that was not proven at load is
    /// proven first, on a connection of the host's own.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn run(mut self) -> Result<Reply<'loan>, CallError> {
        let transaction = self.transaction.take();
        let generation = self.host.generation();
        let called = self.read(&generation)?;
        let proven = self.host.shape(&generation, &called).await?;
        let Called { query, arguments, .. } = called;
        let statements = proven.outcome.as_ref().map_err(|failure| CallError::Refused(failure.clone()))?;
        // A shape of an open query may never come again.
        let bound =
            statements.iter().map(|statement| bind(statement, &arguments, !query.is_open())).collect();
        let run = match transaction {
            Some(transaction) => transaction.run(bound).await,
            None => self.host.pool.loan().await?.run(bound).await,
        };
        let run = run.map_err(|error| CallError::of_run(error, statements))?;
        Reply::new(run, proven.clone(), self.host.reply_limits)
    }
}

impl Inner {
    /// The proven shape of a call. All of a closed query's were proven at load; of others, the first use proves.
    async fn shape(
        &self,
        generation: &Generation,
        Called { plugin, query, choice, arguments }: &Called<'_>,
    ) -> Result<Arc<ProvenShape>, CallError> {
        match query.recall(&arguments.shape, choice) {
            Picked::Found(proven) => return Ok(proven),
            Picked::Refused(errors) => return Err(CallError::Arguments(errors)),
            Picked::NotMade => {}
        }
        let failed = |error| match error {
            ProveError::Findings(findings) => CallError::Unproven(findings),
            ProveError::Plugin(error) => CallError::Plugin(error),
            ProveError::Loan(error) => CallError::Loan(error),
        };
        let prover = Prover { basis: &generation.basis, plugin, query: query.declaration() };
        // Only then: a plugin that takes its time must not keep a connection from others.
        let planned = prover.plan(arguments.shape.clone()).await.map_err(failed)?;
        let verified = prover.verify_for(&planned, choice);
        let verified = verified.map_err(|error| CallError::Arguments(vec![error]))?;
        let loan = self.pool.loan().await?;
        let proven = prover.finish(verified, Some(&loan)).await.map_err(failed)?;
        drop(loan);
        let proven = Arc::new(proven);
        query.remember(proven.clone());
        Ok(proven)
    }
}

fn bind(statement: &ProvenStatement, arguments: &Arguments, cached: bool) -> BoundStatement {
    let value = |source: &ValueSource| match source {
        // Each was proven to be there in this shape.
        ValueSource::Parameter(name) => arguments.parameters.get(name).cloned().flatten(),
        ValueSource::Claim(name) => arguments.claims.get(name).cloned().flatten(),
        ValueSource::Constant(text) => text.clone(),
    };
    BoundStatement {
        sql: statement.sql.clone(),
        values: statement.values.iter().map(value).collect(),
        columns: statement.columns.clone(),
        cached,
    }
}
