use std::fmt;
use std::sync::Arc;

use callslip_ir::{QueryDeclaration, Reply, TypeName};

use super::by_choice::ByChoice;
use super::entry::{Entry, State};
use super::generation::Basis;
use super::plugin::{LoadedPlugin, LoadedQuery, Trial};
use super::prove::{self, Planned, ProveError, ProvenShape, Prover};
use super::version::{Occasion, Version};
use crate::Code;
use crate::catalog::{ChosenSchemas, SearchPath};
use crate::config::{LimitConfig, PluginConfig};
use crate::grants::{GrantSettings, Grants, RiskyGrant};
use crate::loan::{LoanError, PlanMode, Proving};
use crate::nearest::suggestion;
use crate::plugin::{self, Arguments, Forms, Inputs, Shape, Shapes};
use crate::select::{self, Finding, RowFilters};

/// Why a plugin is not served, or not all of it: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// At least one.
    pub findings: Vec<PluginFinding>,
    /// What its grants and its statements that were verified are warned of, each once for all shapes of a query.
    pub warnings: Vec<PluginFinding>,
}

/// What is wrong with a plugin or with one of its queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFinding {
    /// The query, if it is about one.
    pub query: Option<String>,
    /// What is wrong.
    pub finding: Finding,
}

impl fmt::Display for Refusal {
    /// One finding a line, and then one warning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plugin {} is refused:", self.plugin)?;
        let findings = self.findings.iter().map(|finding| ("", finding));
        let warnings = self.warnings.iter().map(|warning| ("warning: ", warning));
        for (kind, PluginFinding { query, finding }) in findings.chain(warnings) {
            match query {
                Some(query) => write!(f, "\n  {kind}{}.{query}: {finding}", self.plugin)?,
                None => write!(f, "\n  {kind}{}: {finding}", self.plugin)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    pub(super) fn new(plugin: &str, findings: Vec<Finding>) -> Self {
        let findings = findings.into_iter().map(|finding| PluginFinding { query: None, finding }).collect();
        Self { plugin: plugin.to_owned(), findings, warnings: Vec::new() }
    }
}

/// What came of proving a query.
struct QueryProof {
    query: LoadedQuery,
    findings: Vec<Finding>,
    /// What its verified statements are warned of, also those of shapes that have findings.
    warnings: Vec<Finding>,
}

impl Basis {
    /// Proves what was read of one plugin's component.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub(super) async fn load(
        &self,
        name: &str,
        settings: &PluginConfig,
        read: Result<Version, Refusal>,
        proving: Option<&Proving<'_>>,
    ) -> Result<Entry, LoanError> {
        let state = match read {
            Ok(version) => self.prove(name, settings, &Arc::new(version), proving).await?,
            Err(refusal) => State::Unloadable(Arc::new(refusal)),
        };
        Ok(Entry { state, waiting: None, swapped: None })
    }

    /// Proves a version of a plugin, query by query.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub(super) async fn prove(
        &self,
        name: &str,
        settings: &PluginConfig,
        version: &Arc<Version>,
        proving: Option<&Proving<'_>>,
    ) -> Result<State, LoanError> {
        // A grant that can't be resolved grants nothing.
        let mut findings = self.unresolved(&settings.grants, "");
        findings.extend(self.unusable_filters(name, settings));
        let mut refusal = Refusal::new(name, findings);
        for (query, its) in &settings.queries {
            let findings = match version.manifest.queries.iter().any(|declared| declared.name == *query) {
                true => self.unresolved(&its.grants, &format!("queries.{query}.")),
                false => vec![unknown_query(name, query, version)],
            };
            let of_plugin = |finding| PluginFinding { query: None, finding };
            refusal.findings.extend(findings.into_iter().map(of_plugin));
        }
        let risks = self.risks(settings);
        let of_plugin = |finding: &Finding| PluginFinding { query: None, finding: finding.clone() };
        refusal.warnings.extend(risks.iter().map(of_plugin));
        version.begin_round();
        let mut loaded = LoadedPlugin::new(name, version.clone(), settings.clone(), risks);
        for declaration in &version.manifest.queries {
            let proof = self.prove_query(&loaded, declaration.clone(), proving).await?;
            let name = &declaration.name;
            let of_query = |finding| PluginFinding { query: Some(name.clone()), finding };
            // What is wrong with a filter is told of the plugin, once.
            let of_its_own = proof.findings.into_iter().filter(|its| its.code != Code::UnusableFilter);
            extend(&mut refusal.findings, of_its_own.map(of_query));
            extend(&mut refusal.warnings, proof.warnings.into_iter().map(of_query));
            loaded.queries.push(proof.query);
        }
        let loaded = Arc::new(loaded);
        Ok(match refusal.findings.is_empty() {
            true => State::Proven(loaded),
            false => State::Degraded(loaded, Arc::new(refusal)),
        })
    }

