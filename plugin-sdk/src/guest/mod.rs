//! What a component is made of: the world's exports, an allocator and a panic hook.

mod allocator;
#[allow(missing_docs, clippy::undocumented_unsafe_blocks, reason = "generated from the world")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin",
        pub_export_macro: true,
        default_bindings_module: "callslip_sdk::guest::bindings",
    });
}

use std::{marker::PhantomData, panic::PanicHookInfo, sync::Once};

use callslip_ir::encoding::encode;

use self::bindings::{callslip::plugin::diagnostics, exports::callslip::plugin::queries};
use crate::{Choice, Plugin};

pub use self::allocator::Arena;
pub use self::bindings::export;

/// The plugin that a component exports.
pub trait Exports {
    /// The plugin.
    const PLUGIN: &'static Plugin;
}

/// The world's exports for a plugin.
pub struct Exported<E>(PhantomData<E>);

impl<E: Exports> queries::Guest for Exported<E> {
    fn manifest() -> Vec<u8> {
        report_panics();
        encode(&E::PLUGIN.manifest())
    }

    fn plan(
        query: String,
        parameters: Vec<queries::Choice>,
        claims: Vec<queries::Choice>,
    ) -> Result<Vec<queries::Statement>, queries::Failure> {
        report_panics();
        match E::PLUGIN.plan(&query, &choices(parameters), &choices(claims)) {
            Ok(statements) => Ok(statements.into_iter().map(statement).collect()),
            Err(failure) => Err(queries::Failure {
                code: failure.code().to_owned(),
                message: failure.message().to_owned(),
                parameter: failure.parameter_name().map(str::to_owned),
            }),
        }
    }
}

fn choices(choices: Vec<queries::Choice>) -> Vec<Choice> {
    let choice = |choice: queries::Choice| Choice { parameter: choice.parameter, value: choice.value };
    choices.into_iter().map(choice).collect()
}

fn statement(statement: crate::Statement) -> queries::Statement {
    queries::Statement {
        name: statement.name,
        shape: encode(&statement.shape),
        bindings: encode(&statement.bindings),
    }
}

/// Tells the host of a panic before the trap, which itself says nothing.
fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| std::panic::set_hook(Box::new(report)));
}

fn report(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("it panicked with a value that is no text");
    let (file, line, column) = match panic.location() {
        Some(place) => (place.file(), place.line(), place.column()),
        None => ("", 0, 0),
    };
    diagnostics::panicked(message, file, line, column);
}
