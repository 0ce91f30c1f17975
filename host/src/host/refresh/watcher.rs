use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::Inner;
use super::super::generation::Generation;
use super::super::observation::Observation;
use super::backoff::Backoff;
use super::listening::Listening;
use super::queue::{Outcome, Wish};
use super::settings::WatchSettings;
use super::status::RefreshError;
use crate::catalog::{Fingerprint, fingerprint};
use crate::loan::{Loan, LoanError, Pooler};

/// How soon a refresh that failed is tried again, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// How long the database may take to say its fingerprint: a connection that swallows everything is no connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A host's watch over its database. It ends when this is dropped, or with the last [`Host`](crate::Host).
#[must_use = "the watch ends when this is dropped"]
#[derive(Debug)]
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    pub(in crate::host) fn start(host: &Arc<Inner>, settings: WatchSettings) -> Result<Self, RefreshError> {
        let connection = host.refresher.connection.as_ref().ok_or(RefreshError::NothingLent)?;
        let hears = host.refresher.config.pool.pooler == Pooler::None;
        if settings.listen && !hears {
            host.observers.tell(&Observation::NotificationsUnheard);
        }
        let listens = settings.listen && hears;
        let watcher = Watcher {
            listening: listens.then(|| Listening::new(connection.clone(), host.observers.clone())),
            poll: (!settings.poll.is_zero()).then_some(settings.poll),
            poller: None,
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            look_at: None,
            host: Arc::downgrade(host),
        };
        let generations = host.current.subscribe();
        Ok(Self(tokio::spawn(async move {
            // A host that has gone drops the sender.
            tokio::select! {
                () = watcher.watch() => {}
                () = gone(generations) => {}
            }
        })))
    }
}

async fn gone(mut generations: watch::Receiver<Arc<Generation>>) {
    while generations.changed().await.is_ok() {}
}

struct Watcher {
    host: Weak<Inner>,
    listening: Option<Listening>,
    poll: Option<Duration>,
    /// The connection that is polled on while none listens.
    poller: Option<Loan>,
    /// How long to wait after the next refresh that fails.
    backoff: Backoff,
    /// When to look at the fingerprint again.
    look_at: Option<Instant>,
}

/// What the watcher has waited for.
enum Event {
    Heard,
    Due,
    Refreshed(Outcome),
}

impl Watcher {
    async fn watch(mut self) {
        // What has changed since the host has started?
        self.look_at = Some(Instant::now());
        let mut refresh: Option<BoxFuture<'static, Outcome>> = None;
        loop {
            let event = tokio::select! {
                () = heard(&mut self.listening) => Event::Heard,
                () = due(self.look_at), if refresh.is_none() => Event::Due,
                outcome = outcome(&mut refresh) => Event::Refreshed(outcome),
            };
            let Some(host) = self.host.upgrade() else { return };
            match event {
                Event::Heard => refresh = Some(host.ask(Wish::Look).outcome().boxed()),
                Event::Due => match self.is_changed(&host).await {
                    true => refresh = Some(host.ask(Wish::Look).outcome().boxed()),
                    false => self.rest(),
                },
                Event::Refreshed(outcome) => {
                    refresh = None;
                    match outcome {
                        Ok(_) => self.rest(),
                        Err(_) => self.retry(),
                    }
                }
            }
        }
    }

    /// All is well: looks again when it is time to.
    fn rest(&mut self) {
        self.backoff.reset();
        self.look_at = self.poll.and_then(|poll| Instant::now().checked_add(poll));
    }

    /// Looks again soon, and less soon each time.
    fn retry(&mut self) {
        self.look_at = Some(Instant::now() + self.backoff.delay());
    }

    /// Whether a refresh is called for: the fingerprint is another one, or there is something to be tried again.
    async fn is_changed(&mut self, host: &Inner) -> bool {
        let (known, owes_files) = {
            let record = host.refresher.record();
            (record.fingerprint, record.owes_files)
        };
        if known.is_none() || owes_files || !host.generation().is_settled() {
            return true;
        }
        match self.fingerprint(host).await {
            Ok(found) if Some(found) != known => true,
            Ok(found) => {
                if host.refresher.record().succeed(found) {
                    host.observers.tell(&Observation::RefreshRecovered);
                }
                false
            }
            // The refresh that this leads to fails too, and says why; or it does not, and all is well.
            Err(_) => true,
        }
    }

    async fn fingerprint(&mut self, host: &Inner) -> Result<Fingerprint, RefreshError> {
        let listener = self.listening.as_ref().and_then(Listening::listener);
        let looked = async {
            match listener {
                Some(listener) => {
                    self.poller = None;
                    Ok(fingerprint(listener.client()).await?)
                }
                None => {
                    let poller = match self.poller.take().filter(|loan| !loan.client().is_closed()) {
                        Some(poller) => poller,
                        None => host.refresher.loan().await?,
                    };
                    let found = fingerprint(poller.client()).await?;
                    self.poller = Some(poller);
                    Ok(found)
                }
            }
        };
        let found = match timeout(ANSWER_WITHIN, looked).await {
            Ok(found) => found,
            Err(_) => Err(RefreshError::TooLong(ANSWER_WITHIN)),
        };
        if let (Err(_), Some(listening)) = (&found, &mut self.listening)
            && listening.listener().is_some_and(|listener| !listener.client().is_closed())
        {
            let reason = "its connection does not answer".to_owned();
            listening.lose(&LoanError::Lost { reason });
        }
        found
    }
}

async fn heard(listening: &mut Option<Listening>) {
    match listening {
        Some(listening) => listening.heard().await,
        None => pending().await,
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// The outcome of the refresh that is under way, if one is.
async fn outcome(refresh: &mut Option<BoxFuture<'static, Outcome>>) -> Outcome {
    match refresh {
        Some(refresh) => refresh.await,
        None => pending().await,
    }
}
