use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use callslip_ir::{Bindings, Description, Manifest, encoding};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    CallError, Choice, Component,
    breaker::Admission,
    descriptions::Descriptions,
    instance::{Caller, Gone, Instance},
    world::queries,
};
use crate::printable::printable;

/// What a query sends, given what is seen of its parameters and claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its statements, in the plugin's order. Whether they are those that the query declares is not checked.
    pub statements: Vec<PlannedStatement>,
}

/// A statement as the plugin described it; nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStatement {
    /// Its name; empty where a plan has only one statement.
    pub name: String,
    /// The SELECT. Statements of the same encoded form share one.
    pub description: Arc<Description>,
    /// What is bound to its slots.
    pub bindings: Bindings,
    /// The description as it was encoded, which tells whether two shapes share one.
    pub shape: Vec<u8>,
}

/// A plugin's own refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Failure {
    /// What kind of refusal.
    pub code: FailureCode,
    /// The plugin's words for the caller: at most 1,000 characters, none of them a control character.
    pub message: String,
    /// The parameter that it is about, as the plugin named it; bounded likewise.
    pub parameter: Option<String>,
}

/// The kinds of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureCode {
    /// The parameters make no sense together.
    Invalid,
    /// The caller may not ask this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The plugin can't do this.
    Unsupported,
    /// The plugin is at fault. Also any code that this host does not know.
    Internal,
}

impl Component {
    /// Asks the plugin what queries it offers. Their declarations are not validated; [`super::validate`] does so.
    ///
    /// # Errors
    /// [`CallError`], for a plugin that gives no readable answer within its limits.
    pub async fn manifest(&self) -> Result<Manifest, CallError> {
        let budget = self.limits().manifest_time;
        let (caller, component, place) = (Caller::default(), self.clone(), self.place().await?);
        let gone = caller.gone();
        beyond_its_caller(caller, async move {
            let limits = component.engine().limits();
            let Place { turn: _turn, permit } = place;
            let mut instance = Instance::start(&component, permit, budget, gone).await?;
            let result = instance.plugin.callslip_plugin_queries().call_manifest(&mut instance.store).await;
            let bytes = instance.explain(result, limits.output_bytes)?;
            within("bytes", bytes.len(), limits.output_bytes)?;
            drop(instance);
            off_the_async_threads(bytes.len(), move || decode(&bytes, || "its manifest".into())).await
        })
        .await
    }

    /// Asks the plugin for the statements of a query. The inner result is the plugin's own refusal.
    ///
    /// Each call has an instance of its own, and waits for its turn where as many runs of the plugin are under way as there may
    /// be. When the future is dropped, the plugin is stopped within a millisecond or two, on a task of its own.
    ///
    /// # Errors
    /// [`CallError`], for a plugin that gives no readable answer within its limits.
    pub async fn plan(
        &self,
        query: &str,
        parameters: &[Choice],
        claims: &[Choice],
    ) -> Result<Result<Plan, Failure>, CallError> {
        let place = self.place().await?;
        self.plan_in(place, None, query, parameters, claims).await
    }

    /// The same for a caller whom nobody knows: a plugin of which too many such runs have failed is suspended for a time, and
    /// not run.
    ///
    /// # Errors
    /// [`CallError`]: likewise, and [`CallError::Suspended`].
    pub async fn plan_for_caller(
        &self,
        query: &str,
        parameters: &[Choice],
        claims: &[Choice],
    ) -> Result<Result<Plan, Failure>, CallError> {
        let suspended = |time| CallError::Suspended { time };
        if let Some(time) = self.suspended() {
            return Err(suspended(time));
        }
        // It may be suspended while this one waits.
        let place = self.place().await?;
        let admission = self.breaker().admit(Instant::now()).map_err(suspended)?;
        self.plan_in(place, Some(admission), query, parameters, claims).await
    }

    async fn plan_in(
        &self,
        place: Place,
        admission: Option<Admission>,
        query: &str,
        parameters: &[Choice],
        claims: &[Choice],
    ) -> Result<Result<Plan, Failure>, CallError> {
        let budget = self.limits().plan_time;
        let (query, parameters, claims) = (query.to_owned(), choices(parameters), choices(claims));
        let (caller, component) = (Caller::default(), self.clone());
        let gone = caller.gone();
        let was_left = caller.gone();
        beyond_its_caller(caller, async move {
            let Place { turn, permit } = place;
            let began = Instant::now();
            let planned = component.run_plan(permit, budget, gone, &query, &parameters, &claims).await;
            // Whoever is next must know how this one ended.
            match admission {
                Some(admission) if was_left.is_true() => {
                    admission.leave(began.elapsed(), budget, Instant::now())
                }
                Some(admission) => admission.end(planned.is_err(), Instant::now()),
                None => {}
            }
            drop(turn);
            planned
        })
        .await
    }

