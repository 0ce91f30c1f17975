//! What clients got from a server, and what it cost.

use std::time::Duration;

use callslip_tests::Load;
use tokio::runtime::Runtime;

use crate::server::Server;

/// How many clients ask at once.
pub const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(1);

/// The median of some rounds, by how much was served.
pub struct Measured {
    pub load: Load,
    /// What a request cost the server's processors, over all rounds.
    pub worked: Duration,
}

impl Measured {
    /// Asks for these paths in turn.
    pub fn new(clients: &Runtime, server: &Server, paths: &[String]) -> Self {
        let round = |lasts| clients.block_on(Load::run(server.address, paths, CLIENTS, lasts));
        round(WARM_UP);
        let before = server.worked();
        let mut rounds: Vec<Load> = (0..ROUNDS).map(|_| round(ROUND)).collect();
        let worked = server.worked() - before;
        let requests: usize = rounds.iter().map(|round| round.requests).sum();
        rounds.sort_by(|one, other| one.per_second().total_cmp(&other.per_second()));
        Self { load: rounds.swap_remove(ROUNDS / 2), worked: worked.div_f64(requests as f64) }
    }
}

/// Lookups of one row by its key, with other keys.
pub fn lookups(plugin: &str) -> impl Iterator<Item = String> {
    (0..1_000).map(move |number| format!("/q/{plugin}/item?id={}", number * 97 % 10_000 + 1))
}
