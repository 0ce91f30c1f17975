//! Version 1 of a manifest, which is only read: its queries don't say how they are planned.

use serde::Deserialize;

use super::{Example, Parameter, PlanMode, Reply};

#[derive(Deserialize)]
pub struct Manifest {
    sdk: String,
    queries: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    name: String,
    doc: String,
    parameters: Vec<Parameter>,
    claims: Vec<Parameter>,
    reply: Reply,
    examples: Vec<Example>,
}

impl From<Manifest> for super::Manifest {
    fn from(Manifest { sdk, queries }: Manifest) -> Self {
        Self { sdk, queries: queries.into_iter().map(Into::into).collect() }
    }
}

impl From<Query> for super::Query {
    fn from(Query { name, doc, parameters, claims, reply, examples }: Query) -> Self {
        Self { name, doc, parameters, claims, reply, examples, plan: PlanMode::Auto }
    }
}