    async fn run_plan(
        &self,
        permit: OwnedSemaphorePermit,
        budget: Duration,
        gone: Gone,
        query: &str,
        parameters: &[queries::Choice],
        claims: &[queries::Choice],
    ) -> Result<Result<Plan, Failure>, CallError> {
        let limits = self.engine().limits();
        let mut instance = Instance::start(self, permit, budget, gone).await?;
        let queries = instance.plugin.callslip_plugin_queries();
        let result = queries.call_plan(&mut instance.store, query, parameters, claims).await;
        let statements = match instance.explain(result, limits.output_bytes)? {
            Ok(statements) => statements,
            Err(failure) => return Ok(Err(failure.into())),
        };
        within("statements", statements.len(), limits.statements)?;
        let bytes = statements.iter().map(|s| s.name.len() + s.shape.len() + s.bindings.len()).sum();
        within("bytes", bytes, limits.output_bytes)?;
        let largest = statements.iter().map(|statement| statement.shape.len()).max();
        within("bytes of one shape", largest.unwrap_or_default(), limits.shape_bytes)?;
        drop(instance);
        let component = self.clone();
        off_the_async_threads(bytes, move || read_plan(component.descriptions(), statements)).await.map(Ok)
    }

    /// Waits for a place to run in. The plugin's own turn comes first: calls that wait for that take no place from other
    /// plugins.
    async fn place(&self) -> Result<Place, CallError> {
        let closed = |_| CallError::Trapped { reason: "the engine is closed".into() };
        let turn = Arc::clone(self.turns()).acquire_owned().await.map_err(closed)?;
        let permit = Arc::clone(self.engine().calls()).acquire_owned().await.map_err(closed)?;
        Ok(Place { turn, permit })
    }
}

/// What a run holds for as long as it takes.
struct Place {
    /// Of those that the plugin has.
    turn: OwnedSemaphorePermit,
    /// Of those that all plugins have together.
    permit: OwnedSemaphorePermit,
}

/// Dropping a call into WebAssembly is less safe than stopping it: one that is not ready within its first slice of time runs
/// on, on a task that nobody drops, until it sees that its caller has gone. Nearly all are ready, and no other thread has to
/// be woken for them.
async fn beyond_its_caller<T: Send + 'static>(
    caller: Caller,
    call: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    let failed = || CallError::Trapped { reason: "the host failed while it ran the plugin".into() };
    let mut call = Box::pin(call);
    let begun =
        poll_fn(|context| Poll::Ready(catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)))));
    let result = match begun.await {
        Ok(Poll::Ready(result)) => result,
        Ok(Poll::Pending) => tokio::spawn(call).await.unwrap_or_else(|_| Err(failed())),
        Err(_) => Err(failed()),
    };
    drop(caller);
    result
}

fn choices(choices: &[Choice]) -> Vec<queries::Choice> {
    choices
        .iter()
        .map(|choice| queries::Choice { parameter: choice.parameter.clone(), value: choice.value.clone() })
        .collect()
}

/// Reading a megabyte takes milliseconds; reading a usual plan less than handing it to a thread.
async fn off_the_async_threads<T: Send + 'static>(
    bytes: usize,
    read: impl FnOnce() -> Result<T, CallError> + Send + 'static,
) -> Result<T, CallError> {
    if bytes <= 32 << 10 {
        return read();
    }
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|_| {
        Err(CallError::Malformed { what: "its answer".into(), error: "the host failed to read it".into() })
    })
}

fn read_plan(known: &Descriptions, statements: Vec<queries::Statement>) -> Result<Plan, CallError> {
    let read = |statement: queries::Statement| {
        let of = |part: &str| match statement.name.as_str() {
            "" => format!("the {part} of its statement"),
            name => format!("the {part} of its statement `{}`", printable(name, 63)),
        };
        Ok(PlannedStatement {
            description: known.read(&statement.shape, || of("shape"))?,
            bindings: decode(&statement.bindings, || of("bindings"))?,
            name: statement.name,
            shape: statement.shape,
        })
    };
    Ok(Plan { statements: statements.into_iter().map(read).collect::<Result<_, _>>()? })
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), CallError> {
    if actual <= limit {
        Ok(())
    } else {
        Err(CallError::OutputTooLarge { what, limit, actual: Some(actual) })
    }
}

pub(super) fn decode<T: encoding::Message>(
    bytes: &[u8],
    what: impl FnOnce() -> String,
) -> Result<T, CallError> {
    encoding::decode(bytes)
        .map_err(|error| CallError::Malformed { what: what(), error: printable(&error.to_string(), 500) })
}

impl From<queries::Failure> for Failure {
    fn from(failure: queries::Failure) -> Self {
        Self {
            code: match failure.code.as_str() {
                "invalid" => FailureCode::Invalid,
                "forbidden" => FailureCode::Forbidden,
                "not-found" => FailureCode::NotFound,
                "unsupported" => FailureCode::Unsupported,
                _ => FailureCode::Internal,
            },
            message: printable(&failure.message, 1000),
            parameter: failure.parameter.map(|parameter| printable(&parameter, 63)),
        }
    }
}

#[cfg(test)]
mod tests;
