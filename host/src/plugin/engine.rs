use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use wasmtime::{
    Config, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures,
    component::{HasSelf, Linker},
};

use crate::lookups::{LookupCounts, Lookups};

use super::{
    Cache, Limits, Profile, ProfileLimits,
    instance::State,
    ticker::{Running, Ticker},
    world,
};

/// Compiles components and runs them. One serves a whole process; a clone is the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    limits: Limits,
    /// The threads that compile. rayon's own pool has one for every processor, and would take them all.
    compilers: rayon::ThreadPool,
    compilations: Arc<Semaphore>,
    cache: Option<Cache>,
    lookups: Lookups,
    calls: Arc<Semaphore>,
    compact: Arc<Runtime>,
    /// Made when the first plugin of the profile is loaded.
    script: Mutex<Option<Arc<Runtime>>>,
}

/// What runs the plugins of one profile.
pub(super) struct Runtime {
    // Before `wasmtime`, so that its thread is told to end first.
    ticker: Ticker,
    wasmtime: wasmtime::Engine,
    linker: Linker<State>,
}

/// Why an [`Engine`] can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// This machine or these limits do not suit the WebAssembly runtime.
    #[error("the WebAssembly engine can't be set up: {0}")]
    Setup(String),
    /// The threads that compile can't be started.
    #[error("the threads that compile plugins can't be started: {0}")]
    Compilers(String),
    /// The thread that watches running plugins can't be started.
    #[error("the thread that watches running plugins can't be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl Engine {
    /// Reserves address space for the memories of plugins, and starts the threads that compile and watch them. What
    /// only the script profile needs is set up when the first such plugin is loaded.
    ///
    /// # Errors
    /// [`EngineError`], where the address space can't be reserved or a thread can't be started.
    pub fn new(limits: &Limits) -> Result<Self, EngineError> {
        Self::with_cache(limits, None)
    }

    /// The same, which looks for what it would compile in a cache, and keeps there what it has compiled.
    ///
    /// # Errors
    /// [`EngineError`], as of [`Engine::new`].
    pub fn with_cache(limits: &Limits, cache: Option<Cache>) -> Result<Self, EngineError> {
        let permits = |number: std::num::NonZeroUsize| {
            Arc::new(Semaphore::new(number.get().min(Semaphore::MAX_PERMITS)))
        };
        let compilers = rayon::ThreadPoolBuilder::new()
            .num_threads(limits.compilations.get())
            .thread_name(|number| format!("callslip-compile-{number}"))
            .build()
            .map_err(|error| EngineError::Compilers(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            compilers,
            compilations: permits(limits.compilations),
            cache,
            lookups: Lookups::default(),
            calls: permits(limits.calls),
            compact: Arc::new(Runtime::new(Profile::Compact, limits)?),
            script: Mutex::default(),
            limits: limits.clone(),
        })))
    }

    /// What it holds its plugins to.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether it is another clone of the same engine.
    #[cfg(feature = "host")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where it keeps what it has compiled, if it does.
    pub fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }

    /// How often a component that was to be compiled was in the cache. Nothing is counted without one.
    pub fn compiled_lookups(&self) -> LookupCounts {
        self.0.lookups.counts()
    }

    pub(super) fn count_compiled(&self, was_kept: bool) {
        self.0.lookups.count(was_kept);
    }

    /// What runs the plugins of a profile.
    ///
    /// # Errors
    /// [`EngineError`], as of [`Engine::new`].
    pub(super) fn runtime(&self, profile: Profile) -> Result<Arc<Runtime>, EngineError> {
        match profile {
            Profile::Compact => Ok(self.0.compact.clone()),
            Profile::Script => {
                // Whoever panicked while it held the lock has put nothing there.
                let mut script = self.0.script.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(runtime) = &*script {
                    return Ok(runtime.clone());
                }
                let runtime = Arc::new(Runtime::new(profile, &self.0.limits)?);
                Ok(script.insert(runtime).clone())
            }
        }
    }

    /// Runs this on the threads that compile, and whatever it does in parallel too.
    pub(super) fn compile<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.compilers.install(work)
    }

    pub(super) fn compilations(&self) -> &Arc<Semaphore> {
        &self.0.compilations
    }

    pub(super) fn calls(&self) -> &Arc<Semaphore> {
        &self.0.calls
    }
}

