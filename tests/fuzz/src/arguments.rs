//! What a caller gives for what a plugin declares. Whatever both are, a declaration is refused in words, or has as many shapes as
//! it may; and under one that is taken, what is given is refused in words or becomes values
//!
//! - that PostgreSQL's protocol can carry, and that are not much larger than what was given;
//! - of a shape that is listed, where all are;
//! - the same whether they came as a text of a query string or as the same text in JSON.
//!
//! The first byte says whether the declaration is made of bytes too, in either format, and how the others are given: as a JSON
//! object, as the pairs of a query string, or to every parameter the same, as JSON or as text.

#![no_main]

#[path = "declared.rs"]
mod declared;
#[path = "told.rs"]
mod told;

use std::borrow::Cow;
use std::sync::LazyLock;

use callslip::catalog::{Catalog, Snapshot};
use callslip::plugin::{ArgumentError, Arguments, Forms, Inputs, Limits, Shapes, validate};
use callslip_ir::{
    Domain, Manifest, QueryDeclaration, Scalar,
    encoding::{self, Message},
};
use libfuzzer_sys::fuzz_target;

use told::assert_told;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let text = include_str!("../../../example-plugins/hiring/schema.json");
    Catalog::new(Snapshot::read(text).expect("a snapshot").contents.readable())
});
static DECLARED: LazyLock<Manifest> = LazyLock::new(declared::manifest);

/// How many shapes are listed.
const SHAPES: usize = 64;

/// What is declared, and the bytes that are left.
fn declared_by(how: u8, data: &[u8]) -> Option<(Cow<'static, Manifest>, &[u8])> {
    let format = match how >> 6 {
        0 | 1 => return Some((Cow::Borrowed(&*DECLARED), data)),
        2 => b'p',
        _ => b'j',
    };
    let (length, data) = data.split_first_chunk()?;
    let (body, data) = data.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let manifest = encoding::decode(&[&[format, Manifest::VERSION], body].concat()).ok()?;
    let findings = validate(&manifest, &Limits::default());
    findings.iter().for_each(|finding| assert_told(&finding.to_string()));
    findings.is_empty().then_some((Cow::Owned(manifest), data))
}

/// What is given to a query.
fn given(how: u8, data: &[u8], query: &QueryDeclaration) -> Result<Inputs, ArgumentError> {
    let text = String::from_utf8_lossy(data);
    match how % 4 {
        0 => Inputs::from_json(data),
        1 => {
            let pair = |pair: &str| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.to_owned(), value.to_owned())
            };
            Ok(Inputs::from_pairs(text.split('&').map(pair)))
        }
        2 => Ok(Inputs::from_pairs(query.parameters.iter().map(|its| (its.name.clone(), text.to_string())))),
        _ => {
            let members: Vec<String> =
                query.parameters.iter().map(|its| format!("\"{}\":{text}", its.name)).collect();
            Inputs::from_json(format!("{{{}}}", members.join(",")).as_bytes())
        }
    }
}

fn check(query: &QueryDeclaration, forms: &Forms, inputs: &Inputs, bytes: usize) {
    let shapes = Shapes::of(query, SHAPES);
    if let Shapes::Closed { shapes, total } = &shapes {
        assert!(shapes.len() <= SHAPES && shapes.len() as u128 <= *total);
    }
    match Arguments::read(query, forms, inputs, &Inputs::default(), &Limits::default()) {
        Ok(arguments) => {
            for text in arguments.parameters.values().chain(arguments.claims.values()).flatten() {
                assert!(!text.contains('\0'), "{text:?}");
                assert!(text.len() <= 8 * bytes + 1_024, "{} of {bytes} bytes", text.len());
            }
            if shapes.is_complete()
                && let Shapes::Closed { shapes, .. } = shapes
            {
                assert!(shapes.contains(&arguments.shape), "{:?}", arguments.shape);
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| assert_told(&error.to_string()));
        }
    }
}

/// Gives one parameter a text in both ways.
fn assert_alike(query: &QueryDeclaration, forms: &Forms, text: &str) {
    for parameter in &query.parameters {
        let is_json = matches!(parameter.ty.domain, Domain::Scalar(Scalar::Json) | Domain::Named(_));
        if is_json || parameter.ty.array || text == "null" {
            continue;
        }
        let alone = QueryDeclaration {
            name: query.name.clone(),
            doc: String::new(),
            parameters: vec![parameter.clone()],
            claims: Vec::new(),
            reply: query.reply.clone(),
            examples: Vec::new(),
            plan: query.plan,
        };
        let read = |inputs: &Inputs| {
            Arguments::read(&alone, forms, inputs, &Inputs::default(), &Limits::default()).ok()
        };
        let mut json = Inputs::default();
        json.insert(parameter.name.clone(), &text.into());
        let pairs = Inputs::from_pairs([(parameter.name.clone(), text.to_owned())]);
        assert_eq!(read(&pairs), read(&json), "{text:?} for {}", parameter.name);
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let Some((manifest, rest)) = declared_by(*how, rest) else { return };
    for query in manifest.queries.iter().take(4) {
        let forms = Forms::of(query, &CATALOG, |ty| CATALOG.ty("pg_catalog", &ty.name.name).map(|ty| ty.oid));
        match given(*how, rest, query) {
            Ok(inputs) => check(query, &forms, &inputs, data.len()),
            Err(error) => assert_told(&error.to_string()),
        }
        if how % 4 == 2
            && let Ok(text) = str::from_utf8(rest)
        {
            assert_alike(query, &forms, text);
        }
    }
});
