use std::sync::{Arc, Mutex, PoisonError};

use callslip::{CallEnded, Observation};

/// What a host has told since it was last asked. A clone is told the same.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Vec<Observation>>>);

impl Seen {
    /// Who is to be told: for `HostBuilder::observe`.
    pub fn observer(&self) -> impl Fn(&Observation) + Send + Sync + use<> {
        let Self(seen) = self.clone();
        move |observation| seen.lock().unwrap_or_else(PoisonError::into_inner).push(observation.clone())
    }

    /// All of it, in order.
    pub fn take(&self) -> Vec<Observation> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The only thing that was told: the end of a call.
    ///
    /// # Panics
    /// If that is not so, or the times of the call contradict each other.
    #[track_caller]
    pub fn call(&self) -> CallEnded {
        let told = self.take();
        let [Observation::CallEnded(call)] = told.as_slice() else { panic!("not one call: {told:#?}") };
        checked(call)
    }

    /// The end of the only call, which is the last of what was told, and what was told before that.
    ///
    /// # Panics
    /// If that is not so, or the times of the call contradict each other.
    #[track_caller]
    pub fn before_call(&self) -> (Vec<Observation>, CallEnded) {
        let mut told = self.take();
        let Some(Observation::CallEnded(call)) = told.pop() else { panic!("not last: {told:#?}") };
        let another = told.iter().any(|told| matches!(told, Observation::CallEnded(_)));
        assert!(!another, "several calls: {told:#?}");
        (told, checked(&call))
    }
}

#[track_caller]
fn checked(call: &CallEnded) -> CallEnded {
    let CallEnded { waited, planned, first_row, total, .. } = *call;
    assert!(waited + planned <= total, "{call:?}");
    assert!(
        first_row.is_none_or(|first_row| waited + planned <= first_row && first_row <= total),
        "{call:?}"
    );
    assert!(call.rows == 0 || first_row.is_some(), "{call:?}");
    assert!(first_row.is_none() || call.isolation.is_some(), "{call:?}");
    call.clone()
}
