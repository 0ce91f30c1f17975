//! Bytes that somebody calls a plugin. Whatever they are,
//!
//! - they are refused, with findings that are bounded and printable, or loaded, and then asked what queries they have, and to
//!   plan one of them;
//! - nothing panics, the compiler included, though the host would outlive that;
//! - it takes no longer than what the limits allow (libFuzzer's `-timeout`), nor more memory (`-rss_limit_mb`);
//! - the plugin beside it still answers.
//!
//! The first byte says what the others are: a component; a core module, which a component of the right world is put around;
//! what such a module, or any component, is generated of, whose functions are then valid and do anything; or the signature of
//! one, which is refused.

#![no_main]

#[path = "declared.rs"]
mod declared;
#[path = "told.rs"]
mod told;

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::time::Duration;

use callslip::plugin::{
    CallError, Component, Engine, Limits, LoadOptions, Pin, Profile, PublicKey, Shapes, validate,
};
use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};
use tokio::runtime::Runtime;
use wasm_smith::Config;

use declared::frame;
use told::assert_told;

struct World {
    runtime: Runtime,
    engine: Engine,
    neighbour: Component,
}

/// Less than plugins get, so that an execution is short.
fn limits() -> Limits {
    let mut limits = Limits::default();
    for profile in [&mut limits.compact, &mut limits.script] {
        profile.component_bytes = 64 << 10;
        profile.functions = 200;
        profile.function_bytes = 8 << 10;
        profile.live_values = 500;
        profile.compilation_work = 100_000;
        profile.memory_bytes = 1 << 20;
        profile.table_elements = 512;
        profile.plan_time = Duration::from_millis(2);
        profile.manifest_time = Duration::from_millis(2);
    }
    limits.calls = NonZeroUsize::MIN.saturating_add(1);
    limits.output_bytes = 64 << 10;
    // Nothing is suspended before it was tried.
    limits.failures = 10 * PATIENCE;
    limits
}

/// How often the neighbour is asked.
const PATIENCE: u32 = 100;

/// A key whose other half signed nothing here.
const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let engine = Engine::new(&limits()).expect("an engine");
    let neighbour = runtime
        .block_on(Component::load(&engine, declared::plugin(), LoadOptions::default()))
        .expect("a plugin");
    World { runtime, engine, neighbour }
});

/// What says that the bytes are a signature.
const SIGNATURE: u8 = 7;

/// What the bytes stand for.
fn bytes_of(how: u8, data: &[u8]) -> Option<Vec<u8>> {
    let mut data = Unstructured::new(data);
    // Of the proposals that plugins may not use, a generated one has some now and then.
    let anything = how & 0x80 != 0;
    match how % 4 {
        0 => Some(data.take_rest().to_vec()),
        1 => Some(frame::component(data.take_rest())),
        2 => {
            let config = Config { module_shape: Some(frame::MODULE.clone()), ..config(anything) };
            let module = wasm_smith::Module::new(config, &mut data).ok()?;
            Some(frame::component(&module.to_bytes()))
        }
        _ => Some(wasm_smith::Component::new(config(anything), &mut data).ok()?.to_bytes()),
    }
}

fn config(anything: bool) -> Config {
    Config {
        simd_enabled: anything,
        relaxed_simd_enabled: anything,
        threads_enabled: anything,
        exceptions_enabled: anything,
        gc_enabled: anything,
        tail_call_enabled: anything,
        memory64_enabled: anything,
        extended_const_enabled: anything,
        max_memories: if anything { 2 } else { 1 },
        max_memory32_bytes: 2 << 20,
        max_table_elements: 1_000,
        max_tables: 2,
        ..Config::default()
    }
}

async fn load_and_ask(engine: &Engine, bytes: Vec<u8>, profile: Profile) {
    let options = LoadOptions { profile, ..LoadOptions::default() };
    let component = match Component::load(engine, bytes, options).await {
        Ok(component) => component,
        Err(error) => {
            assert!(!error.findings().is_empty());
            error.findings().iter().for_each(|finding| assert_told(&finding.to_string()));
            return;
        }
    };
    let told = |error: CallError| assert_told(&error.into_finding().to_string());
    _ = component.plan("q", &[], &[]).await.map_err(told);
    let manifest = match component.manifest().await {
        Ok(manifest) => manifest,
        Err(error) => return told(error),
    };
    let findings = validate(&manifest, engine.limits());
    findings.iter().for_each(|finding| assert_told(&finding.to_string()));
    if !findings.is_empty() {
        return;
    }
    for query in manifest.queries.iter().take(2) {
        if let Shapes::Closed { shapes, .. } = Shapes::of(query, 2) {
            for shape in shapes {
                match component.plan(&query.name, &shape.parameters, &shape.claims).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(failure)) => assert_told(&failure.to_string()),
                    Err(error) => told(error),
                }
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    if how % 8 == SIGNATURE {
        let pin = Pin { sha256: None, public_key: Some(PublicKey::parse(KEY).expect("a key")) };
        let refused = pin.check(b"component", &String::from_utf8_lossy(data)).expect_err("nobody signed it");
        return assert_told(&refused.to_string());
    }
    let Some(bytes) = bytes_of(*how, data) else { return };
    let profile = if how & 0x40 == 0 { Profile::Compact } else { Profile::Script };
    let World { runtime, engine, neighbour } = &*WORLD;
    runtime.block_on(async {
        load_and_ask(engine, bytes, profile).await;
        let mut answered = neighbour.manifest().await;
        // On a busy machine two milliseconds may be over before anything ran.
        for _ in 0..PATIENCE {
            if let Err(CallError::TimedOut { .. }) = answered {
                answered = neighbour.manifest().await;
            }
        }
        assert!(answered.is_ok(), "the plugin beside it does not answer any more: {answered:?}");
    });
});
