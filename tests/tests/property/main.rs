//! Whatever is described is what PostgreSQL's own parser reads, and what a PostgreSQL that runs accepts: a property over
//! thousands of generated descriptions.
//!
//! `CALLSLIP_SEED=42 cargo test -p callslip-tests --test property -- --nocapture` checks one description and shows its SQL;
//! `CALLSLIP_DESCRIPTIONS=1000000` checks more of them.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod choices;
mod constructs;
mod described;
mod filtered;
mod fixture;
mod generate;
mod mutations;
mod parsed;
mod property;
mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use callslip::catalog::reflect;
use callslip::cluster::Cluster;
use callslip_tests::{cluster, connect};
use tokio_postgres::Client;

use property::Subject;

/// How many descriptions are checked.
const DESCRIPTIONS: u64 = 10_000;
/// How often each construct must be among them.
const AT_LEAST: usize = 10;
/// How many failures are shown.
const SHOWN: usize = 5;

/// A PostgreSQL with the fixture, and the fixture as the host knows it.
async fn fixture() -> (Cluster, Subject) {
    let (cluster, client) = cluster(fixture::SQL).await;
    let subject = Subject::new(reflect(&client).await.unwrap());
    (cluster, subject)
}

/// The bytes of a seed's description: more of them for some than for others.
fn bytes_of(seed: u64) -> Vec<u8> {
    choices::bytes_of(seed, 20 << (seed % 7))
}

/// What was found out about some descriptions.
#[derive(Default)]
struct Report {
    failures: Vec<(u64, String)>,
    /// Of what was printed.
    constructs: BTreeMap<&'static str, usize>,
    /// How many may hang PostgreSQL, and are refused for that.
    refused: u64,
}

impl Report {
    async fn check(&mut self, seed: u64, subject: &Subject, client: &Client, version: u32) {
        let bytes = bytes_of(seed);
        let description = generate::description(&bytes);
        match subject.hold(&bytes) {
            Err(_) if self.failures.len() < SHOWN => {
                let fewer = property::shrink(&bytes, |bytes| subject.hold(bytes).is_err());
                self.failures.push((seed, subject.hold(&fewer).unwrap_err()));
            }
            Err(problem) => self.failures.push((seed, problem)),
            Ok(None) => self.refused += 1,
            Ok(Some(sql)) => {
                for construct in description.nodes.iter().flat_map(|node| constructs::of(&node.kind)) {
                    *self.constructs.entry(construct).or_default() += 1;
                }
                let is_known = constructs::needed_version(&description) <= version;
                if is_known && let Err(error) = client.prepare(&sql).await {
                    self.failures.push((seed, format!("PostgreSQL refuses it: {error:?}\n\n{sql}")));
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.failures.extend(other.failures);
        self.refused += other.refused;
        for (construct, count) in other.constructs {
            *self.constructs.entry(construct).or_default() += count;
        }
    }

    fn assert_no_failures(&self) {
        let shown: Vec<String> = self
            .failures
            .iter()
            .take(SHOWN)
            .map(|(seed, problem)| {
                format!("CALLSLIP_SEED={seed} cargo test -p callslip-tests --test property\n{problem}\n")
            })
            .collect();
        assert!(
            self.failures.is_empty(),
            "{} descriptions fail:\n\n{}",
            self.failures.len(),
            shown.join("\n")
        );
    }
}

fn number_of(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_printed_is_what_was_described() {
    let (cluster, subject) = fixture().await;
    let version = subject.server_version();
    if let Some(seed) = number_of("CALLSLIP_SEED") {
        let client = connect(&cluster.config()).await;
        let mut report = Report::default();
        report.check(seed, &subject, &client, version).await;
        report.assert_no_failures();
        let sql = subject.hold(&bytes_of(seed)).unwrap();
        println!("{}", sql.as_deref().unwrap_or("it may hang PostgreSQL, and is refused"));
        return;
    }
    mutations::a_mistake_in_the_description_is_a_difference(&subject, 0..300);

    let descriptions = number_of("CALLSLIP_DESCRIPTIONS").unwrap_or(DESCRIPTIONS);
    let subject = Arc::new(subject);
    let workers = 4;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..workers {
        let (subject, client) = (Arc::clone(&subject), connect(&cluster.config()).await);
        tasks.spawn(async move {
            let mut report = Report::default();
            for seed in (worker..descriptions).step_by(workers as usize) {
                report.check(seed, &subject, &client, version).await;
            }
            report
        });
    }
    let mut report = Report::default();
    while let Some(part) = tasks.join_next().await {
        report.add(part.unwrap());
    }
    report.assert_no_failures();
    assert!(report.refused * 20 < descriptions, "{} of {descriptions} may hang", report.refused);

    // No construct may get lost on the way, unseen.
    for (construct, _) in constructs::CONSTRUCTS {
        let count = report.constructs.get(construct).copied().unwrap_or_default();
        assert!(count >= AT_LEAST, "{construct} was generated {count} times only");
    }
}
