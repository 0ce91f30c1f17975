use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The folder of the example plugins in a checkout.
pub(super) struct ExamplePlugins(PathBuf);

const FOLDER: &str = "example-plugins";
const CONFIG: &str = "callslip.toml";

impl ExamplePlugins {
    /// The folder that was named, or the one in the nearest folder upwards that has one.
    pub fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(named) = named {
            let found = Self(named.to_owned());
            if !found.config(CONFIG).is_file() {
                bail!("{} is no folder of example plugins: it has no {CONFIG}", named.display());
            }
            return Ok(found);
        }
        let here = std::env::current_dir().context("can't tell the current folder")?;
        let found = here
            .ancestors()
            .map(|folder| Self(folder.join(FOLDER)))
            .find(|found| found.config(CONFIG).is_file());
        found.with_context(|| {
            format!("no {FOLDER}/{CONFIG} here or above; run it in a checkout of Callslip, or say where with --{FOLDER}")
        })
    }

    pub fn config(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub fn plugin(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn data(&self, name: &str) -> PathBuf {
        self.plugin(name).join("data")
    }
}
