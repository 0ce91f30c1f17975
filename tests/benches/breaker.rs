//! What a plugin that does not come back takes from another: replies a second of an open query, each of which is a run of its
//! plugin, while eight clients call a plugin that loops for ever.
//!
//! `make bench ARGS='--bench breaker'`, of half a minute. The clients cost something themselves, whatever they ask for, since
//! they run on the same machine: so the figure is also compared with that while they ask for a plugin that is not there. The
//! three are measured in turns, and of each the median is told, since a machine is never quite the same for long. It is counted
//! from a second on after the first call of the plugin that loops, so that its breaker is open but for the tries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callslip::{Code, Config, Host, Reply};
use callslip_tests::{component, component_with, database};
use tokio::runtime::Runtime;

const CLIENTS: usize = 8;
/// How long a client waits between two calls, as it does on a network.
const PAUSE: Duration = Duration::from_millis(1);
const ROUNDS: usize = 4;
const ROUND: Duration = Duration::from_secs(2);

/// Calls the open query, each time with other words, and returns how many replies came in a second.
async fn throughput(host: &Host, round: &str, time: Duration) -> f64 {
    let begun = Instant::now();
    let mut replies = 0_u32;
    while begun.elapsed() < time {
        let call = host.call("language", "search").param("words", format!("{round} {replies}"));
        let mut reply: Reply<'_> = call.run().await.expect("it is served");
        while reply.next_chunk().await.expect("it is whole").is_some() {}
        replies += 1;
    }
    f64::from(replies) / begun.elapsed().as_secs_f64()
}

/// The processors that this process took in a while.
async fn processors(time: Duration) -> f64 {
    let before = processor_seconds();
    tokio::time::sleep(time).await;
    (processor_seconds() - before) / time.as_secs_f64()
}

fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let hundredths: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|its| its.parse::<u64>().ok()).sum();
    hundredths as f64 / 100.0
}

/// Calls a plugin again and again until told otherwise, and counts the runs that took their whole time.
struct Siege {
    is_over: Arc<AtomicBool>,
    timed_out: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Siege {
    fn begin(host: &Host, plugin: &'static str) -> Self {
        let (is_over, timed_out) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let client = |_| {
            let (host, is_over, timed_out) = (host.clone(), is_over.clone(), timed_out.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let error = host.call(plugin, "bide").param("deed", "endless_loop").run().await.err();
                    let has_run = error.is_some_and(|error| error.code() == Code::PluginTimeout);
                    timed_out.fetch_add(u64::from(has_run), Ordering::Relaxed);
                    tokio::time::sleep(PAUSE).await;
                }
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { is_over, timed_out, clients }
    }

    async fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("a client does not fail");
        }
        self.timed_out.load(Ordering::Relaxed)
    }
}

async fn host(failures: u32) -> Host {
    let (language, hostile) =
        (component("tests/guests/language"), component_with("tests/guests/hostile", Some("at-call")));
    let text = format!(
        "[limits]
         failures = {failures}
         [plugins.language]
         component = {language:?}
         [plugins.language.grants]
         relations = [\"position\"]
         [plugins.hostile]
         component = {hostile:?}"
    );
    let config = Config::parse(&text, "".as_ref()).expect("a configuration");
    Host::builder().connect(&database().connection()).start(&config).await.expect("a host")
}

async fn measure() {
    // The most that there can be, which two seconds do not reach.
    let patient = host(1_000).await;
    let siege = Siege::begin(&patient, "hostile");
    let taken = processors(Duration::from_secs(2)).await;
    println!("before the breaker is open, {CLIENTS} clients of a looping plugin take {taken:.2} processors");
    siege.end().await;

    let host = host(5).await;
    throughput(&host, "warm", Duration::from_secs(1)).await;
    let siege = Siege::begin(&host, "hostile");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut runs = siege.end().await;
    let (mut alone, mut control, mut besieged) = (Vec::new(), Vec::new(), Vec::new());
    let mut taken = 0.0;
    for round in 0..ROUNDS {
        alone.push(throughput(&host, &format!("alone {round}"), ROUND).await);
        let siege = Siege::begin(&host, "nobody");
        control.push(throughput(&host, &format!("control {round}"), ROUND).await);
        siege.end().await;
        let siege = Siege::begin(&host, "hostile");
        let before = processor_seconds();
        besieged.push(throughput(&host, &format!("besieged {round}"), ROUND).await);
        taken += processor_seconds() - before;
        runs += siege.end().await;
    }
    let (alone, control, besieged) = (median(alone), median(control), median(besieged));
    let taken = taken / (ROUND * ROUNDS as u32).as_secs_f64();
    println!("replies a second of another plugin's open query, a run each:");
    println!("  {alone:8.0}  alone");
    println!("  {control:8.0}  while {CLIENTS} clients ask for a plugin that is not there");
    println!(
        "  {besieged:8.0}  while {CLIENTS} clients call one that loops and is suspended, after {runs} runs; this process takes {taken:.2} processors"
    );
    println!("  {:7.1} %  of alone", 100.0 * besieged / alone);
    println!("  {:7.1} %  of what the clients leave anyway", 100.0 * besieged / control);
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len().is_multiple_of(2) { f64::midpoint(of[middle - 1], of[middle]) } else { of[middle] }
}

fn main() {
    Runtime::new().expect("a runtime").block_on(measure());
}
