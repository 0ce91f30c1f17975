use serde::Deserialize;

/// What stands between the host and its database, if it shares the database's sessions among its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// Nothing does: each connection is a session. That may be through a proxy, or a pooler in session mode.
    #[default]
    None,
    /// PgBouncer in transaction mode, or what works like it: each transaction may run in another session.
    ///
    /// Connections then have no startup options, nothing is named that outlives a transaction, and no setting of a session is
    /// relied on: each run is a transaction of its own, which sets what it needs. Statements are parsed and planned each time.
    /// Notifications are not heard. The sessions' own `statement_timeout` and `lock_timeout` hold where they are shorter than
    /// the host's.
    ///
    /// The host's login should be its own: when the host proves statements it has their session forget what is prepared there.
    Transaction,
}

impl Pooler {
    /// Why there is no session, with what to do, if it is for the pooler.
    pub(super) fn advised(self, reason: String) -> String {
        match self {
            Self::None if is_about_options(&reason) => format!("{reason}; {ADVICE}"),
            Self::Transaction if is_about_options(&reason) => {
                format!("{reason}; behind a pooler neither the database's URL nor PGOPTIONS can have options")
            }
            _ => reason,
        }
    }
}

/// What to do about a session that is not as its startup options ask.
pub(super) const ADVICE: &str =
    "behind PgBouncer in transaction mode, set pooler = \"transaction\" in [pool]";

/// PgBouncer says so of options that it can't pass on.
fn is_about_options(reason: &str) -> bool {
    reason.contains("unsupported startup parameter")
}
