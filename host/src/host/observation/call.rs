use std::time::{Duration, Instant};

use super::{CallEnded, CallOutcome, Observation, Observers, RanOn};
use crate::CallError;
use crate::Code;
use crate::loan::Isolation;

/// A call that is under way. Its end is told once: by [`ObservedCall::end`], or when this is dropped.
pub(in crate::host) struct ObservedCall(Option<Box<UnderWay>>);

struct UnderWay {
    observers: Observers,
    began: Instant,
    /// What is known by now.
    call: CallEnded,
}

impl ObservedCall {
    pub fn begin(observers: &Observers, plugin: &str, query: &str, ran_on: RanOn) -> Self {
        let call = CallEnded {
            plugin: Some(plugin.to_owned()),
            query: Some(query.to_owned()),
            shape: None,
            ran_on,
            isolation: None,
            waited: Duration::ZERO,
            planned: Duration::ZERO,
            first_row: None,
            total: Duration::ZERO,
            rows: 0,
            bytes: 0,
            outcome: CallOutcome::Dropped,
        };
        Self(Some(Box::new(UnderWay { observers: observers.clone(), began: Instant::now(), call })))
    }

    /// To be called when it has waited for a connection since then.
    pub fn has_waited(&mut self, since: Instant) {
        self.change(|call| call.waited += since.elapsed());
    }

    /// To be called when its statements were looked for since then.
    pub fn has_planned(&mut self, since: Instant) {
        self.change(|call| call.planned += since.elapsed());
    }

    /// Of which shape it is.
    pub fn is_of_shape(&mut self, digest: Option<&str>) {
        self.change(|call| call.shape = digest.map(str::to_owned));
    }

    /// Its statements have started.
    pub fn has_started(&mut self, isolation: Isolation) {
        self.change(|call| call.isolation = Some(isolation));
    }

    /// So many rows were read by now.
    pub fn has_read(&mut self, rows: u64) {
        if let Some(UnderWay { call, began, .. }) = self.0.as_deref_mut() {
            call.rows = rows;
            call.first_row.get_or_insert_with(|| began.elapsed());
        }
    }

    /// So many bytes were given by now.
    pub fn has_given(&mut self, bytes: u64) {
        self.change(|call| call.bytes = bytes);
    }

    fn change(&mut self, change: impl FnOnce(&mut CallEnded)) {
        if let Some(under_way) = self.0.as_deref_mut() {
            change(&mut under_way.call);
        }
    }

    /// Ends it with an error, if it has not ended yet.
    pub fn fail(&mut self, error: CallError) -> CallError {
        self.change(|call| {
            if matches!(error, CallError::UnknownPlugin { .. }) {
                call.plugin = None;
            }
            if matches!(error, CallError::UnknownPlugin { .. } | CallError::UnknownQuery { .. }) {
                call.query = None;
            }
        });
        if self.0.is_some() {
            self.end(match error.code() {
                Code::Cancelled => CallOutcome::Dropped,
                code => CallOutcome::Failed { code, message: error.log_message() },
            });
        }
        error
    }

    /// Ends it, if it has not ended yet.
    pub fn end(&mut self, outcome: CallOutcome) {
        if let Some(under_way) = self.0.take() {
            let UnderWay { observers, began, call } = *under_way;
            observers.tell(&Observation::CallEnded(CallEnded { total: began.elapsed(), outcome, ..call }));
        }
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        self.end(CallOutcome::Dropped);
    }
}
