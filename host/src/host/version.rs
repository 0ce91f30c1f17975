use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use callslip_ir::{Binding, Manifest};

use super::load::Refusal;
use crate::config::PluginConfig;
use crate::plugin::{self, Component, Digest, Engine, Failure, Plan, PlannedStatement, Shape};
use crate::select::Finding;
use crate::{Code, Config};

/// A version of a plugin: its component, checked and compiled once, and kept for as long as it is served or waits. It can
/// be proven against any catalog.
pub(super) struct Version {
    pub component: Component,
    pub manifest: Manifest,
    /// The bytes of its component.
    pub bytes: usize,
    plans: Mutex<Plans>,
}

/// What was read of the components of a configuration, by plugin.
pub(super) type Versions = BTreeMap<String, Result<Version, Refusal>>;

/// What the plugin has planned, by query and shape.
#[derive(Default)]
struct Plans {
    by_shape: HashMap<(String, Shape), Result<Plan, Failure>>,
    bytes: usize,
}

/// About the most memory that the plans of a version may take: what an open query makes of its callers' values must not fill
/// the host's.
const PLAN_BYTES: usize = 16 << 20;

/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;

impl Plans {
    /// Keeps a plan, if there is room for it. What was planned first stays: that is what was proven at load.
    fn keep(&mut self, key: (String, Shape), plan: &Result<Plan, Failure>) {
        let choices = key.1.parameters.iter().chain(&key.1.claims);
        let texts: usize = choices.map(|its| size_of_val(its) + its.parameter.len() + its.value.len()).sum();
        let bytes = ENTRY_BYTES + key.0.len() + texts + plan.as_ref().map_or_else(failure_bytes, plan_bytes);
        if self.bytes + bytes <= PLAN_BYTES {
            self.bytes += bytes;
            self.by_shape.insert(key, plan.clone());
        }
    }
}

fn failure_bytes(failure: &Failure) -> usize {
    failure.message.len() + failure.parameter.as_ref().map_or(0, String::len)
}

/// A description takes many times the memory of its encoded form: its nodes, and the lists and texts in them.
fn plan_bytes(plan: &Plan) -> usize {
    let statement = |its: &PlannedStatement| {
        let bindings: usize = its.bindings.iter().map(binding_bytes).sum();
        size_of_val(its.description.nodes.as_slice()) + 4 * its.shape.len() + its.name.len() + bindings
    };
    plan.statements.iter().map(statement).sum()
}

fn binding_bytes(binding: &Binding) -> usize {
    let text = match binding {
        Binding::Parameter(text) | Binding::Claim(text) | Binding::Constant(Some(text)) => text.len(),
        Binding::Constant(None) => 0,
    };
    size_of_val(binding) + text
}

impl Version {
    /// Reads the components of all plugins of a configuration: before anything is proven, since compiling takes a while, for
    /// which no transaction should be open.
    pub async fn read_all(engine: &Engine, config: &Config) -> Versions {
        let mut versions = Versions::new();
        for (name, settings) in &config.plugins {
            versions.insert(name.clone(), Self::read(engine, name, settings).await);
        }
        versions
    }

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
        self.plans().keep(key, &plan);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Choice, FailureCode};

    #[test]
    fn what_callers_make_a_plugin_plan_takes_no_more_than_its_room() {
        let mut plans = Plans::default();
        let refusal = || Failure { code: FailureCode::Invalid, message: "no".repeat(50), parameter: None };
        for number in 0..100_000 {
            let choice = Choice { parameter: "t".to_owned(), value: number.to_string() };
            let shape = Shape { parameters: vec![choice], claims: Vec::new() };
            plans.keep(("q".to_owned(), shape), &Err(refusal()));
        }
        let kept = plans.by_shape.len();
        assert!((10_000..PLAN_BYTES / ENTRY_BYTES).contains(&kept), "{kept}");
    }
}
