use std::error::Error;
use std::time::Duration;

use super::prove::{ProvenStatement, ValueSource};
use crate::catalog::ReflectError;
use crate::loan::{LoanError, SettingsError};
use crate::nearest::suggestion;
use crate::plugin::{self, ArgumentError, Failure, FailureCode};
use crate::printable::printable;
use crate::rows::{Format, RowError};
use crate::select::Finding;
use crate::{Code, ConfigError};

/// How much is told of why a call has failed.
const LOG_CHARACTERS: usize = 10_000;

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Neither was a connection lent to reflect on, nor may the host connect.
    #[error(
        "there is no connection to reflect on: lend one (`.reflect_on(…)`), or let the host connect (`.connect(…)`)"
    )]
    NothingToReflectOn,
    /// The configuration can't be used: one that was made and not read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The sandbox can't be made on this machine.
    #[error(transparent)]
    Engine(#[from] plugin::EngineError),
    /// An engine that is shared has other limits than the configuration.
    #[error(
        "the shared engine has other limits than [limits] of the configuration: make it with `Engine::new(&config.limits.plugin())`"
    )]
    OtherLimits,
    /// How a replica is reached can't be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database can't be reached.
    #[error(transparent)]
    Loan(#[from] LoanError),
    /// The catalog can't be read.
    #[error(transparent)]
    Reflect(#[from] ReflectError),
}

impl StartError {
    /// What kind of error.
    pub fn code(&self) -> Code {
        match self {
            Self::NothingToReflectOn => Code::NothingLent,
            Self::Config(_) | Self::Engine(_) | Self::OtherLimits => Code::BadConfiguration,
            Self::Settings(error) => error.code(),
            Self::Loan(error) => error.code(),
            Self::Reflect(_) => Code::ReflectionFailed,
        }
    }
}

/// Why a call has no reply.
///
/// `Display` is for the caller: it holds nothing that PostgreSQL says about data. What it said is in
/// [`CallError::log_message`], for logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No plugin of that name is loaded.
    #[error("there is no plugin \"{name}\"")]
    UnknownPlugin {
        /// The name that was called.
        name: String,
        /// One that is like it, or those that there are. For logs only: whoever calls may not know of others.
        help: String,
    },
    /// The plugin has no query of that name.
    #[error("the plugin {plugin} has no query \"{name}\"")]
    UnknownQuery {
        /// The plugin.
        plugin: String,
        /// The name that was called.
        name: String,
        /// One that is like it, or those that it has. For logs only.
        help: String,
    },
    /// The query does not prove against the database as it is now, or the plugin can't be loaded at all.
    #[error("{}", degraded(plugin, query.as_deref()))]
    Degraded {
        /// The plugin.
        plugin: String,
        /// The query; nothing where no query of the plugin is known.
        query: Option<String>,
    },
    /// What is wrong with the parameters and claims: at least one thing.
    #[error("{}", list(.0))]
    Arguments(Vec<ArgumentError>),
    /// The plugin refuses the call.
    #[error("{0}")]
    Refused(Failure),
    /// The plugin gave no plan.
    #[error("{}", plugin_failed(.0))]
    Plugin(#[source] plugin::CallError),
    /// A shape that is proven on first use has findings. They are for logs only, their codes too: by these a plugin could learn
    /// what there is that it was not granted, for a caller who plays along.
    #[error("the plugin describes a statement that can't be run")]
    Unproven(Vec<Finding>),
    /// The database or its connections.
    #[error("{}", for_caller(.0))]
    Loan(#[from] LoanError),
    /// The host has no connections of its own, and the call was lent none.
    #[error("the host has no connections of its own, and none was lent to the call: lend one (`.on(…)`)")]
    NothingLent,
    /// The call took longer than it may: to wait for a connection, to plan, and to run. On a connection of the host's own it is
    /// cancelled; on one that was lent PostgreSQL ends it by a timeout.
    #[error(
        "the call took longer than the {limit:?} that it may (limits.call_ms, if nothing else was said for it)"
    )]
    TimedOut {
        /// How long it may take: [`Call::timeout`](crate::Call::timeout), or else `limits.call_ms` of the configuration.
        limit: Duration,
    },
    /// As many calls of the query or its plugin run as may, and none of them has ended in time.
    #[error("as many calls as may are under way; try again later")]
    TooManyCalls {
        /// Whose calls: a plugin's or a query's. For logs only.
        of: String,
        /// How many may run at once, or have a connection of the pool.
        most: usize,
        /// What says so: `calls` of their limits, or that it is one of several plugins. For logs only.
        why: String,
        /// How long the call has waited, `pool.wait_ms` of the configuration.
        wait: Duration,
    },
    /// The statements of such calls have used up the time for which they may keep connections.
    #[error(
        "the time that such calls may have of the database is used up; try again {}",
        seconds_from_now(again_in)
    )]
    OutOfDatabaseTime {
        /// Whose time: a plugin's, a query's, or that of a value of a claim, which is not told. For logs only.
        of: String,
        /// When there is some again.
        again_in: Duration,
    },
    /// A row can't be written, or not read as what the service wants.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A statement gave more rows than the host allows.
    #[error("the call gave more rows than the limit of {limit} (limits.rows)")]
    TooManyRows {
        /// The limit, `limits.rows` of the configuration.
        limit: u64,
    },
    /// The reply has several statements, or none, and its format holds the rows of one.
    #[error(
        "a reply in {format} has the rows of one statement, and the query has {}: pick one by its name (`statement`), or ask for JSON",
        named(statements)
    )]
    SeveralStatements {
        /// The format that was asked for.
        format: Format,
        /// The statements that there are.
        statements: Vec<String>,
    },
    /// The query has no statement of the name that was asked for.
    #[error("the query has no statement \"{name}\"; it has {}", named(statements))]
    UnknownStatement {
        /// The name that was asked for.
        name: String,
        /// The statements that there are; none, if it has a single one without a name.
        statements: Vec<String>,
    },
    /// The rows of another statement than the one that was asked for come next.
    #[error("{}: {problem}", statement(asked))]
    OtherStatement {
        /// The name that was asked for; empty, if none was.
        asked: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is another page, and no cursor to it.
    #[error("there is no cursor to the next page: {why}")]
    NoCursor {
        /// Why, and what the author of the query can do.
        why: &'static str,
    },
    /// A call gave more bytes than it may.
    #[error(
        "the reply has more bytes than the limit of {limit} (limits.reply_mib, if nothing less was said for it)"
    )]
    ReplyTooLarge {
        /// The limit: of [`Reply::limit_bytes`](crate::Reply::limit_bytes), or else `limits.reply_mib` of the configuration.
        limit: u64,
    },
}

