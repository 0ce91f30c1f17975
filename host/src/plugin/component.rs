use std::{fmt, sync::Arc};

use callslip_ir::Manifest;
use sha2::{Digest as _, Sha256};

use super::{BUILD_AGAIN, Engine, instance::State, manifest::validate, scan, world::PluginPre};
use crate::{Code, select::Finding};

/// A plugin's code, compiled and linked, ready to be run any number of times. A clone is the same component.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    digest: Digest,
    world: String,
    linked: PluginPre<State>,
    engine: Engine,
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
    pub async fn load_with_manifest(engine: &Engine, bytes: Vec<u8>) -> Result<(Self, Manifest), LoadError> {
        let component = Self::load(engine, bytes).await?;
        let manifest = component.manifest().await.map_err(|error| LoadError::from(error.into_finding()))?;
        let findings = validate(&manifest, engine.limits());
        if findings.is_empty() { Ok((component, manifest)) } else { Err(LoadError { findings }) }
    }

    /// Checks, compiles and links a component. It runs none of its code, and does its work off the async threads.
    ///
    /// # Errors
    /// [`LoadError`], for bytes that are not a component, a component that asks for more than plugins get, and one
    /// that is larger than [`super::Limits`] allow.
    pub async fn load(engine: &Engine, bytes: Vec<u8>) -> Result<Self, LoadError> {
        let failed = |message: &str| LoadError::from(Finding::new(Code::CompilationFailed, message));
        let Ok(permit) = Arc::clone(engine.compilations()).acquire_owned().await else {
            return Err(failed("the engine is closed"));
        };
        let engine = engine.clone();
        // The permit goes along: a compilation goes on, and costs, when its caller has gone.
        let compilation = tokio::task::spawn_blocking(move || {
            let loaded = Self::compile(engine, &bytes);
            drop(permit);
            loaded
        });
        match compilation.await {
            Ok(loaded) => loaded,
            // A fault of the compiler must not take the host along.
            Err(_) => Err(failed("the compiler panicked")),
        }
    }

    fn compile(engine: Engine, bytes: &[u8]) -> Result<Self, LoadError> {
        let findings = scan::scan(bytes, engine.limits());
        if !findings.is_empty() {
            return Err(LoadError { findings });
        }
        let failed = |code, what: &str, error: wasmtime::Error| {
            let finding = Finding::new(code, format!("{what}: {error:#}"));
            LoadError::from(finding.with_help(BUILD_AGAIN))
        };
        let component = wasmtime::component::Component::from_binary(engine.wasmtime(), bytes)
            .map_err(|error| failed(Code::CompilationFailed, "the component does not compile", error))?;
        let linked =
            engine.linker().instantiate_pre(&component).and_then(PluginPre::new).map_err(|error| {
                failed(Code::WrongWorld, "it does not fit the world `callslip:plugin@0.1`", error)
            })?;
        let ty = component.component_type();
        let version = ty
            .exports(engine.wasmtime())
            .find_map(|(export, _)| export.strip_prefix("callslip:plugin/queries@").map(str::to_owned));
        let world = format!("callslip:plugin@{}", version.unwrap_or_default());
        Ok(Self(Arc::new(Inner { digest: Digest::of(bytes), world, linked, engine })))
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

    pub(super) fn linked(&self) -> &PluginPre<State> {
        &self.0.linked
    }
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

impl fmt::Display for Digest {
    /// In hexadecimal; `{:.8}` gives the first 8 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(64);
        for nibble in self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(digits) {
            write!(f, "{nibble:x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl LoadError {
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
        Component::load(&Engine::new(&Limits::default()).unwrap(), bytes).await.unwrap_err()
    }

    #[tokio::test]
    async fn loads_a_plugin_and_knows_it_by_its_digest() {
        let engine = Engine::new(&Limits::default()).unwrap();
        let bytes = Guest::default().component();
        let component = Component::load(&engine, bytes.clone()).await.unwrap();
        assert_eq!(component.digest(), Component::load(&engine, bytes).await.unwrap().digest());
        assert_eq!(component.digest().to_string().len(), 64);
        assert_eq!(format!("{:.8}", component.digest()), component.digest().to_string()[..8]);
        let later = Guest { version: "0.1.7", ..Guest::default() };
        let later = Component::load(&engine, later.component()).await.unwrap();
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
