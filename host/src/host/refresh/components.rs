use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::entry::Entry;
use super::super::generation::Generation;
use super::super::load::Refusal;
use super::super::version::{Version, read_component};
use crate::Config;
use crate::config::PluginConfig;
use crate::plugin::{Digest, Engine};

/// What the components' files were found to hold. Of a plugin that is not named, the file was not read.
#[derive(Default)]
pub(in crate::host) struct Components(BTreeMap<String, File>);

/// What a component's file holds.
pub(super) enum File {
    /// The version that is served.
    Served,
    /// The version that waits.
    Waiting,
    /// Another one.
    New(Arc<Version>),
    /// Nothing that can be loaded.
    Unusable(Refusal),
}

impl Components {
    /// Reads the file of each plugin of a configuration, and compiles what a generation does not have in a sandbox that is as this one
    /// would be.
    pub async fn read(config: &Config, engine: &Engine, current: &Generation) -> Self {
        let mut files = BTreeMap::new();
        for (name, settings) in &config.plugins {
            let file = File::read(name, settings, engine, current.plugins.get(name)).await;
            files.insert(name.clone(), file);
        }
        Self(files)
    }

    /// What the file of a plugin holds, if it was read.
    pub fn of(&self, plugin: &str) -> Option<&File> {
        self.0.get(plugin)
    }
}

impl File {
    async fn read(name: &str, settings: &PluginConfig, engine: &Engine, entry: Option<&Entry>) -> Self {
        let source = match read_component(engine, name, settings).await {
            Ok(source) => source,
            Err(refusal) => return Self::Unusable(refusal),
        };
        let digest = Digest::of(&source.bytes);
        let is_it = |version: &Version| version.digest() == digest && version.suits(engine, settings);
        let served = entry.and_then(|entry| entry.state.loaded());
        if served.is_some_and(|loaded| is_it(&loaded.version)) {
            return Self::Served;
        }
        let waiting = entry.and_then(|entry| entry.waiting.as_ref()?.version.as_ref());
        if waiting.is_some_and(|version| is_it(version)) {
            return Self::Waiting;
        }
        match Version::load(engine, name, settings, source).await {
            Ok(version) => Self::New(Arc::new(version)),
            Err(refusal) => Self::Unusable(refusal),
        }
    }
}
