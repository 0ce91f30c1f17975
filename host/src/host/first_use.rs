use std::sync::Arc;
use std::time::Instant;

use super::Inner;
use super::allowance::Admission;
use super::budget::Budget;
use super::choice::Picked;
use super::error::CallError;
use super::generation::Generation;
use super::observation::{Observation, ShapeProven};
use super::prove::{ProveError, ProvenShape, Prover};
use super::request::Called;
use super::version::Occasion;
use crate::loan::{Lent, LoanError};
use crate::plugin::BreakerNews;

impl Inner {
    /// The proven shape of a call. All of a closed query's were proven at load; of others, the first use proves.
    pub async fn shape(
        &self,
        generation: &Generation,
        called: &Called<'_>,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
        admission: &Admission,
    ) -> Result<Arc<ProvenShape>, CallError> {
        let Called { plugin, query, choice, arguments } = called;
        match query.recall(&arguments.shape, choice) {
            Picked::Found(proven) => {
                self.shapes.count(true);
                return Ok(proven);
            }
            Picked::Refused(errors) => return Err(CallError::Arguments(errors)),
            Picked::NotMade => self.shapes.count(false),
        }
        let began = Instant::now();
        // It is rare, and larger than all else of a call, whose stack need not have the room.
        let planned = Box::pin(self.prove_shape(generation, called, lent, budget, admission)).await;
        let proven = match planned {
            // Nothing of it had to be proven.
            Ok((proven, false)) => return Ok(proven),
            proven => proven.map(|(proven, _)| proven),
        };
        self.observers.tell(&Observation::ShapeProven(ShapeProven {
            plugin: plugin.name().into(),
            query: query.declaration().name.as_str().into(),
            shape: proven.as_ref().ok().and_then(|proven| proven.digest()).cloned(),
            took: began.elapsed(),
            refused: proven.as_ref().err().map(|error| match error {
                CallError::Unproven(findings) => {
                    findings.first().map_or_else(|| error.code(), |found| found.code)
                }
                error => error.code(),
            }),
        }));
        proven
    }

    /// Plans a shape, and proves its plan, unless it says what one before it did: then only what is bound is another. Says
    /// whether it was proven.
    async fn prove_shape(
        &self,
        generation: &Generation,
        Called { plugin, query, choice, arguments }: &Called<'_>,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
        admission: &Admission,
    ) -> Result<(Arc<ProvenShape>, bool), CallError> {
        let failed = |error| match error {
            ProveError::Findings(findings) => CallError::Unproven(findings),
            ProveError::Plugin(error) => CallError::Plugin(error),
            ProveError::Loan(error) => CallError::Loan(error),
        };
        let prover =
            Prover { basis: &generation.basis, plugin, query: query.declaration(), limits: query.limits() };
        // Only then: a plugin that takes its time must not keep a connection from others.
        let planned = prover.plan(arguments.shape.clone(), Occasion::Call).await;
        if let Some(news) = plugin.version.component.take_news() {
            let (plugin, digest) = (plugin.name().into(), plugin.digest());
            self.observers.tell(&match news {
                BreakerNews::Suspended { time } => Observation::PluginSuspended { plugin, digest, time },
                BreakerNews::Resumed => Observation::PluginResumed { plugin, digest },
            });
        }
        let planned = planned.map_err(failed)?;
        let before = query.recall_plan(&planned, choice);
        if let Some(proven) = before.and_then(|before| prover.again(&planned, &before)) {
            let proven = Arc::new(proven);
            query.remember(proven.clone());
            return Ok((proven, false));
        }
        let verified = prover.verify_for(&planned, choice);
        let verified = verified.map_err(|error| CallError::Arguments(vec![error]))?;
        let (loan, _companion);
        let inspection = match (&self.pool, lent) {
            (Some(pool), _) => {
                loan = admission.borrow(pool, 0).await?;
                loan.inspect()
            }
            (None, Some(lent)) => {
                _companion = admission.begin_loan()?;
                lent.inspect(&budget.terms(&self.terms)).await?
            }
            (None, None) => return Err(CallError::NothingLent),
        };
        let proving = inspection.prove().await?;
        // It may wait for a lock.
        let Some(proven) = proving.unless_stopped(prover.finish(verified, Some(&proving))).await else {
            return Err(proving.cancel().await.err().unwrap_or(LoanError::Cancelled).into());
        };
        proving.end().await?;
        let mut proven = proven.map_err(failed)?;
        // What an open query says for one value it may never say again.
        proven.recurs = !query.is_open();
        let proven = Arc::new(proven);
        query.remember(proven.clone());
        Ok((proven, true))
    }
}
