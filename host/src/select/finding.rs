use std::fmt;

use crate::Code;
use crate::grants::MissingGrant;
use crate::printable::printable;

/// The characters of a message: what a plugin wrote may be in it.
const MESSAGE_CHARACTERS: usize = 2_000;

/// One thing that is wrong with what an author wrote, or seems so: a warning is a finding too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where it was written.
    pub place: Option<SourcePlace>,
    /// The grants that would mend it.
    pub missing: Vec<MissingGrant>,
}

/// A line of an author's source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourcePlace {
    /// The file, as the compiler knew it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Finding {
    /// A finding without a place or help. Of the message at most 2,000 characters stay, on one line.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        let message = printable(message.as_ref(), MESSAGE_CHARACTERS);
        Self { code, message, help: None, place: None, missing: Vec::new() }
    }

    /// One that these grants would mend, which the help tells, and perhaps what would do instead.
    pub(crate) fn of_missing(
        code: Code,
        message: impl AsRef<str>,
        plugin: &str,
        missing: Vec<MissingGrant>,
        instead: Option<&str>,
    ) -> Self {
        let mut help = MissingGrant::help(plugin, &missing);
        if let Some(instead) = instead {
            help = format!("{help}, or {instead}");
        }
        Self { missing, ..Self::new(code, message).with_help(help) }
    }

    /// The same with what to write instead, bounded likewise.
    pub fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(printable(help.as_ref(), MESSAGE_CHARACTERS));
        self
    }

    /// The same with where it was written.
    pub fn at(mut self, place: Option<SourcePlace>) -> Self {
        self.place = place;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(place) = &self.place {
            write!(f, " {place}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
