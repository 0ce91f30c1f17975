//! Throughput, memory and start against the number of plugins.

use std::fs;
use std::path::Path;
use std::thread;

use tokio::runtime::Runtime;

use crate::affinity::processors;
use crate::chart::{Chart, Panel, Scale};
use crate::measured::{CLIENTS, Measured};
use crate::server::Setup;

const COUNTS: [usize; 3] = [1, 64, 1_000];
/// How many plugins one process compiles when it starts.
const AT_ONCE: usize = 64;
/// What is in the component of a plugin before its number.
const BEFORE: &[u8] = b"the plugin with the number ";
const DIGITS: usize = 6;

/// Of every number of plugins, of which each is asked in turn.
pub fn plugins(clients: &Runtime, url: &str, component: &Path) -> Chart {
    let folder = tempfile::tempdir().expect("a folder");
    let component = fs::read(component).expect("it was built");
    let mut requests = Panel::new("Requests per second", Scale::Linear, &[""]);
    let mut memory = Panel::new(
        "Memory of the server, MiB",
        Scale::Logarithmic,
        &["when it listens", "when it has served"],
    );
    let mut start = Panel::new(
        "Start of the server, s",
        Scale::Logarithmic,
        &["all compiled, up to 64", "from the cache"],
    );
    for count in COUNTS {
        let plugin = |number: usize| {
            let file = folder.path().join(format!("{number}.wasm"));
            fs::write(&file, numbered(&component, number)).expect("a file");
            (format!("p{number}"), file)
        };
        let plugins: Vec<_> = (0..count).map(plugin).collect();
        let cache = folder.path().join(format!("cache of {count}"));
        let setup = Setup::new(url, &cache, "item", &plugins);
        let across = count as f64;
        if count <= AT_ONCE {
            start.add(0, across, setup.check().as_secs_f64());
        } else {
            // A server compiles one plugin after the other, and gives up after two minutes.
            let check = |some: &[_]| Setup::new(url, &cache, "item", some).check();
            thread::scope(|scope| {
                for part in plugins.chunks(count.div_ceil(processors().len())) {
                    scope.spawn(|| {
                        for some in part.chunks(AT_ONCE) {
                            check(some);
                        }
                    });
                }
            });
        }
        let server = setup.start(&processors());
        start.add(1, across, server.ready_after.as_secs_f64());
        memory.add(0, across, server.memory());
        let paths: Vec<String> = (0..count).map(|number| format!("/q/p{number}/item?id=7")).collect();
        requests.add(0, across, Measured::new(clients, &server, &paths).load.per_second());
        memory.add(1, across, server.memory());
    }
    Chart {
        name: "plugins",
        title: "Growth with the plugins of a server",
        caption: vec![
            format!(
                "{CLIENTS} clients that look up one row without a pause, at each plugin in turn. PostgreSQL and they share the machine."
            ),
            "Each plugin is a component of other bytes with three queries, and the SQL of the one that is asked is its own."
                .to_owned(),
        ],
        across: "plugins",
        across_scale: Scale::Logarithmic,
        panels: vec![requests, memory, start],
    }
}

/// The component with another number: other bytes, other SQL.
fn numbered(component: &[u8], number: usize) -> Vec<u8> {
    let places: Vec<usize> =
        (0..component.len()).filter(|place| component[*place..].starts_with(BEFORE)).collect();
    let [place] = places[..] else { panic!("the number is there {} times", places.len()) };
    let digits = place + BEFORE.len();
    let mut numbered = component.to_vec();
    numbered[digits..digits + DIGITS].copy_from_slice(format!("{number:0DIGITS$}").as_bytes());
    numbered
}
