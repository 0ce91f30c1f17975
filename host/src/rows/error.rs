use crate::Code;

/// Why a row can't be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A column of a type that is not decoded.
    #[error("column \"{column}\" has type {type_name}, which has to be cast to text")]
    NotDecoded {
        /// The column.
        column: String,
        /// Its type.
        type_name: String,
    },
    /// Bytes that are no value of their type.
    #[error("a value of column \"{column}\" can't be read: {problem}")]
    Unreadable {
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A second row of a statement that gives at most one.
    #[error("{statement} gave more than its one row")]
    TooManyRows {
        /// The statement.
        statement: String,
    },
    /// A row of another shape than the columns that were announced, or after the last statement.
    #[error("a row came where none belongs")]
    Unexpected,
}

impl RowError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotDecoded { .. } | Self::Unreadable { .. } | Self::Unexpected => Code::UnreadableValue,
            Self::TooManyRows { .. } => Code::TooManyRows,
        }
    }
}

/// What is wrong with the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);
