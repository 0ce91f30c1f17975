//! A WebAssembly engine as one gets it: no limits, no scan, no fresh instance for each call. Only the test itself ends what runs
//! on it.

use std::time::{Duration, Instant};

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, ResourceLimiter, Store, Trap};

use exports::callslip::plugin::queries::{Choice, Failure, Statement};

wasmtime::component::bindgen!({ path: "../plugin-sdk/wit", world: "plugin" });

/// The most memory that a twin takes of the machine.
const MOST: usize = 256 << 20;

/// What is known of a plugin that ran.
#[derive(Default)]
pub struct Seen {
    /// The most memory that it had, in bytes.
    pub memory: usize,
    /// What it reported of panics, word for word.
    pub panics: Vec<String>,
}

impl callslip::plugin::diagnostics::Host for Seen {
    fn panicked(&mut self, message: String, _: String, _: u32, _: u32) {
        self.panics.push(message);
    }
}

impl ResourceLimiter for Seen {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory = self.memory.max(desired.min(MOST));
        Ok(desired <= MOST)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// A plugin on such an engine.
pub struct Bare {
    store: Store<Seen>,
    component: Component,
    plugin: Option<Plugin>,
}

/// What a call came to.
pub type Planned = wasmtime::Result<Result<Vec<Statement>, Failure>>;

/// An engine with nothing set but that it can be ended.
pub fn engine() -> Engine {
    let mut config = Config::new();
    config.epoch_interruption(true);
    Engine::new(&config).expect("an engine")
}

impl Bare {
    /// Compiles it.
    pub fn new(bytes: &[u8]) -> Self {
        let engine = engine();
        let component = Component::from_binary(&engine, bytes).unwrap_or_else(|error| panic!("{error:#}"));
        Self::of(component)
    }

    /// With what was compiled already.
    pub fn of(component: Component) -> Self {
        let engine = component.engine();
        let mut store = Store::new(engine, Seen::default());
        store.limiter(|seen| seen);
        store.set_hostcall_fuel(usize::MAX);
        store.set_epoch_deadline(1);
        Self { store, component, plugin: None }
    }

    fn plugin(&mut self) -> wasmtime::Result<&Plugin> {
        if self.plugin.is_none() {
            let mut linker = Linker::new(self.component.engine());
            Plugin::add_to_linker::<_, HasSelf<Seen>>(&mut linker, |seen| seen)?;
            self.plugin = Some(Plugin::instantiate(&mut self.store, &self.component, &linker)?);
        }
        Ok(self.plugin.as_ref().expect("it was made"))
    }

    /// Asks it for its plan, with the value of its one parameter.
    pub fn plan(&mut self, deed: &str) -> Planned {
        self.plugin()?;
        let choice = Choice { parameter: "deed".to_owned(), value: format!("\"{deed}\"") };
        let plugin = self.plugin.as_ref().expect("it was made");
        plugin.callslip_plugin_queries().call_plan(&mut self.store, "bide", &[choice], &[])
    }

    /// Asks it for its manifest.
    pub fn manifest(&mut self) -> wasmtime::Result<Vec<u8>> {
        self.plugin()?;
        let plugin = self.plugin.as_ref().expect("it was made");
        plugin.callslip_plugin_queries().call_manifest(&mut self.store)
    }
}

/// Does something with a plugin on a thread of its own, and ends it after this time if it still runs then.
pub fn ended_after<T: Send + 'static>(
    limit: Duration,
    bytes: &[u8],
    deed: impl FnOnce(&mut Bare) -> wasmtime::Result<T> + Send + 'static,
) -> (wasmtime::Result<T>, Duration, Seen) {
    let mut bare = Bare::new(bytes);
    let engine = bare.component.engine().clone();
    let began = Instant::now();
    let running = std::thread::spawn(move || {
        let done = deed(&mut bare);
        (done, began.elapsed(), std::mem::take(bare.store.data_mut()))
    });
    while !running.is_finished() && began.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.increment_epoch();
    running.join().expect("a twin does not panic on its thread")
}

/// Whether something was ended by the test.
pub fn was_ended<T>(done: &wasmtime::Result<T>) -> bool {
    let trap = done.as_ref().err().and_then(|error| error.downcast_ref::<Trap>());
    trap == Some(&Trap::Interrupt)
}
