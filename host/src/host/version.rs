use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use callslip_ir::{Binding, Manifest};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use nix::fcntl::OFlag;
use tokio::io::AsyncReadExt;

use super::load::Refusal;
use crate::config::PluginConfig;
use crate::plugin::{
    self, Component, Digest, Engine, Failure, LoadOptions, PlannedStatement, Provenance, Shape,
};
use crate::select::Finding;
use crate::{Code, Config};

/// A version of a plugin: its component, checked and compiled once, and kept for as long as it is served or waits. It can
/// be proven against any catalog.
pub(super) struct Version {
    pub component: Component,
    pub manifest: Manifest,
    /// What its sandbox was made with.
    pub options: LoadOptions,
    /// The bytes of its component.
    pub bytes: usize,
    /// What was found out when its component was compared with what is pinned.
    pub provenance: Provenance,
    plans: Mutex<Plans>,
    /// How long it has run in this round of proofs.
    spent: Mutex<Duration>,
}

/// What a plugin is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Its shapes are proven.
    Load,
    /// A call needs a shape that is not there yet.
    Call,
}

/// How many times the time of one plan a plugin may take for all of its shapes together when they are proven.
const PLANS_OF_A_ROUND: u32 = 100;

/// The bytes that a signature's file may have: four lines, of which two are comments.
const MOST_SIGNATURE_BYTES: usize = 8 << 10;

/// What was read of the components of a configuration, by plugin.
pub(super) type Versions = BTreeMap<String, Result<Version, Refusal>>;

/// The statements of a plan, in the plugin's order, or its refusal.
pub(super) type Planning = Result<Vec<Arc<PlannedStatement>>, Failure>;

/// What the plugin has planned, by query and shape.
#[derive(Default)]
struct Plans {
    by_shape: HashMap<(String, Shape), Planning>,
    bytes: usize,
}

/// About the most memory that the plans of a version may take: what an open query makes of its callers' values must not fill
/// the host's.
const PLAN_BYTES: usize = 16 << 20;

/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;

impl Plans {
    /// Keeps a plan, if there is room for it. What was planned first stays: that is what was proven at load.
    fn keep(&mut self, key: (String, Shape), plan: &Planning) {
        let choices = key.1.parameters.iter().chain(&key.1.claims);
        let texts: usize = choices.map(|its| size_of_val(its) + its.parameter.len() + its.value.len()).sum();
        let bytes = ENTRY_BYTES
            + key.0.len()
            + texts
            + plan.as_ref().map_or_else(failure_bytes, |its| plan_bytes(its));
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
fn plan_bytes(plan: &[Arc<PlannedStatement>]) -> usize {
    let statement = |its: &Arc<PlannedStatement>| {
        let bindings: usize = its.bindings.iter().map(binding_bytes).sum();
        size_of_val(its.description.nodes.as_slice()) + 4 * its.shape.len() + its.name.len() + bindings
    };
    plan.iter().map(statement).sum()
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
    /// Some are read while others are compiled.
    pub async fn read_all(engine: &Engine, config: &Config) -> Versions {
        let at_once = 2 * engine.limits().compilations.get();
        let mut reading: Vec<BoxFuture<'_, _>> = Vec::with_capacity(config.plugins.len());
        for (name, settings) in &config.plugins {
            reading.push(async move { (name.clone(), Self::read(engine, name, settings).await) }.boxed());
        }
        stream::iter(reading).buffer_unordered(at_once).collect().await
    }

    /// Reads a plugin's component, checks and compiles it, and asks it what queries it offers.
    ///
    /// # Errors
    /// The plugin's refusal.
    pub async fn read(engine: &Engine, name: &str, settings: &PluginConfig) -> Result<Self, Refusal> {
        Self::load(engine, name, settings, read_component(engine, name, settings).await?).await
    }

    /// Checks and compiles what a component's file holds, and asks it what queries it offers.
    ///
    /// # Errors
    /// The plugin's refusal.
    pub async fn load(
        engine: &Engine,
        name: &str,
        settings: &PluginConfig,
        Source { bytes, provenance }: Source,
    ) -> Result<Self, Refusal> {
        let size = bytes.len();
        let options = options(settings);
        match Component::load_with_manifest(engine, bytes, options).await {
            Ok((component, manifest)) => Ok(Self {
                component,
                manifest,
                options,
                bytes: size,
                provenance,
                plans: Mutex::default(),
                spent: Mutex::default(),
            }),
            Err(error) => Err(Refusal::new(name, error.into_findings())),
        }
    }

    /// What identifies its code.
    pub fn digest(&self) -> Digest {
        self.component.digest()
    }

    /// Whether its sandbox is as one would be that is made now.
    pub fn suits(&self, engine: &Engine, settings: &PluginConfig) -> bool {
        self.component.engine().is_same(engine) && self.options == options(settings)
    }

    /// The plugin's plan of a shape. It depends on nothing else, so that it is asked only once: when the database has changed,
    /// a plugin need not run again, and can't run out of its time because the machine is busy.
    ///
    /// # Errors
    /// As of [`Component::plan`] and [`Component::plan_for_caller`].
    pub async fn plan(
        &self,
        query: &str,
        shape: &Shape,
        occasion: Occasion,
    ) -> Result<Planning, plugin::CallError> {
        let key = (query.to_owned(), shape.clone());
        if let Some(plan) = self.plans().by_shape.get(&key) {
            return Ok(plan.clone());
        }
        let (component, Shape { parameters, claims }) = (&self.component, shape);
        let plan = match occasion {
            Occasion::Load => self.spend(component.plan(query, parameters, claims)).await?,
            Occasion::Call => component.plan_for_caller(query, parameters, claims).await?,
        };
        let plan = plan.map(|plan| plan.statements.into_iter().map(Arc::new).collect());
        self.plans().keep(key, &plan);
        Ok(plan)
    }

    /// Begins a round of proofs, which has time of its own.
    pub fn begin_round(&self) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) = Duration::ZERO;
    }

