use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use callslip_ir::{Parameter, QueryDeclaration};

use super::choice::{Choice, Picked};
use super::generation::Basis;
use super::load::PluginFinding;
use super::prove::{Described, Planned, ProvenShape, ProvenStatement};
use super::version::Version;
use crate::catalog::ChosenSchemas;
use crate::config::{LimitConfig, PluginConfig};
use crate::grants::{GrantSettings, Grants};
use crate::loan::PlanMode;
#[cfg(feature = "service")]
use crate::plugin::Form;
use crate::plugin::{Digest, Forms, Profile, Shape};
use crate::select::{Finding, RowFilter, RowFilters};

/// A plugin that was loaded, with what it was proven to send.
#[derive(Debug)]
pub struct LoadedPlugin {
    pub(super) name: String,
    pub(super) version: Arc<Version>,
    pub(super) settings: PluginConfig,
    /// What its queries may touch, for each choice of schemas that was met: of those that were granted more than the plugin,
    /// by their names, and of all others under no name.
    grants: RwLock<HashMap<GrantsOf, Arc<Grants>>>,
    /// Which rows it is given, for each choice of schemas that was met.
    filters: RwLock<HashMap<ChosenSchemas, Arc<RowFilters>>>,
    /// What it was granted and deserves a look.
    risks: Vec<Finding>,
    pub(super) queries: Vec<LoadedQuery>,
}

/// A query with grants of its own, and what claims have chosen.
type GrantsOf = (Option<String>, ChosenSchemas);

/// A query of a [`LoadedPlugin`].
#[derive(Debug)]
pub struct LoadedQuery {
    pub(super) declaration: QueryDeclaration,
    pub(super) plan: PlanMode,
    limits: LimitConfig,
    /// How parameters whose types are named are written as JSON, for each choice of schemas on which that depends.
    pub(super) forms: Vec<(ChosenSchemas, Forms)>,
    pub(super) total: Option<u128>,
    pub(super) shapes: Vec<Arc<ProvenShape>>,
    /// The choices of schemas under which something is wrong with it.
    broken: BTreeSet<ChosenSchemas>,
    /// Whether these leave any.
    pub(super) is_served: bool,
    /// What is found by its shape: all that were proven at load, and those that were first used since.
    remembered: RwLock<Remembered>,
}

/// Under which choices of schemas a query was tried, and under which something is wrong with it. Only under the others is it
/// served: what one tenant's schema lacks must not take it from the others.
#[derive(Debug, Default)]
pub(super) struct Trial {
    pub tried: BTreeSet<ChosenSchemas>,
    pub broken: BTreeSet<ChosenSchemas>,
}

impl Trial {
    fn is_served(&self) -> bool {
        let is_whole = |choice: &ChosenSchemas| !self.broken.iter().any(|broken| choice.includes(broken));
        self.broken.is_empty() || self.tried.iter().any(is_whole)
    }
}

/// Proven shapes, those of a shape for each choice of schemas on which it depends.
#[derive(Debug, Default)]
struct Remembered {
    shapes: HashMap<Shape, Vec<Arc<ProvenShape>>>,
    count: usize,
    /// One of each plan that says all but what is bound, for each choice of schemas.
    plans: HashMap<Described, Vec<Arc<ProvenShape>>>,
}

impl Remembered {
    fn of(shapes: &[Arc<ProvenShape>]) -> Self {
        let mut remembered = Self::default();
        shapes.iter().for_each(|proven| remembered.add(proven.clone()));
        remembered
    }

    fn add(&mut self, proven: Arc<ProvenShape>) {
        if let Some(described) = proven.described {
            let its = self.plans.entry(described).or_default();
            if !its.iter().any(|its| its.schemas == proven.schemas) {
                its.push(proven.clone());
            }
        }
        let its = self.shapes.entry(proven.shape.clone()).or_default();
        match its.iter_mut().find(|its| its.schemas == proven.schemas) {
            Some(same) => *same = proven,
            None => {
                its.push(proven);
                self.count += 1;
            }
        }
    }
}

/// How many shapes of a query are remembered beside those proven at load, and about the most bytes that one of them may
/// have: what a plugin makes of its callers' values must not fill the host's memory.
const REMEMBERED_SHAPES: usize = 256;
const REMEMBERED_BYTES: usize = 64 << 10;

impl LoadedPlugin {
    pub(super) fn new(
        name: &str,
        version: Arc<Version>,
        settings: PluginConfig,
        risks: Vec<Finding>,
    ) -> Self {
        let (name, queries) = (name.to_owned(), Vec::new());
        let (grants, filters) = (RwLock::default(), RwLock::default());
        Self { name, version, settings, grants, filters, risks, queries }
    }

