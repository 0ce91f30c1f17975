use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use super::{Replayed, explain, has_same_sql, version};
use crate::cli::run;
use crate::cli::table::{Column, Table};
use crate::plugin::{Input, Inputs};
use crate::printable::printable;
use crate::service::KeptInputs;

/// How much is shown of a value.
const VALUE_CHARACTERS: usize = 200;

/// Prints it for people.
pub(super) fn print(out: &mut impl Write, replayed: Replayed) -> io::Result<()> {
    let slip = &replayed.slip;
    let caller =
        slip.caller.as_deref().map(|caller| format!(", called by {}", printable(caller, VALUE_CHARACTERS)));
    let (plugin, query) =
        (printable(&slip.plugin, VALUE_CHARACTERS), printable(&slip.query, VALUE_CHARACTERS));
    writeln!(out, "{plugin}.{query} at {}{}", time(slip.id.time()), caller.unwrap_or_default())?;
    writeln!(out, "  parameters: {}", inputs(&slip.parameters))?;
    writeln!(out, "  claims: {}", inputs(&slip.claims))?;
    writeln!(out, "  version: {}", version(&replayed))?;
    match has_same_sql(&replayed) {
        Some(true) => writeln!(out, "  SQL: as it was")?,
        Some(false) => writeln!(out, "  SQL: other than it was")?,
        None => {}
    }
    writeln!(
        out,
        "  outcome: {} then, {} now",
        printable(&slip.outcome, VALUE_CHARACTERS),
        replayed.call.outcome.as_str()
    )?;
    writeln!(out)?;
    write!(out, "{}", times(&replayed))?;
    let Replayed { call, rows, plans, .. } = replayed;
    writeln!(out)?;
    match rows {
        Ok(rows) => run::print_rows(out, rows)?,
        Err(error) => writeln!(out, "it fails: {} {}", error.code(), error.log_message())?,
    }
    if let Some(proven) = &call.proven {
        writeln!(out)?;
        explain::print_shape(out, proven)?;
    }
    match plans {
        Some(Ok(plans)) => {
            for (statement, plan) in plans.iter().enumerate() {
                if plans.len() > 1 {
                    writeln!(out, "-- plan of statement {}", statement + 1)?;
                }
                for line in plan {
                    writeln!(out, "--   {}", printable(line, usize::MAX))?;
                }
            }
        }
        Some(Err(error)) => writeln!(out, "-- there is no plan: {} {}", error.code(), error.log_message())?,
        None => {}
    }
    Ok(())
}

/// The times of both, side by side.
fn times(replayed: &Replayed) -> Table {
    let Replayed { slip, call, .. } = replayed;
    let column = |name: &str, numeric| Column { name: name.to_owned(), numeric };
    let mut table = Table::new([column("", false), column("then", true), column("now", true)]);
    let mut row = |name: &str, then: Option<u64>, now: Option<Duration>| {
        let milliseconds = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1_000.0);
        let then = then.map(|then| milliseconds(Duration::from_micros(then)));
        table.push([
            Some(name.to_owned()),
            then.or(Some("–".into())),
            now.map(milliseconds).or(Some("–".into())),
        ]);
    };
    row("waited for a connection", Some(slip.waited_us), Some(call.waited));
    row("found its statements", Some(slip.planned_us), Some(call.planned));
    row("waited for the database", Some(slip.executed_us), Some(call.executed));
    row("first row after", slip.first_row_us, call.first_row);
    row("in all", Some(slip.total_us), Some(call.total));
    let counts = [("rows", slip.rows, call.rows), ("bytes", slip.bytes, call.bytes)];
    for (name, then, now) in counts {
        table.push([name.to_owned(), then.to_string(), now.to_string()].map(Some));
    }
    table
}

/// What was given, for people.
fn inputs(kept: &KeptInputs) -> String {
    if kept.is_too_long() {
        return "too long to be kept".to_owned();
    }
    let Inputs(values) = kept.inputs();
    let value = |input: &Input| match input {
        Input::Json(raw) => raw.get().to_owned(),
        Input::Text(texts) => texts.join(", "),
    };
    let given = values.iter().map(|(name, input)| format!("{name}={}", value(input)));
    let redacted = kept.left_out().iter().map(|name| format!("{name} (redacted)"));
    let shown: Vec<String> = given.chain(redacted).map(|one| printable(&one, VALUE_CHARACTERS)).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(" ") }
}

/// A time, as RFC 3339 has it.
pub(super) fn time(time: SystemTime) -> String {
    let mut text = String::new();
    // It has no form after the year 9999.
    match write!(text, "{}", humantime::format_rfc3339_millis(time)) {
        Ok(()) => text,
        Err(_) => "a time that can't be told".to_owned(),
    }
}
