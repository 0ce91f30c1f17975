use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::CallError;

/// Measures for how long statements keep connections, against what they may within a minute: a bucket that holds a minute's
/// time, fills at that rate, and is emptied by every statement for as long as that has its connection. A call may begin as long as there is
/// anything in it; what runs goes on when there is nothing, and the next calls wait until that is made up for.
pub(super) struct Meter {
    /// Whose time it is, for the log.
    of: String,
    per_minute: Duration,
    state: Mutex<State>,
}

/// A meter at a moment.
struct State {
    /// The seconds that are missing in the bucket; more than it holds, if there is debt.
    missing: f64,
    /// How many loans empty it now.
    running: u32,
    at: Instant,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Meter {
    pub fn new(of: String, per_minute: Duration) -> Self {
        let state = State { missing: 0.0, running: 0, at: Instant::now() };
        Self { of, per_minute, state: Mutex::new(state) }
    }

    /// Whether a call may begin.
    ///
    /// # Errors
    /// [`CallError::OutOfDatabaseTime`].
    pub fn check(&self) -> Result<(), CallError> {
        match self.at(Instant::now()).left(self.per_minute) {
            Ok(()) => Ok(()),
            Err(again_in) => Err(CallError::OutOfDatabaseTime { of: self.of.clone(), again_in }),
        }
    }

    /// Whether a new one would be the same.
    fn is_full(&self) -> bool {
        let state = self.at(Instant::now());
        state.running == 0 && state.missing == 0.0
    }

    fn begin(&self) {
        self.at(Instant::now()).running += 1;
    }

    fn end(&self) {
        self.at(Instant::now()).running -= 1;
    }

    /// What it is at a moment.
    fn at(&self, now: Instant) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(now, self.per_minute);
        state
    }
}

impl State {
    fn advance(&mut self, now: Instant, per_minute: Duration) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        let rate = f64::from(self.running) - per_minute.div_duration_f64(MINUTE);
        self.missing = (self.missing + passed * rate).max(0.0);
        self.at = self.at.max(now);
    }

    /// Whether there is anything left, or how long it takes until there is, if nothing more is taken.
    fn left(&self, per_minute: Duration) -> Result<(), Duration> {
        let missing = self.missing - per_minute.as_secs_f64();
        match missing < 0.0 {
            true => Ok(()),
            false => Err(Duration::try_from_secs_f64(missing / per_minute.div_duration_f64(MINUTE))
                .unwrap_or(Duration::MAX)),
        }
    }
}

/// A loan that empties meters until it is dropped.
pub(super) struct Charge(Arc<[Arc<Meter>]>);

impl Charge {
    /// Begins one.
    ///
    /// # Errors
    /// [`CallError::OutOfDatabaseTime`], if one of them is empty by now.
    pub fn begin(meters: &Arc<[Arc<Meter>]>) -> Result<Self, CallError> {
        meters.iter().try_for_each(|meter| meter.check())?;
        meters.iter().for_each(|meter| meter.begin());
        Ok(Self(meters.clone()))
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.0.iter().for_each(|meter| meter.end());
    }
}

/// The meters of the values of one claim. There are no more than so many, whatever values come: one goes when it is full,
/// since a new one would be the same, and never before. Where there is no room, the values that are not known share one, as
/// long as that is not full, so that none of them has more than its own.
pub(super) struct ClaimMeters {
    claim: String,
    per_minute: Duration,
    most: usize,
    hashes: RandomState,
    known: Mutex<Known>,
    shared: Arc<Meter>,
}

#[derive(Default)]
struct Known {
    /// By a hash of the value that nobody outside can foresee.
    by_value: HashMap<u64, Arc<Meter>>,
    /// When those that are full were looked for.
    swept: Option<Instant>,
}

/// How many values of a claim are told apart at a time. Each is one that has made up for less than it took: there are hardly ever
/// more than connections, times what part of a second a value may have.
const MOST_VALUES: usize = 1 << 16;

