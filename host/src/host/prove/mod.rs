mod claim;
mod constant;
mod cost;
mod defaults;
mod page;
mod proven;
mod rebinding;

use std::sync::Arc;

use callslip_ir::{Binding, Domain, Parameter, Presence, QueryDeclaration, Reply, Rows, SlotId};
use sha2::{Digest as _, Sha256};

pub(super) use proven::warn_of_other_columns;
pub use proven::{ColumnFacts, ProvenPage, ProvenShape, ProvenStatement, ValueSource};
pub(super) use rebinding::Described;

use page::{PageOf, PagedStatement};
use rebinding::Slot;

use super::choice::Choice;
use super::generation::Basis;
use super::plugin::LoadedPlugin;
use super::version::Occasion;
use crate::Code;
use crate::catalog::{ChosenSchemas, Oid, SearchPath, TypeKind};
use crate::config::LimitConfig;
use crate::grants::{FilterValue, MissingGrant};
use crate::loan::{LoanError, Proving, ResultColumn};
use crate::plugin::{self, ArgumentError, Failure, PlannedStatement, Shape};
use crate::printable::printable;
use crate::rows;
use crate::select::{self, ColumnForm, Comment, Finding, Lowered, OutputColumn, Printed};

/// Proves the shapes of one query.
pub(super) struct Prover<'a> {
    pub basis: &'a Basis,
    pub plugin: &'a LoadedPlugin,
    pub query: &'a QueryDeclaration,
    /// What the query may cost.
    pub limits: &'a LimitConfig,
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

/// A shape as the plugin plans it, which knows of no schemas.
pub(super) struct Planned {
    shape: Shape,
    /// Its statements, with their names and how many rows they give.
    outcome: Result<Vec<(Arc<PlannedStatement>, String, Rows)>, Failure>,
}

/// A shape whose plan was verified for a choice of schemas, as far as that goes without the database.
pub(super) struct VerifiedShape {
    shape: Shape,
    pub schemas: ChosenSchemas,
    outcome: Result<Vec<Verified>, Failure>,
    /// What is wrong with the statements that are missing from it.
    findings: Vec<Finding>,
}

impl VerifiedShape {
    /// What its statements are warned of, whatever comes of the rest of the plugin.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.outcome.iter().flatten().flat_map(|statement| &statement.verified.warnings)
    }
}

struct Verified {
    planned: Arc<PlannedStatement>,
    name: String,
    rows: Rows,
    /// What there is to know of the page, if it gives one.
    page: Option<PageOf>,
    lowered: Lowered,
    verified: select::Verified,
}

