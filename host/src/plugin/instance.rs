use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::{ResourceLimiter, Store, StoreContextMut, Trap, UpdateDeadline};

use super::{
    CallError, Component,
    ticker::{Running, TICK},
    world::{Plugin, diagnostics},
};
use crate::printable::printable;
use crate::select::SourcePlace;

/// What an answer may cost beside its bytes: the list itself, and names.
const OVERHEAD_BYTES: usize = 64 << 10;
/// How much longer than its budget a plugin may take by the clock, when it is seldom given a thread.
const PATIENCE: u32 = 10;

/// One run of a plugin: a fresh instance, which lives for one call.
pub(super) struct Instance {
    // In this order: the store goes before its place in the pool is given to the next.
    pub(super) store: Store<State>,
    pub(super) plugin: Plugin,
    _running: Running,
    _permit: OwnedSemaphorePermit,
}

/// What the host knows of a run.
pub(super) struct State {
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    budget: Duration,
    ticks_left: u128,
    /// Whether a tick has passed since it started.
    has_ticked: bool,
    /// Nothing for one that is beyond what the clock can tell.
    deadline: Option<Instant>,
    caller: Gone,
    panic: Option<(String, SourcePlace)>,
    timed_out: bool,
    memory_refused: bool,
}

/// The side of a call that waits for it. When it is dropped the plugin is stopped.
#[derive(Default)]
pub(super) struct Caller(Arc<AtomicBool>);

/// Tells whether a [`Caller`] has gone.
pub(super) struct Gone(Arc<AtomicBool>);

impl Caller {
    pub(super) fn gone(&self) -> Gone {
        Gone(Arc::clone(&self.0))
    }
}

impl Gone {
    pub(super) fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Instance {
    /// Instantiates the component. The time that its start functions take counts.
    pub(super) async fn start(
        component: &Component,
        permit: OwnedSemaphorePermit,
        budget: Duration,
        caller: Gone,
    ) -> Result<Self, CallError> {
        let (limits, engine) = (component.limits(), component.engine().limits());
        let state = State {
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: limits.instances,
            budget,
            // The tick that is under way when it starts is not all its own.
            ticks_left: budget.as_nanos() / TICK.as_nanos() + 1,
            has_ticked: false,
            deadline: Instant::now().checked_add(budget.saturating_mul(PATIENCE)),
            caller,
            panic: None,
            timed_out: false,
            memory_refused: false,
        };
        let running = component.runtime().running();
        let mut store = Store::new(component.runtime().wasmtime(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(engine.output_bytes.saturating_add(OVERHEAD_BYTES));
        store.set_epoch_deadline(1);
        // Yields at each tick but the first, so that no plugin holds an async thread, and interrupts when the budget is spent.
        store.epoch_deadline_callback(|mut store: StoreContextMut<'_, State>| Ok(store.data_mut().tick()));
        match component.linked().instantiate_async(&mut store).await {
            Ok(plugin) => Ok(Self { store, plugin, _running: running, _permit: permit }),
            Err(error) => {
                Err(store.data_mut().explain(&error, "it can't be instantiated", engine.output_bytes))
            }
        }
    }

    /// The value of a call, or how the plugin failed.
    pub(super) fn explain<T>(
        &mut self,
        result: wasmtime::Result<T>,
        output_bytes: usize,
    ) -> Result<T, CallError> {
        result.map_err(|error| self.store.data_mut().explain(&error, "its answer", output_bytes))
    }
}

impl State {
    fn tick(&mut self) -> UpdateDeadline {
        self.ticks_left = self.ticks_left.saturating_sub(1);
        if self.caller.is_true() {
            return UpdateDeadline::Interrupt;
        }
        if self.ticks_left == 0 || self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            self.timed_out = true;
            return UpdateDeadline::Interrupt;
        }
        // The tick in which it started may be nearly over, and most plugins are ready within the next.
        if !std::mem::replace(&mut self.has_ticked, true) {
            return UpdateDeadline::Continue(1);
        }
        // tokio's own yield looks at timers and sockets before it comes back.
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
    }

    fn explain(&mut self, error: &wasmtime::Error, what: &str, output_bytes: usize) -> CallError {
        if let Some((message, place)) = self.panic.take() {
            return CallError::Panicked { message, place: (place.line > 0).then_some(place) };
        }
        if self.timed_out {
            return CallError::TimedOut { limit: self.budget };
        }
        if self.memory_refused {
            return CallError::OutOfMemory { limit: self.memory_bytes };
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return CallError::trapped(*trap);
        }
        let error = format!("{error:#}");
        // The error's type is private to wasmtime; a test tells when its words change.
        if error.contains("fuel allocated for hostcalls") {
            return CallError::OutputTooLarge { what: "bytes", limit: output_bytes, actual: None };
        }
        CallError::Malformed { what: what.into(), error: printable(&error, 500) }
    }
}

impl diagnostics::Host for State {
    /// Ends the plugin at once, whatever it meant to do next.
    fn panicked(&mut self, message: String, file: String, line: u32, column: u32) -> wasmtime::Result<()> {
        let place = SourcePlace { file: printable(&file, 255), line, column };
        self.panic = Some((printable(&message, 1000), place));
        Err(Trap::UnreachableCodeReached.into())
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.memory_bytes;
        self.memory_refused |= !granted;
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        1
    }
}