/// How often those that are full are looked for, where there is no room.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl ClaimMeters {
    pub fn new(claim: &str, per_minute: Duration) -> Self {
        Self {
            claim: claim.to_owned(),
            per_minute,
            most: MOST_VALUES,
            hashes: RandomState::new(),
            known: Mutex::default(),
            shared: Arc::new(Meter::new(format!("many values of the claim {claim}"), per_minute)),
        }
    }

    /// Whether it measures the same by the same.
    #[cfg(feature = "service")]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.claim, self.per_minute) == (&other.claim, other.per_minute)
    }

    /// The claim whose values these are of.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// The meter of a value, or of all calls without the claim.
    pub fn of(&self, value: Option<&str>) -> Arc<Meter> {
        let key = self.hashes.hash_one(value);
        // Whoever panicked while it held the lock left a whole map behind.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = known.by_value.get(&key) {
            return meter.clone();
        }
        if known.by_value.len() >= self.most {
            known.sweep();
        }
        if known.by_value.len() >= self.most || !self.shared.is_full() {
            return self.shared.clone();
        }
        let of = format!("one value of the claim {}", self.claim);
        let meter = Arc::new(Meter::new(of, self.per_minute));
        known.by_value.insert(key, meter.clone());
        meter
    }
}

impl Known {
    fn sweep(&mut self) {
        if self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY) {
            self.swept = Some(Instant::now());
            // One that a call holds may be about to be charged.
            self.by_value.retain(|_, meter| Arc::strong_count(meter) > 1 || !meter.is_full());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Duration = Duration::from_secs(6);

    fn after(state: &mut State, from: Instant, seconds: f64) -> Result<(), Duration> {
        state.advance(from + Duration::from_secs_f64(seconds), RATE);
        state.left(RATE)
    }

    #[test]
    fn what_runs_is_charged_while_it_runs_and_made_up_for_at_the_rate() {
        let from = Instant::now();
        let mut state = State { missing: 0.0, running: 2, at: from };
        // Two take two seconds a second, and a tenth comes back.
        assert!(after(&mut state, from, 3.0).is_ok());
        let wait = after(&mut state, from, 13.0).unwrap_err();
        // 13 × 1.9 - 6 = 18.7 too much, of which a tenth comes back each second.
        assert!((wait.as_secs_f64() - 187.0).abs() < 0.01, "{wait:?}");
        state.running = 0;
        assert!(after(&mut state, from, 13.0 + 186.9).is_err(), "debt is made up for, not forgotten");
        assert!(after(&mut state, from, 13.0 + 187.1).is_ok());
        // It holds no more than a minute's.
        assert!(after(&mut state, from, 10_000.0).is_ok());
        assert_eq!(state.missing, 0.0);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_changes_nothing() {
        let from = Instant::now() + MINUTE;
        let mut state = State { missing: 3.0, running: 1, at: from };
        state.advance(from - MINUTE, RATE);
        assert_eq!((state.missing, state.at), (3.0, from));
    }

    #[test]
    fn many_values_take_no_more_room_and_none_has_more_than_its_own() {
        let mut meters = ClaimMeters::new("sub", RATE);
        meters.most = 100;
        let charge = |value: &str| {
            let meter = meters.of(Some(value));
            meter.at(Instant::now()).missing += 2.0 * RATE.as_secs_f64();
            meter
        };
        charge("exhausted");
        // Each of them has taken something, so that none can go.
        for value in 0..1_000 {
            charge(&value.to_string());
        }
        assert_eq!(meters.known.lock().unwrap().by_value.len(), 100);
        assert!(meters.of(Some("exhausted")).check().is_err(), "it was made anew");
        assert!(meters.of(Some("never seen")).check().is_err(), "it shares one that is empty");
        // When the others are full there is room, but not for what may have emptied the shared one.
        let full = |meter: &Meter| meter.at(Instant::now()).missing = 0.0;
        meters.known.lock().unwrap().by_value.values().for_each(|meter| full(meter));
        meters.known.lock().unwrap().swept = None;
        assert!(meters.of(Some("999")).check().is_err(), "it has emptied the shared one");
        full(&meters.shared);
        assert!(meters.of(Some("999")).check().is_ok());
        assert!(!Arc::ptr_eq(&meters.of(Some("999")), &meters.shared));
        assert!(meters.known.lock().unwrap().by_value.len() < 10);
    }

    #[test]
    fn one_that_a_call_holds_stays() {
        let mut meters = ClaimMeters::new("sub", RATE);
        meters.most = 1;
        let held = meters.of(Some("a"));
        assert!(Arc::ptr_eq(&meters.of(Some("b")), &meters.shared));
        assert!(Arc::ptr_eq(&meters.of(Some("a")), &held));
        assert!(Arc::ptr_eq(&meters.of(None), &meters.shared), "none is a value too");
        drop(held);
        meters.known.lock().unwrap().swept = None;
        assert!(!Arc::ptr_eq(&meters.of(None), &meters.shared));
        assert!(Arc::ptr_eq(&meters.of(None), &meters.of(None)));
    }
}
