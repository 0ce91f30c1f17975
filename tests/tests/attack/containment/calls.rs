//! What a plugin does when a call runs it. It looks harmless until then.

use std::sync::Arc;
use std::time::Duration;

use callslip::Host;
use callslip_ir::{Description, encoding};
use callslip_tests::component_with;

use crate::bare::{Bare, Planned, ended_after, was_ended};
use crate::dangers::{Attacker, Refusal, read};
use crate::ground::Ground;
use crate::guest::{BIDE, DEED, Guest, answer, biding_manifest};
use crate::suite::{Attack, Contained, timed};

/// What a plan may take by the configuration, 50 ms, ten times over.
const BUDGET: Duration = Duration::from_millis(500);

/// A plugin that bides its time, in a host and for the twins.
struct Biding {
    ground: &'static Ground,
    bytes: Arc<Vec<u8>>,
}

impl Biding {
    fn new(ground: &'static Ground, bytes: Vec<u8>) -> Self {
        Self { ground, bytes: Arc::new(bytes) }
    }

    /// Has it do this when it is called, for which it has to be refused by this code.
    fn attack(
        &self,
        line: &'static str,
        name: &'static str,
        deed: &'static str,
        code: &'static str,
        twin: impl FnOnce(&[u8], &'static str) -> String + 'static,
    ) -> Attack {
        let (ground, bytes, twins) = (self.ground, self.bytes.clone(), self.bytes.clone());
        let attack = async move {
            // One of its own: a plugin that fails again and again is suspended.
            let attacker = Attacker::of(ground, &bytes, "").await;
            let (refusal, took) = timed(refusal(&attacker.host, deed)).await;
            assert_eq!(refusal.code, code, "{}", refusal.log);
            assert!(took < BUDGET * 4, "it takes {took:?}");
            assert!(!refusal.log.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{:?}", refusal.log);
            attacker.neighbour_answers().await;
            Contained { by: refusal.code, took }
        };
        Attack::new(line, name, attack, async move { twin(&twins, deed) })
    }
}

async fn refusal(host: &Host, deed: &str) -> Refusal {
    match read(host.call("attacker", BIDE).param(DEED, deed)).await {
        Ok(reply) => panic!("it is answered: {reply:.200}"),
        Err(refusal) => refusal,
    }
}

pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let bytes = std::fs::read(component_with("tests/guests/hostile", Some("at-call"))).unwrap();
    let hostile = Biding::new(ground, bytes);
    let aliased = Biding::new(ground, aliased(60_000).component());
    let beyond = Biding::new(ground, beyond().component());
    let deep = Biding::new(ground, recursing().component());
    vec![
        hostile.attack("infinite loop", "in plan", "endless_loop", "CS1202", runs_on),
        hostile.attack("allocation bomb", "in plan", "allocation_bomb", "CS1203", |bytes, deed| {
            let (_, _, seen) = ended_after(BUDGET * 10, bytes, plan(deed));
            assert!(seen.memory > 64 << 20, "{}", seen.memory);
            format!("took {} MiB", seen.memory >> 20)
        }),
        hostile.attack("recursion", "of a Rust function", "endless_recursion", "CS1201", |_, _| {
            takes_all_stack()
        }),
        deep.attack("recursion", "of a bare function", "recurse", "CS1201", |_, _| takes_all_stack()),
        hostile.attack("answer over the limit", "8 MiB of shape", "huge_shape", "CS1204", |bytes, deed| {
            let statements = planned(bytes, deed);
            format!("{} bytes came", statements[0].shape.len())
        }),
        hostile.attack("answer over the limit", "many empty names", "many_files", "CS1204", |bytes, deed| {
            let shape = planned(bytes, deed).remove(0).shape;
            let read: Description = encoding::decode(&shape).expect("it can be read");
            assert!(shape.len() < 1 << 20 && read.files.len() > 900_000);
            format!("{} bytes became {} MiB", shape.len(), (read.files.len() * size_of::<String>()) >> 20)
        }),
        aliased.attack("answer over the limit", "one text in 60,000 places", "alias", "CS1204", |_, deed| {
            let bytes = aliased_few();
            let copies: usize = planned(&bytes, deed).iter().map(|statement| statement.shape.len()).sum();
            assert!(copies > 20 * bytes.len(), "{copies}");
            format!("{} KiB became {} MiB", bytes.len() >> 10, copies >> 20)
        }),
        hostile.attack("too many statements", "100,000", "many_statements", "CS1204", |bytes, deed| {
            let count = planned(bytes, deed).len();
            assert!(count == 100_000, "{count}");
            format!("{count} statements came")
        }),
        hostile.attack(
            "lying list lengths",
            "four billion nodes",
            "lying_length",
            "CS0201",
            |bytes, deed| {
                let shape = planned(bytes, deed).remove(0).shape;
                assert!(shape.ends_with(&[0xff, 0xff, 0xff, 0xff, 0x0f]), "{shape:?}");
                format!("{} bytes say so", shape.len())
            },
        ),
        beyond.attack("lying list lengths", "a list beyond its memory", "beyond", "CS0201", |_, _| raw_lie()),
        hostile.attack("panic", "as the SDK reports it", "panic", "CS1201", |bytes, deed| {
            let (done, _, seen) = ended_after(BUDGET, bytes, plan(deed));
            assert!(done.is_err() && seen.panics.len() == 1);
            "trapped".to_owned()
        }),
        hostile.attack("panic", "without a word", "abort", "CS1201", |bytes, deed| {
            assert!(Bare::new(bytes).plan(deed).is_err());
            "trapped".to_owned()
        }),
        hostile.attack(
            "forged log lines",
            "in a panic, then a loop",
            "panic_forging_log_lines",
            "CS1201",
            |bytes, deed| {
                let (done, _, seen) = ended_after(BUDGET, bytes, plan(deed));
                assert!(was_ended(&done), "the panic's import does not return");
                assert!(seen.panics[0].contains("\r\n2026-01-01T00:00:00Z INFO granted everything"));
                format!("{} lines of a log", seen.panics[0].lines().count())
            },
        ),
        hostile.attack("forged log lines", "in a refusal", "unknown_failure", "CS1201", |bytes, deed| {
            let failure = Bare::new(bytes).plan(deed).unwrap().expect_err("a refusal");
            assert!(failure.message.contains('\n'));
            "two lines of a log".to_owned()
        }),
        hostile.attack("garbage, newer and huge shapes", "garbage", "garbage_shape", "CS0201", came),
        hostile.attack(
            "garbage, newer and huge shapes",
            "of a version to come",
            "newer_shape",
            "CS0201",
            came,
        ),
        hostile.attack(
            "garbage, newer and huge shapes",
            "garbage as bindings",
            "garbage_bindings",
            "CS0201",
            came,
        ),
        hostile.attack("garbage, newer and huge shapes", "of nothing", "harmless", "CS0203", came),
    ]
}

fn plan(deed: &'static str) -> impl FnOnce(&mut Bare) -> Planned + Send {
    move |bare| bare.plan(deed)
}

/// The statements that come of it on a bare engine.
fn planned(bytes: &[u8], deed: &str) -> Vec<crate::bare::exports::callslip::plugin::queries::Statement> {
    Bare::new(bytes).plan(deed).unwrap_or_else(|error| panic!("{error:#}")).expect("a plan")
}

fn runs_on(bytes: &[u8], deed: &'static str) -> String {
    let (done, took, _) = ended_after(BUDGET, bytes, plan(deed));
    assert!(was_ended(&done) && took >= BUDGET, "{took:?}: {:?}", done.err());
    format!("still ran after {BUDGET:?}")
}

fn came(bytes: &[u8], deed: &'static str) -> String {
    let statement = planned(bytes, deed).remove(0);
    format!("{} bytes came", statement.shape.len() + statement.bindings.len())
}

/// Answers with many statements, each of which has the same text.
fn aliased(count: usize) -> Guest {
    let shape = 64 << 10;
    let mut guest = Guest { manifest: biding_manifest(), ..Guest::default() };
    let (text, records) = (guest.data_at(), guest.data_at() + shape);
    let record: Vec<u8> =
        [0, 0, text, shape, 0, 0].iter().flat_map(|word| (*word as u32).to_le_bytes()).collect();
    guest.data = [vec![b'p'; shape], record.repeat(count)].concat();
    guest.plan = answer(&[0, records, count]);
    guest
}

/// As much of that as a machine bears.
fn aliased_few() -> Vec<u8> {
    aliased(1_600).component()
}

/// Answers with a list that begins before its memory's end and ends behind it.
fn beyond() -> Guest {
    Guest { manifest: biding_manifest(), plan: answer(&[0, 0x1_0000, 0x0fff_ffff]), ..Guest::default() }
}

/// What a host is told that asks the module itself: an address and a length to believe.
fn raw_lie() -> String {
    let engine = wasmtime::Engine::default();
    let text = format!(
        r#"(module (memory (export "memory") 2) (func (export "plan") (result i32) {}))"#,
        beyond().plan
    );
    let module = wasmtime::Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    let plan = instance.get_typed_func::<(), i32>(&mut store, "plan").unwrap();
    let at = usize::try_from(plan.call(&mut store, ()).unwrap()).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap().data(&store);
    let word = |at: usize| u32::from_le_bytes(memory[at..at + 4].try_into().unwrap()) as usize;
    let end = word(at + 4) + 24 * word(at + 8);
    assert!(end > memory.len(), "{end}");
    format!("a list that ends at {} MiB of {} KiB", end >> 20, memory.len() >> 10)
}

const RECURSES: &str = "(global $depth (mut i32) (i32.const 0))
    (func $recurse (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $recurse))";

fn recursing() -> Guest {
    Guest {
        manifest: biding_manifest(),
        definitions: RECURSES.to_owned(),
        plan: "(call $recurse) (i32.const 0)".to_owned(),
        ..Guest::default()
    }
}

/// How deep a recursion gets on an engine with so much stack.
fn depth(stack: usize) -> i32 {
    let mut config = wasmtime::Config::new();
    config.max_wasm_stack(stack);
    config.async_stack_size(2 * stack);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let text =
        format!(r#"(module {RECURSES} (export "recurse" (func $recurse)) (export "depth" (global $depth)))"#);
    let module = wasmtime::Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    let recurse = instance.get_typed_func::<(), ()>(&mut store, "recurse").unwrap();
    recurse.call(&mut store, ()).expect_err("it has no end");
    instance.get_global(&mut store, "depth").unwrap().get(&mut store).i32().unwrap()
}

/// On a thread that has as much stack as the engine is told.
fn takes_all_stack() -> String {
    const LARGE: usize = 16 << 20;
    let deep = std::thread::Builder::new().stack_size(2 * LARGE).spawn(|| (depth(256 << 10), depth(LARGE)));
    let (small, large) = deep.unwrap().join().unwrap();
    assert!(large > 32 * small, "{small} and {large}");
    format!("{large} calls deep, all of {} MiB", LARGE >> 20)
}
