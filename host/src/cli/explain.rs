//! `callslip explain`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::HostArgs;
use crate::loan::PlanMode;
use crate::plugin::{Choice, Shape};
use crate::printable::printable;
use crate::{CallError, Host, LoadedPlugin, LoadedQuery, ProvenShape, ProvenStatement, ValueSource};

const EXAMPLES: &str = "\
Examples:
  callslip explain hiring
  callslip explain hiring funnel --no-plan";

/// Show every shape of a plugin's queries: its SQL, its parameters and PostgreSQL's plan.
///
/// Nothing is executed. The plan is the one for any values. The exit code is 1 when the plugin is refused.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExplainArgs {
    /// The plugin, by its name in the configuration.
    pub(super) plugin: String,
    /// One query only.
    pub(super) query: Option<String>,
    /// Leave PostgreSQL's plans out.
    #[arg(long)]
    pub(super) no_plan: bool,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

pub(super) async fn main(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let host = args.host.start_with(&args.plugin).await?;
    let generation = host.generation();
    let Some(Ok(plugin)) = generation.plugin(&args.plugin) else {
        bail!("{} names no plugin \"{}\"", args.host.config.display(), args.plugin);
    };
    let queries: Vec<&LoadedQuery> = match &args.query {
        None => plugin.queries().iter().collect(),
        Some(name) => match plugin.query(name) {
            Some(query) => vec![query],
            None => {
                let names = plugin.queries().iter().map(|query| query.declaration().name.as_str());
                return Err(super::call_error(CallError::unknown_query(plugin.name(), name, names)));
            }
        },
    };
    let mut stdout = io::stdout().lock();
    for query in queries {
        writeln!(stdout, "{}", summary(plugin, query, PROVEN))?;
        if query.plan() == PlanMode::Custom && !args.no_plan {
            writeln!(
                stdout,
                "-- Each call is planned for its own values; the plans below are those for any values."
            )?;
        }
        for proven in query.shapes() {
            writeln!(stdout)?;
            print_shape(&mut stdout, proven)?;
            if !args.no_plan {
                print_plans(&mut stdout, &host, proven).await?;
            }
        }
        writeln!(stdout)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a shape is against a database: verified, and described by PostgreSQL.
pub(super) const PROVEN: &str = "proven";

/// `hiring.funnel: closed, 4 shapes, proven`, and `; custom plans` after it of a query that has these. The verdict is
/// [`PROVEN`], or what else its shapes are.
pub(super) fn summary(plugin: &LoadedPlugin, query: &LoadedQuery, verdict: &str) -> String {
    let mut summary = proof(plugin, query, verdict);
    if query.plan() == PlanMode::Custom {
        summary += "; custom plans";
    }
    summary
}

fn proof(plugin: &LoadedPlugin, query: &LoadedQuery, verdict: &str) -> String {
    let name = format!("{}.{}", plugin.name(), query.declaration().name);
    let plural = |count: u128| if count == 1 { "shape" } else { "shapes" };
    match query.total() {
        None => {
            let examples = query.tried();
            if examples == 0 {
                return format!(
                    "{name}: open, nothing of it {verdict}: no example has all that it reads of the caller's parameters and claims"
                );
            }
            format!("{name}: open, {examples} of its examples {verdict}, the rest at each new call")
        }
        Some(total) if query.is_complete() => format!("{name}: closed, {total} {}, {verdict}", plural(total)),
        Some(total) => {
            let tried = query.tried();
            format!("{name}: closed, {tried} of {total} {} {verdict}, the rest on first use", plural(total))
        }
    }
}

pub(super) fn print_shape(out: &mut impl Write, proven: &ProvenShape) -> io::Result<()> {
    writeln!(out, "-- shape: {}", proven_shape(proven))?;
    let statements = match &proven.outcome {
        Ok(statements) => statements,
        Err(failure) => return writeln!(out, "-- the plugin refuses it: {failure}"),
    };
    for statement in statements {
        if !statement.name.is_empty() {
            writeln!(out, "-- statement: {}", statement.name)?;
        }
        for filter in statement.filters.iter() {
            let (relation, conditions) =
                (filter.relation(), filter.conditions().collect::<Vec<_>>().join(" AND "));
            writeln!(out, "-- filtered: {}", printable(&format!("{relation}: {conditions}"), usize::MAX))?;
        }
        writeln!(out, "{};", printable(&statement.sql, usize::MAX))?;
        if let Some(cost) = statement.cost {
            writeln!(out, "--   cost: {cost:.0}")?;
        }
        for (index, (source, ty)) in statement.values.iter().zip(statement.types.iter()).enumerate() {
            writeln!(out, "--   ${}: {ty}, {}", index + 1, value(source))?;
        }
    }
    Ok(())
}

pub(super) async fn print_plans(
    out: &mut impl Write,
    host: &Host,
    proven: &ProvenShape,
) -> anyhow::Result<()> {
    let statements: &[ProvenStatement] = proven.outcome.as_ref().map_or(&[], Vec::as_slice);
    let pool = host.pool().ok_or(CallError::NothingLent)?;
    for statement in statements {
        let loan = pool.loan().await?;
        let proving = loan.prove().await?;
        let plan = proving.explain(&statement.sql, statement.values.len()).await;
        proving.end().await?;
        for line in plan? {
            // It names what is read as the plugin does.
            writeln!(out, "--   {}", printable(&line, usize::MAX))?;
        }
    }
    Ok(())
}

/// What is seen in a shape, for people, and the schemas that it was proven for: `open=true, since=present, with tenant = acme`.
pub(super) fn proven_shape(proven: &ProvenShape) -> String {
    let mut shape = shape(&proven.shape);
    if !proven.schemas.is_empty() {
        shape.push_str(&format!(", with {}", proven.schemas));
    }
    printable(&shape, usize::MAX)
}

/// What is seen in a shape: `open=true, since=present`.
pub(super) fn shape(shape: &Shape) -> String {
    let show = |choice: &Choice, prefix: &str| format!("{prefix}{}={}", choice.parameter, choice.value);
    let parameters = shape.parameters.iter().map(|choice| show(choice, ""));
    let claims = shape.claims.iter().map(|choice| show(choice, "claim "));
    let shown: Vec<String> = parameters.chain(claims).collect();
    if shown.is_empty() { "the only one".to_owned() } else { shown.join(", ") }
}

fn value(source: &ValueSource) -> String {
    match source {
        ValueSource::Parameter(name) => format!("the parameter {name}"),
        ValueSource::Claim(name) => format!("the claim {name}"),
        ValueSource::FilterClaim { name, .. } => format!("the claim {name}, of a row filter"),
        ValueSource::Constant(Some(text)) => format!("the constant '{}'", printable(text, 200)),
        ValueSource::CursorKey(at) => format!("key {} of the cursor", at + 1),
        ValueSource::Constant(None) => "the constant null".to_owned(),
    }
}
