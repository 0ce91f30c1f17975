//! What a plugin may touch: relations and their columns, functions, operators, casts and types, deny by default.
//!
//! The verifier asks here, and nowhere else, whether a name that it has resolved may be used.

pub mod builtin;
mod error;
pub mod filter;
mod gathered;
mod grant;
mod granted;
mod missing;
mod reading;
mod resolve;
mod risk;
mod settings;
#[cfg(test)]
mod tests;
mod visible;
mod written;

pub use error::GrantError;
pub use filter::{FilterError, FilterValue};
pub use grant::Grants;
pub(crate) use grant::PARTIAL_CATALOG;
pub use missing::MissingGrant;
pub use reading::{CalledByView, RefusedReading};
pub use risk::{Risk, RiskyGrant};
pub use settings::GrantSettings;
pub use visible::{Visible, VisibleRelation};
