use std::fmt;
use std::time::Duration;

use tokio_postgres::error::{ErrorPosition, Severity};

use super::guard::{PrivilegedRole, identifier};
use crate::Code;
use crate::printable::printable;
use crate::reason::reason;

/// How much is told of what PostgreSQL says: a value that it shows may be as long as it likes.
const MESSAGE_CHARACTERS: usize = 2_000;

/// Why a connection could not be lent, or a statement did not end well.
///
/// `Display` shows nothing that PostgreSQL says about a statement but its SQLSTATE: `secret::int` would print the
/// secret. The rest is in [`LoanError::postgres`], for logs and for those who may see the statement's data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoanError {
    /// The database can't be reached, refuses the login, or can't give the session that is needed.
    #[error("the database can't be reached: {reason}")]
    Unavailable {
        /// Why, without a password.
        reason: String,
    },
    /// No connection became free in time.
    #[error("none of the {size} connections became free within {wait:?}")]
    Exhausted {
        /// How many connections the pool may have.
        size: usize,
        /// How long the caller waited.
        wait: Duration,
    },
    /// Pool settings that no pool can have.
    #[error("the pool's {setting} {problem}")]
    PoolSettings {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The connection was lost while it was lent.
    #[error("the connection to the database was lost: {reason}")]
    Lost {
        /// Why.
        reason: String,
    },
    /// PostgreSQL failed the statement.
    #[error("PostgreSQL failed the statement: {0}")]
    Failed(Box<PostgresError>),
    /// PostgreSQL stopped the statement: its timeout, the lock timeout, or a cancel.
    #[error("PostgreSQL stopped the statement: {0}")]
    Stopped(Box<PostgresError>),
    /// The database changed under a statement that was proven: PostgreSQL now refuses it, or gives other columns.
    #[error("the database changed under a proven statement: {change}")]
    Stale {
        /// What changed.
        change: String,
        /// What PostgreSQL said, if it refused.
        refusal: Option<Box<PostgresError>>,
    },
    /// A value that no statement can have.
    #[error("the value of parameter ${parameter} has a NUL character")]
    NulCharacter {
        /// The parameter's number, from 1.
        parameter: usize,
    },
    /// As many values as the statement does not have parameters.
    #[error("{given} values for a statement of {expected} parameters")]
    WrongParameterCount {
        /// How many parameters the statement has.
        expected: usize,
        /// How many values were given.
        given: usize,
    },
    /// The transaction that was lent is not open. What was sent has run all the same, outside of it.
    #[error(
        "no transaction is open on the connection that was lent: something other than its owner has ended it"
    )]
    NoTransaction,
    /// The transaction that was lent was aborted before.
    #[error(
        "the transaction that was lent is aborted by an earlier error: roll it back, or back to a savepoint, first"
    )]
    TransactionAborted,
    /// What runs on a connection that was lent could not be cancelled. It runs on to its end or its timeout, before the
    /// owner's next statement.
    #[error(
        "the call on the connection that was lent can't be cancelled: {reason}; it runs on to its end or its timeout, \
         before the owner's next statement"
    )]
    NotCancelled {
        /// Why.
        reason: String,
    },
    /// The run was cancelled by its caller before its first row.
    #[error("the run was cancelled by its caller")]
    Cancelled,
    /// The role of the connection may see or do more than plugins are granted, and nobody has allowed that.
    #[error("{0}")]
    Privileged(Box<PrivilegedRole>),
    /// The role of the connection that was lent, or of the caller, lacks a privilege that a statement needs. It was proven with
    /// another role, or this one had it then.
    #[error(
        "the role with whose rights the query runs may not read what it reads (SQLSTATE {}): grant that role what the log \
         names, or lend a connection of another role", .0.sqlstate()
    )]
    NotPermitted(Box<PostgresError>),
    /// The role or a setting of the caller can't be set.
    #[error("{}", caller_not_set(role.as_deref(), error))]
    CallerNotSet {
        /// The role of the caller, if it has one.
        role: Option<String>,
        /// What PostgreSQL said.
        error: Box<PostgresError>,
    },
    /// Rows were asked for after an error.
    #[error("the run ended with an error before")]
    RunFailed,
}

