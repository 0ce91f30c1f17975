use std::path::Path;

use anyhow::ensure;

use crate::cli::tpch;
use crate::cluster::{Dataset, DatasetError};

/// One of the example plugins, with its data.
pub(super) struct Showcase {
    /// The plugin's name, and that of its folder.
    pub plugin: &'static str,
    /// The configuration, beside that folder.
    pub config: &'static str,
    /// The query whose first call is shown.
    pub query: &'static str,
    /// How much data, unless it is said.
    pub scale: f64,
    /// Refuses a scale that the data can't have.
    pub check_scale: fn(f64) -> anyhow::Result<()>,
    /// The data, of the plugin's folder of SQL files.
    pub dataset: fn(&Path) -> Result<Dataset, DatasetError>,
}

/// A video-interview company.
pub(super) const HIRING: Showcase = Showcase {
    plugin: "hiring",
    config: "callslip.toml",
    query: "funnel",
    scale: 0.1,
    check_scale: |_| Ok(()),
    dataset: Dataset::read,
};

/// The TPC-H benchmark.
pub(super) const TPCH: Showcase = Showcase {
    plugin: "tpch",
    config: "tpch.toml",
    query: "q03_shipping_priority",
    scale: 0.01,
    check_scale: |scale| {
        let sound = tpch::has_distinct_suppliers(scale);
        ensure!(sound, "TPC-H has no data of scale {scale}: take 0.01, or 0.023 and more");
        Ok(())
    },
    dataset: |folder| Ok(Dataset::read(folder)?.with_tables(tpch::tables())),
};
