use std::sync::Arc;

use callslip_ir::{Binding, Parameter, Presence, QueryDeclaration, Reply, Rows, SlotId};
use sha2::{Digest as _, Sha256};

use super::Inner;
use super::plugin::LoadedPlugin;
use crate::Code;
use crate::catalog::{Oid, TypeKind};
use crate::loan::{Loan, LoanError, ResultColumn};
use crate::nearest::nearest;
use crate::plugin::{self, Failure, PlannedStatement, Shape};
use crate::printable::printable;
use crate::rows;
use crate::select::{self, ColumnForm, Comment, Finding, Lowered, Printed};

/// A shape of a query, with the statements that it was proven to send.
#[derive(Debug)]
pub struct ProvenShape {
    /// What is seen of the call.
    pub shape: Shape,
    /// Its statements, or the plugin's refusal of this combination.
    pub outcome: Result<Vec<ProvenStatement>, Failure>,
}

/// A statement that was verified, and that PostgreSQL has parsed and described.
#[derive(Clone, Debug)]
pub struct ProvenStatement {
    /// Its name; empty where the query has only one.
    pub name: String,
    /// How many rows it gives.
    pub rows: Rows,
    /// Its text.
    pub sql: Arc<str>,
    /// What is bound to `$1`, `$2`, and so on.
    pub values: Vec<ValueSource>,
    /// The types that they are bound as, for people.
    pub types: Vec<String>,
    /// The columns of its result.
    pub columns: Arc<[ResultColumn]>,
    /// The relations that it reads, as `schema.name`.
    pub relations: Vec<String>,
    /// The functions that it calls, as `schema.name`.
    pub functions: Vec<String>,
}

impl ProvenShape {
    /// About what it takes of memory: its key, the text of its statements, and their constants.
    pub(super) fn bytes(&self) -> usize {
        let choices = self.shape.parameters.iter().chain(&self.shape.claims);
        let key: usize = choices.map(|choice| choice.parameter.len() + choice.value.len()).sum();
        let constant = |source: &ValueSource| match source {
            ValueSource::Constant(Some(text)) => text.len(),
            _ => 0,
        };
        let statement =
            |its: &ProvenStatement| its.sql.len() + its.values.iter().map(constant).sum::<usize>();
        key + self.outcome.iter().flatten().map(statement).sum::<usize>()
    }
}

/// Where the value of a parameter of a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// A parameter of the call.
    Parameter(String),
    /// A claim of the caller.
    Claim(String),
    /// A constant of the plugin's, in PostgreSQL's text form.
    Constant(Option<String>),
}

/// Proves the shapes of one query.
pub(super) struct Prover<'a> {
    pub inner: &'a Inner,
    pub plugin: &'a LoadedPlugin,
    pub query: &'a QueryDeclaration,
}

/// Why a shape could not be proven.
#[derive(Debug)]
pub(super) enum ProveError {
    /// What is wrong with its statements.
    Findings(Vec<Finding>),
    /// The plugin gave no plan.
    Plugin(plugin::CallError),
    /// The database could not be asked.
    Loan(LoanError),
}

impl ProveError {
    pub fn into_findings(self) -> Vec<Finding> {
        match self {
            Self::Findings(findings) => findings,
            Self::Plugin(error) => vec![error.into_finding()],
            Self::Loan(error) => vec![Finding::new(error.code(), error.to_string())],
        }
    }
}

/// A shape whose plan was verified, as far as that goes without the database.
pub(super) struct Planned {
    shape: Shape,
    outcome: Result<Vec<Verified>, Failure>,
    /// What is wrong with the statements that are missing from it.
    findings: Vec<Finding>,
}

struct Verified {
    planned: PlannedStatement,
    name: String,
    rows: Rows,
    lowered: Lowered,
    verified: select::Verified,
}

