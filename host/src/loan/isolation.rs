use std::fmt;

/// How much of what others commit meanwhile the statements of a transaction see, as PostgreSQL tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it began: it has a snapshot of its own. READ UNCOMMITTED is the same.
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// The same, in an order of transactions that could have run one after the other.
    Serializable,
}

impl Isolation {
    /// The setting `transaction_isolation` of this text.
    pub(super) fn of_setting(setting: &str) -> Self {
        match setting {
            "serializable" => Self::Serializable,
            "repeatable read" => Self::RepeatableRead,
            _ => Self::ReadCommitted,
        }
    }

    /// As SQL names it: `read committed`, `repeatable read` or `serializable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
