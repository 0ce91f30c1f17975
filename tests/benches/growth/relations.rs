//! Throughput, memory and start against the number of relations that a plugin may read.

use std::path::Path;

use tokio::runtime::Runtime;

use crate::affinity::processors;
use crate::chart::{Chart, Panel, Scale};
use crate::database::Database;
use crate::measured::{CLIENTS, Measured, lookups};
use crate::server::Setup;

const COUNTS: [u32; 3] = [10, 1_000, 10_000];
const ROWS: u32 = 10_000;

/// Of every number of relations, in a database of their own.
pub fn relations(clients: &Runtime, database: &Database, component: &Path) -> Chart {
    let folder = tempfile::tempdir().expect("a folder");
    let mut requests = Panel::new("Requests per second", Scale::Linear, &[""]);
    let mut memory = Panel::new("Memory of the server, MiB", Scale::Logarithmic, &[""]);
    let mut start = Panel::new("Start of the server, s", Scale::Logarithmic, &[""]);
    for count in COUNTS {
        let url = clients.block_on(database.create(&format!("relations_{count}"), count, ROWS));
        let setup =
            Setup::new(&url, &folder.path().join("cache"), "public.*", &[("p".to_owned(), component)]);
        setup.check();
        let server = setup.start(&processors());
        let across = f64::from(count);
        start.add(0, across, server.ready_after.as_secs_f64());
        let measured = Measured::new(clients, &server, &lookups("p").collect::<Vec<_>>());
        requests.add(0, across, measured.load.per_second());
        memory.add(0, across, server.memory());
    }
    Chart {
        name: "relations",
        title: "Growth with the relations of a database",
        caption: vec![
            format!("{CLIENTS} clients that look up one row without a pause. PostgreSQL and they share the machine."),
            "The relations are tables of four columns, all granted to the plugin. The start reads the whole catalog.".to_owned(),
        ],
        across: "relations",
        across_scale: Scale::Logarithmic,
        panels: vec![requests, memory, start],
    }
}
