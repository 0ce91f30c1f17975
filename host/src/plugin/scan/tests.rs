use super::*;
use crate::plugin::{Profile, guest::Guest};

fn scan_compact(bytes: &[u8]) -> Vec<Finding> {
    scan(bytes, Profile::Compact.features(), &ProfileLimits::of(Profile::Compact))
}

fn findings(bytes: &[u8]) -> Vec<String> {
    scan_compact(bytes).iter().map(Finding::to_string).collect()
}

fn only(bytes: &[u8], code: Code, words: &str) {
    let found = scan_compact(bytes);
    assert!(found.len() == 1 && found[0].code == code && found[0].to_string().contains(words), "{found:?}");
}

fn with_definitions(definitions: &str) -> Vec<u8> {
    Guest { definitions: definitions.into(), ..Guest::default() }.component()
}

#[test]
fn a_plugin_is_fine() {
    assert_eq!(findings(&Guest::default().component()), [""; 0]);
}

#[test]
fn what_is_not_a_component_says_what_it_is() {
    let component = Guest::default().component();
    only(b"", Code::NotAComponent, "the file is empty");
    only(&wat::parse_str("(module)").unwrap(), Code::NotAComponent, "core WebAssembly module");
    only(b" (component)", Code::NotAComponent, "text form");
    only(b"#!/bin/sh", Code::NotAComponent, "not WebAssembly");
    only(&component[..6], Code::NotAComponent, "cut short");
    only(b"\0asm\x0e\0\x01\0", Code::NotAComponent, "version");
    only(&component[..component.len() / 2], Code::NotAComponent, "cut short");
}

#[test]
fn no_damage_crashes_the_scan() {
    let component = Guest::default().component();
    for at in 8..component.len() {
        let mut damaged = component.clone();
        damaged[at] ^= 0x55;
        scan_compact(&damaged);
        scan_compact(&component[..at]);
    }
}

#[test]
fn every_forbidden_import_is_named() {
    let imports = r#"(import "wasi:clocks/monotonic-clock@0.2.3" (instance))
        (import "wasi:filesystem/types@0.2.3" (instance))
        (import "callslip:plugin/catalog@0.1.0" (instance))
        (import "acme:tools/log" (instance))"#;
    let found = findings(&Guest { imports, ..Guest::default() }.component());
    assert_eq!(found.len(), 4, "{found:?}");
    for (finding, words) in found.iter().zip([
        ["wasi:clocks/monotonic-clock@0.2.3", "`std::time`"],
        ["wasi:filesystem/types@0.2.3", "`std::fs`"],
        ["callslip:plugin/catalog@0.1.0", "newer"],
        ["acme:tools/log", "WIT world"],
    ]) {
        assert!(
            finding.starts_with("CS0102") && words.iter().all(|word| finding.contains(word)),
            "{finding}"
        );
    }
}

#[test]
fn another_version_or_world_says_which() {
    let found = findings(&Guest { version: "0.2.0", ..Guest::default() }.component());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|f| f.starts_with("CS0103") && f.contains("@0.2.0") && f.contains("version 0.1"))
    );
    let world = r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#;
    only(&wat::parse_str(world).unwrap(), Code::WrongWorld, "`wasi:cli/run@0.2.0`");
    only(&wat::parse_str("(component)").unwrap(), Code::WrongWorld, "exports nothing");
}

#[test]
fn forbidden_parts_of_webassembly_are_named() {
    for (definitions, name) in [
        ("(memory 1 1 shared)", "threads"),
        ("(memory i64 1)", "memory64"),
        ("(func (param i32) (return_call 1 (local.get 0)))", "tail-call"),
        ("(func (param v128))", "simd"),
        ("(type (struct (field i32)))", "gc"),
        ("(tag (param i32))", "exceptions"),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", "extended-const"),
    ] {
        let text = format!(
            r#"(component (core module {definitions}) (instance $i)
               (export "callslip:plugin/queries@0.1.0" (instance $i)))"#
        );
        only(&wat::parse_str(text).unwrap(), Code::ForbiddenFeature, name);
    }
}

