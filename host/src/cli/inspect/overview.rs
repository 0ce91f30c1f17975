use std::collections::BTreeSet;
use std::io::{self, Write};

use callslip_ir::{Manifest, NodeKind, Parameter, QueryDeclaration, RelationName};
use serde_json::{Value, json};

use super::parameter;
use crate::catalog::ChosenSchemas;
use crate::cli::check::finding_json;
use crate::loan::PlanMode;
use crate::plugin::{Component, Digest, Plan, Profile, Shapes, cursor_of};
use crate::printable::printable;
use crate::select::RowFilter;
use crate::{LoadedPlugin, LoadedQuery, PluginFinding};

/// What can be told of a plugin.
pub(super) struct Overview {
    /// The plugin's name, or its file.
    name: String,
    world: String,
    sdk: String,
    bytes: usize,
    digest: Digest,
    profile: Profile,
    /// What its signer wrote, of a component that is pinned to a key.
    trusted_comment: Option<String>,
    queries: Vec<QueryOverview>,
    proof: Proven,
    /// What went wrong when its shapes were planned, a line each.
    pub(super) findings: Vec<String>,
}

/// How far a plugin's shapes were tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proven {
    /// Planned in the sandbox.
    Planned,
    /// Verified against a snapshot.
    Verified,
    /// Described by PostgreSQL too.
    Described,
}

impl Proven {
    fn verb(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Verified => "verified against a snapshot",
            Self::Described => "proven",
        }
    }
}

struct QueryOverview {
    declaration: QueryDeclaration,
    /// How PostgreSQL plans its statements.
    plan: PlanMode,
    /// How many shapes it can have; none for an open query.
    total: Option<u128>,
    /// How many of them were tried.
    tried: usize,
    /// The choices of schemas for which they were.
    schemas: BTreeSet<ChosenSchemas>,
    relations: BTreeSet<String>,
    functions: BTreeSet<String>,
    /// The row filters that it is under: a relation, and what a row has to pass.
    filters: BTreeSet<(String, String)>,
    /// The highest cost of a statement, where that is limited, and the limit.
    cost: Option<(f64, u64)>,
    warnings: Vec<PluginFinding>,
}

impl Overview {
    /// Of a plugin that was proven.
    pub(super) fn of_plugin(plugin: &LoadedPlugin, described: bool) -> Self {
        let warnings = plugin.warnings();
        let query = |query: &LoadedQuery| {
            let statements =
                || query.shapes().iter().filter_map(|shape| shape.outcome.as_ref().ok()).flatten();
            QueryOverview {
                declaration: query.declaration().clone(),
                plan: query.plan(),
                total: query.total(),
                tried: query.tried(),
                schemas: query.shapes().iter().map(|shape| shape.schemas.clone()).collect(),
                relations: statements().flat_map(|statement| statement.relations.iter().cloned()).collect(),
                functions: statements().flat_map(|statement| statement.functions.iter().cloned()).collect(),
                filters: statements()
                    .flat_map(|statement| statement.filters.iter())
                    .flat_map(|its| shown(its))
                    .collect(),
                cost: statements()
                    .filter_map(|statement| statement.cost)
                    .max_by(f64::total_cmp)
                    .zip(query.limits().cost),
                warnings: warnings
                    .iter()
                    .filter(|warning| warning.query.as_ref() == Some(&query.declaration().name))
                    .cloned()
                    .collect(),
            }
        };
        Self {
            name: plugin.name().to_owned(),
            world: plugin.world().to_owned(),
            sdk: plugin.sdk().to_owned(),
            bytes: plugin.bytes(),
            digest: plugin.digest(),
            profile: plugin.profile(),
            trusted_comment: plugin.trusted_comment().map(str::to_owned),
            queries: plugin.queries().iter().map(query).collect(),
            proof: if described { Proven::Described } else { Proven::Verified },
            findings: Vec::new(),
        }
    }

