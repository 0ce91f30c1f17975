use super::problem::{ParameterError, Problem};
use crate::printable::printable;
use crate::{CallError, Host};

/// What a caller is told of a call that failed.
pub(super) fn problem(error: &CallError, host: &Host) -> Problem {
    let detail = match (host.exposes_errors(), error) {
        (false, _) => error.to_string(),
        (true, CallError::Degraded { plugin, query }) => {
            let found = findings(host, plugin, query.as_deref());
            printable(&format!("{error}{found}"), DETAIL_CHARACTERS)
        }
        (true, _) => error.log_message(),
    };
    let mut problem = Problem::new(error.code(), detail);
    if let Some(time) = error.retry_after() {
        problem = problem.with_retry_after(time.as_secs());
    }
    match error {
        CallError::Arguments(errors) => problem.with_errors(errors.iter().map(|error| ParameterError {
            parameter: error.parameter.clone().unwrap_or_default(),
            code: error.code,
            detail: error.message.clone(),
        })),
        CallError::Refused(failure) => match &failure.parameter {
            Some(parameter) => problem.with_errors([ParameterError {
                parameter: parameter.clone(),
                code: error.code(),
                detail: failure.message.clone(),
            }]),
            None => problem,
        },
        CallError::Loan(error) => match error.sqlstate() {
            Some(sqlstate) => problem.with_extension("sqlstate", sqlstate),
            None => problem,
        },
        _ => problem,
    }
}

/// The most of a detail that says what is wrong with a plugin.
const DETAIL_CHARACTERS: usize = 10_000;

/// What is wrong with a plugin that is not served, or with one query of it.
fn findings(host: &Host, plugin: &str, query: Option<&str>) -> String {
    let generation = host.generation();
    let Some(Err(refusal)) = generation.plugin(plugin) else { return String::new() };
    let of_it =
        refusal.findings.iter().filter(|found| found.query.is_none() || found.query.as_deref() == query);
    of_it.map(|found| format!("; {}", found.finding)).collect()
}
