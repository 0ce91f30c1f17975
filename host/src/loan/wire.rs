use std::sync::Arc;

use tokio_postgres::Client;

use super::cancel::Canceller;
use super::connection::{Companion, Connection};
use super::statements::Statements;

/// The connection that a run speaks on.
#[derive(Clone)]
pub(super) enum Wire<'loan> {
    /// One of the host's own pool, which has it back when nobody holds it any more.
    Own(Arc<Connection>),
    /// One of somebody else's.
    Lent {
        client: &'loan Client,
        /// What its session keeps prepared, if it may.
        statements: Option<Arc<Statements>>,
        /// By which it can be cancelled, if it can be.
        canceller: Option<Canceller>,
        /// What goes along until nothing of the run is left.
        _companion: Option<Companion>,
    },
}

impl Wire<'_> {
    pub fn client(&self) -> &Client {
        match self {
            Self::Own(connection) => connection.client(),
            Self::Lent { client, .. } => client,
        }
    }

    /// What the session keeps prepared; none, if nothing may have a name there.
    pub fn statements(&self) -> Option<&Statements> {
        match self {
            Self::Own(connection) => connection.statements(),
            Self::Lent { statements, .. } => statements.as_deref(),
        }
    }

    /// By which it can be cancelled, if it is lent and can be.
    pub fn canceller(&self) -> Option<&Canceller> {
        match self {
            Self::Own(_) => None,
            Self::Lent { canceller, .. } => canceller.as_ref(),
        }
    }
}
