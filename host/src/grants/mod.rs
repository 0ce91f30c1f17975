//! What a plugin may touch: relations, functions and operators, deny by default.
//!
//! The verifier asks here, and nowhere else, whether a name that it has resolved may be used.

mod builtin;
mod builtin_types;
mod grant;

pub use builtin::BUILTIN_FUNCTIONS;
pub use builtin_types::BUILTIN_TYPES;
pub(crate) use grant::PARTIAL_CATALOG;
pub use grant::{GrantError, GrantSettings, Grants};
