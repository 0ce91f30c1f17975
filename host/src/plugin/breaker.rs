//! Keeps a plugin that fails again and again from being run for nothing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a plugin is suspended first, and at most: each time that it fails its try the time doubles.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Decides whether a plugin is run. It counts failures of runs, and suspends the plugin when there are too many of them: in a
/// row, or of the last twice as many runs. When its time is over, one run decides whether it begins anew.
#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// How the last runs ended, newest first: true for a failure.
    ended: Vec<bool>,
    /// For how long it is suspended the next time.
    next: Duration,
    /// How long the runs took together that were given up by their callers: see [`Admission::leave`].
    left: Duration,
    news: Option<BreakerNews>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is run.
    Closed,
    /// It is not run until then.
    Open { until: Instant },
    /// One run decides.
    Trying,
}

/// What has become of a plugin that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerNews {
    /// It is not run any more.
    Suspended {
        /// For how long.
        time: Duration,
    },
    /// It is run again.
    Resumed,
}

/// A run that was let through. Dropped without an end, nothing is known of how it ended.
#[derive(Debug)]
pub(super) struct Admission {
    breaker: Arc<Breaker>,
    is_try: bool,
    has_ended: bool,
}

impl Breaker {
    /// One that opens after so many failures.
    pub(super) fn new(failures: u32) -> Self {
        let state =
            State { phase: Phase::Closed, ended: Vec::new(), next: FIRST, left: Duration::ZERO, news: None };
        Self { failures: failures.max(1), state: Mutex::new(state) }
    }

    /// For how long it is suspended still, if it is: also while another run tries it.
    pub(super) fn suspended(&self, now: Instant) -> Option<Duration> {
        self.lock().suspended(now)
    }

    /// Lets a run through, or says for how long the plugin is suspended.
    pub(super) fn admit(self: &Arc<Self>, now: Instant) -> Result<Admission, Duration> {
        // One lock for both: it must not be suspended by another run in between, and tried at once.
        let mut state = self.lock();
        if let Some(left) = state.suspended(now) {
            return Err(left);
        }
        let is_try = state.phase != Phase::Closed;
        if is_try {
            state.phase = Phase::Trying;
        }
        Ok(Admission { breaker: self.clone(), is_try, has_ended: false })
    }

    /// What has become of the plugin since this was last asked.
    pub(super) fn take_news(&self) -> Option<BreakerNews> {
        self.lock().news.take()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// Tells how the run ended: with a failure of the plugin, or not.
    pub(super) fn end(mut self, failed: bool, now: Instant) {
        self.has_ended = true;
        let failures = self.breaker.failures as usize;
        let mut state = self.breaker.lock();
        state.ended.insert(0, failed);
        state.ended.truncate(failures.saturating_mul(2));
        if self.is_try {
            match failed {
                true => state.open(now),
                false => {
                    state.phase = Phase::Closed;
                    state.ended.clear();
                    state.news = Some(BreakerNews::Resumed);
                }
            }
            return;
        }
        // A run that began before it was suspended changes nothing.
        if state.phase != Phase::Closed {
            return;
        }
        let in_a_row = state.ended.iter().take_while(|failed| **failed).count();
        let of_the_last = state.ended.iter().filter(|failed| **failed).count();
        let is_whole = state.ended.len() >= failures.saturating_mul(2);
        if in_a_row >= failures || (is_whole && of_the_last >= failures) {
            state.open(now);
        } else if is_whole && of_the_last == 0 {
            // It is well again. One that does well once, to fail again, waits for as long as it did.
            state.next = FIRST;
        }
    }
}

impl Admission {
    /// Tells that the run's caller went before it ended, after so long. That says nothing about the plugin, unless it takes
    /// long again and again: a plugin whose callers always leave just before its time is over costs as much as one that
    /// never comes back. So once such runs have taken a whole budget together, that is a failure.
    pub(super) fn leave(self, took: Duration, budget: Duration, now: Instant) {
        let mut state = self.breaker.lock();
        state.left = state.left.saturating_add(took);
        let failed = state.left >= budget;
        if failed {
            state.left = Duration::ZERO;
        }
        drop(state);
        if failed {
            self.end(true, now);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.is_try && !self.has_ended {
            // It must not be tried without end by callers that do not wait for it.
            let mut state = self.breaker.lock();
            let until = Instant::now() + state.next / 2;
            state.phase = Phase::Open { until };
        }
    }
}

impl State {
    fn suspended(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => until.checked_duration_since(now).filter(|left| !left.is_zero()),
            Phase::Trying => Some(FIRST),
            Phase::Closed => None,
        }
    }

