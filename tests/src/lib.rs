//! What the tests share: a private PostgreSQL with the data of the example plugins, components built from source, and hosts on both.

mod components;
mod database;
mod golden;
mod heavy;
pub mod http;
mod log;
mod outlived;
mod paged;
mod pgbouncer;
mod printed;
mod replica;
mod rows;
mod scripts;
mod seen;
mod session;
mod text;
mod tpch;
mod versions;

pub use components::{component, component_with, language_and_slow};
pub use database::{Database, WRITER, database};
pub use golden::{golden, own_of_snapshot};
pub use heavy::{Verifier, heavy, oversized};
pub use log::Log;
pub use outlived::{Outlived, outlived};
pub use paged::Paged;
pub use pgbouncer::{PgBouncer, configured, is_left_out, is_pooled};
pub use printed::printed;
pub use replica::{REPLICATED, Replica};
pub use rows::rows;
pub use scripts::script;
pub use seen::Seen;
pub use session::{cluster, connect, connect_to};
pub use text::Text;
pub use tpch::{Tpch, tpch};
pub use versions::servers;