    /// Has the plugin run for as long as a round of proofs may take it: however many shapes it has, the other plugins wait
    /// for it to be proven.
    async fn spend<T>(
        &self,
        run: impl Future<Output = Result<T, plugin::CallError>>,
    ) -> Result<T, plugin::CallError> {
        let spent = || self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.component.limits().plan_time.saturating_mul(PLANS_OF_A_ROUND);
        if *spent() > limit {
            return Err(plugin::CallError::TimedOut { limit });
        }
        let began = Instant::now();
        let result = run.await;
        *spent() += began.elapsed();
        result
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

/// What a plugin's sandbox is made with.
fn options(settings: &PluginConfig) -> LoadOptions {
    LoadOptions {
        profile: settings.profile,
        memory_bytes: settings.limits.memory_mib.map(|mib| mib.saturating_mul(1 << 20)),
        plan_time: settings.limits.plan_ms.map(Duration::from_millis),
    }
}

/// What a component's file holds, and is pinned to hold.
pub(super) struct Source {
    pub bytes: Vec<u8>,
    pub provenance: Provenance,
}

/// Reads a plugin's component, once, and compares what was read with what is pinned.
///
/// # Errors
/// The plugin's refusal, for a file that can't be read or holds another component than it must.
pub(super) async fn read_component(
    engine: &Engine,
    name: &str,
    settings: &PluginConfig,
) -> Result<Source, Refusal> {
    let refused = |finding: Finding| Refusal::new(name, vec![finding]);
    let limit = engine.limits().of(settings.profile).component_bytes;
    let bytes = read_file(&settings.component, limit).await.map_err(|message| {
        let help = format!("correct component in [plugins.{name}], or make it with `callslip build`");
        refused(Finding::new(Code::ComponentUnreadable, message).with_help(help))
    })?;
    if bytes.len() > limit {
        let message = format!("{} has more than {limit} bytes", settings.component.display());
        return Err(refused(Finding::new(Code::ComponentTooLarge, message).with_help(
            "build it in release mode and strip its debug information; one with an interpreter is of profile = \"script\"",
        )));
    }
    let pin = settings.pin();
    let mut signature = Vec::new();
    if pin.public_key.is_some() {
        let path = settings.signature();
        let read = read_file(&path, MOST_SIGNATURE_BYTES).await.and_then(|read| match read.len() {
            0..=MOST_SIGNATURE_BYTES => Ok(read),
            _ => Err(format!("{} has more than {MOST_SIGNATURE_BYTES} bytes", path.display())),
        });
        signature = read.map_err(|message| {
            let help =
                format!("sign the component with `minisign -S`, or correct signature in [plugins.{name}]");
            refused(Finding::new(Code::NotAsPinned, format!("its signature: {message}")).with_help(help))
        })?;
    }
    // Hashing tens of megabytes takes a while.
    let checked = tokio::task::spawn_blocking(move || {
        let provenance = pin.check(&bytes, &String::from_utf8_lossy(&signature))?;
        Ok(Source { bytes, provenance })
    });
    let failed = |_| Err(Finding::new(Code::NotAsPinned, "the host failed to check it"));
    checked.await.unwrap_or_else(failed).map_err(|finding| {
        let message = format!("{}: {}", settings.component.display(), finding.message);
        refused(Finding { message, ..finding })
    })
}

/// Reads a file that must not have more bytes than these, however long it says it is. One more is read, for whoever says
/// what is wrong with a file that is too large.
///
/// # Errors
/// Why it can't be read.
async fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{} can't be read: {error}", path.display());
    // Nothing writes to a pipe that lies where a component should; a file is read as ever.
    let options = std::fs::OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).to_owned();
    let file = tokio::fs::OpenOptions::from(options).open(path).await.map_err(failed)?;
    if !file.metadata().await.map_err(failed)?.is_file() {
        return Err(format!("{} can't be read: it is not a file", path.display()));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    Ok(bytes)
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