impl CallError {
    /// What kind of error.
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownPlugin { .. } => Code::UnknownPlugin,
            Self::UnknownQuery { .. } => Code::UnknownQuery,
            Self::Degraded { .. } | Self::Unproven(_) => Code::PluginDegraded,
            Self::Arguments(errors) => errors.first().map_or(Code::InvalidParameter, |error| error.code),
            Self::Refused(failure) => match failure.code {
                FailureCode::NotFound => Code::NotFound,
                FailureCode::Forbidden => Code::Forbidden,
                FailureCode::Internal => Code::PluginTrapped,
                _ => Code::Refused,
            },
            Self::Plugin(error) => error.code(),
            Self::Loan(error) if error.sqlstate().is_some_and(is_bad_value) => Code::RejectedValue,
            Self::Loan(error) => error.code(),
            Self::NothingLent => Code::NothingLent,
            Self::TimedOut { .. } => Code::CallTimeout,
            Self::TooManyCalls { .. } => Code::TooManyCalls,
            Self::OutOfDatabaseTime { .. } => Code::OutOfDatabaseTime,
            Self::Row(error) => error.code(),
            Self::TooManyRows { .. } => Code::TooManyRows,
            Self::SeveralStatements { .. } => Code::NotAcceptable,
            Self::UnknownStatement { .. } => Code::InvalidParameter,
            Self::OtherStatement { .. } => Code::OtherStatement,
            Self::NoCursor { .. } => Code::NoCursor,
            Self::ReplyTooLarge { .. } => Code::ReplyTooLarge,
        }
    }

    /// When it is worth another try, if that can be told: in whole seconds, at least one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyCalls { .. } => Some(Duration::from_secs(1)),
            Self::OutOfDatabaseTime { again_in, .. } => Some(whole_seconds(again_in)),
            Self::Plugin(error) => error.retry_after().map(Duration::from_secs),
            _ => None,
        }
    }

    /// What went wrong when statements ran: a value that PostgreSQL can't read as its type is a fault of the caller's,
    /// who is told of which parameter or claim.
    pub(super) fn of_run(error: LoanError, statements: &[ProvenStatement]) -> Self {
        // A value of a type that has gone is no fault of the caller's.
        let about_value = error.postgres().filter(|_| !matches!(error, LoanError::Stale { .. }));
        let told = about_value.and_then(|postgres| {
            let index = postgres.parameter()?.checked_sub(1)?;
            let statement = statements.get(postgres.statement())?;
            let (source, ty) = (statement.values.get(index)?, statement.types.get(index)?);
            let (code, side, name) = match source {
                ValueSource::Parameter(name) => (Code::InvalidParameter, "parameter", name),
                ValueSource::Claim(name) | ValueSource::FilterClaim { name, .. } => {
                    (Code::InvalidClaim, "claim", name)
                }
                ValueSource::Constant(_) | ValueSource::CursorKey(_) => return None,
            };
            let sqlstate = postgres.sqlstate();
            let message = format!("{side} `{name}` is no value of the type {ty} (SQLSTATE {sqlstate})");
            Some(ArgumentError { code, parameter: Some(name.clone()), message })
        });
        told.map_or_else(|| Self::Loan(error), |error| Self::Arguments(vec![error]))
    }

    /// Whether it may come of a database that is not any more as it was proven against, or not yet.
    pub(super) fn is_doubtful(&self) -> bool {
        match self {
            Self::Loan(LoanError::Stale { .. }) => true,
            // What can't be resolved, and what PostgreSQL can't.
            Self::Unproven(findings) => findings.iter().any(|finding| {
                matches!(&finding.code.as_str()[..4], "CS03" | "CS05") && finding.code != Code::TooCostly
            }),
            _ => false,
        }
    }

    /// What a log should hold and a caller should not see: one line of at most 10,000 characters, whatever names a plugin has given and
    /// whatever PostgreSQL says.
    pub fn log_message(&self) -> String {
        printable(&self.unbounded_log_message(), LOG_CHARACTERS)
    }

    fn unbounded_log_message(&self) -> String {
        let told = self.to_string();
        let detail = match self {
            Self::UnknownPlugin { help, .. } | Self::UnknownQuery { help, .. } => {
                return format!("{told}; {help}");
            }
            Self::Plugin(error) => Some(error.to_string()),
            Self::Unproven(findings) => {
                Some(findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::Loan(error @ (LoanError::Stale { .. } | LoanError::CallerNotSet { .. })) => {
                match error.database_message() {
                    Some(said) => Some(format!("{error}: {said}")),
                    None => Some(error.to_string()),
                }
            }
            Self::Loan(error) => Some(error.database_message().unwrap_or_else(|| error.to_string())),
            Self::Row(error) => error.source().map(ToString::to_string),
            Self::TooManyCalls { of, most, why, wait } => Some(format!(
                "{of} may have {most} at once ({why}), and none of them ended within {wait:?} (pool.wait_ms)"
            )),
            Self::OutOfDatabaseTime { of, .. } => Some(format!("that of {of} (database_ms_per_minute)")),
            _ => None,
        };
        match detail {
            Some(detail) if !told.contains(&detail) => format!("{told}: {detail}"),
            _ => told,
        }
    }

    pub(crate) fn unknown_query<'a>(
        plugin: &str,
        name: &str,
        queries: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let help = suggestion(name, queries, "it has");
        Self::UnknownQuery { plugin: plugin.to_owned(), name: printable(name, 63), help }
    }

    pub(crate) fn unknown_plugin<'a>(name: &str, plugins: impl Iterator<Item = &'a str> + Clone) -> Self {
        Self::UnknownPlugin { name: printable(name, 63), help: suggestion(name, plugins, "there are") }
    }
}

