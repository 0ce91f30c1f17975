//! The borrowed connection.
//!
//! [`ConnectionSettings`] finds the database the way every PostgreSQL program does. A [`Pool`] holds read-only
//! sessions and lends them: a [`Loan`] runs statements. Its [`Run`] owns the connection until its last row; whatever a
//! caller drops half-way is cancelled, and the next one gets the connection when it is as it was.
//!
//! A [`Lender`] lends a connection of its own, with or without a transaction on it, and gets it back as it was. The
//! [`Run`] on what is [`Lent`] borrows it until the run is dropped; nothing is ever cancelled on it behind its owner's back.
//!
//! On either, an [`Inspection`] looks at the database: its catalog is read, and statements are described by a [`Proving`].

mod address;
mod admission;
mod admitted;
mod answer;
mod assumptions;
mod bind;
mod block;
mod caller;
mod cancel;
mod connect;
mod connection;
mod describe;
mod driver;
mod error;
mod excess;
mod guard;
mod guarded;
mod inspection;
mod interrupt;
mod isolation;
mod lack;
mod lender;
mod lent;
mod listen;
mod owner;
mod pool;
mod pooler;
mod prepare;
mod privilege;
mod proving;
mod result_types;
mod role;
mod run;
mod session;
mod sessions;
pub mod settings;
mod start;
mod statements;
mod stop;
mod terms;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod wire;

#[cfg(feature = "host")]
pub(crate) use block::OpenBlock;
pub use caller::Caller;
pub use callslip_ir::PlanMode;
pub use cancel::Canceller;
pub use connect::connect;
pub use connection::Released;
pub use describe::{Described, ResultColumn};
pub use error::{LoanError, PostgresError};
pub use excess::Excess;
pub use guard::{Guard, PrivilegedRole};
pub use guarded::GuardedRelation;
pub use inspection::Inspection;
pub use isolation::Isolation;
pub use lack::Lack;
pub use lender::{Lender, Lent};
pub use listen::Listener;
pub use pool::{Loan, Pool, PoolSettings, PoolStatus};
pub use pooler::Pooler;
pub use privilege::Privilege;
pub use proving::Proving;
pub use run::{BoundStatement, Kept, Run};
pub use sessions::Sessions;
pub use settings::{ConnectionSettings, SettingsError};
pub use stop::{Sent, Stop};
pub use terms::Terms;
