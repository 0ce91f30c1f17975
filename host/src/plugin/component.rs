use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use callslip_ir::Manifest;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::{
    BUILD_AGAIN, BreakerNews, Engine, Profile, ProfileLimits, breaker::Breaker, cache::Key,
    descriptions::Descriptions, engine::Runtime, instance::State, manifest::validate, scan, world::PluginPre,
};
use crate::{Code, select::Finding};

/// A plugin's code, compiled and linked, ready to be run any number of times. A clone is the same component.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    digest: Digest,
    world: String,
    linked: PluginPre<State>,
    runtime: Arc<Runtime>,
    engine: Engine,
    profile: Profile,
    /// What it may cost: its profile's limits, and what was said for it alone.
    limits: ProfileLimits,
    /// A permit for each run that there may be of it at once.
    turns: Arc<Semaphore>,
    breaker: Arc<Breaker>,
    descriptions: Descriptions,
}

/// How a component is loaded, and what is said for it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// What kind of component it is.
    pub profile: Profile,
    /// The bytes of an instance's memory, where that is less than the profile's.
    pub memory_bytes: Option<usize>,
    /// How long *plan* may run, where that is less than the profile has.
    pub plan_time: Option<Duration>,
}

impl LoadOptions {
    /// What a component that is loaded so may cost. It is never more than the engine was made for.
    fn limits(&self, engine: &Engine) -> ProfileLimits {
        let mut limits = engine.limits().of(self.profile).clone();
        limits.memory_bytes = limits.memory_bytes.min(self.memory_bytes.unwrap_or(usize::MAX));
        limits.plan_time = limits.plan_time.min(self.plan_time.unwrap_or(Duration::MAX));
        limits
    }
}

/// The SHA-256 of a component's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Why a component can't be loaded: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    findings: Vec<Finding>,
}

impl Component {
    /// Loads a component, and asks it what queries it offers.
    ///
    /// # Errors
    /// [`LoadError`], as of [`Component::load`], for one that gives no manifest, and for one whose manifest is not valid.
    pub async fn load_with_manifest(
        engine: &Engine,
        bytes: Vec<u8>,
        options: LoadOptions,
    ) -> Result<(Self, Manifest), LoadError> {
        let component = Self::load(engine, bytes, options).await?;
        let manifest = component.manifest().await.map_err(|error| LoadError::from(error.into_finding()))?;
        let findings = validate(&manifest, engine.limits());
        if findings.is_empty() { Ok((component, manifest)) } else { Err(LoadError::of(findings)) }
    }

    /// Checks, compiles and links a component. It runs none of its code, and does its work off the async threads.
    ///
    /// # Errors
    /// [`LoadError`], for bytes that are not a component, a component that asks for more than plugins get, and one
    /// that is larger than [`super::Limits`] allow.
    pub async fn load(engine: &Engine, bytes: Vec<u8>, options: LoadOptions) -> Result<Self, LoadError> {
        let failed = |message: &str| LoadError::from(Finding::new(Code::CompilationFailed, message));
        let Ok(permit) = Arc::clone(engine.compilations()).acquire_owned().await else {
            return Err(failed("the engine is closed"));
        };
        let engine = engine.clone();
        // The permit goes along: a compilation goes on, and costs, when its caller has gone.
        let compilation = tokio::task::spawn_blocking(move || {
            let threads = engine.clone();
            let loaded = threads.compile(|| Self::compile(engine, &bytes, options));
            drop(permit);
            loaded
        });
        match compilation.await {
            Ok(loaded) => loaded,
            // A fault of the compiler must not take the host along.
            Err(_) => Err(failed("the compiler panicked")),
        }
    }

