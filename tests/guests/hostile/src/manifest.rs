//! What it says that it offers.

use callslip_ir::{
    Domain, Manifest, Parameter, ParameterMode, PlanMode, Presence, QueryDeclaration, Reply, Rows, Scalar,
    ValueType, encoding,
};

const QUERIES: [&str; 15] = [
    "harmless",
    "endless_loop",
    "endless_recursion",
    "panic",
    "panic_forging_log_lines",
    "abort",
    "allocation_bomb",
    "huge_shape",
    "many_statements",
    "many_files",
    "garbage_shape",
    "newer_shape",
    "lying_length",
    "garbage_bindings",
    "unknown_failure",
];

pub fn manifest() -> Vec<u8> {
    if cfg!(feature = "endless-manifest") {
        let _ = crate::runaway::endless_loop();
    }
    if cfg!(feature = "garbage-manifest") {
        return b"<html>502 Bad Gateway</html>".to_vec();
    }
    if cfg!(feature = "huge-manifest") {
        return vec![b' '; 8 << 20];
    }
    let mut queries: Vec<_> = QUERIES.iter().map(|name| query(name)).collect();
    if cfg!(feature = "at-call") {
        queries = vec![QueryDeclaration { parameters: vec![deed()], ..query("bide") }];
    }
    if cfg!(feature = "bad-manifest") {
        queries.push(query("harmless"));
        queries.push(query("../../etc/passwd"));
        queries.push(QueryDeclaration { reply: Reply::Named(Vec::new()), ..query("no_statements") });
    }
    encoding::encode(&Manifest { sdk: "hostile".into(), queries })
}

fn query(name: &str) -> QueryDeclaration {
    QueryDeclaration {
        name: name.into(),
        doc: String::new(),
        parameters: Vec::new(),
        claims: Vec::new(),
        reply: Reply::Single(Rows::Many),
        examples: Vec::new(),
        plan: PlanMode::Auto,
    }
}

/// Seen as it is, so that nothing is proven when the plugin is loaded.
fn deed() -> Parameter {
    Parameter {
        name: "deed".into(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Scalar(Scalar::Text), array: false, nullable: false },
        mode: ParameterMode::Open,
        presence: Presence::Required,
        range: None,
    }
}

/// A reactor's start, which the linker has every exported function call first.
#[cfg(feature = "endless-start")]
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    let _ = crate::runaway::endless_loop();
}
