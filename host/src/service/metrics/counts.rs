use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Counters, by what they count. To count what was counted before only shares a lock.
#[derive(Debug)]
pub(super) struct Counts<K>(RwLock<BTreeMap<K, AtomicU64>>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Ord + Clone> Counts<K> {
    pub fn add(&self, key: &K, number: u64) {
        {
            // Whoever panicked with the lock has left a whole map behind.
            let counts = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = counts.get(key) {
                count.fetch_add(number, Ordering::Relaxed);
                return;
            }
        }
        let mut counts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        counts.entry(key.clone()).or_default().fetch_add(number, Ordering::Relaxed);
    }

    /// All of them, in order.
    pub fn all(&self) -> Vec<(K, u64)> {
        let counts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(key, count)| (key.clone(), count.load(Ordering::Relaxed))).collect()
    }
}
