use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use callslip_ir::{QueryDeclaration, TypeName};

use super::entry::{Entry, State};
use super::generation::Basis;
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::prove::{ProveError, Prover};
use super::version::Version;
use crate::Code;
use crate::catalog::ChosenSchemas;
use crate::config::PluginConfig;
use crate::grants::{GrantError, Grants};
use crate::loan::{Loan, LoanError};
use crate::plugin::{self, Arguments, Engine, Forms, Inputs, Shape, Shapes};
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
    /// Reads, scans, compiles and proves one plugin.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub(super) async fn load(
        &self,
        engine: &Engine,
        name: &str,
        settings: &PluginConfig,
        loan: Option<&Loan>,
    ) -> Result<Entry, LoanError> {
        let state = match Version::read(engine, name, settings).await {
            Ok(version) => self.prove(name, settings, &Arc::new(version), loan).await?,
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
        loan: Option<&Loan>,
    ) -> Result<State, LoanError> {
        // A grant that can't be resolved grants nothing.
        let path = self.path(&ChosenSchemas::default());
        let (grants, errors) = Grants::resolve_known(&settings.grants, &self.catalog, &path);
        let unresolved = |error: GrantError| Finding::new(Code::BadConfiguration, error.to_string());
        let mut refusal = Refusal::new(name, errors.into_iter().map(unresolved).collect());
        let mut loaded = LoadedPlugin {
            name: name.to_owned(),
            version: version.clone(),
            grants,
            queries: Vec::with_capacity(version.manifest.queries.len()),
        };
        for declaration in &version.manifest.queries {
            let proof = self.prove_query(&loaded, declaration.clone(), loan).await?;
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

    /// Proves every shape of a query, and gathers what is wrong with any of them.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    async fn prove_query(
        &self,
        plugin: &LoadedPlugin,
        declaration: QueryDeclaration,
        loan: Option<&Loan>,
    ) -> Result<QueryProof, LoanError> {
        let path = self.path(&ChosenSchemas::default());
        let resolve = |ty: &TypeName| select::resolve_type(&self.catalog, &path, ty).map(|ty| ty.oid);
        let forms = Forms::of(&declaration, &self.catalog, resolve);
        let limits = plugin.version.component.engine().limits();
        let (shapes, total) = match Shapes::of(&declaration, limits.shapes) {
            Shapes::Closed { shapes, total } => (shapes, Some(total)),
            // Of an open query at least what the author shows is proven.
            Shapes::Open => (example_shapes(&declaration, &forms, limits), None),
        };
        let prover = Prover { basis: self, plugin, query: &declaration };
        let mut proven = Vec::with_capacity(shapes.len());
        let mut findings: Vec<Finding> = Vec::new();
        let mut warnings: Vec<Finding> = Vec::new();
        let mut warned = HashSet::new();
        for shape in shapes {
            // Verifying takes the thread for as long as it takes: requests come first.
            tokio::task::yield_now().await;
            let proof = match prover.plan(shape).await {
                Ok(planned) => {
                    let new = planned.warnings().filter(|warning| warned.insert((*warning).clone()));
                    warnings.extend(new.cloned());
                    prover.finish(planned, loan).await
                }
                Err(error) => Err(error),
            };
            match proof {
                Ok(shape) => proven.push(Arc::new(shape)),
                Err(ProveError::Loan(error)) if error.code() == Code::DatabaseUnavailable => {
                    return Err(error);
                }
                Err(error) => {
                    // Most of what is wrong is wrong in every shape.
                    let fatal = error.is_fatal();
                    for finding in error.into_findings() {
                        if !findings.contains(&finding) {
                            findings.push(finding);
                        }
                    }
                    if fatal {
                        break;
                    }
                }
            }
        }
        if let Some(loan) = loan {
            findings.extend(prover.check_named_values(loan).await?);
        }
        let query = LoadedQuery::new(declaration, forms, total, proven, findings.is_empty());
        Ok(QueryProof { query, findings, warnings })
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
    let mut shapes: Vec<Shape> = Vec::new();
    for example in &declaration.examples {
        let (parameters, claims) = (inputs(&example.parameters), inputs(&example.claims));
        if let Ok(arguments) = Arguments::read(declaration, forms, &parameters, &claims, limits)
            && !shapes.contains(&arguments.shape)
        {
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