#[test]
fn what_is_slow_to_compile_is_refused() {
    let functions = "(func)".repeat(10_001);
    only(&with_definitions(&functions), Code::ComponentTooLarge, "functions; the limit is 10000");
    let locals = format!("(func (local {}))", "i32 ".repeat(2_001));
    only(&with_definitions(&locals), Code::ComponentTooLarge, "2001 parameters and locals");
    let operands = format!("(func {} {})", "(i32.load (i32.const 0)) ".repeat(2_001), "drop ".repeat(2_001));
    only(&with_definitions(&operands), Code::ComponentTooLarge, "2001 values on the operand stack");
    let long = format!("(func {})", "nop ".repeat(140_000));
    only(&with_definitions(&long), Code::ComponentTooLarge, "bytes; the limit is 131072");
    let loops =
        format!("(func (local {}) {})", "i32 ".repeat(1_000), "(loop (br_if 0 (local.get 0)))".repeat(1_500));
    only(&with_definitions(&loops), Code::ComponentTooLarge, "too long to compile");
    let wide = format!("(func (param {}))", "i32 ".repeat(65));
    only(&with_definitions(&wide), Code::ComponentTooLarge, "65 parameters");
    only(&with_definitions("(table 5000 funcref)"), Code::ComponentTooLarge, "5000 elements");
    only(&with_definitions(&"(table 1 funcref)".repeat(9)), Code::ComponentTooLarge, "9 tables");
    only(&Guest { pages: 257, ..Guest::default() }.component(), Code::ComponentTooLarge, "bytes of memory");
    let mut large = Guest::default().component();
    large.resize(5 << 20, 0);
    only(&large, Code::ComponentTooLarge, "the limit is 4194304");
}

