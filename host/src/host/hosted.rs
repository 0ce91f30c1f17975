use std::sync::Arc;

use super::entry::{Entry, Standing, Swapped, Waiting};
use super::load::Refusal;
use super::plugin::{LoadedPlugin, LoadedQuery};

/// A plugin of the configuration as a host serves it: for services that make routes, documents or tools of its queries.
/// Cheap to clone. It stays as it was when it was asked for, whatever the host serves since.
///
/// ```no_run
/// # fn example(host: callslip::Host) {
/// for plugin in host.plugins() {
///     for query in plugin.queries().iter().filter(|query| query.is_served()) {
///         println!("GET /{}/{}: {}", plugin.name(), query.name(), query.doc());
///         for parameter in query.parameters() {
///             println!("  {}: {}", parameter.name, parameter.doc);
///         }
///         for statement in query.statements() {
///             println!("  -> {} {:?}", statement.name, statement.columns);
///         }
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HostedPlugin {
    name: Arc<str>,
    standing: Standing,
    loaded: Option<Arc<LoadedPlugin>>,
    refusal: Option<Arc<Refusal>>,
    waiting: Option<Arc<Waiting>>,
    swapped: Option<Arc<Swapped>>,
}

impl HostedPlugin {
    pub(super) fn new(name: &str, entry: &Entry) -> Self {
        Self {
            name: name.into(),
            standing: entry.state.standing(),
            loaded: entry.state.loaded().cloned(),
            refusal: entry.state.shared_refusal().cloned(),
            waiting: entry.waiting.clone(),
            swapped: entry.swapped.clone(),
        }
    }

    /// The name that the configuration gives it, by which it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of it is served.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What was loaded: its digest, world and size. Nothing, if its component can't be loaded.
    pub fn loaded(&self) -> Option<&LoadedPlugin> {
        self.loaded.as_deref()
    }

    /// Its queries, in its own order, also those that are not [served](LoadedQuery::is_served).
    pub fn queries(&self) -> &[LoadedQuery] {
        self.loaded.as_ref().map_or(&[], |loaded| loaded.queries())
    }

    /// Why not all of it is served.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_deref()
    }

    /// The newer version that waits for the database to be as it needs it.
    pub fn waiting(&self) -> Option<&Waiting> {
        self.waiting.as_deref()
    }

    /// What the last swap has changed, if there was one: when another version began to be served, or the same under another
    /// configuration.
    pub fn swapped(&self) -> Option<&Swapped> {
        self.swapped.as_deref()
    }
}
