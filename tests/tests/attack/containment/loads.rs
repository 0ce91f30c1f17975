//! What is wrong with a component before any call: with its bytes, its code, what it imports, and what it says that it offers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use callslip::plugin::{Component, Engine, Limits, LoadOptions};
use callslip::{Config, Host};
use callslip_ir::{Manifest, Presence, QueryDeclaration, encoding};
use callslip_tests::component;
use wasmparser::{Validator, WasmFeatures};

use crate::bare::{Bare, ended_after, was_ended};
use crate::dangers::read;
use crate::describe::described;
use crate::ground::Ground;
use crate::guest::{Guest, biding_manifest, query, told};
use crate::suite::{Attack, Contained};

/// Within what a component has to be refused, on a machine that is busy.
const SOON: Duration = Duration::from_secs(3);
/// How long a twin runs on before the test ends it.
const ON: Duration = Duration::from_millis(500);

type Twin = Box<dyn FnOnce(&[u8]) -> String + Send>;

/// A component that has to be refused when it is loaded.
struct Bad {
    line: &'static str,
    name: &'static str,
    bytes: Vec<u8>,
    code: &'static str,
    twin: Twin,
}

fn bad(
    line: &'static str,
    name: &'static str,
    bytes: Vec<u8>,
    code: &'static str,
    twin: impl FnOnce(&[u8]) -> String + Send + 'static,
) -> Bad {
    Bad { line, name, bytes, code, twin: Box::new(twin) }
}

/// All of them in one host, beside a good one.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let bad: Vec<Bad> =
        [loops(), features(), slow(), counts(), worlds(), manifests()].into_iter().flatten().collect();
    let folder = tempfile::tempdir().unwrap();
    let good = told(&[described("SELECT count(*) AS items FROM app.item AS i")]);
    let mut config = String::new();
    let plugins = bad.iter().enumerate().map(|(index, bad)| (format!("bad{index}"), bad.bytes.clone()));
    for (name, bytes) in plugins.chain([("good".to_owned(), good.component())]) {
        std::fs::write(folder.path().join(&name), bytes).unwrap();
        config += &format!("[plugins.{name}]\ncomponent = {name:?}\ngrants.relations = [\"app.item\"]\n");
    }
    let config = Config::parse(&config, folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let host =
        Host::start(&config, &ground.database().connection()).await.unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::new(&Limits::default()).unwrap();
    let attack = |(index, bad): (usize, Bad)| {
        let Bad { line, name, bytes, code, twin } = bad;
        let (host, engine, bytes) = (host.clone(), engine.clone(), Arc::new(bytes));
        let twins = bytes.clone();
        let attack = async move {
            let began = Instant::now();
            let refused =
                Component::load_with_manifest(&engine, bytes.to_vec(), LoadOptions::default()).await;
            let took = began.elapsed();
            let error = refused.map(|_| ()).expect_err("it is loaded");
            assert_eq!(error.code().as_str(), code, "{error}");
            assert!(took < SOON, "it takes {took:?}");
            let generation = host.generation();
            let refusal = generation.plugin(&format!("bad{index}")).unwrap().expect_err("it is served");
            assert!(refusal.findings.iter().all(|found| found.finding.code.as_str() == code), "{refusal}");
            let answer = read(host.call("good", "q000")).await;
            assert_eq!(answer.ok().as_deref(), Some("[{\"items\":200}]"));
            Contained { by: code.to_owned(), took }
        };
        Attack::new(line, name, attack, async move { twin(&twins) })
    };
    bad.into_iter().enumerate().map(attack).collect()
}

/// A guest with these definitions, which never gets as far as its plan.
fn with(definitions: &str) -> Vec<u8> {
    Guest {
        manifest: biding_manifest(),
        plan: "unreachable".to_owned(),
        definitions: definitions.to_owned(),
        ..Guest::default()
    }
    .component()
}

/// A component around a core module whose text is this.
fn around(module: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (core module {module}) (instance $i) (export "callslip:plugin/queries@0.1.0" (instance $i)))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn loops() -> Vec<Bad> {
    let start = "(func $begin (loop $on (br $on))) (start $begin)";
    let traps = "(func $begin unreachable) (start $begin)";
    let endless =
        Guest { manifest_instructions: Some("(loop $on (br $on)) unreachable".into()), ..Guest::default() };
    let runs_on = |bytes: &[u8]| {
        let (done, took, _) = ended_after(ON, bytes, |bare| bare.manifest());
        assert!(was_ended(&done) && took >= ON, "{took:?}");
        format!("still ran after {ON:?}")
    };
    vec![
        bad("looping start function", "in the module's start", with(start), "CS1202", runs_on),
        bad(
            "infinite loop",
            "in manifest",
            Guest { plan: "unreachable".into(), ..endless }.component(),
            "CS1202",
            runs_on,
        ),
        bad("start function that traps", "unreachable", with(traps), "CS1201", |bytes| {
            assert!(Bare::new(bytes).manifest().is_err());
            "trapped".to_owned()
        }),
    ]
}