    /// Of a component alone: every shape is planned, and nothing is verified.
    pub(super) async fn of_component(
        name: &str,
        component: &Component,
        manifest: Manifest,
        bytes: usize,
    ) -> Self {
        let mut overview = Self {
            name: name.to_owned(),
            world: component.world().to_owned(),
            sdk: manifest.sdk,
            bytes,
            digest: component.digest(),
            profile: component.profile(),
            trusted_comment: None,
            queries: Vec::new(),
            proof: Proven::Planned,
            findings: Vec::new(),
        };
        for declaration in manifest.queries {
            let (shapes, total) = match Shapes::of(&declaration, component.engine().limits().shapes) {
                Shapes::Closed { shapes, total } => (shapes, Some(total)),
                Shapes::Open => (Vec::new(), None),
            };
            let mut query = QueryOverview {
                plan: declaration.plan,
                declaration,
                total,
                tried: 0,
                schemas: BTreeSet::new(),
                relations: BTreeSet::new(),
                functions: BTreeSet::new(),
                filters: BTreeSet::new(),
                cost: None,
                warnings: Vec::new(),
            };
            for shape in shapes {
                match component.plan(&query.declaration.name, &shape.parameters, &shape.claims).await {
                    Ok(plan) => {
                        query.tried += 1;
                        plan.iter().for_each(|plan| query.add_names(plan));
                    }
                    Err(error) => {
                        let finding = error.into_finding();
                        overview.findings.push(format!("{}: {finding}", query.declaration.name));
                        // A plugin that loops in one shape may loop in all of them.
                        break;
                    }
                }
            }
            overview.queries.push(query);
        }
        overview
    }

