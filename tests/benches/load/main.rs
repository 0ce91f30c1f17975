//! How long it takes to load a plugin, to prove one, and to start a server, and what a plugin takes of memory.
//!
//! `make bench ARGS='--bench load'`, of some minutes, most of which compile the plugins whose memory is measured:
//! `CALLSLIP_BENCH_PLUGINS` says how many, if not 1,000.

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use callslip::plugin::{Cache, Component, Engine, Limits, LoadOptions};
use callslip_tests::{Database, Figures, Target, component, component_with, copies, median, processor_time};
use server::Server;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How often each thing is measured.
const RUNS: usize = 11;
/// How many relations the catalog has.
const RELATIONS: usize = 300;

/// A component of 50 KiB, which is what a plugin has that is made without our SDK.
fn small() -> PathBuf {
    component_with("tests/guests/hostile", Some("at-call"))
}

/// One of the SDK's smallest.
fn few() -> PathBuf {
    component_with("tests/guests/measured", Some("few"))
}

/// Twenty queries of two hundred shapes.
fn many() -> PathBuf {
    component("tests/guests/measured")
}

/// The median of several runs, in milliseconds.
fn milliseconds(mut run: impl FnMut()) -> f64 {
    median((0..RUNS).map(|_| {
        let begun = Instant::now();
        run();
        begun.elapsed().as_secs_f64() * 1e3
    }))
}

fn components(runtime: &Runtime, figures: &mut Figures) {
    let folder = TempDir::new().expect("a folder");
    let kept = Engine::with_cache(&Limits::default(), Some(Cache::new(folder.path().join("cache"), 1 << 30)));
    let (kept, bare) = (kept.expect("an engine"), Engine::new(&Limits::default()).expect("an engine"));
    for (file, targets) in [(small(), Some((2.0, 60.0))), (few(), None), (many(), None)] {
        let bytes = fs::read(file).expect("it is there");
        let load = |engine: &Engine| {
            let loaded = Component::load_with_manifest(engine, bytes.clone(), LoadOptions::default());
            runtime.block_on(loaded).unwrap_or_else(|error| panic!("{error}"));
        };
        load(&kept);
        let cached = milliseconds(|| load(&kept));
        let before = processor_time();
        let compiled = milliseconds(|| load(&bare));
        let processor = (processor_time() - before).as_secs_f64() * 1e3 / RUNS as f64;
        let what = |how: &str| format!("load a component of {} KiB, {how}", bytes.len() >> 10);
        match targets {
            Some((most_cached, most_compiled)) => {
                figures.aim(&what("from the cache"), cached, "ms", Target::AtMost(most_cached));
                figures.aim(&what("compiled"), compiled, "ms", Target::AtMost(most_compiled));
            }
            None => {
                figures.tell(&what("from the cache"), cached, "ms");
                figures.tell(&what("compiled"), compiled, "ms");
            }
        }
        // It compiles on two threads, and on a busy machine waits for its turns.
        figures.tell(&what("compiled"), processor, "ms CPU");
    }
}

/// A configuration of these plugins, with a cache of their compiled code.
fn config(folder: &Path, components: &[PathBuf]) -> String {
    let mut text = format!("[cache]\nfolder = {:?}\nmax_mib = 4096\n", folder.join("cache"));
    for (number, component) in components.iter().enumerate() {
        text += &format!(
            "[plugins.measured{number}]\ncomponent = {component:?}\n[plugins.measured{number}.grants]\n\
             relations = [\"public.*\"]\n"
        );
    }
    text
}

/// Starts a host in this process with a plugin of which the compiled code is kept, and without it: the difference is what it takes to
/// load and to prove it.
fn proving(runtime: &Runtime, database: &Database, figures: &mut Figures) {
    let folder = TempDir::new().expect("a folder");
    let start = |components: &[PathBuf]| {
        let host = runtime.block_on(database.host(&config(folder.path(), components)));
        host.plugins().len()
    };
    start(&[many()]);
    let differences: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            start(&[]);
            let without = begun.elapsed();
            start(&[many()]);
            ((begun.elapsed() - without).as_secs_f64() - without.as_secs_f64()) * 1e3
        })
        .collect();
    let what = "load and prove a plugin of 20 queries and 200 shapes";
    figures.aim(what, median(differences), "ms", Target::AtMost(1_000.0));
}

/// From the start of the process until it says that it is ready.
fn start(database: &Database, figures: &mut Figures) {
    let folder = TempDir::new().expect("a folder");
    let url = database.url();
    for (component, what, target) in [
        (few(), "2 queries each", Some(Target::AtMost(500.0))),
        (component("example-plugins/hiring"), "10 queries each, `hiring`", None),
    ] {
        let config = config(folder.path(), &copies(&component, folder.path(), 10));
        Server::start(folder.path(), &config, &url);
        let ready = median((0..RUNS).map(|_| {
            let server = Server::start(folder.path(), &config, &url);
            server.ready_after().as_secs_f64() * 1e3
        }));
        let what =
            format!("`callslip serve`, ready with {RELATIONS} relations and 10 cached plugins of {what}");
        match target {
            Some(target) => figures.aim(&what, ready, "ms", target),
            None => figures.tell(&what, ready, "ms"),
        }
    }
}

/// What each plugin beyond the first takes.
fn memory(database: &Database, figures: &mut Figures) {
    let number = std::env::var("CALLSLIP_BENCH_PLUGINS").ok();
    let number: u32 = number.map_or(1_000, |number| number.parse().expect("a number of plugins"));
    let folder = TempDir::new().expect("a folder");
    let components = copies(&few(), folder.path(), number);
    let url = database.url();
    let (one, all) = (config(folder.path(), &components[..1]), config(folder.path(), &components));
    // What compiles them does not serve.
    let cold = Server::start(folder.path(), &all, &url).ready_after();
    figures.tell(&format!("`callslip serve`, ready with {number} compiled plugins"), cold.as_secs_f64(), "s");
    let first = Server::start(folder.path(), &one, &url);
    let others = Server::start(folder.path(), &all, &url);
    let ready = others.ready_after().as_secs_f64();
    figures.tell(&format!("`callslip serve`, ready with {number} cached plugins"), ready, "s");
    let each = (others.resident_mib() - first.resident_mib()) / f64::from(number - 1);
    let what = format!("memory of each plugin beyond the first, of {number}");
    figures.tell("memory of a server with one plugin", first.resident_mib(), "MiB");
    figures.aim(&what, each, "MiB", Target::AtMost(1.0));
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut figures = Figures::of("load");
    components(&runtime, &mut figures);
    let database = runtime.block_on(Database::new(&[]));
    runtime.block_on(database.execute(&format!(
        "DO $$ BEGIN FOR number IN 1..{RELATIONS} - (SELECT count(*) FROM pg_class
           WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') LOOP
           EXECUTE format('CREATE TABLE public.other_%s (id bigint PRIMARY KEY, company_id integer NOT NULL REFERENCES
             public.company, name text NOT NULL, note text, amount numeric(10,2), day date, is_open boolean NOT NULL,
             tags text[], data jsonb, created_at timestamptz NOT NULL)', number);
         END LOOP; END $$;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO callslip_reader; ANALYZE"
    )));
    proving(&runtime, &database, &mut figures);
    start(&database, &mut figures);
    memory(&database, &mut figures);
}