#[test]
fn components_that_multiply_are_refused() {
    let mut text = String::from("(component $c0)");
    for level in 1..20 {
        text = format!(
            "(component $c{level} {text} (instance (instantiate $c{0})) (instance (instantiate $c{0})))",
            level - 1
        );
    }
    let text =
        format!(r#"(component {text} (instance $i) (export "callslip:plugin/queries@0.1.0" (instance $i)))"#);
    let found = findings(&wat::parse_str(text).unwrap());
    assert!(found.iter().any(|found| found.contains("components within each other")), "{found:?}");
}

/// An eighth of the worst component of each class that is taken, by what bounds the class: what compiles longest was found by
/// measuring.
fn worst() -> Vec<(&'static str, Vec<u8>)> {
    let limits = ProfileLimits::of(Profile::Compact);
    let in_functions = |count: usize, code: &str| format!("(func (param f64 i32 i64) {code})").repeat(count);
    let component = |definitions: String| with_definitions(&definitions);
    let chain = |count: usize, first: &str, step: &str, times: usize| {
        // A loop now and then, so that it is watched as it runs.
        let steps = format!("{} loop end ", step.repeat(500)).repeat(times / 500);
        component(in_functions(count, &format!("{first} {steps} drop")))
    };
    let bytes = limits.function_bytes / 8;
    let sixty_four = "(type $wide (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 \
        i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 \
        i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))) (func $wide (type $wide))";
    let locals = |count: usize| format!("(local {})", "i32 ".repeat(count));
    let set_all = |count: usize, from: usize| -> String {
        (from..from + count).map(|local| format!("(local.set {local} (i32.load (local.get 1)))")).collect()
    };
    vec![
        ("instructions: floors of floats", chain(4, "local.get 0", "f64.floor ", bytes)),
        (
            "instructions: truncations",
            chain(4, "local.get 0", "i64.trunc_f64_s f64.convert_i64_s ", bytes / 2),
        ),
        ("instructions: divisions", chain(6, "local.get 2", "local.get 2 i64.div_s ", bytes / 3)),
        ("instructions: sums", chain(6, "local.get 1", "local.get 1 i32.add ", bytes / 3)),
        ("instructions: counts of bits", chain(4, "local.get 2", "i64.popcnt i64.clz ", bytes / 2)),
        ("instructions: loads", chain(13, "local.get 1", "i32.load ", bytes / 3)),
        ("work: calls", component(format!("(func $f) {}", in_functions(8, &"call $f ".repeat(bytes / 2))))),
        (
            "work: wide calls",
            component(format!(
                "{sixty_four} {}",
                in_functions(3, &format!("{} call $wide ", "local.get 1 ".repeat(64)).repeat(bytes / 130))
            )),
        ),
        (
            "work: one table of branches",
            component(in_functions(
                6,
                &format!(
                    "{} (br_table {} (local.get 1)) {}",
                    "block ".repeat(110),
                    (0..8_000).map(|at| format!("{} ", at % 110)).collect::<String>(),
                    "end ".repeat(110)
                ),
            )),
        ),
        (
            "work: locals that meet",
            component(in_functions(
                1,
                &format!(
                    "{} {} {}",
                    locals(120),
                    set_all(120, 3),
                    format!("(if (local.get 1) (then {})) ", set_all(2, 3)).repeat(110)
                ),
            )),
        ),
        (
            "work: a loop around locals",
            component(in_functions(
                1,
                &format!(
                    "{} (loop {} (br_if 0 (local.get 1)))",
                    locals(240),
                    format!("{} ", set_all(240, 3)).repeat(4)
                ),
            )),
        ),
        (
            "nesting: loops",
            component(in_functions(
                25,
                &format!("{}{}", "loop ".repeat(120), "local.get 1 br_if 0 end ".repeat(120)).repeat(4),
            )),
        ),
        (
            "values: on the stack",
            component(in_functions(
                1,
                &format!("{}{}", "(i32.load (local.get 1)) ".repeat(240), "drop ".repeat(240)).repeat(10),
            )),
        ),
        ("functions", component("(func (param i32) (result i32) local.get 0)".repeat(1_240))),
        ("items: globals", component("(global i32 (i32.const 0))".repeat(240))),
        ("items: data", component("(data (i32.const 0) \"a\")".repeat(240))),
        (
            "items: types",
            component(
                (0..240).map(|at| format!("(type (func (param {})))", "i64 ".repeat(at % 60))).collect(),
            ),
        ),
        (
            "items: exports",
            component((0..240).map(|at| format!("(export \"{at}\" (func $start))")).collect()),
        ),
    ]
}

/// The processor time of this thread so far, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // Of a hundredth of a second each.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[test]
#[cfg(target_os = "linux")]
fn the_worst_that_is_taken_compiles_in_seconds() {
    use crate::plugin::{Engine, Limits};
    let limits = Limits { compilations: std::num::NonZeroUsize::MIN, ..Limits::default() };
    let engine = Engine::new(&limits).unwrap();
    let runtime = engine.runtime(Profile::Compact).unwrap();
    for (class, bytes) in worst() {
        assert_eq!(findings(&bytes), [""; 0], "{class}");
        let seconds = engine.compile(|| {
            let before = processor_time();
            let _ = wasmtime::component::Component::from_binary(runtime.wasmtime(), &bytes).unwrap();
            processor_time() - before
        });
        println!("{class}: {seconds:.2} s for an eighth");
        // Not optimised, and on a machine that has other tests to run.
        assert!(seconds < 4.0, "{class}: {seconds} s");
    }
}

#[test]
fn more_of_what_compiles_slowly_is_refused() {
    let refused = |definitions: String, words: &str| {
        let found = findings(&with_definitions(&definitions));
        assert!(found.iter().any(|found| found.contains(words)), "{words}: {found:?}");
    };
    let limits = ProfileLimits::of(Profile::Compact);
    let long = format!("(func {})", "nop ".repeat(limits.function_bytes - 64));
    refused(long.repeat(5), "instructions; the limit is 600000");
    refused(
        format!("(func {} {})", "block ".repeat(1_001), "end ".repeat(1_001)),
        "blocks within each other",
    );
    refused("(global i32 (i32.const 0))".repeat(2_001), "types, imports, exports and other entries");
    refused("(data (i32.const 0) \"\")".repeat(2_001), "types, imports, exports and other entries");
    refused(format!("(elem func {})", "0 ".repeat(10_001)), "elements of tables");
    // A table of branches has as many as it has targets, and what is live is kept across each call.
    let table = format!("(block (br_table {} (local.get 0)))", "0 ".repeat(60_000));
    let locals = "i32 ".repeat(100);
    refused(format!("(func (param i32) (local {locals}) {table})"), "too long to compile");
    refused(
        format!("(func $f) (func (local {locals}) {})", "call $f ".repeat(50_000)),
        "too long to compile",
    );
}

#[test]
fn a_long_way_without_a_look_at_the_deadline_is_refused() {
    let roots = |count: usize| format!("local.get 1 {} local.set 1 ", "f64.sqrt ".repeat(count));
    let function = |code: &str| {
        with_definitions(&format!(
            "(table 1 funcref) (func $deep (param i32) (local f64) (call $deep (local.get 0)) {code})"
        ))
    };
    let is_taken = |code: &str| assert_eq!(findings(&function(code)), [""; 0], "{code:.50}");
    let is_refused = |code: &str| only(&function(code), Code::ComponentTooLarge, "without a call or loop");
    let half = roots(400);
    is_taken(&half);
    is_taken(&format!("{half} (loop) {half}"));
    is_taken(&format!("{half} (call $deep (i32.const 0)) {half}"));
    is_taken(&format!("(if (local.get 0) (then {half}) (else {half}))"));
    is_refused(&roots(800));
    // It may go past whatever is conditional.
    is_refused(&format!("{half} (if (local.get 0) (then (loop))) {half}"));
    is_refused(&format!("{half} (if (local.get 0) (then (loop)) (else nop)) {half}"));
    is_refused(&format!("{half} (block (br_if 0 (local.get 0)) (loop)) {half}"));
    is_refused(&format!("{half} (block (block (br_table 0 1 (local.get 0))) (loop)) {half}"));
    is_refused(&format!("(block {half} (br 0)) {half}"));
    for call in
        ["(drop (memory.grow (i32.const 0))) ", "(drop (table.grow 0 (ref.null func) (i32.const 0))) "]
    {
        is_refused(&call.repeat(80));
    }
}

#[test]
fn components_are_plain_within() {
    let component = |inner: &str| {
        let text = format!(
            r#"(component {inner} (instance $i) (export "callslip:plugin/queries@0.1.0" (instance $i)))"#
        );
        wat::parse_str(text).unwrap()
    };
    // Calls between components are compiled to code that no scan has seen.
    let adapted = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    only(&component(adapted), Code::ComponentTooLarge, "functions of components within it; the limit is 0");
    // The host keeps a table of these, which a plugin could fill.
    let resource = "(type $r (resource (rep i32))) (core func (canon resource.new $r))";
    only(&component(resource), Code::ForbiddenFeature, "resources");
    let deep = format!("{}{}", "(component ".repeat(50), ")".repeat(50));
    let found = findings(&component(&deep));
    assert!(found.iter().any(|found| found.contains("components within each other")), "{found:?}");
    let types = format!("(type (record {}))", "(field \"a\" u8)".replace("\"a\"", "\"NAME\""));
    let many: String = (0..2_001).map(|at| types.replace("NAME", &format!("a{at}"))).collect();
    only(&component(&many), Code::ComponentTooLarge, "types, imports, exports and other entries");
    let wide: String = (0..4_000).map(|at| format!("(field \"a{at}\" u8)")).collect();
    only(&component(&format!("(type (record {wide}))")), Code::ComponentTooLarge, "and other entries");
}

#[test]
fn a_flood_of_imports_is_told_of_once() {
    let imports: String = (0..5_000).map(|at| format!(r#"(import "a:b/c{at}" (instance))"#)).collect();
    let found = findings(&wat::parse_str(format!("(component {imports})")).unwrap());
    assert!((20..30).contains(&found.len()), "{}", found.len());
}