    /// What a query may touch under what claims have chosen. A grant that can't be resolved grants nothing.
    pub(super) fn grants(&self, basis: &Basis, query: &str, chosen: &ChosenSchemas) -> Arc<Grants> {
        let more = self.settings.queries.get(query).is_some_and(|its| its.grants != GrantSettings::default());
        let key = (more.then(|| query.to_owned()), chosen.clone());
        // Threads that panic while they hold the lock leave a whole map behind: insertions are all they do.
        let known = self.grants.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let settings = self.settings.grants_of(query);
            let (grants, _) = Grants::resolve_known(&settings, &basis.catalog, &basis.path(chosen));
            let grants = Arc::new(grants);
            let mut all = self.grants.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(key, grants.clone());
            grants
        })
    }

    /// Which rows it is given under what claims have chosen.
    pub(super) fn filters(&self, basis: &Basis, chosen: &ChosenSchemas) -> Arc<RowFilters> {
        let known = self.filters.read().unwrap_or_else(PoisonError::into_inner).get(chosen).cloned();
        known.unwrap_or_else(|| {
            let filters = Arc::new(basis.row_filters(&self.name, &self.settings, &basis.path(chosen)));
            let mut all = self.filters.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(chosen.clone(), filters.clone());
            filters
        })
    }

    /// The name that the configuration gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What identifies its code.
    pub fn digest(&self) -> Digest {
        self.version.digest()
    }

    /// The world that it is of, such as `callslip:plugin@0.1.0`.
    pub fn world(&self) -> &str {
        self.version.component.world()
    }

    /// The SDK that built it, as the plugin itself says.
    pub fn sdk(&self) -> &str {
        &self.version.manifest.sdk
    }

    /// The bytes of its component.
    pub fn bytes(&self) -> usize {
        self.version.bytes
    }

    /// What kind of component it was loaded as.
    pub fn profile(&self) -> Profile {
        self.version.component.profile()
    }

    /// What its signer wrote into the signature, which covers it; nothing, if the configuration pins it to no key.
    pub fn trusted_comment(&self) -> Option<&str> {
        self.version.provenance.trusted_comment.as_deref()
    }

    /// Its queries, in its own order.
    pub fn queries(&self) -> &[LoadedQuery] {
        &self.queries
    }

    /// The query of that name.
    pub fn query(&self, name: &str) -> Option<&LoadedQuery> {
        self.queries.iter().find(|query| query.declaration.name == name)
    }

    /// The row filters that its statements are under, by the names of the relations.
    pub fn row_filters(&self) -> Vec<&RowFilter> {
        let statements =
            self.queries.iter().flat_map(|query| &query.shapes).flat_map(|shape| shape.statements());
        let mut filters: Vec<&RowFilter> =
            statements.flat_map(|statement| statement.filters.iter()).map(|its| &**its).collect();
        filters.sort_by_key(|filter| filter.relation());
        filters.dedup_by_key(|filter| filter.relation());
        filters
    }

    /// What its grants and its statements are warned of, each once for all shapes of a query. It is served all the same.
    pub fn warnings(&self) -> Vec<PluginFinding> {
        let of_plugin = |finding: &Finding| PluginFinding { query: None, finding: finding.clone() };
        let mut warnings: Vec<PluginFinding> = self.risks.iter().map(of_plugin).collect();
        for query in &self.queries {
            let statements = query.shapes.iter().flat_map(|shape| shape.outcome.iter().flatten());
            let mut seen = HashSet::new();
            for finding in statements.flat_map(|statement| &statement.warnings) {
                if seen.insert(finding) {
                    let query = Some(query.declaration.name.clone());
                    warnings.push(PluginFinding { query, finding: finding.clone() });
                }
            }
        }
        warnings
    }

    /// How many shapes of all its queries were proven when it was loaded.
    pub fn proven(&self) -> usize {
        self.queries.iter().map(|query| query.shapes.len()).sum()
    }
}

impl LoadedQuery {
    pub(super) fn new(
        declaration: QueryDeclaration,
        plan: PlanMode,
        limits: LimitConfig,
        forms: Vec<(ChosenSchemas, Forms)>,
        total: Option<u128>,
        shapes: Vec<Arc<ProvenShape>>,
        trial: Trial,
    ) -> Self {
        let remembered = RwLock::new(Remembered::of(&shapes));
        Self {
            declaration,
            plan,
            limits,
            forms,
            total,
            shapes,
            is_served: trial.is_served(),
            broken: trial.broken,
            remembered,
        }
    }