/// A module that an engine takes which is told to.
fn taken(module: &str, set: impl FnOnce(&mut wasmtime::Config)) -> String {
    let mut config = wasmtime::Config::new();
    set(&mut config);
    let engine = wasmtime::Engine::new(&config).unwrap_or_else(|error| panic!("{error:#}"));
    let module = wat::parse_str(format!("(module {module})")).unwrap();
    let module = wasmtime::Module::new(&engine, module).unwrap_or_else(|error| panic!("{error:#}"));
    let mut store = wasmtime::Store::new(&engine, ());
    wasmtime::Instance::new(&mut store, &module, &[]).unwrap_or_else(|error| panic!("{error:#}"));
    "an instance, of an engine that has it".to_owned()
}

/// The same of what the engine of this build has not: a validator that has everything takes it.
fn valid(bytes: &[u8]) -> String {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .unwrap_or_else(|error| panic!("{error}"));
    "taken by a validator that has it".to_owned()
}

fn features() -> Vec<Bad> {
    type Set = fn(&mut wasmtime::Config);
    let set: [(&str, &str, Set); 6] = [
        ("memory64", "(memory i64 1)", |config| _ = config.wasm_memory64(true)),
        ("tail calls", "(func (param i32) (return_call 0 (local.get 0)))", |config| {
            _ = config.wasm_tail_call(true)
        }),
        ("SIMD", "(func (param v128))", |config| _ = config.wasm_simd(true)),
        (
            "relaxed SIMD",
            "(func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0))))",
            |config| {
                _ = config.wasm_relaxed_simd(true);
            },
        ),
        ("extended constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))", |config| {
            _ = config.wasm_extended_const(true);
        }),
        (
            "wide arithmetic",
            "(func (drop (drop (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))))",
            |config| {
                _ = config.wasm_wide_arithmetic(true);
            },
        ),
    ];
    let by_engine = set.into_iter().map(|(name, module, set)| {
        bad("forbidden features", name, around(module), "CS0108", move |_| taken(module, set))
    });
    let by_validator = [
        ("threads", "(memory 1 1 shared)"),
        ("garbage collection", "(type (struct (field i32)))"),
        ("exceptions", "(tag (param i32))"),
        ("stack switching", "(type $f (func)) (type (cont $f))"),
        ("custom page sizes", "(memory 1 (pagesize 1))"),
        ("typed function references", "(type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0)))"),
    ];
    let by_validator = by_validator
        .into_iter()
        .map(|(name, module)| bad("forbidden features", name, around(module), "CS0108", valid));
    let two =
        bad("forbidden features", "several memories", around("(memory 1) (memory 1)"), "CS0104", |_| {
            taken("(memory 1) (memory 1)", |config| _ = config.wasm_multi_memory(true))
        });
    by_engine.chain(by_validator).chain([two]).collect()
}

/// How long a module takes to compile where nobody looks at it first.
fn compiles(module: &str, least: Duration) -> String {
    let module = wat::parse_str(format!("(module {module})")).unwrap();
    let engine = crate::bare::engine();
    let began = Instant::now();
    wasmtime::Module::new(&engine, module).unwrap_or_else(|error| panic!("{error:#}"));
    let took = began.elapsed();
    assert!(took >= least, "it compiled in {took:?}");
    format!("compiled for {took:.1?}")
}

