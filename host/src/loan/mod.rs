//! The borrowed connection.
//!
//! [`ConnectionSettings`] finds the database the way every PostgreSQL program does. A [`Pool`] holds read-only
//! sessions and lends them: a [`Loan`] describes, explains or runs statements. Its [`Run`] owns the connection
//! until its last row; whatever a caller drops half-way is cancelled and closed, never handed to the next one.
//!
//! A [`LentTransaction`] is a transaction of somebody else's, which gets it back as it was. Its [`Run`] borrows it
//! until the run is dropped; nothing is ever cancelled on it.

mod answer;
mod bind;
mod connection;
mod describe;
mod error;
mod explain;
mod listen;
mod pool;
mod run;
mod session;
pub mod settings;
mod statements;
mod transaction;

pub use bind::TextValue;
pub use callslip_ir::PlanMode;
pub use describe::{Described, ResultColumn};
pub use error::{LoanError, PostgresError};
pub use listen::Listener;
pub use pool::{Loan, Pool, PoolSettings, PoolStatus};
pub use run::{BoundStatement, Run};
pub use settings::{ConnectionSettings, SettingsError};
pub use transaction::LentTransaction;