impl Prover<'_> {
    /// Plans a shape in the sandbox. Needs no connection.
    pub async fn plan(&self, shape: Shape, occasion: Occasion) -> Result<Planned, ProveError> {
        let plan = self.plugin.version.plan(&self.query.name, &shape, occasion).await;
        let plan = match plan.map_err(ProveError::Plugin)? {
            Ok(plan) => plan,
            Err(failure) => return Ok(Planned { shape, outcome: Err(failure) }),
        };
        let expected = self.expected();
        if !plan.iter().map(|statement| statement.name.as_str()).eq(expected.iter().map(|(name, _)| *name)) {
            let planned: Vec<&str> = plan.iter().map(|statement| statement.name.as_str()).collect();
            let declared: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the plan has the statements [{}], and the query declares [{}]",
                planned.join(", "),
                declared.join(", ")
            );
            return Err(ProveError::Findings(vec![Finding::new(Code::WrongStatements, message)]));
        }
        let named = |(planned, (name, rows)): (Arc<PlannedStatement>, &(&str, Rows))| {
            (planned, (*name).to_owned(), *rows)
        };
        let statements = plan.into_iter().zip(&expected).map(named).collect();
        Ok(Planned { shape, outcome: Ok(statements) })
    }

    /// Verifies a plan for every choice of schemas on which its statements depend.
    pub fn verify_all(&self, planned: &Planned) -> Vec<VerifiedShape> {
        let verified = self.basis.under_each_choice(|path| self.verify_along(planned, path));
        verified.into_iter().map(|(_, shape)| shape).collect()
    }

    /// Verifies a plan for the schemas that the claims of a caller choose, of those on which its statements depend.
    ///
    /// # Errors
    /// A claim that they depend on is missing or wrong.
    pub fn verify_for(&self, planned: &Planned, choice: &Choice) -> Result<VerifiedShape, ArgumentError> {
        let mut chosen = ChosenSchemas::default();
        loop {
            let path = self.basis.path(&chosen);
            let verified = self.verify_along(planned, &path);
            let Some(logical) = path.unchosen() else { return Ok(verified) };
            let Some(real) = choice.real(&logical) else { return Ok(verified) };
            chosen = chosen.with(&logical, real.map_err(Clone::clone)?);
        }
    }

    fn verify_along(&self, planned: &Planned, path: &SearchPath) -> VerifiedShape {
        let (shape, schemas) = (planned.shape.clone(), path.chosen().clone());
        let planned = match &planned.outcome {
            Ok(statements) => statements,
            Err(failure) => {
                return VerifiedShape { shape, schemas, outcome: Err(failure.clone()), findings: Vec::new() };
            }
        };
        let (mut statements, mut findings) = (Vec::new(), Vec::new());
        for (planned, name, rows) in planned {
            match self.verify(planned, name, *rows, &shape, path) {
                Ok(statement) => statements.push(statement),
                Err(found) => findings.extend(found),
            }
        }
        VerifiedShape { shape, schemas, outcome: Ok(statements), findings }
    }

    /// Prints the statements of a shape and has PostgreSQL describe them, if there is a connection. All that is wrong with any
    /// of them comes at once.
    pub async fn finish(
        &self,
        verified: VerifiedShape,
        proving: Option<&Proving<'_>>,
    ) -> Result<ProvenShape, ProveError> {
        let VerifiedShape { shape, schemas, outcome, mut findings } = verified;
        let statements = match outcome {
            Ok(statements) => statements,
            Err(failure) => {
                let outcome = Err(failure);
                return Ok(ProvenShape { shape, schemas, outcome, described: None, recurs: true });
            }
        };
        let has_page = statements.iter().any(|statement| statement.page.is_some());
        let described = Described::of(statements.iter().map(|statement| &*statement.planned.shape));
        let path = self.basis.path(&schemas);
        let mut proven = Vec::with_capacity(statements.len());
        for statement in statements {
            match self.finish_statement(statement, &path, proving).await {
                Ok(statement) => proven.push(statement),
                Err(ProveError::Findings(found)) => findings.extend(found),
                Err(error) => return Err(error),
            }
        }
        if findings.is_empty() {
            let described = (!has_page).then_some(described);
            Ok(ProvenShape { shape, schemas, outcome: Ok(proven), described, recurs: true })
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
        statement: &Arc<PlannedStatement>,
        name: &str,
        rows: Rows,
        shape: &Shape,
        path: &SearchPath,
    ) -> Result<Verified, Vec<Finding>> {
        let grants = self.plugin.grants(self.basis, &self.query.name, path.chosen());
        let filters = self.plugin.filters(self.basis, path.chosen());
        let context = select::Context {
            plugin: &self.plugin.name,
            catalog: &self.basis.catalog,
            grants: &grants,
            path,
            limits: &self.basis.limits,
            filters: &filters,
        };
        let mut findings = self.bindings(statement, shape);
        let verified = match select::verify(&statement.description, context) {
            Ok(verified) if findings.is_empty() => verified,
            Ok(_) => return Err(findings),
            Err(found) => {
                findings.extend(found);
                return Err(findings);
            }
        };
        let (planned, page, verified) = match rows {
            Rows::Page => {
                let PagedStatement { planned, verified, of } =
                    self.paged(statement, &verified, shape, context)?;
                (planned, Some(of), verified)
            }
            Rows::Many | Rows::One => (statement.clone(), None, verified),
        };
        let lowered = select::lower(&planned.description, &verified);
        Ok(Verified { planned, name: name.to_owned(), rows, page, lowered, verified })
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
                Some(parameter) if parameter.ty.domain == Domain::Cursor => {
                    format!("a slot is bound to the {what} \"{shown}\", a cursor, which only the host reads")
                }
                Some(_) => continue,
            };
            let place = select::place_of_slot(&statement.description, SlotId(index as u32));
            findings.push(Finding::new(Code::InvalidBinding, message).at(place));
        }
        findings
    }

    /// Prints the statement; a second time, if a column has a type that can't be decoded and is therefore cast to text.
    async fn finish_statement(
        &self,
        statement: Verified,
        path: &SearchPath,
        proving: Option<&Proving<'_>>,
    ) -> Result<ProvenStatement, ProveError> {
        let Verified { planned, name, rows, page, lowered, verified } = statement;
        let planned = &planned;
        let digest = hexadecimal(&Sha256::digest(&planned.shape)[..4]);
        let (plugin, query) = (&self.plugin.name, &self.query.name);
        let schemas: Vec<(&str, &str)> = path.chosen().iter().collect();
        let comment = Comment { plugin, query, shape: &digest, schemas: &schemas };
        let limits = &self.basis.limits;
        let print = |forms: &[ColumnForm]| {
            select::print(&lowered, &comment, forms, limits)
                .map_err(|finding| ProveError::Findings(vec![finding]))
        };
        let mut printed = print(&[])?;
        let mut columns = match proving {
            Some(proving) => self.ask(planned, &printed, &verified, proving).await?,
            None => self.inferred(&verified),
        };
        let keys = page.as_ref().map_or(0, |its| its.page.keys);
        let own = &columns[..columns.len().saturating_sub(keys)];
        let facts = own.iter().map(|column| ColumnFacts { own_type: column.type_oid }).collect();
        let forms: Vec<ColumnForm> = columns.iter().map(|column| self.form(column)).collect();
        if forms.iter().any(|form| *form != ColumnForm::AsIs) {
            self.check_text_casts(&columns, &forms, path)?;
            printed = print(&forms)?;
            columns = match proving {
                Some(proving) => self.ask(planned, &printed, &verified, proving).await?,
                None => as_text(&columns, &forms),
            };
        }
        self.check_constants(planned, &printed, &verified, path, proving).await?;
        let cost = match (self.limits.cost, proving) {
            (Some(most), Some(proving)) => Some(self.check_cost(planned, &printed, most, proving).await?),
            _ => None,
        };
        let source = |parameter: &select::StatementParameter| {
            match planned.bindings.get(parameter.slot.0 as usize) {
                Some(Binding::Parameter(name)) => ValueSource::Parameter(name.clone()),
                Some(Binding::Claim(name)) => ValueSource::Claim(name.clone()),
                Some(Binding::Constant(text)) => ValueSource::Constant(text.clone()),
                None if let Some(key) = page.as_ref().and_then(|its| its.page.key_of(parameter.slot)) => {
                    ValueSource::CursorKey(key)
                }
                None => match printed.filter_value(parameter.slot) {
                    Some(FilterValue::Claim(name)) => {
                        let ty = claim::value_type(&self.basis.catalog, &parameter.ty);
                        ValueSource::FilterClaim { name: name.clone(), ty }
                    }
                    Some(FilterValue::Constant(text)) => ValueSource::Constant(text.clone()),
                    // There is a binding for each slot; none would be null.
                    None => ValueSource::Constant(None),
                },
            }
        };
        let names = |of: &std::collections::BTreeSet<(String, String)>| {
            of.iter().map(|(schema, name)| format!("{schema}.{name}")).collect()
        };
        let values = printed.parameters.iter().map(source).collect();
        let slot = |parameter: &select::StatementParameter| Slot {
            number: parameter.slot.0 as usize,
            // That of an enum has all of its labels.
            domain: match planned.bindings.get(parameter.slot.0 as usize) {
                Some(Binding::Constant(_)) => constant::domain(&self.basis.catalog, &parameter.ty),
                Some(Binding::Parameter(_) | Binding::Claim(_)) | None => None,
            },
        };
        let slots = printed.parameters.iter().map(slot).collect();
        let sent = columns;
        let (columns, page) = match page {
            None => (sent, None),
            Some(PageOf { page, size, digest }) => {
                let shown = sent.len().saturating_sub(page.keys);
                let columns = sent[..shown].into();
                (columns, Some(ProvenPage { keys: page.keys, size, columns: sent, digest }))
            }
        };
        Ok(ProvenStatement {
            name,
            digest: digest.into(),
            rows,
            page,
            sql: printed.sql.as_str().into(),
            values,
            slots,
            rules: printed
                .parameters
                .iter()
                .enumerate()
                .filter_map(|(at, parameter)| Some((at, *verified.rules.get(&parameter.slot)?)))
                .collect(),
            types: printed.parameters.iter().map(|parameter| parameter.ty.shown(path)).collect(),
            object: rows::JsonObject::usual(&columns),
            columns,
            facts,
            relations: names(&verified.relations),
            functions: names(&verified.functions),
            columns_read: verified.columns_read.into_iter().collect(),
            objects: verified.objects.into_iter().collect(),
            filters: verified.filters.into(),
            cost,
            warnings: verified.warnings,
        })
    }

    /// The columns of the result as the verifier knows them. PostgreSQL too tells of a domain what it is over.
    fn inferred(&self, verified: &select::Verified) -> Arc<[ResultColumn]> {
        let catalog = &self.basis.catalog;
        let column = |column: &OutputColumn| {
            let known = column.ty.and_then(|oid| catalog.type_by_oid(catalog.base_type(oid)));
            let (type_oid, type_name) = known.map_or(UNKNOWN, |ty| (ty.oid, ty.name.as_str()));
            ResultColumn {
                name: column.name.clone(),
                type_oid,
                type_name: type_name.to_owned(),
                type_modifier: -1,
            }
        };
        verified.columns.iter().map(column).collect()
    }

    async fn ask(
        &self,
        planned: &PlannedStatement,
        printed: &Printed,
        verified: &select::Verified,
        proving: &Proving<'_>,
    ) -> Result<Arc<[ResultColumn]>, ProveError> {
        let names: Vec<&str> = verified.columns.iter().map(|column| column.name.as_str()).collect();
        let error = match proving.columns(&printed.sql, &names, printed.parameters.len()).await {
            Ok(columns) => return Ok(columns),
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

    /// A cast to text may have a function that somebody defined, and then runs it.
    fn check_text_casts(
        &self,
        columns: &[ResultColumn],
        forms: &[ColumnForm],
        path: &SearchPath,
    ) -> Result<(), ProveError> {
        let grants = self.plugin.grants(self.basis, &self.query.name, path.chosen());
        let catalog = &self.basis.catalog;
        let mut findings = Vec::new();
        for (column, _) in columns.iter().zip(forms).filter(|(_, form)| **form != ColumnForm::AsIs) {
            let cast = catalog.cast(catalog.element_type(column.type_oid), TEXT);
            let refused = |cast| Some((cast, grants.refused_function(catalog, cast)?));
            if let Some((cast, function)) = cast.and_then(refused) {
                let message = format!(
                    "the column \"{}\" leaves as text, and its cast calls the function {}.{}, which was not granted",
                    column.name,
                    path.shown(&function.schema),
                    function.name
                );
                let (plugin, missing) = (&self.plugin.name, vec![MissingGrant::cast(catalog, path, cast)]);
                findings.push(Finding::of_missing(Code::CastNotGranted, message, plugin, missing, None));
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(ProveError::Findings(findings)) }
    }

    fn form(&self, column: &ResultColumn) -> ColumnForm {
        if rows::is_decoded(column.type_oid) || column.type_oid == UNKNOWN.0 {
            return ColumnForm::AsIs;
        }
        match self.basis.catalog.type_by_oid(column.type_oid).map(|ty| &ty.kind) {
            Some(TypeKind::Array { .. }) => ColumnForm::TextArray,
            _ => ColumnForm::Text,
        }
    }
}

/// PostgreSQL's own type of what has none yet. No column that it describes is of it.
const UNKNOWN: (Oid, &str) = (705, "unknown");

/// The columns as they are once they are cast to text.
fn as_text(columns: &[ResultColumn], forms: &[ColumnForm]) -> Arc<[ResultColumn]> {
    let cast = |(column, form): (&ResultColumn, &ColumnForm)| {
        let (type_oid, type_name) = match form {
            ColumnForm::AsIs => return column.clone(),
            ColumnForm::Text => (TEXT, "text"),
            ColumnForm::TextArray => (TEXT_ARRAY, "_text"),
        };
        ResultColumn {
            name: column.name.clone(),
            type_oid,
            type_name: type_name.to_owned(),
            type_modifier: -1,
        }
    };
    columns.iter().zip(forms).map(cast).collect()
}

const TEXT: Oid = 25;
const TEXT_ARRAY: Oid = 1009;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