    fn compile(engine: Engine, bytes: &[u8], options: LoadOptions) -> Result<Self, LoadError> {
        let (profile, limits) = (options.profile, options.limits(&engine));
        let findings = scan::scan(bytes, profile.features(), &limits);
        if !findings.is_empty() {
            return Err(LoadError::of(findings));
        }
        let failed = |code, what: &str, error: wasmtime::Error| {
            let finding = Finding::new(code, format!("{what}: {error:#}"));
            LoadError::from(finding.with_help(BUILD_AGAIN))
        };
        let runtime = engine
            .runtime(profile)
            .map_err(|error| LoadError::from(Finding::new(Code::CompilationFailed, error.to_string())))?;
        let digest = Digest::of(bytes);
        let component = compiled(&engine, runtime.wasmtime(), digest, bytes)
            .map_err(|error| failed(Code::CompilationFailed, "the component does not compile", error))?;
        let linked =
            runtime.linker().instantiate_pre(&component).and_then(PluginPre::new).map_err(|error| {
                failed(Code::WrongWorld, "it does not fit the world `callslip:plugin@0.1`", error)
            })?;
        let ty = component.component_type();
        let version = ty
            .exports(runtime.wasmtime())
            .find_map(|(export, _)| export.strip_prefix("callslip:plugin/queries@").map(str::to_owned));
        let world = format!("callslip:plugin@{}", version.unwrap_or_default());
        let breaker = Arc::new(Breaker::new(engine.limits().failures));
        let turns = Arc::new(Semaphore::new(engine.limits().runs.get().min(Semaphore::MAX_PERMITS)));
        let descriptions = Descriptions::default();
        Ok(Self(Arc::new(Inner {
            digest,
            world,
            linked,
            runtime,
            engine,
            profile,
            limits,
            turns,
            breaker,
            descriptions,
        })))
    }

    /// What identifies its code.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The world that it is of, such as `callslip:plugin@0.1.0`.
    pub fn world(&self) -> &str {
        &self.0.world
    }

    /// The engine that runs it.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What kind of component it was loaded as.
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// What it may cost.
    pub fn limits(&self) -> &ProfileLimits {
        &self.0.limits
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(super) fn breaker(&self) -> &Arc<Breaker> {
        &self.0.breaker
    }

    /// For how long it is suspended still, after too many of its runs have failed.
    pub fn suspended(&self) -> Option<Duration> {
        self.breaker().suspended(Instant::now())
    }

    /// What has become of it since this was last asked: whether it was suspended, or is run again.
    pub fn take_news(&self) -> Option<BreakerNews> {
        self.breaker().take_news()
    }

    pub(super) fn turns(&self) -> &Arc<Semaphore> {
        &self.0.turns
    }

    pub(super) fn descriptions(&self) -> &Descriptions {
        &self.0.descriptions
    }

    pub(super) fn linked(&self) -> &PluginPre<State> {
        &self.0.linked
    }
}

/// The component, compiled now, or before, if that is in the cache.
fn compiled(
    engine: &Engine,
    wasmtime: &wasmtime::Engine,
    digest: Digest,
    bytes: &[u8],
) -> wasmtime::Result<wasmtime::component::Component> {
    let Some(cache) = engine.cache() else {
        return wasmtime::component::Component::from_binary(wasmtime, bytes);
    };
    let key = Key::new(digest, wasmtime);
    if let Some(compiled) = cache.read(key) {
        // SAFETY: the bytes must be what `serialize` gave. They are: `Cache::write` alone writes them, which takes them from
        // there; the file and its folder belonged to this process's user and were closed to all others when they were
        // read, on the very handles that were read, so that nobody else has put them there; they are whole, since their digest
        // was right; and they are of this component and of an engine of the same version and settings, since the key
        // was. Whoever can write as this user can do without us whatever these bytes could. wasmtime compares
        // its version and settings once more.
        match unsafe { wasmtime::component::Component::deserialize(wasmtime, &compiled) } {
            Ok(component) => {
                engine.count_compiled(true);
                return Ok(component);
            }
            Err(error) => {
                tracing::warn!(%digest, "a compiled component can't be used, and is compiled again: {error:#}")
            }
        }
    }
    engine.count_compiled(false);
    let component = wasmtime::component::Component::from_binary(wasmtime, bytes)?;
    match component.serialize() {
        Ok(compiled) => cache.write(key, &compiled),
        Err(error) => tracing::warn!(%digest, "a compiled component can't be kept: {error:#}"),
    }
    Ok(component)
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("digest", &self.0.digest).finish_non_exhaustive()
    }
}

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::str::FromStr for Digest {
    type Err = &'static str;

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "it is not the 64 hexadecimal digits of a SHA-256";
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(WRONG);
        }
        let value = |digit: u8| char::from(digit).to_digit(16).ok_or(WRONG);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            // Two digits of four bits each.
            *byte = (value(pair[0])? * 16 + value(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    /// In hexadecimal; `{:.8}` gives the first 8 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(
                &[byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[usize::from(nibble)]),
            );
        }
        // At once: each call is told with it in the log.
        let digits = digits.get(..f.precision().unwrap_or(64)).unwrap_or(&digits);
        f.write_str(std::str::from_utf8(digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many findings are told of a component. A plugin of thousands of faults must not fill its host's log.
const MOST_FINDINGS: usize = 100;

impl LoadError {
    /// The first of these findings, and how many more there are.
    fn of(mut findings: Vec<Finding>) -> Self {
        let more = findings.len().saturating_sub(MOST_FINDINGS);
        if more > 0 {
            findings.truncate(MOST_FINDINGS);
            let code = findings.first().map_or(Code::CompilationFailed, |finding| finding.code);
            findings.push(Finding::new(code, format!("{more} more like these")));
        }
        Self { findings }
    }

    /// The code of its first finding.
    pub fn code(&self) -> Code {
        self.findings.first().map_or(Code::CompilationFailed, |finding| finding.code)
    }

    /// Everything that is wrong; at least one thing.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Everything that is wrong, to be added to more of it.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

impl From<Finding> for LoadError {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding] }
    }
}

