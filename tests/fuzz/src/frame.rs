//! Components of the plugins' world around any core module, so that what is changed at random is the module, and not what makes
//! it a component.

use std::sync::LazyLock;

use callslip_ir::{Bindings, Description, Manifest, encoding};

/// What the module in a component imports and exports.
pub const SHAPE: &str = r#"
    (import "libc" "memory" (memory 1))
    (import "diagnostics" "panicked" (func (param i32 i32 i32 i32 i32 i32)))
    (func (export "manifest") (result i32) unreachable)
    (func (export "plan") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)"#;

/// A module of that shape.
pub static MODULE: LazyLock<Vec<u8>> =
    LazyLock::new(|| wat::parse_str(format!("(module {SHAPE})")).expect("a module"));

static FRAME: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = format!(
        r#"(component
          (import "callslip:plugin/diagnostics@0.1.0" (instance $diagnostics
            (export "panicked" (func (param "message" string) (param "file" string)
              (param "line" u32) (param "column" u32)))))
          (core module $libc
            (memory (export "memory") 2)
            (global $next (mut i32) (i32.const 65536))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (local $old i32)
              (local.set $old (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
              (global.set $next (i32.add (local.get $old) (local.get 3)))
              (local.get $old)))
          (core instance $libc (instantiate $libc))
          (core func $panicked (canon lower (func $diagnostics "panicked") (memory $libc "memory")))
          (core module $main {SHAPE})
          (core instance $main (instantiate $main
            (with "libc" (instance $libc))
            (with "diagnostics" (instance (export "panicked" (func $panicked))))))
          (type $choice (record (field "parameter" string) (field "value" string)))
          (type $bytes (list u8))
          (type $statement (record (field "name" string) (field "shape" $bytes) (field "bindings" $bytes)))
          (type $failure (record (field "code" string) (field "message" string) (field "parameter" (option string))))
          (func $manifest (result (list u8)) (canon lift (core func $main "manifest") (memory $libc "memory")))
          (func $plan (param "query" string) (param "parameters" (list $choice)) (param "claims" (list $choice))
            (result (result (list $statement) (error $failure)))
            (canon lift (core func $main "plan") (memory $libc "memory") (realloc (func $libc "realloc"))))
          (component $named
            (type $choice0 (record (field "parameter" string) (field "value" string)))
            (import "choice" (type $choice (eq $choice0)))
            (type $statement0 (record (field "name" string) (field "shape" (list u8)) (field "bindings" (list u8))))
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
          (export "callslip:plugin/queries@0.1.0" (instance $queries)))"#
    );
    wat::parse_str(text).expect("a component")
});

/// A component around these bytes, which are or are not a module of the [`SHAPE`].
pub fn component(module: &[u8]) -> Vec<u8> {
    let (frame, placeholder) = (&*FRAME, &*MODULE);
    let start = frame.windows(placeholder.len()).position(|bytes| bytes == placeholder.as_slice());
    let start = start.expect("the frame has its module");
    // Its length stands before it.
    let before = start - leb128(placeholder.len()).len();
    [&frame[..before], &leb128(module.len()), module, &frame[start + placeholder.len()..]].concat()
}

/// A number as WebAssembly has it.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Where a plugin's answers are in its memory.
const DATA: usize = 4096;

/// A plugin that answers with this manifest, and plans each query as the one statement that stands at the same place.
pub fn plugin(manifest: &Manifest, plans: &[(Description, Bindings)]) -> Vec<u8> {
    let mut memory = Memory::default();
    let manifest_at = memory.record(&[&encoding::encode(manifest)]);
    let mut plan = String::from("unreachable");
    for (query, (description, bindings)) in manifest.queries.iter().zip(plans) {
        let statement = memory.record(&[b"", &encoding::encode(description), &encoding::encode(bindings)]);
        let list = memory.words(&[0, statement, 1]);
        // The queries are told apart by the lengths of their names.
        let length = query.name.len();
        plan = format!(
            "(if (result i32) (i32.eq (local.get 1) (i32.const {length})) (then (i32.const {list})) (else {plan}))"
        );
    }
    let data: String = memory.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module
          (import "libc" "memory" (memory 1))
          (import "diagnostics" "panicked" (func (param i32 i32 i32 i32 i32 i32)))
          (data (i32.const {DATA}) "{data}")
          (func (export "manifest") (result i32) (i32.const {manifest_at}))
          (func (export "plan") (param i32 i32 i32 i32 i32 i32) (result i32) {plan}))"#
    );
    component(&wat::parse_str(text).expect("a module"))
}

/// What is put into a plugin's memory.
#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    fn words(&mut self, words: &[usize]) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let at = DATA + self.bytes.len();
        self.bytes.extend(words.iter().flat_map(|word| (*word as u32).to_le_bytes()));
        at
    }

    /// A record of lists, by address and length.
    fn record(&mut self, lists: &[&[u8]]) -> usize {
        let mut words = Vec::new();
        for list in lists {
            words.extend([DATA + self.bytes.len(), list.len()]);
            self.bytes.extend_from_slice(list);
        }
        self.words(&words)
    }
}
