//! The log of slow queries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver};

use super::Inner;
use super::observation::{CallEnded, Observation, Observer};
use super::prove::ProvenStatement;
use super::refresh::RefreshError;
use crate::SlowQueryConfig;
use crate::printable::printable;

/// Where slow queries are logged.
const SLOW: &str = "callslip::slow";

/// How many slow calls wait to be logged, at most. A database that is slow with everything must not fill the log, nor be asked about
/// all of it.
const QUEUE: usize = 64;

/// How long it takes at the least from one plan to the next.
const PLAN_EVERY: Duration = Duration::from_secs(10);

/// How long a plan may take to come. What is slow may be the database itself.
const PLAN_WITHIN: Duration = Duration::from_secs(10);

/// How much is logged of the SQL of a call, and of its plans.
const SQL_CHARACTERS: usize = 4_000;
const PLAN_CHARACTERS: usize = 8_000;

/// Hears of slow calls, and logs them on a task of its own.
pub(super) struct SlowQueries {
    calls: Receiver<Box<CallEnded>>,
    /// How many there was no room for.
    left_out: Arc<AtomicU64>,
    plans: bool,
}

impl SlowQueries {
    /// What is to hear of calls, and what logs them, as a configuration says; nothing, if none is to be logged.
    pub fn new(config: &SlowQueryConfig) -> Option<(Self, Observer)> {
        let over = Duration::from_millis(config.over_ms);
        if over.is_zero() {
            return None;
        }
        let (queue, calls) = mpsc::channel(QUEUE);
        let left_out = Arc::<AtomicU64>::default();
        let slow = Self { calls, left_out: left_out.clone(), plans: config.plan };
        let observer = move |observation: &Observation| {
            if let Observation::CallEnded(call) = observation
                && call.executed > over
                && queue.try_send(Box::new(call.clone())).is_err()
            {
                left_out.fetch_add(1, Ordering::Relaxed);
            }
        };
        Some((slow, Arc::new(observer)))
    }

    /// Logs them for as long as there is the host.
    pub async fn log(mut self, host: Weak<Inner>) {
        let mut planned: Option<Instant> = None;
        while let Some(call) = self.calls.recv().await {
            let is_due = planned.is_none_or(|at| at.elapsed() >= PLAN_EVERY);
            let plan = match host.upgrade().filter(|_| self.plans && is_due) {
                Some(host) if host.refresher.connection.is_some() => {
                    let plan = tokio::time::timeout(PLAN_WITHIN, plan(&host, &call)).await;
                    planned = Some(Instant::now());
                    Some(plan.unwrap_or_else(|_| Ok(format!("none came within {PLAN_WITHIN:?}"))))
                }
                _ => None,
            };
            let plan = plan.map(|plan| plan.unwrap_or_else(|error| format!("there is none: {error}")));
            self.tell(&call, plan.as_deref());
        }
    }

    fn tell(&self, call: &CallEnded, plan: Option<&str>) {
        let CallEnded { id, executed, waited, planned, total, rows, outcome, .. } = call;
        let (plugin, query, shape) = (&*call.called_plugin, &*call.called_query, call.shape.as_deref());
        let sql: Vec<&str> = statements(call).map(|statement| &*statement.sql).collect();
        let sql = printable(&sql.join("; "), SQL_CHARACTERS);
        let plan = plan.map(|plan| printable(plan, PLAN_CHARACTERS));
        let left_out = Some(self.left_out.swap(0, Ordering::Relaxed)).filter(|more| *more > 0);
        tracing::warn!(
            target: SLOW, %id, plugin, query, shape, ?executed, ?waited, ?planned, ?total, rows,
            outcome = outcome.as_str(), sql, plan, left_out, "a query was slow"
        );
    }
}

fn statements(call: &CallEnded) -> impl Iterator<Item = &ProvenStatement> {
    call.proven.iter().flat_map(|proven| proven.statements())
}

/// The plans of a call's statements for any values: they tell nothing of its own. They are asked for on a connection that is opened
/// for them, so that no call waits for one.
async fn plan(host: &Inner, call: &CallEnded) -> Result<String, RefreshError> {
    let loan = host.refresher.loan().await?;
    let proving = loan.prove().await?;
    let mut plans = Vec::new();
    for statement in statements(call) {
        plans.extend(proving.explain(&statement.sql, statement.values.len()).await?);
    }
    proving.end().await?;
    Ok(plans.join("\n"))
}
