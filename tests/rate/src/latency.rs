//! How long answers took.

use std::time::{Duration, Instant};

use crate::client::Answer;

/// The times of all answers, each kept as it was: percentiles are exact.
#[derive(Default)]
pub struct Latencies {
    times: Vec<Duration>,
    /// Requests that had no answer, or one that is no 200.
    pub errors: usize,
    /// The bytes of the answers.
    pub bytes: u64,
    /// When the last answer was there.
    pub last: Option<Instant>,
}

impl Latencies {
    /// One more: when it was there, how long it took, and what it was if there was one.
    pub fn add(&mut self, now: Instant, took: Duration, answer: Option<Answer>) {
        match answer {
            Some(answer) if answer.status == 200 => {
                self.bytes += answer.bytes;
                self.times.push(took);
            }
            _ => self.errors += 1,
        }
        self.last = self.last.max(Some(now));
    }

    /// Both together.
    pub fn and(mut self, mut other: Self) -> Self {
        self.times.append(&mut other.times);
        self.errors += other.errors;
        self.bytes += other.bytes;
        self.last = self.last.max(other.last);
        self
    }

    /// In order, for percentiles.
    pub fn sorted(mut self) -> Self {
        self.times.sort_unstable();
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Of all, sorted, the time at this fraction, in µs; 0 if there is none.
    pub fn at(&self, fraction: f64) -> f64 {
        let place = (self.times.len() as f64 * fraction) as usize;
        let found = self.times.get(place).or(self.times.last());
        found.map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}
