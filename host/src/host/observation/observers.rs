use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Observation;

/// Whom the host tells.
pub(crate) type Observer = Arc<dyn Fn(&Observation) + Send + Sync>;

/// All whom the host tells of what happens, and its log. A clone tells the same.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<[Observer]>);

impl Observers {
    pub fn new(observers: Vec<Observer>) -> Self {
        Self(observers.into())
    }

    /// All of these, and one more.
    #[cfg(feature = "service")]
    pub fn with(&self, observer: impl Fn(&Observation) + Send + Sync + 'static) -> Self {
        Self(self.0.iter().cloned().chain([Arc::new(observer) as Observer]).collect())
    }

    /// Tells all of them, here and now. One that panics hurts nobody: neither the others nor what it was told of, and is told of the
    /// next all the same.
    pub fn tell(&self, observation: &Observation) {
        observation.log();
        for observer in self.0.iter() {
            if catch_unwind(AssertUnwindSafe(|| observer(observation))).is_err() {
                tracing::error!("an observer has panicked; what it was told of goes on");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn an_observer_that_panics_hurts_nobody() {
        let told = Arc::new(AtomicUsize::new(0));
        let count = {
            let told = told.clone();
            Arc::new(move |_: &Observation| _ = told.fetch_add(1, Ordering::Relaxed))
        };
        let observers = Observers::new(vec![Arc::new(|_: &Observation| panic!("on purpose")), count]);
        observers.tell(&Observation::Doubted);
        observers.tell(&Observation::Doubted);
        assert_eq!(told.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn what_is_told_while_something_else_panics_is_told() {
        struct Telling(Observers);
        impl Drop for Telling {
            fn drop(&mut self) {
                self.0.tell(&Observation::Doubted);
            }
        }
        let observers = Observers::new(vec![Arc::new(|_: &Observation| panic!("on purpose"))]);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _telling = Telling(observers);
            panic!("the caller's own");
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"the caller's own"));
    }
}