/// What a caller may know of a connection's trouble, and can do: not who the host logs in as, or where, and nothing that
/// PostgreSQL says but the SQLSTATE.
fn for_caller(error: &LoanError) -> String {
    match error {
        LoanError::Unavailable { .. } | LoanError::Lost { .. } => {
            "the database can't be reached; try again later".to_owned()
        }
        LoanError::Privileged(_) => {
            "the role of the connection may see or do more than plugins are granted, and that is not allowed; the log says more"
                .to_owned()
        }
        LoanError::CallerNotSet { .. } => {
            "PostgreSQL does not take the caller's role or claims as the host sets them; the log says more".to_owned()
        }
        LoanError::Exhausted { .. } => "no connection became free in time; try again later".to_owned(),
        // lock_not_available
        LoanError::Stopped(postgres) if postgres.sqlstate() == "55P03" => {
            format!("{error}: a lock was not free in time (pool.lock_timeout_ms); try again later")
        }
        LoanError::Stopped(_) => {
            format!("{error}: it took too long (pool.statement_timeout_ms); ask for less")
        }
        LoanError::Stale { refusal, .. } => {
            let refusal = refusal.as_ref().map(|postgres| format!(": {postgres}")).unwrap_or_default();
            format!(
                "the database changed under a proven statement{refusal}; try again when the host has looked at the \
                 database anew"
            )
        }
        LoanError::Failed(postgres) if is_bad_value(postgres.sqlstate()) => {
            format!("PostgreSQL refuses a value of the request, or one of the data that the query converts: {postgres}")
        }
        LoanError::Failed(_)
        | LoanError::NotPermitted(_)
        | LoanError::PoolSettings { .. }
        | LoanError::NulCharacter { .. }
        | LoanError::WrongParameterCount { .. }
        | LoanError::NoTransaction
        | LoanError::TransactionAborted
        | LoanError::NotCancelled { .. }
        | LoanError::Cancelled
        | LoanError::RunFailed => error.to_string(),
    }
}

