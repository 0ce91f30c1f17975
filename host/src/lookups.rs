use std::sync::atomic::{AtomicU64, Ordering};

/// Counts how often something that is kept was there when it was looked for.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often something that is kept was there when it was looked for, since it began to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupCounts {
    /// How often it was there.
    pub hits: u64,
    /// How often it was not, and had to be made.
    pub misses: u64,
}

impl Lookups {
    pub fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn counts(&self) -> LookupCounts {
        LookupCounts { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }
}

impl std::ops::Add for LookupCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { hits: self.hits + other.hits, misses: self.misses + other.misses }
    }
}
