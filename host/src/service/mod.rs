//! HTTP.

mod problem;
mod routes;
mod stop;

pub use problem::{ParameterError, Problem};
pub use routes::{ServiceLimits, router};
pub use stop::{serve_until, stop_requested};
