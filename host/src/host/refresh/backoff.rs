use std::time::Duration;

/// How long to wait before something that failed is tried again: twice as long each time.
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// It has failed once more.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.longest);
        delay
    }

    /// It works.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}