impl Runtime {
    fn new(profile: Profile, limits: &Limits) -> Result<Self, EngineError> {
        let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
        let (features, calls) = (profile.features(), limits.calls.get());
        let limits = limits.of(profile);
        let engine =
            |bytes, memories| wasmtime::Engine::new(&config(features, limits, calls, memories, bytes));
        // Where there is not so much address space, each access to a memory is compared with its end, and there are no more
        // memories than are needed at once.
        let wasmtime = engine(WHOLE_BYTES, calls.max(MEMORIES))
            .or_else(|_| engine(limits.memory_bytes as u64, calls))
            .map_err(setup)?;
        let mut linker = Linker::new(&wasmtime);
        world::Plugin::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).map_err(setup)?;
        Ok(Self { ticker: Ticker::start(wasmtime.weak())?, wasmtime, linker })
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    pub(super) fn linker(&self) -> &Linker<State> {
        &self.linker
    }

    pub(super) fn running(&self) -> Running {
        self.ticker.running()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// All that an address of a memory can name. Where so much address space is reserved for each, though no more than its limit can
/// ever be used, an access needs no comparison with its end: the processor makes it.
const WHOLE_BYTES: u64 = 4 << 30;

/// The settings of an engine that reserves so many bytes of address space for each of so many memories.
fn config(
    features: WasmFeatures,
    limits: &ProfileLimits,
    calls: usize,
    memories: usize,
    memory_bytes: u64,
) -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all().difference(features), false);
    config.wasm_features(features, true);
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.max_wasm_stack(limits.stack_bytes);
    config.async_stack_size(limits.stack_bytes.saturating_add(256 << 10));
    // What a plugin says of its own source is not to be believed, nor worth its cost.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.memory_reservation(memory_bytes);
    // What an instruction adds to an address itself may be beyond the reservation.
    config.memory_guard_size(2 << 20);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, calls, memories)));
    config
}

/// The bytes of an instance's own tables of functions, memories and globals.
const INSTANCE_BYTES: usize = 256 << 10;

/// The bytes of a memory that stay mapped when its instance is gone.
const KEPT_BYTES: usize = 192 << 10;

/// How many memories there are at least, however few are in use at once: each plugin has one in which its data is in place
/// already, as long as there are no more plugins than these. From 128 on wasmtime parts them among the threads, and then a
/// thread does not find those of the others.
const MEMORIES: usize = 127;

fn pool(limits: &ProfileLimits, calls: usize, memories: usize) -> PoolingAllocationConfig {
    let [calls, memories] = [calls, memories].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let instances = u32::try_from(limits.instances).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(instances))
        .total_memories(memories)
        .total_tables(calls.saturating_mul(instances))
        .total_stacks(calls)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(1)
        .max_tables_per_component(instances)
        .max_tables_per_module(instances)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        // An instance has a few words for each function that it may be asked for.
        .max_component_instance_size(INSTANCE_BYTES.max(limits.functions.saturating_mul(40)))
        .max_core_instance_size(INSTANCE_BYTES.max(limits.functions.saturating_mul(40)))
        // What of an instance stays mapped, and is written anew by hand for the next one: all that a plugin of the SDK has, so
        // that neither the other processors have to forget it nor the next one faults it in. Whatever is beyond it is unmapped.
        // To find the pages that were written by `pagemap_scan` is no way: it misses those that are swapped out.
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(4 << 10)
        .max_unused_warm_slots(memories);
    pool
}
