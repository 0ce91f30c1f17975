use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::admitted::{Admitted, PLAN_ANEW};
use super::answer::answer;
use super::error::LoanError;
use super::guard::Guard;
use super::owner::{self, Owner};
use super::start::{Opening, Start};

/// A guard, and the roles that it has let pass lately.
pub(super) struct Admission<'a> {
    pub guard: Arc<Guard>,
    pub admitted: &'a Admitted,
    /// When the loan began: what is known then is known for all of it.
    pub since: Instant,
    /// Whom the guard has let pass for this loan. Another guard may have had all that is known forgotten since.
    pub passed: OnceLock<Owner>,
}

impl<'loan> Start<'_, 'loan> {
    /// Whether it is known that the role may pass with whose rights the statements run.
    pub(super) fn is_admitted(&self, owner: &Owner) -> bool {
        self.admission.as_ref().is_none_or(|its| {
            its.passed.get() == Some(owner) || its.admitted.contains(owner, &its.guard, its.since)
        })
    }

    /// When it was last asked what a role may.
    pub(super) fn asked_at(&self) -> Option<Instant> {
        let Some(its) = &self.admission else { return self.asked_at };
        // Of a session of the host's own both its login and the caller's role were asked about.
        its.admitted
            .since(&its.guard, its.since)
            .map(|since| self.asked_at.map_or(since, |own| own.max(since)))
    }

    /// Whether the session may keep what it had planned before that.
    pub(super) fn has_old_plans(&self) -> bool {
        match (self.wire.statements(), self.asked_at()) {
            (Some(statements), Some(asked_at)) => statements.has_plans_of_before(asked_at),
            // It was forgotten since the loan has begun.
            (Some(_), None) => self.admission.is_some(),
            (None, _) => false,
        }
    }

    /// Has the session plan everything anew, outside of a block.
    pub(super) fn planning_anew(&self) -> Opening<'loan> {
        let wire = self.wire.clone();
        answer(async move { wire.client().batch_execute(PLAN_ANEW).await.map(|()| None) })
    }

    /// Has the guard judge the owner's role, or the caller's, in a block of its own: the question is nothing that the owner
    /// should see.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], [`LoanError::CallerNotSet`].
    pub(super) async fn admit(&self) -> Result<(), LoanError> {
        let (Some(block), Some(Admission { guard, admitted, passed, .. })) = (self.block, &self.admission)
        else {
            return Ok(());
        };
        let set = self.caller.as_ref().map(|caller| caller.set_role()).unwrap_or_default();
        let question = format!("{set}{}; SELECT {}; {PLAN_ANEW}", guard.question(), owner::COLUMNS);
        let asked_at = Instant::now();
        let (answered, ended) = block.around(self.wire.client(), &question).await;
        let answered = answered.map_err(|error| match &self.caller {
            Some(caller) => caller.not_set(error),
            None => error,
        })?;
        if let Some(statements) = self.wire.statements() {
            statements.set_planned_since(asked_at);
        }
        if let Err(error) = guard.judge(&answered) {
            if let LoanError::Privileged(role) = &error {
                admitted.remove(role.role());
            }
            return Err(error);
        }
        ended?;
        if let Some(owner) = Owner::of_messages(&answered) {
            admitted.insert(guard, owner.clone(), asked_at);
            // It is asked once a loan.
            let _ = passed.set(owner);
        }
        Ok(())
    }
}
