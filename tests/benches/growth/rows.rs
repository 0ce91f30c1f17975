//! Throughput and memory against the rows of a reply.

use std::time::Duration;

use callslip_tests::Load;
use tokio::runtime::Runtime;

use crate::affinity::processors;
use crate::chart::{Chart, Panel, Scale};
use crate::server::Setup;

const LASTS: Duration = Duration::from_secs(2);

/// From ten rows on, ten times as many each time.
pub fn rows(clients: &Runtime, setup: &Setup, most: u32) -> Chart {
    setup.check();
    let server = setup.start(&processors());
    let mut rows = Panel::new("Rows per second", Scale::Logarithmic, &[""]);
    let mut memory = Panel::new("Peak of the server's memory, MiB", Scale::Linear, &[""]);
    let mut sizes = 0;
    for count in (1..).map(|power| 10_u32.pow(power)).take_while(|count| *count <= most) {
        let paths = [format!("/q/p/export?rows={count}&format=ndjson")];
        server.forget_peak();
        let load = clients.block_on(Load::run(server.address, &paths, 1, LASTS));
        assert_eq!(load.lines, load.requests as u64 * u64::from(count), "each row is a line");
        sizes = load.bytes / load.lines;
        rows.add(0, f64::from(count), load.lines as f64 / load.elapsed.as_secs_f64());
        memory.add(0, f64::from(count), server.peak());
    }
    Chart {
        name: "rows",
        title: "Growth with the rows of a reply",
        caption: vec![
            "One client that asks without a pause, for NDJSON. PostgreSQL and it share the machine."
                .to_owned(),
            format!("Each row has four columns, and {sizes} bytes as JSON."),
        ],
        across: "rows of a reply",
        across_scale: Scale::Logarithmic,
        panels: vec![rows, memory],
    }
}
