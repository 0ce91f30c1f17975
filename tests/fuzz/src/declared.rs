//! A plugin whose queries have parameters of every kind, and give them back.

#![allow(dead_code)] // A target uses some of it.

#[path = "frame.rs"]
pub mod frame;

use callslip_ir::{
    Binding, Bindings, Description, Distinct, Domain, Item, Manifest, Node, NodeId, NodeKind, Parameter,
    ParameterMode, PlanMode, Presence, Query, QueryDeclaration, Range, Reply, Rows, Scalar, Select, SlotId,
    SlotType, TypeName, ValueType,
};

/// What it says of itself.
pub fn manifest() -> Manifest {
    let queries = vec![
        // Nothing has to be given.
        query("every", Rows::Many, every()),
        query("o", Rows::One, vec![ranged("id", Scalar::Int4), ranged("n", Scalar::Numeric)]),
        query(
            "opened",
            Rows::Many,
            vec![
                Parameter { mode: ParameterMode::Open, ..bound("text", Domain::Scalar(Scalar::Text)) },
                Parameter { mode: ParameterMode::Open, ..bound("at", Domain::Scalar(Scalar::Timestamptz)) },
            ],
        ),
    ];
    Manifest { sdk: "fuzz".into(), queries }
}

/// The component.
pub fn plugin() -> Vec<u8> {
    let manifest = manifest();
    let plans: Vec<_> = manifest.queries.iter().map(plan).collect();
    frame::plugin(&manifest, &plans)
}

fn query(name: &str, rows: Rows, parameters: Vec<Parameter>) -> QueryDeclaration {
    QueryDeclaration {
        name: name.into(),
        doc: String::new(),
        parameters,
        claims: Vec::new(),
        reply: Reply::Single(rows),
        examples: Vec::new(),
        plan: PlanMode::Auto,
    }
}

fn bound(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: name.into(),
        doc: String::new(),
        ty: ValueType { domain, array: false, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Required,
        range: None,
    }
}

fn ranged(name: &str, scalar: Scalar) -> Parameter {
    let range = Some(Range { min: Some("-10.5".into()), max: Some("1000".into()) });
    let range =
        if scalar == Scalar::Numeric { range } else { Some(Range { min: None, max: Some("7".into()) }) };
    Parameter { range, ..bound(name, Domain::Scalar(scalar)) }
}

/// A parameter of each type, by itself and as an array; of some that have a form of their own; and what is seen.
fn every() -> Vec<Parameter> {
    let mut every = Vec::new();
    let null = || Presence::Default("null".into());
    let mut add = |name: &str, domain: &Domain| {
        let scalar = bound(name, domain.clone());
        let array = Parameter { name: format!("{name}_s"), ..scalar.clone() };
        for (mut its, array) in [(scalar, false), (array, true)] {
            (its.ty.array, its.ty.nullable, its.presence) = (array, true, null());
            every.push(its);
        }
    };
    for scalar in Scalar::ALL {
        add(scalar.type_name(), &Domain::Scalar(scalar));
    }
    for named in ["inet", "int4range", "datemultirange", "tsquery"] {
        add(named, &Domain::Named(TypeName::parse(&format!("pg_catalog.{named}"))));
    }
    let labels = vec!["a".into(), "b c".into(), "ä\"".into()];
    add("label", &Domain::Enum { labels: labels.clone(), ty: None });
    let seen = |parameter| Parameter { mode: ParameterMode::Seen, ..parameter };
    let default = |json: &str| Presence::Default(json.into());
    every.push(Parameter { presence: default("true"), ..seen(bound("shown", Domain::Scalar(Scalar::Bool))) });
    every.push(Parameter {
        presence: Presence::Optional,
        ..seen(bound("chosen", Domain::Enum { labels, ty: None }))
    });
    let keys = vec!["id".into(), "name".into()];
    every.push(Parameter { presence: default("\"\""), ..seen(bound("sort", Domain::Sort { keys })) });
    every
}

/// `SELECT $1 AS …, …` of what is bound.
fn plan(query: &QueryDeclaration) -> (Description, Bindings) {
    let (mut slots, mut nodes, mut items, mut bindings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let node = |kind| Node { kind, place: None };
    for parameter in query.parameters.iter().filter(|its| its.mode == ParameterMode::Bound) {
        nodes.push(node(NodeKind::Parameter(SlotId(slots.len() as u32))));
        slots.push(SlotType::Declared(parameter.ty.type_name()));
        bindings.push(Binding::Parameter(parameter.name.clone()));
        items.push(Item { expression: NodeId(nodes.len() as u32 - 1), alias: Some(parameter.name.clone()) });
    }
    if items.is_empty() {
        nodes.push(node(NodeKind::Null(TypeName::parse("pg_catalog.text"))));
        items.push(Item { expression: NodeId(0), alias: Some("nothing".into()) });
    }
    let select = Select {
        distinct: Distinct::All,
        items,
        from: Vec::new(),
        filter: None,
        group_by: Vec::new(),
        group_distinct: false,
        having: None,
        windows: Vec::new(),
    };
    nodes.push(node(NodeKind::Select(select)));
    let body = NodeId(nodes.len() as u32 - 1);
    nodes.push(node(NodeKind::Query(Query {
        with: None,
        body,
        order_by: Vec::new(),
        limit: None,
        offset: None,
    })));
    (Description { slots, files: Vec::new(), nodes }, bindings)
}
