use std::fmt;

/// A query's own refusal.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # struct P { from: String }
/// fn check(p: &P) -> Result<()> {
///     if p.from.is_empty() {
///         return Err(Failure::invalid("it must not be empty").parameter("from"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: &'static str,
    message: String,
    parameter: Option<String>,
}

/// What a query gives that may refuse.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), parameter: None }
    }

    /// The request can't be meant: a parameter has a value that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid", message)
    }

    /// The caller may not ask this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new("forbidden", message)
    }

    /// What was asked for does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new("not-found", message)
    }

    /// The query can't do this.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new("unsupported", message)
    }

    /// The same, with the parameter that is to blame.
    pub fn parameter(mut self, name: impl Into<String>) -> Self {
        self.parameter = Some(name.into());
        self
    }

    /// Its code: `invalid`, `forbidden`, `not-found`, `unsupported` or `internal`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The parameter that is to blame, if one was named.
    pub fn parameter_name(&self) -> Option<&str> {
        self.parameter.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if let Some(parameter) = &self.parameter {
            f.write_str(": ")?;
            f.write_str(parameter)?;
        }
        f.write_str(": ")?;
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
