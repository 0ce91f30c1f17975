use super::Host;
use crate::LookupCounts;

/// How often what a host keeps was there when it was looked for, since it has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLookups {
    /// The shapes of calls: those that were proven, at load or since, and those whose first call had them proven.
    pub shapes: LookupCounts,
    /// The statements that sessions keep prepared, of which a call needs all.
    pub statements: LookupCounts,
    /// The compiled components in the folder of `[cache]`; nothing without one. Hosts that share an
    /// [engine](crate::plugin::Engine) share this.
    pub compiled: LookupCounts,
}

impl Host {
    /// How often what it keeps was there when it was looked for.
    pub fn cache_lookups(&self) -> CacheLookups {
        let of_pool = self.pool().map(|pool| pool.statement_lookups()).unwrap_or_default();
        CacheLookups {
            shapes: self.0.shapes.counts(),
            statements: of_pool + self.0.sessions.statement_lookups(),
            compiled: self.0.refresher.engine.compiled_lookups(),
        }
    }
}
