//! What a plugin is: a component that is checked, compiled and run within limits; what it declares; and how a
//! request's parameters are matched with that.
//!
//! ```no_run
//! # async fn run(bytes: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! use callslip::plugin::{Component, Engine, Limits, LoadOptions, Shapes, validate};
//!
//! let engine = Engine::new(&Limits::default())?;
//! let component = Component::load(&engine, bytes, LoadOptions::default()).await?;
//! let manifest = component.manifest().await?;
//! assert!(validate(&manifest, engine.limits()).is_empty());
//! for query in &manifest.queries {
//!     if let Shapes::Closed { shapes, .. } = Shapes::of(query, engine.limits().shapes) {
//!         for shape in shapes {
//!             let plan = component.plan(&query.name, &shape.parameters, &shape.claims).await??;
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod arguments;
mod breaker;
mod cache;
mod call;
mod call_error;
mod component;
#[cfg(feature = "host")]
mod constant;
mod decimal;
mod descriptions;
mod engine;
mod form;
#[cfg(test)]
mod guest;
mod inputs;
mod instance;
mod limits;
mod manifest;
mod names;
mod pin;
mod profile;
mod scan;
mod shapes;
mod sort;
mod temporal;
mod ticker;
mod value;
mod world;

pub use arguments::{ArgumentError, Arguments};
#[cfg(feature = "host")]
pub(crate) use arguments::{claim_of_filter, text_of_json};
pub use breaker::BreakerNews;
pub use cache::Cache;
pub use call::{Failure, FailureCode, Plan, PlannedStatement};
pub use call_error::CallError;
pub use component::{Component, Digest, LoadError, LoadOptions};
#[cfg(feature = "host")]
pub(crate) use constant::is_surely_value;
pub use engine::{Engine, EngineError};
pub use form::{Form, Forms};
pub use inputs::Inputs;
pub use limits::Limits;
#[cfg(feature = "host")]
pub(crate) use manifest::cursor_of;
pub use manifest::validate;
pub use pin::{Pin, Provenance, PublicKey};
pub use profile::{Profile, ProfileLimits};
pub use shapes::{Choice, Shape, Shapes};
#[cfg(feature = "service")]
pub(crate) use value::Input;

/// What to do about a component that does not speak as this host does.
const BUILD_AGAIN: &str = "build it again with the SDK of this host's version";
