//! What can be said of a component before any of it is compiled. Compilation is not contained, so whatever would
//! make it slow is refused here.

use wasmparser::{
    ComponentExternalKind, ComponentInstance, FuncToValidate, FuncValidatorAllocations, FunctionBody,
    Instance, Operator, Parser, Payload, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use super::{Limits, engine::FEATURES};
use crate::printable::printable;
use crate::{Code, select::Finding};

const DIAGNOSTICS: &str = "callslip:plugin/diagnostics";
const QUERIES: &str = "callslip:plugin/queries";
/// The versions of the world that this host knows: `0.1.` and any patch.
const VERSION: &str = "0.1";

/// Everything that is wrong with a component, or nothing.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Vec<Finding> {
    if let Some(finding) = not_a_component(bytes) {
        return vec![finding];
    }
    if bytes.len() > limits.component_bytes {
        return vec![
            over("bytes", bytes.len(), limits.component_bytes)
                .with_help("build it in release mode and strip its debug information"),
        ];
    }
    let mut outline = Outline::default();
    if let Err(error) = outline.read(bytes, limits) {
        return vec![unreadable(&error)];
    }
    let mut findings = outline.findings(limits);
    // Counts that are over a limit would make validation slow as well.
    if !findings.iter().any(|finding| finding.code == Code::ComponentTooLarge) {
        findings.extend(validate(bytes, limits));
    }
    findings
}

fn not_a_component(bytes: &[u8]) -> Option<Finding> {
    let finding = |message: &str, help: &str| Finding::new(Code::NotAComponent, message).with_help(help);
    let build = "build the plugin with `callslip build`";
    match bytes {
        [] => Some(finding("the file is empty", build)),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => None,
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Some(finding(
            "it is a core WebAssembly module, not a component",
            "`callslip build` makes a component of the module that `cargo build` leaves",
        )),
        [0, b'a', b's', b'm', _, _, _, _, ..] => {
            let message = "it is WebAssembly of a version that this host does not know";
            Some(finding(message, "build it with the `callslip build` of this host's version"))
        }
        [0, b'a', b's', b'm', ..] => Some(finding("the file is cut short", "copy or build it again")),
        _ if bytes.trim_ascii_start().starts_with(b"(") => Some(finding(
            "it is WebAssembly in its text form, not a component",
            "turn it into a component with `wasm-tools parse`",
        )),
        _ => Some(finding("it is not WebAssembly", build)),
    }
}

fn unreadable(error: &wasmparser::Error) -> Finding {
    if error.message().contains("unexpected end") {
        return Finding::new(
            Code::NotAComponent,
            format!("the file is cut short, after {} bytes", error.offset()),
        )
        .with_help("copy or build it again");
    }
    Finding::new(
        Code::NotAComponent,
        format!("it is not a valid component: {}", printable(&error.to_string(), 300)),
    )
}

fn over(what: &str, found: usize, limit: usize) -> Finding {
    Finding::new(Code::ComponentTooLarge, format!("it has {found} {what}; the limit is {limit}"))
}

/// The counts and names of a component, by parsing alone.
#[derive(Default)]
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
    functions: usize,
    modules_instantiated: usize,
    components_instantiated: usize,
    memories: usize,
    tables: usize,
    arity: usize,
    memory_bytes: u64,
    table_elements: u64,
}

impl Outline {
    fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), wasmparser::Error> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        self.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        let export = export?;
                        if export.kind != ComponentExternalKind::Type {
                            self.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                Payload::InstanceSection(instances) => {
                    for instance in instances {
                        self.modules_instantiated +=
                            usize::from(matches!(instance?, Instance::Instantiate { .. }));
                    }
                }
                Payload::ComponentInstanceSection(instances) => {
                    for instance in instances {
                        let nested = matches!(instance?, ComponentInstance::Instantiate { .. });
                        self.components_instantiated += usize::from(nested);
                    }
                }
                Payload::ComponentCanonicalSection(functions) => self.functions += functions.count() as usize,
                Payload::CodeSectionStart { count, .. } => self.functions += count as usize,
                Payload::TypeSection(types) => {
                    for function in types.into_iter_err_on_gc_types() {
                        // A type that is not a function's is of a proposal that validation names.
                        let Ok(function) = function else { break };
                        self.arity = self.arity.max(function.params().len()).max(function.results().len());
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let pages = memory?.initial;
                        self.memories += 1;
                        self.memory_bytes = self.memory_bytes.max(pages.saturating_mul(64 << 10));
                    }
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        self.tables += 1;
                        self.table_elements = self.table_elements.max(table?.ty.initial);
                    }
                }
                _ => {}
            }
            // A flood is not read to its end.
            if self.functions > limits.functions.saturating_mul(1000) {
                break;
            }
        }
        Ok(())
    }

    fn findings(&self, limits: &Limits) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.imports.iter().filter_map(|name| forbidden_import(name)));
        findings.extend(wrong_world(&self.exports));
        let memory_bytes = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX);
        let table_elements = usize::try_from(self.table_elements).unwrap_or(usize::MAX);
        for (what, found, limit) in [
            ("functions", self.functions, limits.functions),
            ("core modules instantiated", self.modules_instantiated, limits.instances),
            ("components instantiated within it", self.components_instantiated, limits.instances),
            ("memories", self.memories, 1),
            ("bytes of memory when it starts", memory_bytes, limits.memory_bytes),
            ("tables", self.tables, limits.instances),
            ("elements in a table", table_elements, limits.table_elements),
            ("parameters or results in one function's type", self.arity, limits.arity),
        ] {
            if found > limit {
                findings.push(over(what, found, limit));
            }
        }
        findings
    }
}

