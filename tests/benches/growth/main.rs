//! How throughput grows with cores, plugins, relations and rows, drawn as charts.
//!
//! `make bench ARGS='--bench growth'` writes SVG, and all figures as JSON, into the folder `growth` of cargo's target folder. The
//! absolute figures are those of one machine on one day, which clients, server and database share: look at the slopes.
//!
//! `CALLSLIP_GROWTH_ROWS` is how many rows the largest reply has, 10,000,000 if it is not set, which need a gigabyte of disk.

mod affinity;
mod axis;
mod chart;
mod cores;
mod database;
mod drawing;
mod measured;
mod plugins;
mod relations;
mod rows;
#[path = "../../tests/service/served.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it is made for the tests of the service")]
mod served;
mod server;

use std::fs;

use callslip_tests::{component, target_folder};
use tokio::runtime::Runtime;

use crate::chart::Chart;
use crate::database::Database;
use crate::server::Setup;

/// How many rows the largest reply has.
const ROWS: &str = "CALLSLIP_GROWTH_ROWS";
/// What lookups and lists are of.
const LEAST_ROWS: u32 = 100_000;

fn main() {
    let most = std::env::var(ROWS).map_or(10_000_000, |rows| rows.parse().expect("a number of rows"));
    let folder = target_folder().join("growth");
    fs::create_dir_all(&folder).expect("a folder");
    let component = component("tests/guests/numbered");
    let runtime = Runtime::new().expect("a runtime");
    let database = runtime.block_on(Database::start());
    let url = runtime.block_on(database.create("rows", 1, most.max(LEAST_ROWS)));
    let scratch = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&url, &scratch.path().join("cache"), "item", &[("p".to_owned(), &component)]);

    let mut charts: Vec<Chart> = Vec::new();
    let mut add = |chart: Chart| {
        chart.print();
        let file = folder.join(chart.name).with_extension("svg");
        chart.draw(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        charts.push(chart);
    };
    add(cores::cores(&database, &setup));
    add(plugins::plugins(&runtime, &url, &component));
    add(relations::relations(&runtime, &database, &component));
    add(rows::rows(&runtime, &setup, most));
    let json = serde_json::to_vec_pretty(&charts).expect("JSON");
    fs::write(folder.join("growth.json"), json).expect("a file");
    println!("\nThe charts are in {}.", folder.display());
}
