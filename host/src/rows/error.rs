use std::error::Error;

use crate::Code;

/// Why a row can't be written or read.
///
/// `Display` shows no value. The source of [`RowError::OtherType`] may.
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
    /// What the format's own writer fails with. Nothing was wrong with a value.
    #[error("the reply can't be written: {problem}")]
    Unwritable {
        /// What it said.
        problem: String,
    },
    /// A row of another shape than the columns that were announced, or after the last statement.
    #[error("a row came where none belongs")]
    Unexpected,
    /// A column that the row does not have.
    #[error("{row} has no column {column}; {help}")]
    UnknownColumn {
        /// Which row of which query.
        row: String,
        /// The column that was asked for.
        column: String,
        /// One that is like it, or those that there are.
        help: String,
    },
    /// A value or a row that is not of the Rust type that was asked for.
    #[error("{what} can't be read as `{wanted}`: {problem}")]
    OtherType {
        /// The row, or the column with its type, and which row of which query.
        what: String,
        /// The Rust type.
        wanted: &'static str,
        /// Why not.
        problem: String,
        /// What the Rust type itself said. It may hold values from tables: for logs only.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl RowError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotDecoded { .. }
            | Self::Unreadable { .. }
            | Self::Unwritable { .. }
            | Self::Unexpected => Code::UnreadableValue,
            Self::UnknownColumn { .. } | Self::OtherType { .. } => Code::OtherRow,
            Self::TooManyRows { .. } => Code::TooManyRows,
        }
    }
}

/// What is wrong with the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);
