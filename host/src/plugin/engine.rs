use std::{num::NonZeroUsize, sync::Arc};

use tokio::sync::Semaphore;
use wasmtime::{
    Config, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures,
    component::{HasSelf, Linker},
};

use super::{
    Limits,
    instance::State,
    ticker::{Running, Ticker},
    world,
};

/// The WebAssembly proposals that plugins may use: what `rustc` and `clang` need for `wasm32-unknown-unknown` and
/// nothing else, since each further one is more of a compiler that may be wrong.
pub(super) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Compiles components and runs them. One serves a whole process; a clone is the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    // Before `wasmtime`, so that its thread is told to end first.
    ticker: Ticker,
    wasmtime: wasmtime::Engine,
    linker: Linker<State>,
    limits: Limits,
    compilations: Arc<Semaphore>,
    calls: Arc<Semaphore>,
}

/// Why an [`Engine`] can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// This machine or these limits do not suit the WebAssembly runtime.
    #[error("the WebAssembly engine can't be set up: {0}")]
    Setup(String),
    /// The thread that watches running plugins can't be started.
    #[error("the thread that watches running plugins can't be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl Engine {
    /// Reserves the address space of [`Limits::calls`] instances and starts the thread that watches them.
    ///
    /// # Errors
    /// [`EngineError`], where the address space can't be reserved or a thread can't be started.
    pub fn new(limits: &Limits) -> Result<Self, EngineError> {
        let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
        let wasmtime = wasmtime::Engine::new(&config(limits)).map_err(setup)?;
        let mut linker = Linker::new(&wasmtime);
        world::Plugin::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).map_err(setup)?;
        Ok(Self(Arc::new(Inner {
            ticker: Ticker::start(wasmtime.weak())?,
            wasmtime,
            linker,
            limits: limits.clone(),
            compilations: semaphore(limits.compilations),
            calls: semaphore(limits.calls),
        })))
    }

    /// What it holds its plugins to.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.wasmtime
    }

    pub(super) fn linker(&self) -> &Linker<State> {
        &self.0.linker
    }

    pub(super) fn compilations(&self) -> &Arc<Semaphore> {
        &self.0.compilations
    }

    pub(super) fn calls(&self) -> &Arc<Semaphore> {
        &self.0.calls
    }

    pub(super) fn running(&self) -> Running {
        self.0.ticker.running()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

fn semaphore(permits: NonZeroUsize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.get().min(Semaphore::MAX_PERMITS)))
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all().difference(FEATURES), false);
    config.wasm_features(FEATURES, true);
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.max_wasm_stack(limits.stack_bytes);
    config.async_stack_size(limits.stack_bytes.saturating_add(256 << 10));
    // What a plugin says of its own source is not to be believed, nor worth its cost.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.memory_reservation(limits.memory_bytes as u64);
    config.memory_guard_size(2 << 20);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let calls = u32::try_from(limits.calls.get()).unwrap_or(u32::MAX);
    let instances = u32::try_from(limits.instances).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(instances))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(instances))
        .total_stacks(calls)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(1)
        .max_tables_per_component(instances)
        .max_tables_per_module(instances)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .max_component_instance_size(256 << 10)
        .max_core_instance_size(256 << 10)
        // What of an instance stays mapped, to be zeroed by hand, for the next one: the SDK's stack and arena.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(4 << 10)
        .max_unused_warm_slots(calls);
    pool
}