impl LoanError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unavailable { .. } | Self::Lost { .. } => Code::DatabaseUnavailable,
            Self::Exhausted { .. } => Code::PoolExhausted,
            Self::PoolSettings { .. } => Code::BadConfiguration,
            Self::Failed(_) | Self::WrongParameterCount { .. } | Self::RunFailed => Code::StatementFailed,
            Self::Stopped(_) => Code::StatementTimeout,
            Self::Stale { .. } => Code::StaleStatement,
            Self::NulCharacter { .. } => Code::InvalidParameter,
            Self::NotCancelled { .. } => Code::NotCancelled,
            Self::Cancelled => Code::Cancelled,
            Self::NoTransaction => Code::NoTransaction,
            Self::TransactionAborted => Code::TransactionAborted,
            Self::Privileged(_) => Code::PrivilegedRole,
            Self::NotPermitted(_) | Self::CallerNotSet { .. } => Code::NotPermitted,
        }
    }

    /// What PostgreSQL said, if it said something about a statement.
    pub fn postgres(&self) -> Option<&PostgresError> {
        match self {
            Self::Failed(error)
            | Self::Stopped(error)
            | Self::NotPermitted(error)
            | Self::CallerNotSet { error, .. } => Some(error),
            Self::Stale { refusal, .. } => refusal.as_deref(),
            _ => None,
        }
    }

    /// PostgreSQL's five-character code, if it said something about a statement.
    pub fn sqlstate(&self) -> Option<&str> {
        self.postgres().map(PostgresError::sqlstate)
    }

    /// PostgreSQL's message with its detail, hint and context, as one line, with at most 2,000 characters of each. It may hold values
    /// from tables: for logs only.
    pub fn database_message(&self) -> Option<String> {
        let error = self.postgres()?;
        let shown = |part: &str| printable(part, MESSAGE_CHARACTERS);
        let mut message = shown(&error.message);
        for (label, part) in [("DETAIL", &error.detail), ("HINT", &error.hint), ("CONTEXT", &error.context)] {
            if let Some(part) = part {
                message.push_str(&format!("; {label}: {}", shown(part)));
            }
        }
        Some(message)
    }

    /// The same, about this statement of a run.
    pub(super) fn of_statement(mut self, statement: usize) -> Self {
        match &mut self {
            Self::Failed(error) | Self::Stopped(error) | Self::Stale { refusal: Some(error), .. } => {
                error.statement = statement;
            }
            _ => {}
        }
        self
    }

    /// The same of a statement that stood behind so many characters.
    pub(super) fn behind(mut self, characters: usize) -> Self {
        if let Self::Failed(error) = &mut self {
            let before = u32::try_from(characters).unwrap_or(u32::MAX);
            error.position = error.position.and_then(|position| position.checked_sub(before));
        }
        self
    }

    /// What was sent did not end.
    pub(super) fn not_ended(error: &tokio_postgres::Error) -> Self {
        Self::Lost { reason: format!("ROLLBACK failed: {error}") }
    }

    /// Who is asked for the role of its session has another answer.
    pub(super) fn unknown_role() -> Self {
        Self::Lost { reason: "the session does not say what its role is".to_owned() }
    }

    /// Why no block could be opened in a transaction.
    pub(super) fn of_transaction(error: tokio_postgres::Error) -> Self {
        match error.code().map(|code| code.code()) {
            // no_active_sql_transaction, in_failed_sql_transaction
            Some("25P01") => Self::NoTransaction,
            Some("25P02") => Self::TransactionAborted,
            _ => error.into(),
        }
    }

    /// Whether the connection is idle again after the error, so that the next caller can have it.
    pub(super) fn leaves_connection_idle(&self) -> bool {
        !matches!(self, Self::Lost { .. } | Self::Unavailable { .. })
    }
}

