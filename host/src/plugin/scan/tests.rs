use super::*;
use crate::plugin::guest::Guest;

fn findings(bytes: &[u8]) -> Vec<String> {
    scan(bytes, &Limits::default()).iter().map(Finding::to_string).collect()
}

fn only(bytes: &[u8], code: Code, words: &str) {
    let found = scan(bytes, &Limits::default());
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
        scan(&damaged, &Limits::default());
        scan(&component[..at], &Limits::default());
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
    only(&wat::parse_str(text).unwrap(), Code::ComponentTooLarge, "components instantiated");
}
