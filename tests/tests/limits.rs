//! What is too large is refused before it costs anything, however it is too large.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::time::{Duration, Instant};

use callslip::Code;
use callslip::catalog::{Catalog, Contents};
use callslip::grants::Grants;
use callslip::select::{Context, Finding, Limits, verify};
use callslip_ir::{
    Boolean, BooleanOperator, Description, Node, NodeId, NodeKind, Query, SlotId, SlotType, encoding,
};

fn description(kinds: impl IntoIterator<Item = NodeKind>) -> Description {
    let nodes = kinds.into_iter().map(|kind| Node { kind, place: None }).collect();
    Description { slots: vec![SlotType::Context], files: Vec::new(), nodes }
}

fn query(body: u32) -> NodeKind {
    NodeKind::Query(Query { with: None, body: NodeId(body), order_by: vec![], limit: None, offset: None })
}

fn main_() {
    let leaf = || NodeKind::Parameter(SlotId(0));
    let not = |of: u32| NodeKind::Boolean(Boolean { operator: BooleanOperator::Not, operands: vec![NodeId(of)] });
    println!("node {} bytes", std::mem::size_of::<Node>());
    for count in [100_000u32, 340_000] {
        let d = description((0..count).map(|_| NodeKind::Row(vec![])).chain([query(0)]));
        time("row", &d);
        let d = description((0..count).map(|_| leaf()).chain([query(0)]));
        time("leaf", &d);
        let d = description(std::iter::once(leaf()).chain((0..count).map(not)).chain([query(count)]));
        time("chain", &d);
    }
}

fn time(what: &str, d: &Description) {
    let catalog = Catalog::new(Contents::default());
    let (grants, limits) = (Grants::default(), Limits::default());
    for bytes in [encoding::encode(d), encoding::encode_json(d).unwrap()] {
        let started = Instant::now();
        let decoded: Description = encoding::decode(&bytes).unwrap();
        let t1 = started.elapsed();
        let context = Context { plugin: "this", catalog: &catalog, grants: &grants, schemas: &[], limits: &limits };
        let findings = verify(&decoded, context).unwrap_err();
        println!("{what} {} bytes {}: decode {t1:?}, all {:?} {}", d.nodes.len(), bytes.len(), started.elapsed(), findings[0]);
        let t = Instant::now();
        drop(decoded);
        println!("   drop {:?}", t.elapsed());
    }
}

#[test]
fn x() { main_() }
