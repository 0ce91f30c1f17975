//! HTTP.

mod problem;
mod stop;

pub use problem::{ParameterError, Problem};
pub use stop::{serve_until, stop_requested};