    /// The grants that name nothing, under some choice of schemas or all. `table` is where they are written, within that of
    /// the plugin.
    fn unresolved(&self, grants: &GrantSettings, table: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for grant in grants.each() {
            let resolved = |path: &SearchPath| Grants::resolve_known(&grant, &self.catalog, path).1;
            let tried = self.under_each_choice(resolved);
            let mut found = ByChoice::default();
            for (chosen, error) in
                tried.iter().flat_map(|(chosen, errors)| errors.iter().map(move |e| (chosen, e)))
            {
                found.add(chosen, Finding::new(Code::BadConfiguration, format!("{table}{error}")));
            }
            findings.extend(found.told(tried.len()));
        }
        findings
    }

    /// The row filters of a plugin.
    pub(super) fn row_filters(&self, name: &str, settings: &PluginConfig, path: &SearchPath) -> RowFilters {
        let tables = [
            ("filters".to_owned(), &self.filters.0),
            (format!("plugins.{name}.filters"), &settings.filters.0),
        ];
        RowFilters::resolve(tables, &self.catalog, path, &self.limits)
    }

    /// The row filters that can't be used, under some choice of schemas or all.
    fn unusable_filters(&self, name: &str, settings: &PluginConfig) -> Vec<Finding> {
        let tried = self.under_each_choice(|path| self.row_filters(name, settings, path).findings().to_vec());
        let mut found = ByChoice::default();
        for (chosen, findings) in &tried {
            findings.iter().for_each(|finding| found.add(chosen, finding.clone()));
        }
        found.told(tried.len())
    }

    /// What is granted and may do more than compute with the rights of the host's login, each once.
    fn risks(&self, settings: &PluginConfig) -> Vec<Finding> {
        let mut findings = Vec::new();
        for grants in settings.all_grants() {
            let risky = |path: &SearchPath| {
                Grants::resolve_known(grants, &self.catalog, path).0.risky(&self.catalog, path)
            };
            let tried = self.under_each_choice(risky);
            let mut found = ByChoice::default();
            for (chosen, RiskyGrant { function, risk }) in
                tried.iter().flat_map(|(chosen, risks)| risks.iter().map(move |its| (chosen, its)))
            {
                let message = format!("the function {function}, which was granted, {risk}");
                let help = "a function is granted with all that it does: see that nobody is harmed by what it does for \
                            any arguments";
                found.add(chosen, Finding::new(Code::RiskyGrant, message).with_help(help));
            }
            for finding in found.told(tried.len()) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings
    }

    /// Proves every shape of a query for every choice of schemas on which it depends, and gathers what is wrong with any of
    /// them.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    async fn prove_query(
        &self,
        plugin: &LoadedPlugin,
        declaration: QueryDeclaration,
        proving: Option<&Proving<'_>>,
    ) -> Result<QueryProof, LoanError> {
        let forms = self.under_each_choice(|path| {
            let resolve = |ty: &TypeName| select::resolve_type(&self.catalog, path, ty).map(|ty| ty.oid);
            Forms::of(&declaration, &self.catalog, resolve)
        });
        let limits = plugin.version.component.engine().limits();
        let its_limits = self.limits_of(&plugin.settings, &declaration.name);
        let (shapes, total) = match Shapes::of(&declaration, its_limits.shapes) {
            Shapes::Closed { shapes, total } => (shapes, Some(total)),
            // Of an open query at least what the author shows is proven.
            Shapes::Open => {
                let mut shapes: Vec<Shape> = Vec::new();
                for shape in forms.iter().flat_map(|(_, forms)| example_shapes(&declaration, forms, limits)) {
                    if !shapes.contains(&shape) {
                        shapes.push(shape);
                    }
                }
                (shapes, None)
            }
        };
        let prover = Prover { basis: self, plugin, query: &declaration, limits: &its_limits };
        let mut gathered = Gathered::default();
        let shapes = match too_many_statements(plugin, &declaration, &its_limits) {
            Some(finding) => {
                gathered.fail(ProveError::Findings(vec![finding]));
                Vec::new()
            }
            None => shapes,
        };
        for shape in shapes {
            // Verifying takes the thread for as long as it takes: requests come first.
            tokio::task::yield_now().await;
            match prover.plan(shape, Occasion::Load).await {
                Ok(planned) => {
                    if !gathered.prove(&prover, &planned, proving).await? {
                        break;
                    }
                }
                Err(error) => {
                    let fatal = error.is_fatal();
                    gathered.fail(error);
                    if fatal {
                        break;
                    }
                }
            }
        }
        if let Some(proving) = proving {
            prover.check_named_values(proving, &mut gathered).await?;
        }
        let Gathered { proven, trial, findings, warnings } = gathered;
        let proven = proven.into_iter().map(Arc::new).collect();
        let plan = match plugin.settings.plan {
            PlanMode::Auto => declaration.plan,
            custom @ PlanMode::Custom => custom,
        };
        let query = LoadedQuery::new(declaration, plan, its_limits, forms, total, proven, trial);
        Ok(QueryProof { query, findings, warnings })
    }
}

/// How many findings are kept of a plugin, and how many of each query: a plugin of thousands of faults must not fill its
/// host's log.
const MOST_FINDINGS: usize = 1_000;
const MOST_OF_A_QUERY: usize = 100;

