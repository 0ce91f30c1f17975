use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use callslip_ir::Manifest;

use super::load::Refusal;
use crate::Code;
use crate::config::PluginConfig;
use crate::plugin::{self, Component, Digest, Engine, Failure, Plan, Shape};
use crate::select::Finding;

/// A version of a plugin: its component, checked and compiled once, and kept for as long as it is served or waits. It can
/// be proven against any catalog.
pub(super) struct Version {
    pub component: Component,
    pub manifest: Manifest,
    /// The bytes of its component.
    pub bytes: usize,
    plans: Mutex<Plans>,
}

/// What the plugin has planned, by query and shape.
#[derive(Default)]
struct Plans {
    by_shape: HashMap<(String, Shape), Result<Plan, Failure>>,
    bytes: usize,
}

/// About the most bytes of descriptions that are kept of a version.
const PLAN_BYTES: usize = 2 << 20;

impl Version {
    /// Reads a plugin's component, checks and compiles it, and asks it what queries it offers.
    ///
    /// # Errors
    /// The plugin's refusal.
    pub async fn read(engine: &Engine, name: &str, settings: &PluginConfig) -> Result<Self, Refusal> {
        Self::load(engine, name, read_component(name, settings).await?).await
    }

    /// Checks and compiles what a component's file holds, and asks it what queries it offers.
    ///
    /// # Errors
    /// The plugin's refusal.
    pub async fn load(engine: &Engine, name: &str, bytes: Vec<u8>) -> Result<Self, Refusal> {
        let size = bytes.len();
        match Component::load_with_manifest(engine, bytes).await {
            Ok((component, manifest)) => {
                Ok(Self { component, manifest, bytes: size, plans: Mutex::default() })
            }
            Err(error) => Err(Refusal::new(name, error.into_findings())),
        }
    }

    /// What identifies its code.
    pub fn digest(&self) -> Digest {
        self.component.digest()
    }

    /// The plugin's plan of a shape. It depends on nothing else, so that it is asked only once: when the database has changed,
    /// a plugin need not run again, and can't run out of its time because the machine is busy.
    ///
    /// # Errors
    /// As of [`Component::plan`].
    pub async fn plan(&self, query: &str, shape: &Shape) -> Result<Result<Plan, Failure>, plugin::CallError> {
        let key = (query.to_owned(), shape.clone());
        if let Some(plan) = self.plans().by_shape.get(&key) {
            return Ok(plan.clone());
        }
        let plan = self.component.plan(query, &shape.parameters, &shape.claims).await?;
        let mut plans = self.plans();
        let bytes = plan.as_ref().map_or(0, |plan| plan.statements.iter().map(|its| its.shape.len()).sum());
        let choices = shape.parameters.iter().chain(&shape.claims);
        let key_bytes: usize = choices.map(|choice| choice.parameter.len() + choice.value.len()).sum();
        if plans.bytes + bytes + key_bytes <= PLAN_BYTES {
            plans.bytes += bytes + key_bytes;
            plans.by_shape.insert(key, plan.clone());
        }
        Ok(plan)
    }

    fn plans(&self) -> std::sync::MutexGuard<'_, Plans> {
        // A thread that panicked while it held the lock left whole plans behind: insertions are all it does.
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").field("digest", &self.digest()).finish_non_exhaustive()
    }
}

/// The bytes of a plugin's component.
///
/// # Errors
/// The plugin's refusal, for a file that can't be read.
pub(super) async fn read_component(name: &str, settings: &PluginConfig) -> Result<Vec<u8>, Refusal> {
    let component = &settings.component;
    tokio::fs::read(component).await.map_err(|error| {
        let message = format!("{} can't be read: {error}", component.display());
        let help = format!("correct component in [plugins.{name}], or make it with `callslip build`");
        Refusal::new(name, vec![Finding::new(Code::ComponentUnreadable, message).with_help(help)])
    })
}