/// The name and version of `name@version`.
fn split_version(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    }
}

fn is_known(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.strip_prefix(VERSION).is_some_and(|rest| rest.starts_with('.')))
}

fn forbidden_import(import: &str) -> Option<Finding> {
    let (name, version) = split_version(import);
    let shown = printable(import, 100);
    if name == DIAGNOSTICS {
        return (!is_known(version)).then(|| unknown_version(&shown));
    }
    let finding =
        Finding::new(Code::ForbiddenImport, format!("it imports `{shown}`, which no plugin may have"));
    Some(match (name.strip_prefix("wasi:"), name.starts_with("callslip:")) {
        (Some(interface), _) => finding.with_help(format!(
            "a plugin has no {}; build it with `callslip build`, for wasm32-unknown-unknown and not for WASI",
            what_wasi_gives(interface)
        )),
        (None, true) => {
            finding.with_help(format!("this host gives `{DIAGNOSTICS}@{VERSION}` alone; a newer one may give more"))
        }
        (None, false) => finding.with_help(
            "remove it from the plugin's WIT world; what a plugin needs to know reaches it as parameters and claims",
        ),
    })
}

fn what_wasi_gives(interface: &str) -> &'static str {
    match interface.split('/').next() {
        Some("clocks") => "clock (`std::time`)",
        Some("filesystem") => "files (`std::fs`)",
        Some("sockets" | "http") => "network (`std::net`)",
        Some("random") => "randomness",
        _ if interface.starts_with("cli/environment") => "environment (`std::env`)",
        _ if interface.starts_with("cli/exit") => "process (`std::process`)",
        _ => "input or output (`std::io`, `println!`)",
    }
}

fn unknown_version(shown: &str) -> Finding {
    Finding::new(
        Code::WrongWorld,
        format!("it speaks `{shown}`; this host knows version {VERSION} of `callslip:plugin`"),
    )
    .with_help("build the plugin with an SDK of this host's version, or run a host of the plugin's")
}

fn wrong_world(exports: &[String]) -> Option<Finding> {
    let of_queries = |export: &&String| split_version(export).0 == QUERIES;
    if exports.iter().filter(of_queries).any(|export| is_known(split_version(export).1)) {
        return None;
    }
    if let Some(export) = exports.iter().find(of_queries) {
        return Some(unknown_version(&printable(export, 100)));
    }
    let message = match exports {
        [] => format!("it exports nothing; a plugin exports `{QUERIES}@{VERSION}`"),
        _ => {
            let mut shown: Vec<_> =
                exports.iter().take(5).map(|name| format!("`{}`", printable(name, 100))).collect();
            if exports.len() > shown.len() {
                shown.push("…".into());
            }
            format!("it is of another world: it exports {}, not `{QUERIES}@{VERSION}`", shown.join(", "))
        }
    };
    Some(Finding::new(Code::WrongWorld, message).with_help("end the plugin's crate with `export_plugin!(…)`"))
}

fn validate(bytes: &[u8], limits: &Limits) -> Vec<Finding> {
    let error = match validate_with(bytes, FEATURES, limits) {
        Ok(findings) => return findings,
        Err(error) => error,
    };
    // Allow one more proposal at a time, to name all that it uses.
    let (mut features, mut missing) = (FEATURES, error.missing_wasm_feature());
    let mut forbidden = Vec::new();
    while let Some(feature) = missing.filter(|feature| !features.contains(*feature)) {
        forbidden.push(proposal(feature));
        features |= feature;
        missing = validate_with(bytes, features, limits).err().and_then(|error| error.missing_wasm_feature());
    }
    if forbidden.is_empty() {
        return vec![unreadable(&error)];
    }
    forbidden.sort_unstable();
    forbidden.dedup();
    let message = format!("it uses what no plugin may of WebAssembly: {}", forbidden.join(", "));
    vec![
        Finding::new(Code::ForbiddenFeature, message)
            .with_help("build it without these target features: `callslip build` asks for none of them"),
    ]
}

