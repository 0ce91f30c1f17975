use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Replayed, has_same_sql, text};
use crate::CallError;
use crate::cli::run::StatementRows;
use crate::printable::printable_json;
use crate::service::Slip;

/// All of it. What was kept is written digit by digit, as it was given.
#[derive(Serialize)]
struct Printed<'a> {
    slip: &'a Slip,
    at: String,
    call: Value,
}

/// Prints it for programs: `slip` is what was kept, `call` what came of it now.
pub(super) fn print(out: &mut impl Write, replayed: &Replayed) -> io::Result<()> {
    let Replayed { slip, call, rows, plans } = replayed;
    let error = |error: &CallError| json!({ "code": error.code().as_str(), "message": error.log_message() });
    let (rows, failure) = match rows {
        Ok(rows) => (rows.iter().map(statement_rows).collect(), Value::Null),
        Err(failed) => (Vec::new(), error(failed)),
    };
    let (plans, plan_failure) = match plans {
        Some(Ok(plans)) => (json!(plans), Value::Null),
        Some(Err(failed)) => (Value::Null, error(failed)),
        None => (Value::Null, Value::Null),
    };
    let proven = call.proven.iter().flat_map(|proven| proven.outcome.iter().flatten());
    let statements: Vec<Value> =
        proven.map(|its| json!({ "name": its.name, "sql": &*its.sql, "types": &*its.types })).collect();
    let microseconds = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let call = json!({
            "digest": call.digest.map(|digest| digest.to_string()),
            "shape": call.shape.as_deref(),
            "is_same_version": slip.digest == call.digest.map(|digest| digest.to_string()),
            "is_same_sql": has_same_sql(replayed),
            "outcome": call.outcome.as_str(),
            "error": failure,
            "rows": call.rows,
            "bytes": call.bytes,
            "waited_us": microseconds(call.waited),
            "planned_us": microseconds(call.planned),
            "executed_us": microseconds(call.executed),
            "first_row_us": call.first_row.map(microseconds),
            "total_us": microseconds(call.total),
            "statements": statements,
            "first_rows": rows,
            "plans": plans,
            "plan_error": plan_failure,
    });
    let printed = Printed { slip, at: text::time(slip.id.time()), call };
    writeln!(out, "{}", printable_json(&printed))
}

/// The first rows of a statement, each value as the text of a table.
fn statement_rows(statement: &StatementRows) -> Value {
    let columns: Vec<&str> = statement.columns.iter().map(|column| column.name.as_str()).collect();
    json!({ "name": statement.name, "columns": columns, "rows": statement.rows, "count": statement.count })
}
