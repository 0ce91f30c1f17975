use std::sync::Arc;

use callslip_ir::{Bindings, Description, Manifest, encoding};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    CallError, Choice, Component,
    instance::{Caller, Instance},
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
            drop(instance);
            off_the_async_threads(bytes.len(), move || decode(&bytes, || "its manifest".into())).await
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
            off_the_async_threads(bytes, move || read_plan(statements)).await.map(Ok)
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

fn read_plan(statements: Vec<queries::Statement>) -> Result<Plan, CallError> {
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

fn decode<T: encoding::Message>(bytes: &[u8], what: impl FnOnce() -> String) -> Result<T, CallError> {
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
mod tests {
    use std::time::{Duration, Instant};

    use callslip_ir::{Binding, Node, NodeKind};

    use super::*;
    use crate::{
        Code,
        plugin::{
            Engine, Limits,
            guest::{Guest, answer, manifest},
        },
    };

    async fn load(guest: &Guest) -> Component {
        Component::load(&Engine::new(&Limits::default()).unwrap(), guest.component()).await.unwrap()
    }

    async fn plan(guest: &Guest) -> Result<Result<Plan, Failure>, CallError> {
        load(guest).await.plan("q", &[], &[]).await
    }

    fn planning(plan: &str) -> Guest {
        Guest { plan: plan.into(), ..Guest::default() }
    }

    fn text(address: usize, text: &str) -> String {
        let stores = text.bytes().enumerate();
        stores.map(|(at, b)| format!("(i32.store8 (i32.const {}) (i32.const {b}))", address + at)).collect()
    }

    #[tokio::test]
    async fn reads_a_manifest_in_either_format() {
        let manifest = manifest(Vec::new());
        for bytes in [encoding::encode(&manifest), encoding::encode_json(&manifest).unwrap()] {
            assert_eq!(load(&Guest::with_manifest(bytes)).await.manifest().await, Ok(manifest.clone()));
        }
    }

    #[tokio::test]
    async fn reads_a_manifest_of_version_1() {
        let query = r#"{"name": "q", "doc": "", "parameters": [], "claims": [], "reply": {"Single": "Many"}, "examples": []}"#;
        let bytes = format!("j\x01{{\"sdk\": \"test\", \"queries\": [{query}]}}").into_bytes();
        assert_eq!(load(&Guest::with_manifest(bytes)).await.manifest().await, Ok(manifest(Vec::new())));
    }

    #[tokio::test]
    async fn reads_a_plan() {
        let description = Description { slots: Vec::new(), files: vec!["a.rs".into()], nodes: Vec::new() };
        let bindings = vec![Binding::Parameter("x".into())];
        let shape = encoding::encode(&description);
        let guest = Guest::with_statement("totals", &shape, &encoding::encode(&bindings));
        let component = load(&guest).await;
        let expected = Plan {
            statements: vec![PlannedStatement { name: "totals".into(), description, bindings, shape }],
        };
        let choice = Choice { parameter: "open".into(), value: "true".into() };
        for _ in 0..20 {
            let planned =
                component.plan("q", std::slice::from_ref(&choice), std::slice::from_ref(&choice)).await;
            assert_eq!(planned, Ok(Ok(expected.clone())));
        }
    }

    #[tokio::test]
    async fn passes_on_a_refusal_without_control_characters() {
        let set = [text(100, "not-found"), text(200, "no\nsuch")].concat();
        let guest = planning(&format!("{set} {}", answer(&[1, 100, 9, 200, 7, 0, 0, 0])));
        let failure = Failure { code: FailureCode::NotFound, message: "no\\nsuch".into(), parameter: None };
        assert_eq!(plan(&guest).await, Ok(Err(failure)));
    }

    #[tokio::test]
    async fn an_endless_loop_is_stopped_wherever_it_is() {
        let endless = "(loop $l (br $l))";
        let start = Guest { start: endless.into(), ..Guest::default() };
        let in_plan = planning(&format!("{endless} unreachable"));
        for guest in [start, in_plan] {
            let component = load(&guest).await;
            let begun = Instant::now();
            let error = component.plan("q", &[], &[]).await.unwrap_err();
            assert_eq!(error, CallError::TimedOut { limit: Duration::from_millis(50) });
            assert_eq!(error.code(), Code::PluginTimeout);
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
        let in_manifest = Guest { manifest: format!("{endless} unreachable"), ..Guest::default() };
        let error = load(&in_manifest).await.manifest().await.unwrap_err();
        assert_eq!(error, CallError::TimedOut { limit: Duration::from_millis(200) });
    }

    #[tokio::test]
    async fn a_loop_leaves_the_thread_to_others() {
        let component = load(&planning("(loop $l (br $l)) unreachable")).await;
        let looping = tokio::spawn(async move { component.plan("q", &[], &[]).await });
        let mut turns = 0;
        while !looping.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            turns += 1;
        }
        assert!(turns >= 5, "{turns}");
    }

    #[tokio::test]
    async fn a_caller_that_leaves_frees_its_place() {
        let calls = std::num::NonZeroUsize::MIN;
        let limits = Limits { calls, plan_time: Duration::from_secs(60), ..Limits::default() };
        let engine = Engine::new(&limits).unwrap();
        let component =
            Component::load(&engine, planning("(loop $l (br $l)) unreachable").component()).await.unwrap();
        let left = tokio::time::timeout(Duration::from_millis(20), component.plan("q", &[], &[])).await;
        assert!(left.is_err());
        let other = Component::load(&engine, planning("unreachable").component()).await.unwrap();
        let next = tokio::time::timeout(Duration::from_secs(10), other.plan("q", &[], &[])).await.unwrap();
        assert!(matches!(next, Err(CallError::Trapped { .. })), "{next:?}");
    }

    #[tokio::test]
    async fn more_callers_than_places_wait_for_each_other() {
        let component = load(&Guest::with_statement(
            "",
            &encoding::encode(&Description { slots: Vec::new(), files: Vec::new(), nodes: Vec::new() }),
            &encoding::encode(&Bindings::new()),
        ))
        .await;
        let calls: Vec<_> = (0..200)
            .map(|_| {
                let component = component.clone();
                tokio::spawn(async move { component.plan("q", &[], &[]).await })
            })
            .collect();
        for call in calls {
            assert!(call.await.unwrap().unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn a_panic_has_its_message_and_place_and_no_second_line() {
        let set = [text(100, "oh\nno"), text(200, "src/lib.rs")].concat();
        let call = "(call $panicked (i32.const 100) (i32.const 5) (i32.const 200) (i32.const 10) (i32.const 7) \
                    (i32.const 9)) (loop $l (br $l)) unreachable";
        let error = plan(&planning(&format!("{set} {call}"))).await.unwrap_err();
        assert_eq!(error.to_string(), "the plugin panicked at src/lib.rs:7:9: oh\\nno");
        assert_eq!(error.code(), Code::PluginTrapped);
    }

    #[tokio::test]
    async fn a_trap_says_what_happened() {
        for (instructions, reason) in [
            ("unreachable", "it aborted without a message (unreachable)"),
            ("(call $deep) unreachable", "its calls nest too deep (stack overflow)"),
            ("(i32.load (i32.const -1))", "it read or wrote outside its memory"),
            ("(i32.div_u (i32.const 1) (i32.const 0))", "it divided an integer by zero"),
        ] {
            let guest = Guest { definitions: "(func $deep (call $deep))".into(), ..planning(instructions) };
            assert_eq!(plan(&guest).await.unwrap_err(), CallError::Trapped { reason: reason.into() });
        }
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let greedy = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
        let error = plan(&planning(greedy)).await.unwrap_err();
        assert_eq!(error, CallError::OutOfMemory { limit: 16 << 20 });
        assert_eq!(error.code(), Code::PluginOutOfMemory);
    }

    #[tokio::test]
    async fn a_list_that_lies_about_its_length_is_not_read() {
        let beyond = plan(&planning(&answer(&[0, 0, 1 << 28]))).await.unwrap_err();
        assert!(matches!(beyond, CallError::Malformed { .. }), "{beyond:?}");
        let unaligned = plan(&planning(&answer(&[0, 3, 1]))).await.unwrap_err();
        assert!(matches!(unaligned, CallError::Malformed { .. }), "{unaligned:?}");
        let discriminant = plan(&planning(&answer(&[7]))).await.unwrap_err();
        assert!(matches!(discriminant, CallError::Malformed { .. }), "{discriminant:?}");
    }

    #[tokio::test]
    async fn an_answer_is_bounded() {
        // 40,000 statements, each of no bytes.
        let many = Guest { pages: 64, ..planning(&answer(&[0, 65536, 40_000])) };
        assert_eq!(plan(&many).await.unwrap_err().code(), Code::PluginOutputTooLarge);
        let seventeen = plan(&planning(&answer(&[0, 8192, 17]))).await.unwrap_err();
        assert_eq!(seventeen, CallError::OutputTooLarge { what: "statements", limit: 16, actual: Some(17) });
        let manifest = Guest { pages: 64, manifest: answer(&[0, 3 << 20]), ..Guest::default() };
        let error = load(&manifest).await.manifest().await.unwrap_err();
        assert_eq!(error, CallError::OutputTooLarge { what: "bytes", limit: 1 << 20, actual: None });
        let barely = Guest { pages: 64, manifest: answer(&[0, (1 << 20) + 1]), ..Guest::default() };
        let error = load(&barely).await.manifest().await.unwrap_err();
        assert_eq!(
            error,
            CallError::OutputTooLarge { what: "bytes", limit: 1 << 20, actual: Some((1 << 20) + 1) }
        );
    }

    #[tokio::test]
    async fn a_shape_of_too_many_nodes_is_refused_unread() {
        let node = Node { kind: NodeKind::Row(vec![]), place: None };
        let shape = Description { slots: vec![], files: vec![], nodes: vec![node; 100_000] };
        let shape = encoding::encode(&shape);
        let guest = Guest {
            pages: 64,
            ..Guest::with_statement("a", &shape, &encoding::encode(&Vec::<Binding>::new()))
        };
        let error = plan(&guest).await.unwrap_err();
        let (limit, actual) = (256 << 10, Some(shape.len()));
        assert_eq!(error, CallError::OutputTooLarge { what: "bytes of one shape", limit, actual });
    }

    #[tokio::test]
    async fn garbage_is_malformed_and_says_where() {
        let error = load(&Guest::with_manifest(b"garbage".to_vec())).await.manifest().await.unwrap_err();
        assert!(error.to_string().contains("its manifest: it is of version 97"), "{error}");
        let shape = plan(&Guest::with_statement("a", b"p\x01\xff\xff\xff", b"")).await.unwrap_err();
        assert!(shape.to_string().contains("the shape of its statement `a`"), "{shape}");
        assert_eq!(shape.code(), Code::MalformedDescription);
    }

    #[tokio::test]
    async fn a_plugin_that_trapped_runs_again() {
        // It traps when its memory was written before: each call has an instance of its own.
        let guest = planning(
            "(if (i32.load (i32.const 64)) (then unreachable)) (i32.store (i32.const 64) (i32.const 1)) \
             (i32.div_u (i32.const 1) (i32.const 0))",
        );
        let component = load(&guest).await;
        for _ in 0..50 {
            let error = component.plan("q", &[], &[]).await.unwrap_err();
            assert_eq!(error, CallError::Trapped { reason: "it divided an integer by zero".into() });
        }
    }
}
