//! Throughput against the processors that the server has.

use tokio::runtime::Runtime;

use crate::affinity::{processors, starting_on};
use crate::chart::{Chart, Panel, Scale};
use crate::database::Database;
use crate::measured::{CLIENTS, Measured, lookups};
use crate::server::Setup;

const NAMES: [&str; 2] = ["one row", "20 rows"];

/// Powers of two, as far as there are so many, and all.
pub fn cores(database: &Database, setup: &Setup) -> Chart {
    let all = processors();
    let mut requests = Panel::new("Requests per second", Scale::Linear, &NAMES);
    let mut work = Panel::new("Work of the server for a request, µs of CPU", Scale::Linear, &NAMES);
    let mut latency = Panel::new("Latency of one row, ms", Scale::Linear, &["median", "99 of 100"]);
    setup.check();
    let mut counts: Vec<usize> =
        (0..).map(|power| 1 << power).take_while(|count| *count < all.len()).collect();
    counts.push(all.len());
    for count in counts {
        let (servers, others) = all.split_at(count);
        let others = if others.is_empty() { &all } else { others };
        database.run_on(others);
        let clients = starting_on(others, || Runtime::new().expect("a runtime"));
        let server = setup.start(servers);
        let lists = (0..1_000).map(|number| format!("/q/p/items?after={}", number * 97 % 10_000));
        for (number, paths) in [lookups("p").collect::<Vec<_>>(), lists.collect()].iter().enumerate() {
            let measured = Measured::new(&clients, &server, paths);
            requests.add(number, count as f64, measured.load.per_second());
            work.add(number, count as f64, measured.worked.as_secs_f64() * 1e6);
            if number == 0 {
                for (series, part) in [0.5, 0.99].into_iter().enumerate() {
                    latency.add(series, count as f64, measured.load.latency(part).as_secs_f64() * 1e3);
                }
            }
        }
    }
    database.run_on(&all);
    Chart {
        name: "cores",
        title: "Growth with the cores of the server",
        caption: vec![
            format!(
                "{CLIENTS} clients that ask without a pause, on the machine's other cores, with PostgreSQL."
            ),
            format!(
                "With all {} cores these three share them, so that the server has a part of them only.",
                all.len()
            ),
        ],
        across: "cores",
        across_scale: Scale::Logarithmic,
        panels: vec![requests, work, latency],
    }
}