fn extend(all: &mut Vec<PluginFinding>, more: impl Iterator<Item = PluginFinding>) {
    // What is wrong with a query is told, however much is wrong with those before it.
    let room = MOST_FINDINGS.saturating_sub(all.len()).max(1);
    all.extend(more.take(room));
}

/// What came of proving the shapes of a query.
#[derive(Default)]
pub(super) struct Gathered {
    proven: Vec<ProvenShape>,
    trial: Trial,
    findings: Vec<Finding>,
    /// What verified statements are warned of, also those of shapes that have findings.
    warnings: Vec<Finding>,
}

impl Gathered {
    /// Proves a shape for every choice of schemas on which it depends, and says whether the other shapes are worth a try.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    async fn prove(
        &mut self,
        prover: &Prover<'_>,
        planned: &Planned,
        proving: Option<&Proving<'_>>,
    ) -> Result<bool, LoanError> {
        let (mut choices, mut found, first) = (Vec::new(), ByChoice::default(), self.proven.len());
        for verified in prover.verify_all(planned) {
            self.warn(verified.warnings());
            let schemas = verified.schemas.clone();
            match prover.finish(verified, proving).await {
                Ok(shape) => self.proven.push(shape),
                Err(ProveError::Loan(error)) if error.code() == Code::DatabaseUnavailable => {
                    return Err(error);
                }
                Err(error) if error.is_fatal() => {
                    self.fail(error);
                    return Ok(false);
                }
                Err(error) => error.into_findings().into_iter().for_each(|its| found.add(&schemas, its)),
            }
            choices.push(schemas);
        }
        self.take(found, choices);
        prove::warn_of_other_columns(&mut self.proven[first..]);
        let other: Vec<Finding> = self.proven[first..]
            .iter()
            .flat_map(|its| its.statements())
            .flat_map(|its| its.warnings.clone())
            .collect();
        self.warn(&other);
        Ok(true)
    }

    /// Takes what was found under some of the choices that were tried.
    pub fn take(&mut self, found: ByChoice, tried: Vec<ChosenSchemas>) {
        self.trial.broken.extend(found.choices().cloned());
        self.extend(found.told(tried.len()));
        self.trial.tried.extend(tried);
    }

    /// Takes what is wrong whatever is chosen.
    fn fail(&mut self, error: ProveError) {
        self.trial.broken.insert(ChosenSchemas::default());
        self.extend(error.into_findings());
    }

    /// Most of what is wrong is wrong in every shape.
    fn extend(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            if self.findings.len() < MOST_OF_A_QUERY && !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    fn warn<'f>(&mut self, warnings: impl IntoIterator<Item = &'f Finding>) {
        for warning in warnings {
            if self.warnings.len() < MOST_OF_A_QUERY && !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }
}

/// What is said of a query that replies with more statements than it may.
fn too_many_statements(
    plugin: &LoadedPlugin,
    declaration: &QueryDeclaration,
    limits: &LimitConfig,
) -> Option<Finding> {
    let (count, most) = match &declaration.reply {
        Reply::Single(_) => return None,
        Reply::Named(named) => (named.len(), limits.statements),
    };
    let message = format!("it replies with {count} statements, and the limit is {most}");
    let help = format!("raise statements in [plugins.{}.queries.{}.limits]", plugin.name(), declaration.name);
    (count > most).then(|| Finding::new(Code::DescriptionTooLarge, message).with_help(help))
}

/// What is said of a query that the configuration names and the plugin does not have.
fn unknown_query(plugin: &str, query: &str, version: &Version) -> Finding {
    let names = version.manifest.queries.iter().map(|declared| declared.name.as_str());
    let message = format!("[plugins.{plugin}.queries.{query}] is of no query that the plugin has");
    Finding::new(Code::BadConfiguration, message).with_help(suggestion(query, names, "it has"))
}

/// The shapes of a query's examples.
fn example_shapes(declaration: &QueryDeclaration, forms: &Forms, limits: &plugin::Limits) -> Vec<Shape> {
    let inputs = |pairs: &[(String, String)]| {
        let mut inputs = Inputs::default();
        for (name, json) in pairs {
            // Validation has read each of them.
            if let Ok(value) = serde_json::from_str(json) {
                inputs.insert(name.clone(), &value);
            }
        }
        inputs
    };
    let mut shapes = Vec::new();
    for example in &declaration.examples {
        let (parameters, claims) = (inputs(&example.parameters), inputs(&example.claims));
        if let Ok(arguments) = Arguments::read(declaration, forms, &parameters, &claims, limits) {
            shapes.push(arguments.shape);
        }
    }
    shapes
}

impl ProveError {
    /// Whether the other shapes needn't be tried: a plugin that loops in one shape may loop in all of them, and a
    /// database that is gone is gone for all.
    fn is_fatal(&self) -> bool {
        match self {
            Self::Findings(_) => false,
            Self::Plugin(error) => !matches!(error, plugin::CallError::Panicked { .. }),
            Self::Loan(_) => true,
        }
    }
}