    /// What the plugin says of it.
    pub fn declaration(&self) -> &QueryDeclaration {
        &self.declaration
    }

    /// Its name, by which it is called.
    pub fn name(&self) -> &str {
        &self.declaration.name
    }

    /// Its documentation, as its author wrote it.
    pub fn doc(&self) -> &str {
        &self.declaration.doc
    }

    /// The parameters that a caller gives.
    pub fn parameters(&self) -> &[Parameter] {
        &self.declaration.parameters
    }

    /// What it reads of what the service knows of its caller.
    pub fn claims(&self) -> &[Parameter] {
        &self.declaration.claims
    }

    /// The statements of the first shape that was proven and is not refused by the plugin itself, with the columns of the
    /// reply. Every shape has statements of these names, which give as many rows; their columns may be others, and
    /// `shapes` has those of each. None, if no shape was proven when the plugin was loaded.
    pub fn statements(&self) -> &[ProvenStatement] {
        let found = self.shapes.iter().find(|shape| shape.outcome.is_ok());
        found.map_or(&[], |shape| shape.statements())
    }

    /// Whether it is served: to every caller, or to those for whose choice of schemas it proves.
    pub fn is_served(&self) -> bool {
        self.is_served
    }

    /// How a value of a parameter is written as JSON where its type is named; nothing for built-in types, and for a type that
    /// claims choose.
    #[cfg(feature = "service")]
    pub(crate) fn form(&self, parameter: &Parameter) -> Option<&Form> {
        match self.forms.as_slice() {
            [(_, forms)] => forms.form(&parameter.ty.domain),
            _ => None,
        }
    }

    /// How PostgreSQL plans its statements: as the plugin says of it, or, where `[plugins.NAME]` has a plan, as that says
    /// of all.
    pub fn plan(&self) -> PlanMode {
        self.plan
    }

    /// What holds for it: the limits of the query, or else of its plugin, or of all. `calls` and `database_ms_per_minute` are its own,
    /// and hold beside its plugin's.
    pub fn limits(&self) -> &LimitConfig {
        &self.limits
    }

    /// How many shapes it can have; nothing for an open query, which can have any number.
    pub fn total(&self) -> Option<u128> {
        self.total
    }

    /// The shapes that were proven when the plugin was loaded: one that depends on schemas that claims choose is there once for
    /// each choice of these.
    pub fn shapes(&self) -> &[Arc<ProvenShape>] {
        &self.shapes
    }

    /// Whether the plugin sees a value of an infinite domain, so that its code runs for each new one.
    pub fn is_open(&self) -> bool {
        self.total.is_none()
    }

    /// How many shapes were proven when the plugin was loaded, however many choices of schemas each was proven for.
    pub fn tried(&self) -> usize {
        self.shapes.iter().map(|proven| &proven.shape).collect::<HashSet<_>>().len()
    }

    /// Whether every shape that it can have was proven when the plugin was loaded.
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.tried() as u128)
    }

    /// Whether nothing is wrong with it under what a caller chooses.
    pub(super) fn is_served_to(&self, choice: &Choice) -> bool {
        self.is_served && !self.broken.iter().any(|broken| choice.is_of(broken))
    }

    pub(super) fn recall(&self, shape: &Shape, choice: &Choice) -> Picked<Arc<ProvenShape>> {
        // A thread that panicked while it held the lock left a whole map behind: insertions are all it does.
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        let its = remembered.shapes.get(shape).map_or(&[][..], Vec::as_slice);
        choice.pick(its.iter().map(|proven| (&proven.schemas, proven.clone())))
    }

    /// What was proven of a plan of the same descriptions.
    pub(super) fn recall_plan(&self, planned: &Planned, choice: &Choice) -> Option<Arc<ProvenShape>> {
        let described = planned.described()?;
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        let its = remembered.plans.get(&described)?;
        match choice.pick(its.iter().map(|proven| (&proven.schemas, proven.clone()))) {
            Picked::Found(proven) => Some(proven),
            Picked::NotMade | Picked::Refused(_) => None,
        }
    }

    pub(super) fn remember(&self, proven: Arc<ProvenShape>) {
        if proven.bytes() > REMEMBERED_BYTES {
            return;
        }
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.count >= self.shapes.len() + REMEMBERED_SHAPES {
            *remembered = Remembered::of(&self.shapes);
        }
        remembered.add(proven);
    }
}