fn slow() -> Vec<Bad> {
    const LEAST: Duration = Duration::from_millis(100);
    let locals = format!(
        "(memory 1) (func (param i32) (local {}) {} {} {})",
        "i32 ".repeat(6_000),
        (1..=6_000).map(|at| format!("(local.set {at} (i32.load (i32.const {at})))")).collect::<String>(),
        "(block (br_if 0 (local.get 0)))".repeat(200),
        (1..=6_000).map(|at| format!("(i32.store (i32.const {at}) (local.get {at}))")).collect::<String>(),
    );
    let functions = "(func)".repeat(40_000);
    // Each in a block of its own, after which the next is reached.
    let table = format!(
        "(func {})",
        format!("(block (br_table {} (i32.const 1)))", "0 1 ".repeat(30_000)).repeat(13)
    );
    let long = format!("(func {})", "(drop (i32.const 1))".repeat(400_000));
    let nested = |what: &str, depth: usize| {
        format!("(func {} {})", format!("{what} ").repeat(depth), "end ".repeat(depth))
    };
    let indirect = |calls: usize, functions: usize| {
        let function = format!("(func {})", "(call_indirect (type $f) (i32.const 0))".repeat(calls));
        format!("(type $f (func)) (table 1 funcref) {}", function.repeat(functions))
    };
    // What grows with its square is smaller in the twin, so that it ends.
    let slow = [
        ("many live locals", locals.clone(), locals),
        ("many functions", functions.clone(), functions),
        ("a huge br_table", table.clone(), table),
        ("a huge function", long.clone(), long),
        ("40,000 blocks within each other", nested("block", 40_000), nested("block", 8_000)),
        ("40,000 loops within each other", nested("loop", 40_000), nested("loop", 2_000)),
        ("18,000 indirect calls in each of 20 functions", indirect(18_000, 20), indirect(4_000, 1)),
    ];
    slow.into_iter()
        .map(|(name, module, smaller)| {
            bad("slow to compile", name, around(&module), "CS0104", move |_| compiles(&smaller, LEAST))
        })
        .collect()
}

/// An instance of a component that imports nothing.
fn instantiated(bytes: &[u8]) -> (wasmtime::Store<()>, wasmtime::component::Instance) {
    let engine = crate::bare::engine();
    let component = wasmtime::component::Component::from_binary(&engine, bytes)
        .unwrap_or_else(|error| panic!("{error:#}"));
    let mut store = wasmtime::Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let linker = wasmtime::component::Linker::new(&engine);
    let instance = linker.instantiate(&mut store, &component).unwrap_or_else(|error| panic!("{error:#}"));
    (store, instance)
}

fn counts() -> Vec<Bad> {
    const LINE: &str = "too many instances, tables and memories";
    let fine = |bytes: &[u8]| {
        instantiated(bytes);
        "an instance of all that".to_owned()
    };
    let exported = |inside: &str| {
        let text = format!(
            r#"(component {inside} (instance $i) (export "callslip:plugin/queries@0.1.0" (instance $i)))"#
        );
        wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
    };
    let instances = format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(500));
    let mut nested = String::from("(component $c0)");
    for level in 1..6 {
        nested = format!(
            "(component $c{level} {nested} (instance (instantiate $c{0})) (instance (instantiate $c{0})))",
            level - 1
        );
    }
    vec![
        bad(LINE, "500 instances", exported(&instances), "CS0104", fine),
        bad(LINE, "components that multiply", exported(&nested), "CS0104", fine),
        bad(LINE, "100 tables", around(&"(table 1 funcref)".repeat(100)), "CS0104", fine),
        bad(LINE, "a table of 10,000,000", around("(table 10000000 funcref)"), "CS0104", fine),
        bad(LINE, "4 GiB of memory at once", around("(memory 65536)"), "CS0104", fine),
        bad(
            LINE,
            "1,000 parameters",
            around(&format!("(func (param {}))", "i32 ".repeat(1_000))),
            "CS0104",
            fine,
        ),
    ]
}

fn worlds() -> Vec<Bad> {
    let fine = |bytes: &[u8]| {
        instantiated(bytes);
        "an instance of it".to_owned()
    };
    let runs = |bytes: &[u8]| {
        let (mut store, instance) = instantiated(bytes);
        let run = instance.get_export_index(&mut store, None, "wasi:cli/run@0.2.0").expect("its interface");
        let run = instance.get_export_index(&mut store, Some(&run), "run").expect("its function");
        let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, run).unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap_or_else(|error| panic!("{error:#}")), (Ok(()),));
        "the command ran".to_owned()
    };
    let good = biding_guest().component();
    let command = wat::parse_str(
        r#"(component (core module $m (func (export "run") (result i32) (i32.const 0)))
        (core instance $m (instantiate $m))
        (func $run (result (result)) (canon lift (core func $m "run")))
        (instance $run (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $run)))"#,
    )
    .unwrap();
    let newer =
        wat::parse_str(r#"(component (instance $i) (export "callslip:plugin/queries@0.2.0" (instance $i)))"#)
            .unwrap();
    let spy = std::fs::read(component("tests/guests/forbidden-import")).unwrap();
    let flipped = {
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle..middle + 64].fill(0xff);
        flipped
    };
    let text = b"#!/bin/sh\necho hello\n".to_vec();
    let read = |bytes: &[u8]| format!("{} bytes read as they are", bytes.len());
    vec![
        bad("forbidden imports", "files and the environment", spy, "CS0102", reads_a_file),
        bad("wrong world", "a command", command, "CS0103", runs),
        bad("wrong world", "a version to come", newer, "CS0103", fine),
        bad("no component at all", "a script", text, "CS0101", read),
        bad("no component at all", "half of one", good[..good.len() / 2].to_vec(), "CS0101", read),
        bad("no component at all", "damaged", flipped, "CS0101", read),
    ]
}