impl fmt::Display for LoadError {
    /// One finding a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Limits, guest::Guest};

    async fn refusal(bytes: Vec<u8>) -> LoadError {
        Component::load(&Engine::new(&Limits::default()).unwrap(), bytes, LoadOptions::default())
            .await
            .unwrap_err()
    }

    #[tokio::test]
    async fn loads_a_plugin_and_knows_it_by_its_digest() {
        let engine = Engine::new(&Limits::default()).unwrap();
        let bytes = Guest::default().component();
        let component = Component::load(&engine, bytes.clone(), LoadOptions::default()).await.unwrap();
        assert_eq!(
            component.digest(),
            Component::load(&engine, bytes, LoadOptions::default()).await.unwrap().digest()
        );
        assert_eq!(component.digest().to_string().len(), 64);
        assert_eq!(format!("{:.8}", component.digest()), component.digest().to_string()[..8]);
        let later = Guest { version: "0.1.7", ..Guest::default() };
        let later = Component::load(&engine, later.component(), LoadOptions::default()).await.unwrap();
        assert_eq!(later.world(), "callslip:plugin@0.1.7");
    }

    #[tokio::test]
    async fn an_interface_of_another_type_does_not_fit() {
        let text = r#"(component
            (import "callslip:plugin/diagnostics@0.1.0" (instance (export "panicked" (func (param "m" u32)))))
            (core module $m (func (export "manifest")))
            (core instance $i (instantiate $m))
            (func $manifest (canon lift (core func $i "manifest")))
            (instance $queries (export "manifest" (func $manifest)))
            (export "callslip:plugin/queries@0.1.0" (instance $queries)))"#;
        let error = refusal(wat::parse_str(text).unwrap()).await;
        assert_eq!(error.code(), Code::WrongWorld, "{error}");
    }

    #[tokio::test]
    async fn every_finding_is_on_its_line() {
        let imports = r#"(import "wasi:cli/environment@0.2.0" (instance)) (import "own:api/a" (instance))"#;
        let error = refusal(Guest { imports, ..Guest::default() }.component()).await;
        assert_eq!(error.code(), Code::ForbiddenImport);
        assert_eq!(error.to_string().lines().count(), 2, "{error}");
    }
}