fn proposal(feature: WasmFeatures) -> String {
    let names: Vec<_> = feature.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    names.join(", ")
}

fn validate_with(
    bytes: &[u8],
    features: WasmFeatures,
    limits: &Limits,
) -> Result<Vec<Finding>, wasmparser::Error> {
    let mut functions =
        Functions { limits, allocations: FuncValidatorAllocations::default(), work: 0, findings: Vec::new() };
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            functions.validate(function, &body)?;
        }
        // They may be thousands, and tell an author no more than the first few.
        if functions.findings.len() >= 5 {
            break;
        }
    }
    Ok(functions.findings)
}

/// What is known of a component's functions so far.
struct Functions<'a> {
    limits: &'a Limits,
    allocations: FuncValidatorAllocations,
    work: usize,
    findings: Vec<Finding>,
}

impl Functions<'_> {
    fn validate(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), wasmparser::Error> {
        let bytes = body.range().len();
        let index = function.index;
        if !self.within(index, "bytes", bytes, self.limits.function_bytes) {
            return Ok(());
        }
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        reader.set_features(*validator.features());
        let locals = validator.len_locals() as usize;
        if self.within(index, "parameters and locals", locals, self.limits.live_values) {
            let (mut height, mut branches) = (0, 0);
            while !reader.eof() {
                let position = reader.original_position();
                let operator = reader.peek_operator(&validator.visitor(position))?;
                branches += usize::from(branches_or_joins(&operator));
                reader.visit_operator(&mut validator.visitor(position))??;
                height = height.max(validator.operand_stack_height() as usize);
            }
            reader.finish_expression(&validator.visitor(reader.original_position()))?;
            self.within(index, "values on the operand stack", height, self.limits.live_values);
            self.add_work((locals + height).saturating_mul(branches + bytes / 100));
        }
        self.allocations = validator.into_allocations();
        Ok(())
    }

    fn within(&mut self, index: u32, what: &str, found: usize, limit: usize) -> bool {
        if found > limit {
            let finding = over(what, found, limit);
            let message = format!("function {index} of a core module: {}", finding.message);
            self.findings.push(Finding { message, ..finding });
        }
        found <= limit
    }

    fn add_work(&mut self, work: usize) {
        let (before, limit) = (self.work, self.limits.compilation_work);
        self.work = before.saturating_add(work);
        if before <= limit && self.work > limit {
            let message = format!("it would take too long to compile: more than {limit} units of work");
            let help = "build it in release mode; a function of many locals and branches costs most";
            self.findings.push(Finding::new(Code::ComponentTooLarge, message).with_help(help));
        }
    }
}

/// Whether control flow parts or meets here.
fn branches_or_joins(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::guest::Guest;

    fn findings(bytes: &[u8]) -> Vec<String> {
        scan(bytes, &Limits::default()).iter().map(Finding::to_string).collect()
    }

    fn only(bytes: &[u8], code: Code, words: &str) {
        let found = scan(bytes, &Limits::default());
        assert!(
            found.len() == 1 && found[0].code == code && found[0].to_string().contains(words),
            "{found:?}"
        );
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
            found
                .iter()
                .all(|f| f.starts_with("CS0103") && f.contains("@0.2.0") && f.contains("version 0.1"))
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
        let operands =
            format!("(func {} {})", "(i32.load (i32.const 0)) ".repeat(2_001), "drop ".repeat(2_001));
        only(&with_definitions(&operands), Code::ComponentTooLarge, "2001 values on the operand stack");
        let long = format!("(func {})", "nop ".repeat(140_000));
        only(&with_definitions(&long), Code::ComponentTooLarge, "bytes; the limit is 131072");
        let loops = format!(
            "(func (local {}) {})",
            "i32 ".repeat(1_000),
            "(loop (br_if 0 (local.get 0)))".repeat(1_500)
        );
        only(&with_definitions(&loops), Code::ComponentTooLarge, "too long to compile");
        let wide = format!("(func (param {}))", "i32 ".repeat(65));
        only(&with_definitions(&wide), Code::ComponentTooLarge, "65 parameters");
        only(&with_definitions("(table 5000 funcref)"), Code::ComponentTooLarge, "5000 elements");
        only(&with_definitions(&"(table 1 funcref)".repeat(9)), Code::ComponentTooLarge, "9 tables");
        only(
            &Guest { pages: 257, ..Guest::default() }.component(),
            Code::ComponentTooLarge,
            "bytes of memory",
        );
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
        let text = format!(
            r#"(component {text} (instance $i) (export "callslip:plugin/queries@0.1.0" (instance $i)))"#
        );
        only(&wat::parse_str(text).unwrap(), Code::ComponentTooLarge, "components instantiated");
    }
}
