use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Keeper;
use super::files::Files;
use crate::host::Backoff;

/// How long the files have to be as they are before they are read: one may be half written.
const QUIET: Duration = Duration::from_millis(300);

/// But no longer than this after the first of them has changed.
const LATEST: Duration = Duration::from_secs(10);

/// How often they are looked at, however often the system tells of changes.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the files are looked at where the system tells of changes, which it does not on every file system, and where it does
/// not.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOK_OFTEN: Duration = Duration::from_secs(1);

/// How soon a reload is tried again for which a database could not be asked, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

impl Keeper {
    /// Reloads when the files have changed, if the configuration has them watched, and again when a database could not be asked. To be
    /// run beside the server; it never ends by itself.
    pub async fn follow(&self) {
        let mut eyes = Eyes::new();
        let mut last = self.0.last.subscribe();
        let mut seen = self.look(&mut eyes).await;
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY);
        let mut again: Option<(Instant, BTreeSet<String>)> = None;
        loop {
            tokio::select! {
                () = eyes.wake() => {
                    // Of many changes one look is enough.
                    sleep(PAUSE).await;
                    if !self.config().reload.watch {
                        seen = self.look(&mut eyes).await;
                        continue;
                    }
                    let now = self.look(&mut eyes).await;
                    if now != seen {
                        seen = self.quiet(now, &mut eyes).await;
                        tracing::info!("files have changed: reading the configuration and the components again");
                        self.reload(BTreeSet::new()).await;
                        // It may name other files now. What was written since it was read is another than was seen.
                        seen = seen.and_new_of(self.look(&mut eyes).await);
                    }
                }
                changed = last.changed() => {
                    let reloaded = last.borrow_and_update().clone();
                    again = match reloaded.filter(|reloaded| changed.is_ok() && reloaded.is_owed()) {
                        Some(owed) => Some((Instant::now() + backoff.delay(), owed.forced.clone())),
                        None => {
                            backoff.reset();
                            None
                        }
                    };
                }
                forced = due(&again) => {
                    again = None;
                    self.reload(forced).await;
                }
            }
        }
    }

    async fn look(&self, eyes: &mut Eyes) -> Files {
        let config = self.config();
        let files = Files::look(self.source().path(), &config).await;
        eyes.look_into(files.folders(&config));
        files
    }

    /// Waits until nothing changes any more.
    async fn quiet(&self, mut now: Files, eyes: &mut Eyes) -> Files {
        let latest = Instant::now() + LATEST;
        loop {
            sleep(QUIET).await;
            let next = self.look(eyes).await;
            if next == now || Instant::now() > latest {
                return next;
            }
            now = next;
        }
    }
}

async fn due(again: &Option<(Instant, BTreeSet<String>)>) -> BTreeSet<String> {
    match again {
        Some((at, forced)) => {
            sleep_until(*at).await;
            forced.clone()
        }
        None => std::future::pending().await,
    }
}

/// What notices that something happens in folders.
struct Eyes {
    woken: Arc<Notify>,
    /// Nothing, where the system can't tell.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    /// The folders of which the system does not tell.
    blind: BTreeSet<PathBuf>,
}

impl Eyes {
    fn new() -> Self {
        let woken = Arc::<Notify>::default();
        let its = woken.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // To read a file changes nothing, and looking at a folder is reading it.
            if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
                its.notify_one();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(
                "the system does not tell of changed files, which are looked at each second: {error}"
            );
        }
        Self { woken, watcher: watcher.ok(), folders: BTreeSet::new(), blind: BTreeSet::new() }
    }

    /// Looks into these folders, and no others.
    fn look_into(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.folders.difference(&folders) {
            // It may be gone itself.
            _ = watcher.unwatch(gone);
        }
        for folder in &folders {
            if self.folders.contains(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => _ = self.blind.remove(folder),
                Err(error) if self.blind.insert(folder.clone()) => tracing::warn!(
                    "the system does not tell of changes in {}, which is looked at each second: {error}",
                    folder.display()
                ),
                Err(_) => {}
            }
        }
        self.folders = folders.into_iter().filter(|folder| !self.blind.contains(folder)).collect();
    }

    /// Waits until there may be something to see.
    async fn wake(&self) {
        let is_blind = self.watcher.is_none() || !self.blind.is_empty();
        let pause = if is_blind { LOOK_OFTEN } else { LOOK_EVERY };
        tokio::select! {
            () = self.woken.notified() => {}
            () = sleep(pause) => {}
        }
    }
}
