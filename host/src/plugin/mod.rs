//! What a plugin is: a component that is checked, compiled and run within limits; what it declares; and how a
//! request's parameters are matched with that.
//!
//! ```no_run
//! # async fn run(bytes: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! use callslip::plugin::{Component, Engine, Limits, Shapes, validate};
//!
//! let engine = Engine::new(&Limits::default())?;
//! let component = Component::load(&engine, bytes).await?;
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
mod call;
mod call_error;
mod component;
mod decimal;
mod engine;
mod form;
#[cfg(test)]
mod guest;
mod inputs;
mod instance;
mod limits;
mod manifest;
mod names;
mod scan;
mod shapes;
mod sort;
mod temporal;
mod ticker;
mod value;
mod world;

#[cfg(feature = "host")]
pub(crate) use arguments::text_of_json;
pub use arguments::{ArgumentError, Arguments};
pub use call::{Failure, FailureCode, Plan, PlannedStatement};
pub use call_error::CallError;
pub use component::{Component, Digest, LoadError};
pub use engine::{Engine, EngineError};
pub use form::{Form, Forms};
pub use inputs::Inputs;
pub use limits::Limits;
pub use manifest::validate;
pub use shapes::{Choice, Shape, Shapes};

/// What to do about a component that does not speak as this host does.
const BUILD_AGAIN: &str = "build it again with the SDK of this host's version";
