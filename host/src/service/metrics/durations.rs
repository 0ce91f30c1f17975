use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Up to how many microseconds the durations of each bucket are. A look-up by key takes less than a hundred of them, and a call no
/// more than 30 s unless its limit is raised.
const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 30_000_000,
];

/// A histogram of durations, to which anybody adds without waiting for others.
#[derive(Debug, Default)]
pub(super) struct Durations {
    /// The last is of what is longer than all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    pub fn add(&self, duration: Duration) {
        let bucket = BOUNDS.partition_point(|bound| u128::from(*bound) * 1_000 < duration.as_nanos());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        // 584 years of them.
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// How many were added up to each bound, in seconds, and above the one before it.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        bounds.zip(&self.buckets).map(|(bound, count)| (bound, count.load(Ordering::Relaxed))).collect()
    }

    /// All of them together, in seconds.
    pub fn sum(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_bucket_of_the_first_bound_that_it_does_not_exceed() {
        let durations = Durations::default();
        for nanoseconds in [0, 100_000, 100_001, 30_000_000_000, 30_000_000_001, u64::MAX / 4] {
            durations.add(Duration::from_nanos(nanoseconds));
        }
        let buckets = durations.buckets();
        let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(filled, [(0.0001, 2), (0.00025, 1), (30.0, 1), (f64::INFINITY, 2)]);
        assert!(durations.sum() > 60.0);
    }

    #[test]
    fn the_bounds_rise() {
        assert!(BOUNDS.is_sorted());
    }
}
