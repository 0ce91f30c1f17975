//! The borrowed connection.
//!
//! [`ConnectionSettings`] finds the database the way every PostgreSQL program does. A [`Pool`] holds read-only
//! sessions and lends them: a [`Loan`] describes, explains or runs statements. Its [`Run`] owns the connection
//! until its last row; whatever a caller drops half-way is cancelled, and the next one gets the connection when it is as it was.
//!
//! A [`LentTransaction`] is a transaction of somebody else's, which gets it back as it was. Its [`Run`] borrows it
//! until the run is dropped; nothing is ever cancelled on it.

mod address;
mod answer;
mod bind;
mod cancel;
mod connection;
mod describe;
mod driver;
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
pub use cancel::Canceller;
pub use describe::{Described, ResultColumn};
pub use error::{LoanError, PostgresError};
pub use listen::Listener;
pub use pool::{Loan, Pool, PoolSettings, PoolStatus};
pub use run::{BoundStatement, Run};
pub use settings::{ConnectionSettings, SettingsError};
pub use transaction::LentTransaction;