fn biding_guest() -> Guest {
    Guest { manifest: biding_manifest(), plan: "unreachable".into(), ..Guest::default() }
}

/// Gives it what it imports, and says what it got.
fn reads_a_file(bytes: &[u8]) -> String {
    use wasmtime::component::{Component, Linker, Val};
    let engine = wasmtime::Engine::default();
    let component = Component::from_binary(&engine, bytes).unwrap_or_else(|error| panic!("{error:#}"));
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    linker.allow_shadowing(true);
    let ty = component.component_type();
    let files =
        ty.imports(&engine).map(|(name, _)| name.to_owned()).find(|name| name.starts_with("acme:spy/files"));
    let mut instance = linker.instance(&files.expect("it imports files")).unwrap();
    instance
        .func_new("read", |_, _, arguments, results| {
            let Val::String(path) = &arguments[0] else { panic!("a path") };
            let bytes = std::fs::read(path)?;
            results[0] = Val::List(bytes.into_iter().map(Val::U8).collect());
            Ok(())
        })
        .unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let spy = linker.instantiate(&mut store, &component).unwrap_or_else(|error| panic!("{error:#}"));
    let queries =
        spy.get_export_index(&mut store, None, "callslip:plugin/queries@0.1.0").expect("its queries");
    let manifest = spy.get_export_index(&mut store, Some(&queries), "manifest").expect("its manifest");
    let manifest = spy.get_func(&mut store, manifest).expect("a function");
    let mut results = [Val::Bool(false)];
    manifest.call(&mut store, &[], &mut results).unwrap_or_else(|error| panic!("{error:#}"));
    let Val::List(read) = &results[0] else { panic!("bytes") };
    let read: Vec<u8> = read.iter().map(|byte| if let Val::U8(byte) = byte { *byte } else { 0 }).collect();
    assert_eq!(read, std::fs::read("/etc/passwd").unwrap());
    format!("read {} bytes of /etc/passwd", read.len())
}

fn manifests() -> Vec<Bad> {
    const LIES: &str = "lying manifests";
    let saying =
        |manifest: Vec<u8>| Guest { manifest, plan: "unreachable".into(), ..Guest::default() }.component();
    let of =
        |queries: Vec<QueryDeclaration>| saying(encoding::encode(&Manifest { sdk: "none".into(), queries }));
    let came = |bytes: &[u8]| {
        let manifest = Bare::new(bytes).manifest().unwrap_or_else(|error| panic!("{error:#}"));
        format!("{} bytes came", manifest.len())
    };
    let told = |bytes: &[u8]| {
        let manifest = Bare::new(bytes).manifest().unwrap();
        let manifest: Manifest = encoding::decode(&manifest).expect("it can be read");
        format!("{} queries declared", manifest.queries.len())
    };
    let mut default = crate::guest::text("p", callslip_ir::ParameterMode::Seen);
    default.presence = Presence::Default("not JSON".into());
    vec![
        bad("huge manifest", "2 MiB", saying(vec![b' '; 2 << 20]), "CS1204", came),
        bad(
            "huge manifest",
            "10,000 queries",
            of((0..10_000).map(|n| query(&format!("q{n}"), vec![])).collect()),
            "CS0105",
            told,
        ),
        bad(LIES, "garbage", saying(b"<html>502 Bad Gateway</html>".to_vec()), "CS0201", came),
        bad(
            LIES,
            "four billion queries",
            saying(vec![b'p', 2, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            "CS0201",
            came,
        ),
        bad(LIES, "one name twice", of(vec![query("q", vec![]), query("q", vec![])]), "CS0105", told),
        bad(LIES, "a path as a name", of(vec![query("../../etc/passwd", vec![])]), "CS0105", told),
        bad(
            LIES,
            "a comment as a name",
            of(vec![query("q*/; DROP TABLE app.item; /*", vec![])]),
            "CS0105",
            told,
        ),
        bad(
            LIES,
            "seen text, and a default that is none",
            of(vec![query("q", vec![default])]),
            "CS0105",
            told,
        ),
    ]
}