impl Prover<'_> {
    /// Plans a shape in the sandbox and verifies its statements. Needs no connection.
    pub async fn plan(&self, shape: Shape) -> Result<Planned, ProveError> {
        let plan = self.plugin.component.plan(&self.query.name, &shape.parameters, &shape.claims).await;
        let plan = match plan.map_err(ProveError::Plugin)? {
            Ok(plan) => plan,
            Err(failure) => return Ok(Planned { shape, outcome: Err(failure), findings: Vec::new() }),
        };
        let expected = self.expected();
        if !plan
            .statements
            .iter()
            .map(|statement| statement.name.as_str())
            .eq(expected.iter().map(|(name, _)| *name))
        {
            let planned: Vec<&str> =
                plan.statements.iter().map(|statement| statement.name.as_str()).collect();
            let declared: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the plan has the statements [{}], and the query declares [{}]",
                planned.join(", "),
                declared.join(", ")
            );
            return Err(ProveError::Findings(vec![Finding::new(Code::WrongStatements, message)]));
        }
        let names: Vec<(String, Rows)> =
            expected.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect();
        let mut findings = Vec::new();
        let mut statements = Vec::new();
        for (planned, (name, rows)) in plan.statements.into_iter().zip(names) {
            match self.verify(&planned, &shape) {
                Ok((lowered, verified)) => {
                    statements.push(Verified { planned, name, rows, lowered, verified })
                }
                Err(found) => findings.extend(found),
            }
        }
        Ok(Planned { shape, outcome: Ok(statements), findings })
    }

    /// Has PostgreSQL describe the statements of a plan. All that is wrong with any of them comes at once.
    pub async fn describe(&self, planned: Planned, loan: &Loan) -> Result<ProvenShape, ProveError> {
        let Planned { shape, outcome, mut findings } = planned;
        let statements = match outcome {
            Ok(statements) => statements,
            Err(failure) => return Ok(ProvenShape { shape, outcome: Err(failure) }),
        };
        let mut proven = Vec::with_capacity(statements.len());
        for statement in statements {
            match self.describe_statement(statement, loan).await {
                Ok(statement) => proven.push(statement),
                Err(ProveError::Findings(found)) => findings.extend(found),
                Err(error) => return Err(error),
            }
        }
        if findings.is_empty() {
            Ok(ProvenShape { shape, outcome: Ok(proven) })
        } else {
            Err(ProveError::Findings(findings))
        }
    }

    /// The statements that the query declares.
    fn expected(&self) -> Vec<(&str, Rows)> {
        match &self.query.reply {
            Reply::Single(rows) => vec![("", *rows)],
            Reply::Named(named) => named.iter().map(|reply| (reply.name.as_str(), reply.rows)).collect(),
        }
    }

    fn verify(
        &self,
        statement: &PlannedStatement,
        shape: &Shape,
    ) -> Result<(Lowered, select::Verified), Vec<Finding>> {
        let context = select::Context {
            plugin: &self.plugin.name,
            catalog: &self.inner.catalog,
            grants: &self.plugin.grants,
            schemas: &self.inner.schemas,
            limits: &self.inner.description_limits,
        };
        let mut findings = self.bindings(statement, shape);
        match select::verify(&statement.description, context) {
            Ok(verified) if findings.is_empty() => {
                Ok((select::lower(&statement.description, &verified), verified))
            }
            Ok(_) => Err(findings),
            Err(found) => {
                findings.extend(found);
                Err(findings)
            }
        }
    }

    /// Each slot is bound, and to something that this shape has a value of.
    fn bindings(&self, statement: &PlannedStatement, shape: &Shape) -> Vec<Finding> {
        let slots = statement.description.slots.len();
        if statement.bindings.len() != slots {
            let message = format!("{} slots have {} bindings", slots, statement.bindings.len());
            return vec![Finding::new(Code::InvalidBinding, message)];
        }
        let mut findings = Vec::new();
        for (index, binding) in statement.bindings.iter().enumerate() {
            let (what, name, declared, choices) = match binding {
                Binding::Parameter(name) => ("parameter", name, &self.query.parameters, &shape.parameters),
                Binding::Claim(name) => ("claim", name, &self.query.claims, &shape.claims),
                Binding::Constant(_) => continue,
            };
            let known: Option<&Parameter> = declared.iter().find(|parameter| parameter.name == *name);
            let shown = printable(name, 63);
            let message = match known {
                None => {
                    format!("a slot is bound to the {what} \"{shown}\", which the query does not declare")
                }
                Some(parameter)
                    if parameter.presence == Presence::Optional
                        && !choices.iter().any(|choice| choice.parameter == *name) =>
                {
                    format!("a slot is bound to the {what} \"{shown}\" where it is absent")
                }
                Some(_) => continue,
            };
            let place = select::place_of_slot(&statement.description, SlotId(index as u32));
            findings.push(Finding::new(Code::InvalidBinding, message).at(place));
        }
        findings
    }

    /// Has PostgreSQL describe the statement; a second time, if a column has a type that can't be decoded and is
    /// therefore cast to text.
    async fn describe_statement(
        &self,
        statement: Verified,
        loan: &Loan,
    ) -> Result<ProvenStatement, ProveError> {
        let Verified { planned, name, rows, lowered, verified } = statement;
        let planned = &planned;
        let digest = hexadecimal(&Sha256::digest(&planned.shape)[..4]);
        let comment = Comment { plugin: &self.plugin.name, query: &self.query.name, shape: &digest };
        let limits = &self.inner.description_limits;
        let print = |forms: &[ColumnForm]| {
            select::print(&lowered, &comment, forms, limits)
                .map_err(|finding| ProveError::Findings(vec![finding]))
        };
        let mut printed = print(&[])?;
        let mut described = self.ask(planned, &printed, loan).await?;
        let forms: Vec<ColumnForm> = described.iter().map(|column| self.form(column)).collect();
        if forms.iter().any(|form| *form != ColumnForm::AsIs) {
            self.check_text_casts(&described, &forms)?;
            printed = print(&forms)?;
            described = self.ask(planned, &printed, loan).await?;
        }
        self.check_constants(planned, &printed, loan).await?;
        let source = |parameter: &select::StatementParameter| {
            match planned.bindings.get(parameter.slot.0 as usize) {
                Some(Binding::Parameter(name)) => ValueSource::Parameter(name.clone()),
                Some(Binding::Claim(name)) => ValueSource::Claim(name.clone()),
                Some(Binding::Constant(text)) => ValueSource::Constant(text.clone()),
                // There is a binding for each slot; none would be null.
                None => ValueSource::Constant(None),
            }
        };
        let names = |of: &std::collections::BTreeSet<(String, String)>| {
            of.iter().map(|(schema, name)| format!("{schema}.{name}")).collect()
        };
        Ok(ProvenStatement {
            name,
            rows,
            sql: printed.sql.as_str().into(),
            values: printed.parameters.iter().map(source).collect(),
            types: printed.parameters.iter().map(|parameter| parameter.ty.to_string()).collect(),
            columns: described,
            relations: names(&verified.relations),
            functions: names(&verified.functions),
        })
    }

    async fn ask(
        &self,
        planned: &PlannedStatement,
        printed: &Printed,
        loan: &Loan,
    ) -> Result<Arc<[ResultColumn]>, ProveError> {
        let error = match loan.describe(&printed.sql).await {
            Ok(described) => return Ok(described.columns),
            Err(error) => error.of_verified(),
        };
        // Stopped or stale, it says nothing about the statement.
        let LoanError::Failed(postgres) = error else { return Err(ProveError::Loan(error)) };
        let message = format!("PostgreSQL says: {} (SQLSTATE {})", postgres.message(), postgres.sqlstate());
        let place = postgres.position().and_then(|at| printed.place(&planned.description, at as usize));
        let finding = Finding::new(Code::DescribeFailed, message).at(place);
        Err(ProveError::Findings(vec![match postgres.hint() {
            Some(hint) => finding.with_help(hint),
            None => finding,
        }]))
    }

    /// A constant is a string until PostgreSQL reads it as its type. Here it does so once, and not at each call.
    async fn check_constants(
        &self,
        planned: &PlannedStatement,
        printed: &Printed,
        loan: &Loan,
    ) -> Result<(), ProveError> {
        let mut findings = Vec::new();
        for parameter in &printed.parameters {
            let Some(Binding::Constant(Some(text))) = planned.bindings.get(parameter.slot.0 as usize) else {
                continue;
            };
            let found = match self.inner.catalog.type_by_oid(parameter.ty.oid).map(|ty| &ty.kind) {
                Some(TypeKind::Enum { labels }) if labels.contains(text) => None,
                Some(TypeKind::Enum { labels }) => {
                    let message = format!("the enum {} has no label \"{text}\"", parameter.ty);
                    let labels = || labels.iter().map(String::as_str);
                    let help = match nearest(text, labels()) {
                        Some(nearest) => format!("did you mean \"{nearest}\"?"),
                        None => format!("its labels are {}", labels().collect::<Vec<_>>().join(", ")),
                    };
                    Some(Finding::new(Code::InvalidConstant, message).with_help(help))
                }
                _ if parameter.ty.takes_any_text() => None,
                _ => match loan.evaluate(&select::print_constant(&parameter.ty), text).await {
                    Ok(()) => None,
                    Err(LoanError::Failed(postgres)) => {
                        let message = format!("the constant \"{text}\" is no {}", parameter.ty);
                        Some(Finding::new(Code::InvalidConstant, message).with_help(postgres.message()))
                    }
                    Err(error) => return Err(ProveError::Loan(error)),
                },
            };
            findings.extend(
                found.map(|finding| finding.at(select::place_of_slot(&planned.description, parameter.slot))),
            );
        }
        if findings.is_empty() { Ok(()) } else { Err(ProveError::Findings(findings)) }
    }

    /// A cast to text may have a function that somebody defined, and then runs it.
    fn check_text_casts(&self, columns: &[ResultColumn], forms: &[ColumnForm]) -> Result<(), ProveError> {
        const TEXT: Oid = 25;
        let catalog = &self.inner.catalog;
        let mut findings = Vec::new();
        for (column, _) in columns.iter().zip(forms).filter(|(_, form)| **form != ColumnForm::AsIs) {
            let cast = catalog.cast(catalog.element_type(column.type_oid), TEXT);
            if let Some(function) = cast.and_then(|cast| self.plugin.grants.refused_function(catalog, cast)) {
                let name = format!("{}.{}", function.schema, function.name);
                let message = format!(
                    "the column \"{}\" leaves as text, and its cast calls the function {name}, which was not granted",
                    column.name
                );
                let help = format!("add \"{name}\" to functions in [plugins.{}.grants]", self.plugin.name);
                findings.push(Finding::new(Code::CastNotGranted, message).with_help(help));
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(ProveError::Findings(findings)) }
    }

    fn form(&self, column: &ResultColumn) -> ColumnForm {
        if rows::is_decoded(column.type_oid) {
            return ColumnForm::AsIs;
        }
        match self.inner.catalog.type_by_oid(column.type_oid).map(|ty| &ty.kind) {
            Some(TypeKind::Array { .. }) => ColumnForm::TextArray,
            _ => ColumnForm::Text,
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
