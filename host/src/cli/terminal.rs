//! What stdout and stderr can show.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use clap::builder::styling::{AnsiColor, Style};

use crate::Code;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Whether stdout is read by a person.
pub(super) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether stderr is read by a person.
pub(super) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether stdout shows colours.
pub(super) fn stdout_has_colours() -> bool {
    stdout_is_terminal() && colours_are_wanted()
}

/// Whether stderr shows colours.
pub(super) fn stderr_has_colours() -> bool {
    stderr_is_terminal() && colours_are_wanted()
}

/// As <https://no-color.org> says: any value but the empty one turns colours off.
fn colours_are_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// Prints an error with its code and its causes on stderr.
pub(super) fn print_error(error: &anyhow::Error, code: Option<Code>) {
    let report = Report { error, code, colours: stderr_has_colours() };
    // Where even stderr is gone, nobody is left to be told.
    let _ = write!(io::stderr().lock(), "{report}");
}

/// An error with its causes, each on a line.
struct Report<'a> {
    error: &'a anyhow::Error,
    code: Option<Code>,
    colours: bool,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = if self.colours { ERROR } else { Style::new() };
        write!(f, "{style}error{style:#}: ")?;
        if let Some(code) = self.code {
            write!(f, "{code}: ")?;
        }
        writeln!(f, "{}", self.error)?;
        for cause in self.error.chain().skip(1) {
            writeln!(f, "  caused by: {cause}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let error = anyhow::anyhow!("no such file").context("can't read a.toml").context("can't start");
        assert_eq!(
            Report { error: &error, code: Some(Code::BadConfiguration), colours: false }.to_string(),
            "error: CS2001: can't start\n  caused by: can't read a.toml\n  caused by: no such file\n"
        );
        assert!(Report { error: &error, code: None, colours: true }.to_string().starts_with("\u{1b}["));
    }
}
