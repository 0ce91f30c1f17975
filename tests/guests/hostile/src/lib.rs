//! A component that attacks its host. Each query does one thing that a plugin must not get away with; what it does
//! before it is asked for a query, and whether it bides its time until it is called, is chosen by a feature.

mod greed;
mod lies;
mod manifest;
mod runaway;

use exports::callslip::plugin::queries::{Choice, Failure, Guest, Statement};

wit_bindgen::generate!({ path: "../../../plugin-sdk/wit", world: "plugin" });

struct Hostile;

impl Guest for Hostile {
    fn manifest() -> Vec<u8> {
        manifest::manifest()
    }

    fn plan(query: String, parameters: Vec<Choice>, _: Vec<Choice>) -> Result<Vec<Statement>, Failure> {
        // The value of an open parameter is JSON.
        let deed = parameters.first().map_or(query.as_str(), |deed| deed.value.trim_matches('"'));
        match deed {
            "harmless" => Ok(vec![lies::empty_statement()]),
            "endless_loop" => runaway::endless_loop(),
            "endless_recursion" => runaway::endless_recursion(),
            "panic" => runaway::panic(),
            "panic_forging_log_lines" => runaway::panic_forging_log_lines(),
            "abort" => runaway::abort(),
            "allocation_bomb" => greed::allocation_bomb(),
            "huge_shape" => Ok(greed::huge_shape()),
            "many_statements" => Ok(greed::many_statements()),
            "many_files" => Ok(greed::many_files()),
            "garbage_shape" => Ok(lies::garbage_shape()),
            "newer_shape" => Ok(lies::newer_shape()),
            "lying_length" => Ok(lies::lying_length()),
            "garbage_bindings" => Ok(lies::garbage_bindings()),
            "unknown_failure" => Err(lies::unknown_failure()),
            _ => Err(Failure {
                code: "not-found".into(),
                message: format!("no deed `{deed}`"),
                parameter: None,
            }),
        }
    }
}

export!(Hostile);
