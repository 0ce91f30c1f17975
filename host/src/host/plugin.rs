use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use callslip_ir::QueryDeclaration;

use super::load::PluginFinding;
use super::prove::ProvenShape;
use super::version::Version;
use crate::grants::Grants;
use crate::plugin::{Digest, Forms, Shape};

/// A plugin that was loaded, with what it was proven to send.
#[derive(Debug)]
pub struct LoadedPlugin {
    pub(super) name: String,
    pub(super) version: Arc<Version>,
    pub(super) grants: Grants,
    pub(super) queries: Vec<LoadedQuery>,
}

/// A query of a [`LoadedPlugin`].
#[derive(Debug)]
pub struct LoadedQuery {
    pub(super) declaration: QueryDeclaration,
    /// How parameters whose types are named are written as JSON.
    pub(super) forms: Forms,
    pub(super) total: Option<u128>,
    pub(super) shapes: Vec<Arc<ProvenShape>>,
    /// Whether nothing is wrong with it; only then is it served.
    pub(super) proves: bool,
    /// What is found by its shape: all that were proven at load, and those that were first used since.
    remembered: RwLock<HashMap<Shape, Arc<ProvenShape>>>,
}

/// How many shapes of a query are remembered beside those proven at load, and about the most bytes that one of them may
/// have: what a plugin makes of its callers' values must not fill the host's memory.
const REMEMBERED_SHAPES: usize = 256;
const REMEMBERED_BYTES: usize = 64 << 10;

impl LoadedPlugin {
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

    /// Its queries, in its own order.
    pub fn queries(&self) -> &[LoadedQuery] {
        &self.queries
    }

    /// The query of that name.
    pub fn query(&self, name: &str) -> Option<&LoadedQuery> {
        self.queries.iter().find(|query| query.declaration.name == name)
    }

    /// What its statements are warned of, each once for all shapes of a query. It is served all the same.
    pub fn warnings(&self) -> Vec<PluginFinding> {
        let mut warnings = Vec::new();
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
        forms: Forms,
        total: Option<u128>,
        shapes: Vec<Arc<ProvenShape>>,
        proves: bool,
    ) -> Self {
        let remembered = shapes.iter().map(|proven| (proven.shape.clone(), proven.clone())).collect();
        Self { declaration, forms, total, shapes, proves, remembered: RwLock::new(remembered) }
    }

    /// What the plugin says of it.
    pub fn declaration(&self) -> &QueryDeclaration {
        &self.declaration
    }

    /// How many shapes it can have; nothing for an open query, which can have any number.
    pub fn total(&self) -> Option<u128> {
        self.total
    }

    /// The shapes that were proven when the plugin was loaded.
    pub fn shapes(&self) -> &[Arc<ProvenShape>] {
        &self.shapes
    }

    /// Whether the plugin sees a value of an infinite domain, so that its code runs for each new one.
    pub fn is_open(&self) -> bool {
        self.total.is_none()
    }

    /// Whether every shape that it can have was proven when the plugin was loaded.
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.shapes.len() as u128)
    }

    pub(super) fn recall(&self, shape: &Shape) -> Option<Arc<ProvenShape>> {
        // A thread that panicked while it held the lock left a whole map behind: insertions are all it does.
        self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(shape).cloned()
    }

    pub(super) fn remember(&self, proven: Arc<ProvenShape>) {
        if proven.bytes() > REMEMBERED_BYTES {
            return;
        }
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= self.shapes.len() + REMEMBERED_SHAPES {
            remembered.clear();
            remembered.extend(self.shapes.iter().map(|proven| (proven.shape.clone(), proven.clone())));
        }
        remembered.insert(proven.shape.clone(), proven);
    }
}
