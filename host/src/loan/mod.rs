//! The borrowed connection.
//!
//! [`ConnectionSettings`] finds the database the way every PostgreSQL program does. A [`Pool`] holds read-only
//! sessions and lends them: a [`Loan`] describes, explains or runs statements. A [`Run`] owns its connection
//! until its last row; whatever a caller drops half-way is cancelled and closed, never handed to the next one.

mod bind;
mod connection;
mod describe;
mod error;
mod explain;
mod pool;
mod run;
pub mod settings;

pub use bind::TextValue;
pub use describe::{Described, ResultColumn};
pub use error::{LoanError, PostgresError};
pub use pool::{Loan, Pool, PoolSettings, PoolStatus};
pub use run::{BoundStatement, Run};
pub use settings::{ConnectionSettings, SettingsError};