/// Whether PostgreSQL could not read a value as its type, or has no use for it where it stands. The statement was proven,
/// its constants too: it is the caller's, or one that the query converts from text or JSON in a table.
fn is_bad_value(sqlstate: &str) -> bool {
    // invalid_text_representation, invalid_datetime_format, datetime_field_overflow,
    // invalid_row_count_in_limit_clause, invalid_row_count_in_result_offset_clause; check_violation and not_null_violation,
    // which in a SELECT are those of domains.
    matches!(sqlstate, "22P02" | "22007" | "22008" | "2201W" | "2201X" | "23514" | "23502")
}

/// What a plugin says when it fails is for the log, and what the host says of it for the caller too.
fn plugin_failed(error: &plugin::CallError) -> String {
    match error {
        plugin::CallError::Suspended { .. } => error.to_string(),
        _ => "the plugin failed".to_owned(),
    }
}

fn degraded(plugin: &str, query: Option<&str>) -> String {
    let why = format!("the log says why (`callslip explain {plugin}` says it again)");
    match query {
        Some(query) => format!(
            "the query {plugin}.{query} is not served: it does not prove against the database as it is now; {why}"
        ),
        None => format!("the plugin {plugin} is not served: it can't be loaded; {why}"),
    }
}

fn whole_seconds(time: &Duration) -> Duration {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(seconds.max(1))
}

fn seconds_from_now(time: &Duration) -> String {
    format!("in {:?}", whole_seconds(time))
}

fn named(statements: &[String]) -> String {
    match statements {
        [] => "none by a name".to_owned(),
        names => names.join(", "),
    }
}

fn statement(asked: &str) -> String {
    match asked {
        "" => "the rows of no statement were asked for".to_owned(),
        name => format!("the rows of statement \"{}\" can't be read now", printable(name, 63)),
    }
}

fn list(errors: &[ArgumentError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_plugin_gives_forge_no_line_of_a_log() {
        let column = format!("a\n ERROR forged\u{1b}[2J{}", "x".repeat(20_000));
        let message = CallError::from(RowError::Unreadable { column, problem: "p" }).log_message();
        assert!(message.contains("a\\n ERROR forged\\u{1b}[2Jxxx"), "{message}");
        assert!(!message.contains(char::is_control) && message.len() < 11_000, "{}", message.len());
    }
}
