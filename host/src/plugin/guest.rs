//! Plugins for tests, as text, so that these need no compiler for WebAssembly.

use callslip_ir::{
    Domain, Manifest, Parameter, ParameterMode, PlanMode, Presence, QueryDeclaration, Reply, Rows, Scalar,
    ValueType,
};

/// A plugin whose functions are these core instructions. `start` runs when it is instantiated; `manifest` and `plan`
/// leave the address of their answer on the stack. `$panicked` can be called.
pub(super) struct Guest {
    pub(super) start: String,
    pub(super) manifest: String,
    pub(super) plan: String,
    /// Put at address 4,096.
    pub(super) data: Vec<u8>,
    pub(super) pages: u32,
    pub(super) version: &'static str,
    /// Further imports of the component.
    pub(super) imports: &'static str,
    /// Further definitions of the core module.
    pub(super) definitions: String,
}

const DATA: usize = 4096;

impl Default for Guest {
    fn default() -> Self {
        Self {
            start: String::new(),
            manifest: "unreachable".into(),
            plan: "unreachable".into(),
            data: Vec::new(),
            pages: 1,
            version: "0.1.0",
            imports: "",
            definitions: String::new(),
        }
    }
}

impl Guest {
    /// Answers *manifest* with these bytes.
    pub(super) fn with_manifest(bytes: Vec<u8>) -> Self {
        let manifest = answer(&[DATA, bytes.len()]);
        Self { manifest, data: bytes, ..Self::default() }
    }

    /// Answers *plan* with one statement.
    pub(super) fn with_statement(name: &str, shape: &[u8], bindings: &[u8]) -> Self {
        let mut data = Vec::new();
        let mut fields = Vec::new();
        for part in [name.as_bytes(), shape, bindings] {
            fields.extend([DATA + 24 + data.len(), part.len()]);
            data.extend_from_slice(part);
        }
        let mut record: Vec<u8> = fields.iter().flat_map(|field| (*field as u32).to_le_bytes()).collect();
        record.append(&mut data);
        Self { plan: answer(&[0, DATA, 1]), data: record, ..Self::default() }
    }

    pub(super) fn component(&self) -> Vec<u8> {
        let data: String = self.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let Self { start, manifest, plan, pages, version, imports, definitions, .. } = self;
        let text = format!(
            r#"(component
              (import "callslip:plugin/diagnostics@{version}" (instance $diagnostics
                (export "panicked" (func (param "message" string) (param "file" string)
                  (param "line" u32) (param "column" u32)))))
              {imports}
              (core module $libc
                (memory (export "memory") {pages})
                (global $next (mut i32) (i32.const 32768))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                  (local $old i32)
                  (local.set $old (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                  (global.set $next (i32.add (local.get $old) (local.get 3)))
                  (local.get $old)))
              (core instance $libc (instantiate $libc))
              (core func $panicked (canon lower (func $diagnostics "panicked") (memory $libc "memory")))
              (core module $main
                (import "libc" "memory" (memory 1))
                (import "diagnostics" "panicked" (func $panicked (param i32 i32 i32 i32 i32 i32)))
                (data (i32.const {DATA}) "{data}")
                {definitions}
                (func $start {start})
                (start $start)
                (func (export "manifest") (result i32) {manifest})
                (func (export "plan") (param i32 i32 i32 i32 i32 i32) (result i32) {plan}))
              (core instance $main (instantiate $main
                (with "libc" (instance $libc))
                (with "diagnostics" (instance (export "panicked" (func $panicked))))))
              (type $choice (record (field "parameter" string) (field "value" string)))
              (type $bytes (list u8))
              (type $statement (record (field "name" string) (field "shape" $bytes) (field "bindings" $bytes)))
              (type $failure (record (field "code" string) (field "message" string)
                (field "parameter" (option string))))
              (func $manifest (result (list u8)) (canon lift (core func $main "manifest") (memory $libc "memory")))
              (func $plan (param "query" string) (param "parameters" (list $choice)) (param "claims" (list $choice))
                (result (result (list $statement) (error $failure)))
                (canon lift (core func $main "plan") (memory $libc "memory") (realloc (func $libc "realloc"))))
              (component $named
                (type $choice0 (record (field "parameter" string) (field "value" string)))
                (import "choice" (type $choice (eq $choice0)))
                (type $statement0 (record (field "name" string) (field "shape" (list u8))
                  (field "bindings" (list u8))))
                (import "statement" (type $statement (eq $statement0)))
                (type $failure0 (record (field "code" string) (field "message" string)
                  (field "parameter" (option string))))
                (import "failure" (type $failure (eq $failure0)))
                (import "manifest" (func $manifest (result (list u8))))
                (import "plan" (func $plan (param "query" string) (param "parameters" (list $choice))
                  (param "claims" (list $choice)) (result (result (list $statement) (error $failure)))))
                (export $choice1 "choice" (type $choice))
                (export $statement1 "statement" (type $statement))
                (export $failure1 "failure" (type $failure))
                (export "manifest" (func $manifest) (func (result (list u8))))
                (export "plan" (func $plan) (func (param "query" string) (param "parameters" (list $choice1))
                  (param "claims" (list $choice1)) (result (result (list $statement1) (error $failure1))))))
              (instance $queries (instantiate $named
                (with "choice" (type $choice)) (with "statement" (type $statement)) (with "failure" (type $failure))
                (with "manifest" (func $manifest)) (with "plan" (func $plan))))
              (export "callslip:plugin/queries@{version}" (instance $queries)))"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Instructions that store these words and leave their address.
pub(super) fn answer(words: &[usize]) -> String {
    let stores: String = words
        .iter()
        .enumerate()
        .map(|(index, word)| format!("(i32.store (i32.const {}) (i32.const {word}))", 16 + 4 * index))
        .collect();
    format!("{stores} (i32.const 16)")
}

/// A manifest with one query, `q`, of these parameters.
pub(super) fn manifest(parameters: Vec<Parameter>) -> Manifest {
    Manifest { sdk: "test".into(), queries: vec![query(parameters)] }
}

pub(super) fn query(parameters: Vec<Parameter>) -> QueryDeclaration {
    QueryDeclaration {
        name: "q".into(),
        doc: String::new(),
        parameters,
        claims: Vec::new(),
        reply: Reply::Single(Rows::Many),
        examples: Vec::new(),
        plan: PlanMode::Auto,
    }
}

/// A parameter that is bound and required.
pub(super) fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: name.into(),
        doc: String::new(),
        ty: ValueType { domain, array: false, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Required,
        range: None,
    }
}

pub(super) fn scalar(name: &str, scalar: Scalar) -> Parameter {
    parameter(name, Domain::Scalar(scalar))
}

pub(super) fn labels(name: &str, labels: &[&str]) -> Parameter {
    parameter(
        name,
        Domain::Enum { labels: labels.iter().map(|label| (*label).to_owned()).collect(), ty: None },
    )
}
