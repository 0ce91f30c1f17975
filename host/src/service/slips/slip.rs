use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redaction::Redaction;
use crate::plugin::{Digest, Input, Inputs};
use crate::printable::printable;
use crate::{CallEnded, CallId};

/// How many bytes the parameters and claims of a call may have to be kept.
const MOST_BYTES: usize = 64 << 10;

/// What is kept of a call. What was wrong with one that failed is in the log, under the same id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slip {
    /// What it is known by.
    pub id: CallId,
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// The query.
    pub query: String,
    /// Who called, if that is known, and is not redacted.
    pub caller: Option<String>,
    /// What identifies the plugin's code, in hexadecimal; nothing if none was loaded.
    pub digest: Option<String>,
    /// The digest of its shape; nothing if it was not known yet.
    pub shape: Option<String>,
    /// The number of the generation that served it, of its host.
    pub generation: Option<u64>,
    /// Its statements; none if they were not known yet.
    pub statements: Vec<SlipStatement>,
    /// Its parameters.
    pub parameters: KeptInputs,
    /// Its claims.
    pub claims: KeptInputs,
    /// On what it ran: `pool`, `replica`, `lent_transaction` or `lent_client`.
    pub ran_on: String,
    /// How it ended: `complete`, `missing`, `dropped`, or the code of its error.
    pub outcome: String,
    /// How many rows were read.
    pub rows: u64,
    /// How many bytes were given.
    pub bytes: u64,
    /// How long it waited for a connection, in microseconds.
    pub waited_us: u64,
    /// How long it took to find its statements.
    pub planned_us: u64,
    /// How long its statements kept it waiting.
    pub executed_us: u64,
    /// How long it took until the first row; nothing if it did not come to that.
    pub first_row_us: Option<u64>,
    /// How long it took in all.
    pub total_us: u64,
}

/// What is kept of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipStatement {
    /// Its name; empty where the query has only one.
    pub name: String,
    /// What identifies its SQL.
    pub sql_digest: String,
}

/// What is kept of parameters or claims, each as it was given: every digit of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeptInputs {
    values: BTreeMap<String, Input>,
    /// Those whose values are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// Whether nothing of them is kept since there was too much.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    too_long: bool,
}

impl KeptInputs {
    fn of(inputs: &Inputs, hides: impl Fn(&str) -> bool) -> Self {
        let mut kept = Self::default();
        for (name, input) in &inputs.0 {
            match hides(name) {
                true => kept.left_out.push(name.clone()),
                false => _ = kept.values.insert(name.clone(), input.clone()),
            }
        }
        kept
    }

    /// Those that are kept, to be given to a call again.
    pub fn inputs(&self) -> Inputs {
        Inputs(self.values.clone())
    }

    /// The names of those that are not kept, as they are redacted.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Whether nothing of them is kept, since parameters and claims had more than 64 KiB together.
    pub fn is_too_long(&self) -> bool {
        self.too_long
    }
}

/// A call that has ended, of which a slip is to be made.
pub(super) struct Ended {
    call: CallEnded,
    too_long: bool,
}

impl Ended {
    /// What waits in memory is bounded; nothing, of a call of what is not there.
    pub fn of(call: &CallEnded) -> Option<Self> {
        call.query.as_ref()?;
        let mut call = call.clone();
        let too_long = call.parameters.bytes() + call.claims.bytes() > MOST_BYTES;
        if too_long {
            (call.parameters, call.claims) = (Arc::default(), Arc::default());
        }
        Some(Self { call, too_long })
    }

    /// Its slip.
    pub fn slip(&self, redaction: &Redaction) -> Slip {
        let Self { call, too_long } = self;
        let (plugin, query) = (&*call.called_plugin, &*call.called_query);
        let hides = |name: &str| redaction.hides(plugin, query, name);
        let kept = |inputs| KeptInputs { too_long: *too_long, ..KeptInputs::of(inputs, hides) };
        let is_hidden = |caller: &&str| match too_long {
            true => !redaction.is_empty(),
            false => {
                hides("*")
                    || call.claims.0.keys().any(|name| hides(name) && is_told(&call.claims, name, caller))
            }
        };
        let statements = call.proven.iter().flat_map(|proven| proven.outcome.iter().flatten());
        Slip {
            id: call.id,
            plugin: plugin.to_owned(),
            query: query.to_owned(),
            caller: call.caller.as_deref().filter(|caller| !is_hidden(caller)).map(str::to_owned),
            digest: call.digest.map(|digest| digest.to_string()),
            shape: call.shape.as_deref().map(str::to_owned),
            generation: call.generation,
            statements: statements.map(|its| SlipStatement::of(&its.name, &its.sql)).collect(),
            parameters: kept(&call.parameters),
            claims: kept(&call.claims),
            ran_on: call.ran_on.as_str().to_owned(),
            outcome: call.outcome.as_str().to_owned(),
            rows: call.rows,
            bytes: call.bytes,
            waited_us: microseconds(call.waited),
            planned_us: microseconds(call.planned),
            executed_us: microseconds(call.executed),
            first_row_us: call.first_row.map(microseconds),
            total_us: microseconds(call.total),
        }
    }
}

/// Whether the name of a caller tells the value of a claim, be it cut short.
fn is_told(claims: &Inputs, name: &str, caller: &str) -> bool {
    let Some(value) = claims.word(name).map(|value| printable(&value, usize::MAX)) else { return false };
    caller.contains(&value) || value.starts_with(caller.trim_end_matches('…'))
}

impl SlipStatement {
    /// A statement of this name and SQL.
    pub fn of(name: &str, sql: &str) -> Self {
        Self { name: name.to_owned(), sql_digest: format!("{:.16}", Digest::of(sql.as_bytes())) }
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
