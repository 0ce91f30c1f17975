//! Components that are made here, byte by byte: what a hostile author could send who doesn't use the SDK.

use callslip_ir::encoding;
use callslip_ir::{
    Domain, Manifest, Parameter, ParameterMode, PlanMode, Presence, QueryDeclaration, Reply, Rows, Scalar,
    ValueType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::describe::Said;

/// Where its data is.
const DATA: usize = 1024;
/// Where its answer is.
const ANSWER: usize = 16;

/// A plugin as a core module. `plan` leaves the address of its answer on the stack.
#[derive(Clone, Debug, Default)]
pub struct Guest {
    /// What it answers *manifest* with.
    pub manifest: Vec<u8>,
    /// The instructions of *manifest*, where it does something else.
    pub manifest_instructions: Option<String>,
    /// The instructions of *plan*, with its six parameters.
    pub plan: String,
    /// Further definitions of the module.
    pub definitions: String,
    /// What stands behind the manifest in its memory.
    pub data: Vec<u8>,
}

impl Guest {
    /// The address of its data.
    pub fn data_at(&self) -> usize {
        DATA + self.manifest.len().next_multiple_of(8)
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let data_at = self.data_at();
        let heap = (data_at + self.data.len()).next_multiple_of(8);
        let pages = heap / 65_536 + 2;
        let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
        let answer =
            self.manifest_instructions.clone().unwrap_or_else(|| answer(&[DATA, self.manifest.len()]));
        let module = format!(
            r#"(module
              (memory (export "memory") {pages})
              (global $next (mut i32) (i32.const {heap}))
              (data (i32.const {DATA}) "{manifest}")
              (data (i32.const {data_at}) "{data}")
              {definitions}
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.set $next (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
              (func (export "callslip:plugin/queries@0.1.0#manifest") (result i32) {answer})
              (func (export "callslip:plugin/queries@0.1.0#plan")
                (param i32 i32 i32 i32 i32 i32) (result i32) {plan}))"#,
            manifest = text(&self.manifest),
            data = text(&self.data),
            definitions = self.definitions,
            plan = self.plan,
        );
        let mut module = wat::parse_str(&module).unwrap_or_else(|error| panic!("{error}"));
        let mut resolve = Resolve::default();
        let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-sdk/wit");
        let (package, _) = resolve.push_path(wit).expect("the contract");
        let world = resolve.select_world(&[package], None).expect("its world");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a world");
        let mut encoder = ComponentEncoder::default().validate(false).module(&module).expect("a module");
        encoder.encode().unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// Instructions that store these words and leave their address.
pub fn answer(words: &[usize]) -> String {
    let store = |(index, word)| format!("(i32.store (i32.const {}) (i32.const {word}))", ANSWER + 4 * index);
    let stores: String = words.iter().enumerate().map(store).collect();
    format!("{stores} (i32.const {ANSWER})")
}

/// A query of these parameters.
pub fn query(name: &str, parameters: Vec<Parameter>) -> QueryDeclaration {
    QueryDeclaration {
        name: name.to_owned(),
        doc: String::new(),
        parameters,
        claims: Vec::new(),
        reply: Reply::Single(Rows::Many),
        examples: Vec::new(),
        plan: PlanMode::Auto,
    }
}

/// A text parameter.
pub fn text(name: &str, mode: ParameterMode) -> Parameter {
    Parameter {
        name: name.to_owned(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Scalar(Scalar::Text), array: false, nullable: false },
        mode,
        presence: Presence::Required,
        range: None,
    }
}

/// The name of the query, and of its parameter, by which [`biding`] is told which description to give.
pub const BIDE: &str = "bide";
/// See [`BIDE`].
pub const DEED: &str = "deed";

/// The manifest of a plugin that shows nothing when it is loaded.
pub fn biding_manifest() -> Vec<u8> {
    let queries = vec![query(BIDE, vec![text(DEED, ParameterMode::Open)])];
    encoding::encode(&Manifest { sdk: "none".into(), queries })
}

/// The number of a description, as the parameter of [`biding`] has it and as a query's name of [`told`] ends.
pub fn number(index: usize) -> String {
    format!("{index:03}")
}

/// A plugin that shows nothing when it is loaded, and gives any of these when a call asks it to.
pub fn biding(said: &[Said]) -> Guest {
    let queries = vec![query(BIDE, vec![text(DEED, ParameterMode::Open)])];
    // The parameter's value is at 8 of the first choice, and begins with a quote.
    says(queries, said, "(i32.load (i32.add (local.get 2) (i32.const 8)))")
}

/// A plugin that gives each of these by a query of its own, all of which are proven when it is loaded.
pub fn told(said: &[Said]) -> Guest {
    let queries = (0..said.len()).map(|index| query(&format!("q{}", number(index)), Vec::new())).collect();
    says(queries, said, "(local.get 0)")
}

/// A plugin that gives the description whose three digits stand behind the first letter at an address.
fn says(queries: Vec<QueryDeclaration>, said: &[Said], address: &str) -> Guest {
    let encoded =
        said.iter().map(|said| (encoding::encode(&said.description), encoding::encode(&said.bindings)));
    says_bytes(queries, &encoded.collect::<Vec<_>>(), address)
}

/// A plugin that gives, by a query of its own each, descriptions and bindings that are written already.
pub fn telling(queries: Vec<QueryDeclaration>, said: &[(Vec<u8>, Vec<u8>)]) -> Guest {
    says_bytes(queries, said, "(local.get 0)")
}

fn says_bytes(queries: Vec<QueryDeclaration>, said: &[(Vec<u8>, Vec<u8>)], address: &str) -> Guest {
    let manifest = encoding::encode(&Manifest { sdk: "none".into(), queries });
    let mut guest = Guest { manifest, ..Guest::default() };
    let table = guest.data_at();
    let (mut records, mut texts) = (Vec::new(), Vec::new());
    for (shape, bindings) in said {
        let mut place = |bytes: &[u8]| {
            let at = table + 24 * said.len() + texts.len();
            texts.extend_from_slice(bytes);
            [at, bytes.len()]
        };
        let words = [[0, 0], place(shape), place(bindings)].concat();
        records.extend(words.iter().flat_map(|word| u32::try_from(*word).expect("little").to_le_bytes()));
    }
    guest.data = [records, texts].concat();
    let digit = |at: usize| format!("(i32.sub (i32.load8_u offset={at} (local.get $at)) (i32.const 48))");
    let (hundreds, tens, ones) = (digit(1), digit(2), digit(3));
    guest.plan = format!(
        "(local $at i32)
         (local.set $at {address})
         (i32.store (i32.const {ANSWER}) (i32.const 0))
         (i32.store (i32.const {}) (i32.add (i32.const {table}) (i32.mul (i32.const 24)
           (i32.add (i32.mul (i32.const 100) {hundreds}) (i32.add (i32.mul (i32.const 10) {tens}) {ones})))))
         (i32.store (i32.const {}) (i32.const 1))
         (i32.const {ANSWER})",
        ANSWER + 4,
        ANSWER + 8,
    );
    guest
}
