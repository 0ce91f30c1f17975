use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use lru::LruCache;

use super::identity::{Caller, KnownBy};
use super::problem::Problem;
use crate::plugin::Digest;
use crate::{Code, RateLimitConfig};

/// How many requests each caller may make. A clone counts the same requests.
#[derive(Clone)]
pub(super) struct RateLimits {
    settings: RateLimitConfig,
    burst: NonZeroU32,
    period: Duration,
    limiter: Arc<Limiter>,
}

type Limiter = RateLimiter<Counted, Callers, DefaultClock, StateInformationMiddleware>;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// A caller that is known, by what it is known by and its name; of a name the hash, so that none takes much memory.
    Named(KnownBy, Digest),
    /// One that is not: an address, of IPv6 the first half.
    Address(u128),
    /// Whoever has no address, such as all on a unix socket.
    Nowhere,
}

impl Counted {
    /// How a caller is counted.
    pub fn of(caller: &Caller, address: Option<IpAddr>) -> Self {
        match (caller.known_by, &caller.name) {
            (KnownBy::Address, _) | (_, None) => Self::of_address(address),
            (known_by, Some(name)) => Self::Named(known_by, Digest::of(name.as_bytes())),
        }
    }

    /// How one is counted that is not known.
    pub fn of_address(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Nowhere, |address| Self::Address(neighbourhood(address)))
    }
}

/// An address, and of IPv6 its /64, which one client has for itself.
pub(super) fn neighbourhood(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
    }
}

/// The most callers that are told apart at once. Who has not asked for longest is forgotten first, as one that may ask as
/// often as anybody new.
const MOST_CALLERS: usize = 100_000;

/// When each caller has asked. Its memory is bounded.
struct Callers(Mutex<LruCache<Counted, InMemoryState>>);

impl StateStore for Callers {
    type Key = Counted;

    fn measure_and_replace<T, F, E>(&self, key: &Counted, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = callers.get_or_insert_mut(*key, InMemoryState::default);
        let decided = state.measure_and_replace(&NotKeyed::NonKey, decide);
        if callers.len() > MOST_CALLERS {
            callers.pop_lru();
        }
        decided
    }
}

/// The headers of the HTTPAPI working group's draft on rate limits.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What a caller is told of its limits beside the answer.
pub(super) type Told = Vec<(HeaderName, HeaderValue)>;

impl RateLimits {
    /// Nothing, where there is no limit. What was counted before counts on, if the limit was the same.
    pub fn of(settings: &RateLimitConfig, before: Option<&Self>) -> Option<Self> {
        let per_second = settings.per_second?;
        if let Some(before) = before.filter(|before| before.settings == *settings) {
            return Some(before.clone());
        }
        let burst = settings.burst.unwrap_or(per_second);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let callers = Callers(Mutex::new(LruCache::unbounded()));
        let limiter = Limiter::new(quota, callers, DefaultClock::default());
        let period = quota.burst_size_replenished_in();
        Some(Self { settings: settings.clone(), burst, period, limiter: Arc::new(limiter) })
    }

    /// Counts a request.
    ///
    /// # Errors
    /// What its caller is told, if there were too many.
    pub fn count(&self, counted: Counted) -> Result<Told, Problem> {
        match self.limiter.check_key(&counted) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = self.burst.get().saturating_sub(left);
                let refilled = self.period.mul_f64(f64::from(used) / f64::from(self.burst.get()));
                Ok(self.told(left, seconds(refilled)))
            }
            Err(until) => {
                let wait = seconds(until.wait_time_from(self.limiter.clock().now()));
                let detail = format!("you have made more requests than you may; try again in {wait} s");
                let problem = Problem::new(Code::TooManyRequests, detail).with_retry_after(wait);
                Err(self
                    .told(0, wait)
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with_header(name, value)))
            }
        }
    }

    fn told(&self, left: u32, seconds_left: u64) -> Told {
        let policy = format!("\"caller\";q={};w={}", self.burst, seconds(self.period));
        let limit = format!("\"caller\";r={left};t={seconds_left}");
        let header = |name, text: String| Some((name, HeaderValue::try_from(text).ok()?));
        [header(POLICY, policy), header(LIMIT, limit)].into_iter().flatten().collect()
    }
}

/// Whole seconds, and at least one.
fn seconds(time: Duration) -> u64 {
    let more = u64::from(time.subsec_nanos() > 0);
    (time.as_secs() + more).max(1)
}
