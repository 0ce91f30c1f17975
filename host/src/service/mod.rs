//! HTTP.

mod connection;
mod limits;
mod problem;
mod routes;
mod stop;

pub use limits::ServiceLimits;
pub use problem::{ParameterError, Problem};
pub use routes::router;
pub use stop::{serve_until, stop_requested};