    /// For people.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", printable(&self.name, usize::MAX))?;
        writeln!(out, "  world    {}", self.world)?;
        writeln!(out, "  SDK      {}", printable(&self.sdk, 200))?;
        writeln!(out, "  size     {} bytes", self.bytes)?;
        writeln!(out, "  profile  {}", self.profile)?;
        writeln!(out, "  SHA-256  {}", self.digest)?;
        if let Some(comment) = &self.trusted_comment {
            writeln!(out, "  signed   {comment}")?;
        }
        for query in &self.queries {
            writeln!(out)?;
            self.print_query(out, query)?;
        }
        if !self.findings.is_empty() {
            writeln!(out)?;
        }
        self.findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))
    }

    fn print_query(&self, out: &mut impl Write, query: &QueryOverview) -> io::Result<()> {
        let declaration = &query.declaration;
        writeln!(out, "{}: {}", declaration.name, self.state(query))?;
        for line in declaration.doc.lines().filter(|line| !line.trim().is_empty()) {
            writeln!(out, "  {}", printable(line.trim(), usize::MAX))?;
        }
        if let Some(cursor) = cursor_of(declaration) {
            writeln!(out, "  pages: where one begins is the parameter {cursor}")?;
        }
        if query.plan == PlanMode::Custom {
            writeln!(out, "  plan: custom, for the values of each call")?;
        }
        print_parameters(out, "parameters", &declaration.parameters)?;
        print_parameters(out, "claims", &declaration.claims)?;
        for schemas in query.schemas.iter().filter(|schemas| !schemas.is_empty()) {
            writeln!(out, "  {} with {}", self.proof.verb(), printable(&schemas.to_string(), usize::MAX))?;
        }
        let verb = self.verb();
        for (what, names) in [("relations", &query.relations), ("functions", &query.functions)] {
            if !names.is_empty() {
                let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                writeln!(out, "  {what} {verb}: {}", printable(&names, usize::MAX))?;
            }
        }
        for (relation, condition) in &query.filters {
            writeln!(out, "  filtered: {}", printable(&format!("{relation}: {condition}"), usize::MAX))?;
        }
        if let Some((cost, most)) = query.cost {
            writeln!(out, "  cost: at most {cost:.0}, of {most} that are allowed")?;
        }
        query.warnings.iter().try_for_each(|warning| writeln!(out, "  warning: {}", warning.finding))
    }

    /// `closed: 6 shapes, proven`.
    fn state(&self, query: &QueryOverview) -> String {
        let tried = self.proof.verb();
        match query.total {
            None if self.proof == Proven::Planned => "open: planned at each new call".to_owned(),
            None => format!("open: {} of its examples {tried}, the rest at each new call", query.tried),
            Some(total) => {
                let shapes = if total == 1 { "shape" } else { "shapes" };
                match total == query.tried as u128 {
                    true => format!("closed: {total} {shapes}, {tried}"),
                    false => format!("closed: {total} {shapes}, {} of them {tried}", query.tried),
                }
            }
        }
    }

    /// Whether the relations and functions are known to be what is meant.
    fn verb(&self) -> &'static str {
        if self.proof == Proven::Planned { "named" } else { "used" }
    }

    pub(super) fn to_json(&self) -> Value {
        let schemas = |its: &ChosenSchemas| -> Value {
            its.iter().map(|(logical, real)| (logical.to_owned(), Value::from(real))).collect()
        };
        let query = |query: &QueryOverview| {
            let parameters = |of: &[Parameter]| of.iter().map(parameter::to_json).collect::<Vec<_>>();
            json!({
                "name": query.declaration.name,
                "doc": query.declaration.doc,
                "parameters": parameters(&query.declaration.parameters),
                "claims": parameters(&query.declaration.claims),
                "plan": match query.plan {
                    PlanMode::Auto => "auto",
                    PlanMode::Custom => "custom",
                },
                "paged": cursor_of(&query.declaration).is_some(),
                "open": query.total.is_none(),
                "shapes": query.total.map(|total| u64::try_from(total).unwrap_or(u64::MAX)),
                "tried": query.tried,
                "schemas": query.schemas.iter().filter(|its| !its.is_empty()).map(schemas).collect::<Vec<_>>(),
                "relations": query.relations,
                "functions": query.functions,
                "filters": query.filters.iter().map(|(of, sql)| json!({"relation": of, "condition": sql})).collect::<Vec<_>>(),
                "cost": query.cost.map(|(cost, _)| cost),
                "warnings": query.warnings.iter().map(finding_json).collect::<Vec<_>>(),
            })
        };
        json!({
            "name": self.name,
            "world": self.world,
            "sdk": self.sdk,
            "bytes": self.bytes,
            "profile": self.profile.as_str(),
            "sha256": self.digest.to_string(),
            "trusted_comment": self.trusted_comment,
            "verified": self.proof != Proven::Planned,
            "described": self.proof == Proven::Described,
            "queries": self.queries.iter().map(query).collect::<Vec<_>>(),
            "findings": self.findings,
        })
    }
}

impl QueryOverview {
    /// Adds what a plan names; whether there is such a thing is not known.
    fn add_names(&mut self, plan: &Plan) {
        for node in plan.statements.iter().flat_map(|statement| &statement.description.nodes) {
            match &node.kind {
                NodeKind::Table(table) => {
                    if let RelationName::Stored(name) = &table.name {
                        self.relations.insert(name.to_string());
                    }
                }
                NodeKind::Call(call) => _ = self.functions.insert(call.function.to_string()),
                _ => {}
            }
        }
    }
}

/// A relation, with each condition of its filter.
fn shown(filter: &RowFilter) -> impl Iterator<Item = (String, String)> {
    filter.conditions().map(|condition| (filter.relation(), condition.to_owned()))
}

fn print_parameters(out: &mut impl Write, what: &str, parameters: &[Parameter]) -> io::Result<()> {
    if parameters.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {what}:")?;
    let width = parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or(0);
    for its in parameters {
        let doc = match its.doc.trim() {
            "" => String::new(),
            doc => format!(": {doc}"),
        };
        let line = format!("{:width$}  {}{doc}", its.name, parameter::line(its));
        writeln!(out, "    {}", printable(&line, usize::MAX))?;
    }
    Ok(())
}
