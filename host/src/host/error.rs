use std::error::Error;
use std::time::Duration;

use super::prove::{ProvenStatement, ValueSource};
use crate::catalog::ReflectError;
use crate::loan::LoanError;
use crate::nearest::suggestion;
use crate::plugin::{self, ArgumentError, Failure, FailureCode};
use crate::printable::printable;
use crate::rows::RowError;
use crate::select::Finding;
use crate::{Code, ConfigError};

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
    #[error("there is no plugin \"{name}\"; {help}")]
    UnknownPlugin {
        /// The name that was called.
        name: String,
        /// One that is like it, or those that there are.
        help: String,
    },
    /// The plugin has no query of that name.
    #[error("the plugin {plugin} has no query \"{name}\"; {help}")]
    UnknownQuery {
        /// The plugin.
        plugin: String,
        /// The name that was called.
        name: String,
        /// One that is like it, or those that it has.
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
    #[error("the plugin failed")]
    Plugin(#[source] plugin::CallError),
    /// A shape that is proven on first use has findings.
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
    /// A row can't be written, or not read as what the service wants.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A statement gave more rows than the host allows.
    #[error("the call gave more rows than the limit of {limit} (limits.rows)")]
    TooManyRows {
        /// The limit, `limits.rows` of the configuration.
        limit: u64,
    },
    /// The rows of another statement than the one that was asked for come next.
    #[error("{}: {problem}", statement(asked))]
    OtherStatement {
        /// The name that was asked for; empty, if none was.
        asked: String,
        /// What is wrong with it.
        problem: String,
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
            Self::Degraded { .. } => Code::PluginDegraded,
            Self::Arguments(errors) => errors.first().map_or(Code::InvalidParameter, |error| error.code),
            Self::Refused(failure) => match failure.code {
                FailureCode::NotFound => Code::NotFound,
                FailureCode::Forbidden => Code::Forbidden,
                FailureCode::Internal => Code::PluginTrapped,
                _ => Code::Refused,
            },
            Self::Plugin(error) => error.code(),
            Self::Unproven(findings) => findings.first().map_or(Code::PluginDegraded, |finding| finding.code),
            Self::Loan(error) if error.sqlstate().is_some_and(is_bad_value) => Code::RejectedValue,
            Self::Loan(error) => error.code(),
            Self::NothingLent => Code::NothingLent,
            Self::TimedOut { .. } => Code::CallTimeout,
            Self::Row(error) => error.code(),
            Self::TooManyRows { .. } => Code::TooManyRows,
            Self::OtherStatement { .. } => Code::OtherStatement,
            Self::ReplyTooLarge { .. } => Code::ReplyTooLarge,
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
                ValueSource::Claim(name) => (Code::InvalidClaim, "claim", name),
                ValueSource::Constant(_) => return None,
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
            Self::Unproven(findings) => {
                findings.iter().any(|finding| matches!(&finding.code.as_str()[..4], "CS03" | "CS05"))
            }
            _ => false,
        }
    }

    /// What a log should hold and a caller should not see.
    pub fn log_message(&self) -> String {
        let detail = match self {
            Self::Plugin(error) => Some(error.to_string()),
            Self::Unproven(findings) => {
                Some(findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::Loan(error) => Some(error.database_message().unwrap_or_else(|| error.to_string())),
            Self::Row(error) => error.source().map(ToString::to_string),
            _ => None,
        };
        let told = self.to_string();
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

    pub(super) fn unknown_plugin<'a>(name: &str, plugins: impl Iterator<Item = &'a str> + Clone) -> Self {
        Self::UnknownPlugin { name: printable(name, 63), help: suggestion(name, plugins, "there are") }
    }
}

/// What a caller may know of a connection's trouble, and can do: not who the host logs in as, or where.
fn for_caller(error: &LoanError) -> String {
    match (error.code(), error.sqlstate()) {
        (Code::DatabaseUnavailable, _) => "the database can't be reached; try again later".to_owned(),
        (Code::PrivilegedRole, _) => {
            "row-level security does not hold for the role of the connection, and that is not allowed; the log says more"
                .to_owned()
        }
        (Code::PoolExhausted, _) => format!("{error}; try again later"),
        // lock_not_available
        (Code::StatementTimeout, Some("55P03")) => {
            format!("{error}: a lock was not free in time (pool.lock_timeout_ms); try again later")
        }
        (Code::StatementTimeout, _) => {
            format!("{error}: it took too long (pool.statement_timeout_ms); ask for less")
        }
        (Code::StaleStatement, _) => {
            format!("{error}; try again when the host has looked at the database anew")
        }
        (Code::StatementFailed, Some(sqlstate)) if is_bad_value(sqlstate) => {
            format!(
                "PostgreSQL refuses a value of the request, or one of the data that the query converts: SQLSTATE {sqlstate}"
            )
        }
        _ => error.to_string(),
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

fn degraded(plugin: &str, query: Option<&str>) -> String {
    let why = format!("the log says why (`callslip explain {plugin}` says it again)");
    match query {
        Some(query) => format!(
            "the query {plugin}.{query} is not served: it does not prove against the database as it is now; {why}"
        ),
        None => format!("the plugin {plugin} is not served: it can't be loaded; {why}"),
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
