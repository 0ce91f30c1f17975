use std::{fmt, time::Duration};

use wasmtime::Trap;

use super::BUILD_AGAIN;
use crate::{
    Code,
    select::{Finding, SourcePlace},
};

/// Why a plugin gave no readable answer. The instance is gone; the next call has a fresh one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// It panicked, and said so.
    Panicked {
        /// Its words: at most 1,000 characters, none of them a control character.
        message: String,
        /// Where, if it said so.
        place: Option<SourcePlace>,
    },
    /// It trapped without a word.
    Trapped {
        /// What happened, for people.
        reason: String,
    },
    /// It ran too long.
    TimedOut {
        /// [`super::ProfileLimits::plan_time`] or [`super::ProfileLimits::manifest_time`].
        limit: Duration,
    },
    /// It was refused memory, and then trapped.
    OutOfMemory {
        /// [`super::ProfileLimits::memory_bytes`].
        limit: usize,
    },
    /// It answered too much.
    OutputTooLarge {
        /// What there is too much of, such as `bytes`.
        what: &'static str,
        /// How much there may be.
        limit: usize,
        /// How much there is, if the host read so far.
        actual: Option<usize>,
    },
    /// It is not run: too many of its runs before this one have failed.
    Suspended {
        /// For how long it is not.
        time: Duration,
    },
    /// Its answer can't be read.
    Malformed {
        /// Which part, such as `its manifest`.
        what: String,
        /// Why, in at most 500 characters, none of them a control character.
        error: String,
    },
}

impl CallError {
    /// What kind of error.
    pub fn code(&self) -> Code {
        match self {
            Self::Panicked { .. } | Self::Trapped { .. } => Code::PluginTrapped,
            Self::TimedOut { .. } => Code::PluginTimeout,
            Self::OutOfMemory { .. } => Code::PluginOutOfMemory,
            Self::OutputTooLarge { .. } => Code::PluginOutputTooLarge,
            Self::Suspended { .. } => Code::PluginSuspended,
            Self::Malformed { .. } => Code::MalformedDescription,
        }
    }

    /// After how many seconds another try may do better, if that can be told.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Suspended { time } => Some(seconds(*time)),
            _ => None,
        }
    }

    /// The same as a finding about the plugin's source.
    pub fn into_finding(self) -> Finding {
        let code = self.code();
        match self {
            Self::Panicked { message, place } => {
                Finding::new(code, format!("the plugin panicked: {message}")).at(place)
            }
            Self::TimedOut { .. } => Finding::new(code, self.to_string()).with_help(
                "if it must take that long, raise limits.plan_ms, or limits.script.plan_ms of a script",
            ),
            Self::OutOfMemory { .. } => Finding::new(code, self.to_string()).with_help(
                "if it needs that much, raise limits.memory_mib, or limits.script.memory_mib of a script",
            ),
            Self::Malformed { .. } => Finding::new(code, self.to_string()).with_help(BUILD_AGAIN),
            other => Finding::new(code, other.to_string()),
        }
    }

    pub(super) fn trapped(trap: Trap) -> Self {
        let reason = match trap {
            Trap::StackOverflow => "its calls nest too deep (stack overflow)",
            Trap::UnreachableCodeReached => "it aborted without a message (unreachable)",
            Trap::MemoryOutOfBounds => "it read or wrote outside its memory",
            Trap::IntegerDivisionByZero => "it divided an integer by zero",
            Trap::IntegerOverflow => "an integer overflowed",
            Trap::BadConversionToInteger => "it converted a float that no integer holds",
            Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => {
                "it called what is not a function of that type"
            }
            Trap::StringOutOfBounds
            | Trap::ListOutOfBounds
            | Trap::InvalidDiscriminant
            | Trap::InvalidChar
            | Trap::UnalignedPointer => {
                return Self::Malformed { what: "its answer".into(), error: trap.to_string() };
            }
            other => return Self::Trapped { reason: other.to_string() },
        };
        Self::Trapped { reason: reason.into() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, place: Some(place) } => {
                write!(f, "the plugin panicked at {place}: {message}")
            }
            Self::Panicked { message, place: None } => write!(f, "the plugin panicked: {message}"),
            Self::Trapped { reason } => write!(f, "the plugin trapped: {reason}"),
            Self::TimedOut { limit } => write!(f, "the plugin ran for more than {} ms", limit.as_millis()),
            Self::OutOfMemory { limit } => write!(f, "the plugin wants more than {limit} bytes of memory"),
            Self::OutputTooLarge { what, limit, actual: Some(actual) } => {
                write!(f, "the plugin answers {actual} {what}; the limit is {limit}")
            }
            Self::OutputTooLarge { what, limit, actual: None } => {
                write!(f, "the plugin answers more than {limit} {what}")
            }
            Self::Suspended { time } => {
                write!(
                    f,
                    "the plugin is suspended for another {} s, since too many of its runs failed",
                    seconds(*time)
                )
            }
            Self::Malformed { what, error } => {
                write!(f, "the plugin's answer can't be read: {what}: {error}")
            }
        }
    }
}

/// Whole seconds, of which there is at least one.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1) as u64
}

impl std::error::Error for CallError {}
