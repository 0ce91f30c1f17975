use std::fmt;
use std::sync::Arc;

use callslip_ir::{QueryDeclaration, TypeName};

use super::by_choice::ByChoice;
use super::entry::{Entry, State};
use super::generation::Basis;
use super::plugin::{LoadedPlugin, LoadedQuery, Trial};
use super::prove::{self, Planned, ProveError, ProvenShape, Prover};
use super::version::Version;
use crate::Code;
use crate::catalog::{ChosenSchemas, SearchPath};
use crate::config::PluginConfig;
use crate::grants::{GrantSettings, Grants};
use crate::loan::{LoanError, PlanMode, Proving};
use crate::plugin::{self, Arguments, Forms, Inputs, Shape, Shapes};
use crate::select::{self, Finding};

/// Why a plugin is not served, or not all of it: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// At least one.
    pub findings: Vec<PluginFinding>,
    /// What its statements that were verified are warned of, each once for all shapes of a query.
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
        Ok(Entry { state, waiting: None })
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
        let mut refusal = Refusal::new(name, self.unresolved(&settings.grants));
        let mut loaded = LoadedPlugin::new(name, version.clone(), settings.clone());
        for declaration in &version.manifest.queries {
            let proof = self.prove_query(&loaded, declaration.clone(), proving).await?;
            let name = &declaration.name;
            let of_query = |finding| PluginFinding { query: Some(name.clone()), finding };
            refusal.findings.extend(proof.findings.into_iter().map(of_query));
            refusal.warnings.extend(proof.warnings.into_iter().map(of_query));
            loaded.queries.push(proof.query);
        }
        let loaded = Arc::new(loaded);
        Ok(match refusal.findings.is_empty() {
            true => State::Proven(loaded),
            false => State::Degraded(loaded, Arc::new(refusal)),
        })
    }

    /// The grants that name nothing, under some choice of schemas or all.
    fn unresolved(&self, grants: &GrantSettings) -> Vec<Finding> {
        let mut findings = Vec::new();
        for grant in grants.each() {
            let resolved = |path: &SearchPath| Grants::resolve_known(&grant, &self.catalog, path).1;
            let tried = self.under_each_choice(resolved);
            let mut found = ByChoice::default();
            for (chosen, error) in
                tried.iter().flat_map(|(chosen, errors)| errors.iter().map(move |e| (chosen, e)))
            {
                found.add(chosen, Finding::new(Code::BadConfiguration, error.to_string()));
            }
            findings.extend(found.told(tried.len()));
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
        let (shapes, total) = match Shapes::of(&declaration, limits.shapes) {
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
        let prover = Prover { basis: self, plugin, query: &declaration };
        let mut gathered = Gathered::default();
        for shape in shapes {
            // Verifying takes the thread for as long as it takes: requests come first.
            tokio::task::yield_now().await;
            match prover.plan(shape).await {
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
        let query = LoadedQuery::new(declaration, plan, forms, total, proven, trial);
        Ok(QueryProof { query, findings, warnings })
    }
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
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    fn warn<'f>(&mut self, warnings: impl IntoIterator<Item = &'f Finding>) {
        for warning in warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }
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
