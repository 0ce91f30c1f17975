use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wasmtime::EngineWeak;

/// How often a running plugin is looked at.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// For how many ticks after the last run the ticker goes on. To wake it takes a good part of what a plan takes, and where one
/// plugin runs another soon will.
const LINGERING: u32 = 50;

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
    /// The ticks in which no plugin ran.
    idle: u32,
    sleeping: bool,
    closed: bool,
}

impl Ticker {
    pub(super) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let ticking = Arc::clone(&shared);
        thread::Builder::new().name("callslip-ticker".into()).spawn(move || {
            while ticking.goes_on() {
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
        state.idle = 0;
        if std::mem::take(&mut state.sleeping) {
            self.0.changed.notify_one();
        }
        drop(state);
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

    /// Sleeps where no plugin has run for a while. Returns false when the engine is gone.
    fn goes_on(&self) -> bool {
        let mut state = self.lock();
        if state.running == 0 && state.idle >= LINGERING {
            state.sleeping = true;
            state = self
                .changed
                .wait_while(state, |state| state.sleeping && !state.closed)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = if state.running > 0 { 0 } else { state.idle.saturating_add(1) };
        !state.closed
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

    #[test]
    fn sleeps_when_nothing_has_run_for_a_while_and_wakes_for_what_runs() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(engine.weak()).unwrap();
        let sleeps = || ticker.0.lock().sleeping;
        let wait_for = |wanted: bool| {
            for _ in 0..200 {
                if sleeps() == wanted {
                    return;
                }
                thread::sleep(TICK * 5);
            }
            panic!("the ticker is {}", if wanted { "awake" } else { "asleep" });
        };
        let running = ticker.running();
        thread::sleep(TICK * 2 * LINGERING);
        assert!(!sleeps(), "a plugin runs");
        drop(running);
        wait_for(true);
        let running = ticker.running();
        wait_for(false);
        drop(running);
        wait_for(true);
    }
}
