use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wasmtime::EngineWeak;

/// How often a running plugin is looked at.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// The one thread that advances an engine's epoch. It sleeps while no plugin runs, and ends with the engine.
pub(super) struct Ticker(Arc<Shared>);

/// Keeps the ticker awake for as long as a plugin runs.
pub(super) struct Running(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    closed: bool,
}

impl Ticker {
    pub(super) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let ticking = Arc::clone(&shared);
        thread::Builder::new().name("callslip-ticker".into()).spawn(move || {
            while ticking.wait_until_running() {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self(shared))
    }

    pub(super) fn running(&self) -> Running {
        let mut state = self.0.lock();
        state.running += 1;
        if state.running == 1 {
            self.0.changed.notify_one();
        }
        Running(Arc::clone(&self.0))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and a counter can't be left half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns false when the engine is gone.
    fn wait_until_running(&self) -> bool {
        let waiting = self
            .changed
            .wait_while(self.lock(), |state| state.running == 0 && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        !waiting.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_with_its_engine() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(engine.weak()).unwrap();
        let shared = Arc::downgrade(&ticker.0);
        let running = ticker.running();
        thread::sleep(TICK * 5);
        drop((ticker, running));
        for _ in 0..200 {
            if shared.strong_count() == 0 {
                return;
            }
            thread::sleep(TICK * 5);
        }
        panic!("the ticker's thread still runs");
    }
}