fn caller_not_set(role: Option<&str>, error: &PostgresError) -> String {
    match role.map(identifier) {
        Some(role) => format!(
            "the session can't become the caller's role {role} ({error}): it has to be there, and the session's login a member of \
             it (GRANT {role} TO the login, since PostgreSQL 16 not WITH SET FALSE)"
        ),
        None => {
            format!("PostgreSQL refuses a setting of [database.claims] ({error}): the log has its reason")
        }
    }
}

/// What PostgreSQL said about a statement. `Display` shows the SQLSTATE alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresError {
    sqlstate: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    context: Option<String>,
    routine: Option<String>,
    position: Option<u32>,
    statement: usize,
}

impl PostgresError {
    /// The five-character code, such as `42703`.
    pub fn sqlstate(&self) -> &str {
        &self.sqlstate
    }

    /// The message. It may hold values from tables, unless the statement was only described.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The detail. It may hold values from tables.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// What PostgreSQL suggests.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Which of a run's statements it is about, counted from 0.
    pub fn statement(&self) -> usize {
        self.statement
    }

    /// Which of the statement's parameters, counted from 1, has a value that PostgreSQL could not read as its type, if that is
    /// what is wrong: it then tells which one it was about to bind.
    pub fn parameter(&self) -> Option<usize> {
        let number = |line: &str| {
            let after = line.strip_prefix("unnamed portal parameter $").or_else(|| {
                line.strip_prefix("portal \"").and_then(|line| Some(line.split_once("\" parameter $")?.1))
            })?;
            after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        self.context.as_deref()?.lines().find_map(number)
    }

    /// The place in PostgreSQL's own source that said so, which tells apart what has one SQLSTATE.
    pub(super) fn routine(&self) -> Option<&str> {
        self.routine.as_deref()
    }

    /// The place in the statement: its character (not byte), from 1.
    pub fn position(&self) -> Option<u32> {
        self.position
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLSTATE {}", self.sqlstate)
    }
}

/// An error of a driver's call on a connection that was up.
impl From<tokio_postgres::Error> for LoanError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else { return Self::Lost { reason: reason(&error) } };
        if said.parsed_severity() != Some(Severity::Error) {
            // FATAL and PANIC end the session. Their messages are about it, not about data.
            let message = printable(said.message(), MESSAGE_CHARACTERS);
            return Self::Lost { reason: format!("{message} (SQLSTATE {})", said.code().code()) };
        }
        let position = said.position().and_then(|position| match position {
            ErrorPosition::Original(position) => Some(*position),
            ErrorPosition::Internal { .. } => None,
        });
        let owned = |part: Option<&str>| part.map(str::to_owned);
        let error = Box::new(PostgresError {
            sqlstate: said.code().code().to_owned(),
            message: said.message().to_owned(),
            detail: owned(said.detail()),
            hint: owned(said.hint()),
            context: owned(said.where_()),
            routine: owned(said.routine()),
            position,
            statement: 0,
        });
        // query_canceled and lock_not_available.
        match error.sqlstate.as_str() {
            "57014" | "55P03" => Self::Stopped(error),
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_that_was_bound_is_told() {
        let told = |context: &str| {
            let error = PostgresError {
                sqlstate: "22P02".into(),
                message: String::new(),
                detail: None,
                hint: None,
                context: Some(context.into()),
                routine: None,
                position: None,
                statement: 0,
            };
            error.parameter()
        };
        assert_eq!(told("unnamed portal parameter $2"), Some(2));
        assert_eq!(told("unnamed portal parameter $12 = '…'"), Some(12));
        assert_eq!(told("portal \"p1\" parameter $3 = 'a'"), Some(3));
        // The function that a domain's check calls comes first.
        assert_eq!(told("PL/pgSQL function f(text) line 1\nunnamed portal parameter $1"), Some(1));
        // What a value holds is behind the number of its own.
        assert_eq!(told("unnamed portal parameter $1 = '\nunnamed portal parameter $9'"), Some(1));
        assert_eq!(told("PL/pgSQL function f(text) line 1"), None);
        assert_eq!(told("unnamed portal parameter $"), None);
    }
}
