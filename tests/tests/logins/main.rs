//! The logins of hosts, on every major version of PostgreSQL that is on this machine: which are refused, what is said of those that may do
//! more than they need, and what is written for one that may only read.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod login_sql;
mod powers;
mod start;

use std::future::Future;

use callslip::cluster::{Binaries, Cluster, ClusterOptions};
use callslip_tests::servers;
use futures_util::future::join_all;

/// Runs a test on a cluster of each version. It says itself on which one it fails.
async fn on_every_version<F: Future<Output = ()>>(test: fn(Cluster, u32) -> F) {
    let run = |server: Binaries| async move {
        let major = server.major();
        // For replication slots.
        let options =
            ClusterOptions::default().setting("wal_level", "replica").setting("max_wal_senders", "1");
        let cluster = Cluster::start(options.binaries(server)).await.unwrap();
        test(cluster, major).await;
    };
    join_all(servers().into_iter().map(run)).await;
}
