use std::sync::Arc;

use callslip_ir::{Bindings, Description, Manifest, encoding};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    CallError, Choice, Component, Limits,
    instance::{Caller, Instance},
    names::printable,
    world::queries,
};

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
    /// The SELECT.
    pub description: Description,
    /// What is bound to its slots.
    pub bindings: Bindings,
    /// The description as it was encoded, which tells whether two shapes share one.
    pub shape: Vec<u8>,
}

/// A plugin's own refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
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
        let budget = self.engine().limits().manifest_time;
        let (caller, component, permit) = (Caller::default(), self.clone(), self.permit().await?);
        let gone = caller.gone();
        on_its_own_task(caller, async move {
            let limits = component.engine().limits();
            let mut instance = Instance::start(&component, permit, budget, gone).await?;
            let result = instance.plugin.callslip_plugin_queries().call_manifest(&mut instance.store).await;
            let bytes = instance.explain(result, limits.output_bytes)?;
            within("bytes", bytes.len(), limits.output_bytes)?;
            decode(&bytes, || "its manifest".into())
        })
        .await
    }

    /// Asks the plugin for the statements of a query. The inner result is the plugin's own refusal.
    ///
    /// Each call has an instance of its own. When the future is dropped, the plugin is stopped within a millisecond
    /// or two, on a task of its own.
    ///
    /// # Errors
    /// [`CallError`], for a plugin that gives no readable answer within its limits.
    pub async fn plan(
        &self,
        query: &str,
        parameters: &[Choice],
        claims: &[Choice],
    ) -> Result<Result<Plan, Failure>, CallError> {
        let budget = self.engine().limits().plan_time;
        let (query, parameters, claims) = (query.to_owned(), choices(parameters), choices(claims));
        let (caller, component, permit) = (Caller::default(), self.clone(), self.permit().await?);
        let gone = caller.gone();
        on_its_own_task(caller, async move {
            let limits = component.engine().limits();
            let mut instance = Instance::start(&component, permit, budget, gone).await?;
            let queries = instance.plugin.callslip_plugin_queries();
            let result = queries.call_plan(&mut instance.store, &query, &parameters, &claims).await;
            match instance.explain(result, limits.output_bytes)? {
                Ok(statements) => read_plan(statements, limits).map(Ok),
                Err(failure) => Ok(Err(failure.into())),
            }
        })
        .await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let permit = Arc::clone(self.engine().calls()).acquire_owned().await;
        permit.map_err(|_| CallError::Trapped { reason: "the engine is closed".into() })
    }
}

/// Dropping a call into WebAssembly is less safe than stopping it: it runs on, on a task that nobody drops, until it
/// sees that its caller has gone.
async fn on_its_own_task<T: Send + 'static>(
    caller: Caller,
    call: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    let result = tokio::spawn(call).await;
    drop(caller);
    result.unwrap_or_else(|_| {
        Err(CallError::Trapped { reason: "the host failed while it ran the plugin".into() })
    })
}

fn choices(choices: &[Choice]) -> Vec<queries::Choice> {
    choices
        .iter()
        .map(|choice| queries::Choice { parameter: choice.parameter.clone(), value: choice.value.clone() })
        .collect()
}

fn read_plan(statements: Vec<queries::Statement>, limits: &Limits) -> Result<Plan, CallError> {
    within("statements", statements.len(), limits.statements)?;
    let bytes = statements.iter().map(|s| s.name.len() + s.shape.len() + s.bindings.len()).sum();
    within("bytes", bytes, limits.output_bytes)?;
    let read = |statement: queries::Statement| {
        let of = |part: &str| match statement.name.as_str() {
            "" => format!("the {part} of its statement"),
            name => format!("the {part} of its statement `{}`", printable(name, 63)),
        };
        Ok(PlannedStatement {
            description: decode(&statement.shape, || of("shape"))?,
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

fn decode<T: DeserializeOwned>(bytes: &[u8], what: impl FnOnce() -> String) -> Result<T, CallError> {
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
