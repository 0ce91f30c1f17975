use callslip_ir::{Binding, Node, NodeKind};

use super::*;
use crate::{
    Code,
    plugin::{
        BreakerNews, Engine, Limits, LoadOptions,
        guest::{Guest, answer, manifest},
    },
};

async fn load(guest: &Guest) -> Component {
    Component::load(&Engine::new(&Limits::default()).unwrap(), guest.component(), LoadOptions::default())
        .await
        .unwrap()
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
        statements: vec![PlannedStatement {
            name: "totals".into(),
            description: description.into(),
            bindings,
            shape,
        }],
    };
    let choice = Choice { parameter: "open".into(), value: "true".into() };
    for _ in 0..20 {
        let planned = component.plan("q", std::slice::from_ref(&choice), std::slice::from_ref(&choice)).await;
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
    let mut limits = Limits { calls, ..Limits::default() };
    limits.compact.plan_time = Duration::from_secs(60);
    let engine = Engine::new(&limits).unwrap();
    let component = Component::load(
        &engine,
        planning("(loop $l (br $l)) unreachable").component(),
        LoadOptions::default(),
    )
    .await
    .unwrap();
    let left = tokio::time::timeout(Duration::from_millis(20), component.plan("q", &[], &[])).await;
    assert!(left.is_err());
    let other =
        Component::load(&engine, planning("unreachable").component(), LoadOptions::default()).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(10), other.plan("q", &[], &[])).await.unwrap();
    assert!(matches!(next, Err(CallError::Trapped { .. })), "{next:?}");
}

/// A plugin whose calls have been waiting for their turns for a while, on an engine with room for two plugins.
async fn besieged() -> (Engine, Component) {
    let mut limits = Limits { calls: std::num::NonZeroUsize::new(2).unwrap(), ..Limits::default() };
    limits.compact.plan_time = Duration::from_secs(60);
    let engine = Engine::new(&limits).unwrap();
    let looping = planning("(loop $l (br $l)) unreachable").component();
    let looping = Component::load(&engine, looping, LoadOptions::default()).await.unwrap();
    for _ in 0..8 {
        let looping = looping.clone();
        tokio::spawn(async move { looping.plan("q", &[], &[]).await });
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    (engine, looping)
}

#[tokio::test]
async fn a_plugin_that_does_not_come_back_keeps_no_other_waiting() {
    let (engine, looping) = besieged().await;
    let other = Component::load(&engine, planning("unreachable").component(), LoadOptions::default());
    let other = other.await.unwrap();
    for _ in 0..20 {
        let next = tokio::time::timeout(Duration::from_secs(10), other.plan("q", &[], &[])).await.unwrap();
        assert!(matches!(next, Err(CallError::Trapped { .. })), "{next:?}");
    }
    // The one that is under way still is, and those that wait for it hold nothing.
    assert_eq!((looping.turns().available_permits(), engine.calls().available_permits()), (0, 1));
}

#[tokio::test]
async fn a_plugin_that_keeps_failing_is_suspended_for_callers() {
    let component = load(&planning("unreachable")).await;
    for _ in 0..5 {
        let error = component.plan_for_caller("q", &[], &[]).await.unwrap_err();
        assert_eq!(error.code(), Code::PluginTrapped);
    }
    assert!(matches!(component.take_news(), Some(BreakerNews::Suspended { .. })));
    let error = component.plan_for_caller("q", &[], &[]).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), (Code::PluginSuspended, Some(1)));
    assert!(component.suspended().is_some());
    // Whoever loads it is told what is wrong.
    assert_eq!(component.plan("q", &[], &[]).await.unwrap_err().code(), Code::PluginTrapped);
}

#[tokio::test]
async fn those_who_wait_for_their_turn_are_refused_when_it_is_suspended() {
    let component = load(&planning("(loop $l (br $l)) unreachable")).await;
    let begun = Instant::now();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let component = component.clone();
            tokio::spawn(async move { component.plan_for_caller("q", &[], &[]).await.unwrap_err().code() })
        })
        .collect();
    let mut codes = Vec::new();
    for call in calls {
        codes.push(call.await.unwrap());
    }
    let timed_out = codes.iter().filter(|code| **code == Code::PluginTimeout).count();
    let suspended = codes.iter().filter(|code| **code == Code::PluginSuspended).count();
    // A try after the first second may be one of them, on a machine that is busy.
    assert!(timed_out + suspended == 100 && (5..10).contains(&timed_out), "{timed_out}, {suspended}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_refusal_of_its_own_is_no_failure() {
    let set = [text(100, "not-found"), text(200, "no")].concat();
    let component = load(&planning(&format!("{set} {}", answer(&[1, 100, 9, 200, 2, 0, 0, 0])))).await;
    for _ in 0..50 {
        assert!(component.plan_for_caller("q", &[], &[]).await.unwrap().is_err());
    }
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
    let guest =
        Guest { pages: 64, ..Guest::with_statement("a", &shape, &encoding::encode(&Vec::<Binding>::new())) };
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
