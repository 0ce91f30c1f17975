//! Following the database: when it changes, it is reflected anew off the request path, every plugin is proven again, and what
//! is served is swapped whole. Where that fails, what was served is served on.
//!
//! [`queue`](self::queue) makes one refresh at a time out of whatever asks for one; [`round`](self::round) is one refresh;
//! [`watcher`](self::watcher) asks when PostgreSQL tells of a change, or when the catalog's fingerprint is another.

mod backoff;
mod change;
mod components;
#[cfg(feature = "service")]
mod heir;
mod listening;
mod queue;
mod record;
mod round;
mod settings;
mod status;
mod successor;
mod watcher;

pub use change::{Change, PluginChange, Refreshed};
pub use settings::WatchSettings;
pub use status::{CatalogStatus, RefreshError, RefreshFailure};
pub use watcher::Watch;

pub(crate) use backoff::Backoff;
#[cfg(feature = "service")]
pub(crate) use heir::{Heir, HeirError};
pub(super) use queue::{Refresher, Wish};