    fn open(&mut self, now: Instant) {
        let time = self.next;
        self.next = (time * 2).min(LONGEST);
        self.phase = Phase::Open { until: now + time };
        self.news = Some(BreakerNews::Suspended { time });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn runs(breaker: &Arc<Breaker>, now: Instant, outcomes: &[bool]) {
        for failed in outcomes {
            breaker.admit(now).unwrap().end(*failed, now);
        }
    }

    #[test]
    fn opens_after_failures_in_a_row() {
        let (breaker, now) = (Arc::new(Breaker::new(5)), Instant::now());
        runs(&breaker, now, &[true, true, true, true, false, true, true, true, true]);
        assert_eq!(breaker.suspended(now), None);
        runs(&breaker, now, &[true]);
        assert_eq!(breaker.admit(now).unwrap_err(), SECOND);
        assert_eq!(breaker.take_news(), Some(BreakerNews::Suspended { time: SECOND }));
        assert_eq!(breaker.take_news(), None);
    }

    #[test]
    fn opens_when_half_of_the_last_runs_failed() {
        let (breaker, now) = (Arc::new(Breaker::new(5)), Instant::now());
        runs(&breaker, now, &[true, false].repeat(5));
        assert_eq!(breaker.suspended(now), Some(SECOND));
        let (breaker, now) = (Arc::new(Breaker::new(5)), Instant::now());
        runs(&breaker, now, &[true, false, false].repeat(50));
        assert_eq!(breaker.suspended(now), None);
    }

    #[test]
    fn one_try_decides_and_each_that_fails_doubles_the_time() {
        let (breaker, mut now) = (Arc::new(Breaker::new(1)), Instant::now());
        runs(&breaker, now, &[true]);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            let time = Duration::from_secs(expected);
            assert_eq!(breaker.suspended(now), Some(time));
            now += time;
            let only = breaker.admit(now).unwrap();
            assert!(breaker.admit(now).is_err());
            only.end(true, now);
        }
        now += LONGEST;
        runs(&breaker, now, &[false]);
        assert_eq!(breaker.take_news(), Some(BreakerNews::Resumed));
        // It has not done well for long.
        runs(&breaker, now, &[true]);
        assert_eq!(breaker.suspended(now), Some(LONGEST));
        now += LONGEST;
        runs(&breaker, now, &[false, false, false, true]);
        assert_eq!(breaker.suspended(now), Some(SECOND));
    }

    #[test]
    fn a_try_that_is_given_up_does_not_end_the_suspension() {
        let (breaker, now) = (Arc::new(Breaker::new(1)), Instant::now());
        runs(&breaker, now, &[true]);
        let later = now + SECOND;
        drop(breaker.admit(later).unwrap());
        assert!(breaker.admit(Instant::now()).is_err());
        assert!(breaker.admit(later + LONGEST).is_ok());
    }

    #[test]
    fn runs_that_are_left_count_once_they_took_a_whole_budget() {
        let (breaker, now) = (Arc::new(Breaker::new(2)), Instant::now());
        let budget = Duration::from_millis(50);
        let leave = |millis| breaker.admit(now).unwrap().leave(Duration::from_millis(millis), budget, now);
        // Whoever leaves a plugin that is quick says nothing of it.
        (0..100).for_each(|_| leave(0));
        leave(49);
        leave(49);
        assert_eq!(breaker.suspended(now), None);
        leave(50);
        assert_eq!(breaker.suspended(now), Some(SECOND));
    }

    #[test]
    fn a_run_that_began_before_changes_nothing() {
        let (breaker, now) = (Arc::new(Breaker::new(1)), Instant::now());
        let slow = breaker.admit(now).unwrap();
        let given_up = breaker.admit(now).unwrap();
        runs(&breaker, now, &[true]);
        drop(given_up);
        slow.end(false, now);
        assert_eq!(breaker.suspended(now), Some(SECOND));
        assert_eq!(breaker.take_news(), Some(BreakerNews::Suspended { time: SECOND }));
    }
}
