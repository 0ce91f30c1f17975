//! What can be said of a component before any of it is compiled. Compilation is not contained, so whatever would
//! make it slow is refused here.

use wasmparser::{
    CanonicalFunction, ComponentExternalKind, ComponentInstance, ElementItems, FuncToValidate,
    FuncValidatorAllocations, FunctionBody, Instance, Parser, Payload, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

use flow::{Stretch, edges};

use super::ProfileLimits;
use crate::printable::printable;
use crate::{Code, select::Finding};

const DIAGNOSTICS: &str = "callslip:plugin/diagnostics";
const QUERIES: &str = "callslip:plugin/queries";
/// How many imports are looked at.
const MOST_NAMED: usize = 20;
/// The versions of the world that this host knows: `0.1.` and any patch.
const VERSION: &str = "0.1";

/// Everything that is wrong with a component, or nothing.
pub(super) fn scan(bytes: &[u8], features: WasmFeatures, limits: &ProfileLimits) -> Vec<Finding> {
    if let Some(finding) = not_a_component(bytes) {
        return vec![finding];
    }
    if bytes.len() > limits.component_bytes {
        return vec![
            over("bytes", bytes.len(), limits.component_bytes)
                .with_help("build it in release mode and strip its debug information; one with an interpreter is of the script profile"),
        ];
    }
    let mut outline = Outline::default();
    if let Err(error) = outline.read(bytes, limits) {
        return vec![unreadable(&error)];
    }
    let mut findings = outline.findings(limits);
    // Counts that are over a limit would make validation slow as well.
    if !findings.iter().any(|finding| finding.code == Code::ComponentTooLarge) {
        findings.extend(validate(bytes, features, limits));
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
    .with_help("copy or build it again")
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
    /// What there is of everything else that has no bytes of code: types, imports, exports, globals, segments and so on.
    items: usize,
    elements: usize,
    modules_instantiated: usize,
    components_instantiated: usize,
    /// How deep components are within each other.
    depth: usize,
    /// Functions that components within it take from or give to their own modules. Calls between components are compiled
    /// to code that can be far larger than their types.
    nested_canonicals: usize,
    resources: bool,
    memories: usize,
    tables: usize,
    arity: usize,
    memory_bytes: u64,
    table_elements: u64,
}

impl Outline {
    fn read(&mut self, bytes: &[u8], limits: &ProfileLimits) -> Result<(), wasmparser::Error> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            self.items = self.items.saturating_add(items(&payload)?);
            match payload {
                Payload::Version { .. } => {
                    depth += 1;
                    self.depth = self.depth.max(depth);
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        // The first few that are wrong tell an author as much as all of them.
                        if self.imports.len() > MOST_NAMED {
                            break;
                        }
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
                Payload::ComponentCanonicalSection(functions) => {
                    let count = functions.count() as usize;
                    self.functions += count;
                    self.nested_canonicals += if depth > 1 { count } else { 0 };
                    for function in functions {
                        let plain = matches!(
                            function?,
                            CanonicalFunction::Lift { .. } | CanonicalFunction::Lower { .. }
                        );
                        self.resources |= !plain;
                    }
                }
                Payload::ElementSection(segments) => {
                    for segment in segments {
                        self.elements += match segment?.items {
                            ElementItems::Functions(items) => items.count() as usize,
                            ElementItems::Expressions(_, items) => items.count() as usize,
                        };
                    }
                }
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
            if self.functions > limits.functions.saturating_mul(1000) || self.depth > limits.instances {
                break;
            }
        }
        Ok(())
    }

    fn findings(&self, limits: &ProfileLimits) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.imports.iter().filter_map(|name| forbidden_import(name)));
        findings.extend(wrong_world(&self.exports));
        let memory_bytes = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX);
        let table_elements = usize::try_from(self.table_elements).unwrap_or(usize::MAX);
        for (what, found, limit) in [
            ("functions", self.functions, limits.functions),
            ("types, imports, exports and other entries", self.items, limits.items),
            ("elements of tables when it starts", self.elements, limits.functions),
            ("components within each other", self.depth, limits.instances),
            ("functions of components within it", self.nested_canonicals, 0),
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
        if self.resources {
            findings.push(forbidden_feature("resources"));
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

fn validate(bytes: &[u8], features: WasmFeatures, limits: &ProfileLimits) -> Vec<Finding> {
    let error = match validate_with(bytes, features, limits) {
        Ok(findings) => return findings,
        Err(error) => error,
    };
    // Allow one more proposal at a time, to name all that it uses.
    let (mut features, mut missing) = (features, error.missing_wasm_feature());
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
    vec![forbidden_feature(&forbidden.join(", "))]
}

fn forbidden_feature(names: &str) -> Finding {
    let message = format!("it uses what no plugin may of WebAssembly: {names}");
    Finding::new(Code::ForbiddenFeature, message)
        .with_help("build it without these target features: `callslip build` asks for none of them")
}

fn proposal(feature: WasmFeatures) -> String {
    let names: Vec<_> = feature.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    names.join(", ")
}

fn validate_with(
    bytes: &[u8],
    features: WasmFeatures,
    limits: &ProfileLimits,
) -> Result<Vec<Finding>, wasmparser::Error> {
    let mut functions = Functions {
        limits,
        allocations: FuncValidatorAllocations::default(),
        work: 0,
        instructions: 0,
        findings: Vec::new(),
    };
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
    if functions.instructions > limits.instructions {
        functions.findings.push(over("instructions", functions.instructions, limits.instructions));
    }
    Ok(functions.findings)
}

/// What is known of a component's functions so far.
struct Functions<'a> {
    limits: &'a ProfileLimits,
    allocations: FuncValidatorAllocations,
    work: usize,
    instructions: usize,
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
            let (mut height, mut depth, mut branches) = (0, 0, 0);
            let mut stretch = Stretch::default();
            while !reader.eof() {
                let position = reader.original_position();
                let operator = reader.peek_operator(&validator.visitor(position))?;
                branches += edges(&operator);
                stretch.add(&operator);
                self.instructions += 1;
                reader.visit_operator(&mut validator.visitor(position))??;
                height = height.max(validator.operand_stack_height() as usize);
                depth = depth.max(validator.control_stack_height() as usize);
            }
            reader.finish_expression(&validator.visitor(reader.original_position()))?;
            self.within(index, "values on the operand stack", height, self.limits.live_values);
            self.within(index, "blocks within each other", depth, self.limits.nesting);
            self.within(
                index,
                "instructions and more in a row, without a call or loop",
                stretch.longest(),
                self.limits.stretch,
            );
            self.add_work((1 + locals + height).saturating_mul(branches + bytes / 100));
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

/// How many entries a section has, those within its types included; of sections whose entries are counted otherwise none.
fn items(payload: &Payload<'_>) -> Result<usize, wasmparser::Error> {
    Ok(match payload {
        Payload::TypeSection(section) => section.count() as usize,
        Payload::ImportSection(section) => section.count() as usize,
        Payload::GlobalSection(section) => section.count() as usize,
        Payload::ExportSection(section) => section.count() as usize,
        Payload::ElementSection(section) => section.count() as usize,
        Payload::DataSection(section) => section.count() as usize,
        Payload::InstanceSection(section) => {
            let mut entries = 0;
            for instance in section.clone() {
                entries += 1 + match instance? {
                    Instance::Instantiate { args, .. } => args.len(),
                    Instance::FromExports(exports) => exports.len(),
                };
            }
            entries
        }
        Payload::CoreTypeSection(section) => section.count() as usize,
        Payload::ComponentInstanceSection(section) => {
            let mut entries = 0;
            for instance in section.clone() {
                entries += 1 + match instance? {
                    ComponentInstance::Instantiate { args, .. } => args.len(),
                    ComponentInstance::FromExports(exports) => exports.len(),
                };
            }
            entries
        }
        Payload::ComponentAliasSection(section) => section.count() as usize,
        // Of a type no part has less than a byte, and few have more than eight.
        Payload::ComponentTypeSection(section) => section.count() as usize + section.range().len() / 8,
        Payload::ComponentImportSection(section) => section.count() as usize,
        Payload::ComponentExportSection(section) => section.count() as usize,
        Payload::ModuleSection { .. } | Payload::ComponentSection { .. } | Payload::CustomSection(_) => 1,
        _ => 0,
    })
}

mod flow;

#[cfg(test)]
mod tests;
