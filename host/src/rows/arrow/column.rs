use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::values::Values;
use crate::loan::ResultColumn;
use crate::rows::column::ColumnEncoder;
use crate::rows::error::RowError;
use crate::rows::style::{Numbers, Style};

/// The values of one column of the batch that is being gathered.
pub(super) struct ArrowColumn {
    name: String,
    values: Values,
}

impl ArrowColumn {
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(column: &ResultColumn, numbers: Numbers) -> Result<Self, RowError> {
        let encoder = ColumnEncoder::of_column(column)?.in_style(Style { numbers, one_line: false });
        let items = Values::new(encoder.scalar(), column.numeric_digits());
        let values = match encoder.element() {
            Some(element) => Values::list(element, items),
            None => items,
        };
        Ok(Self { name: column.name.clone(), values })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn data_type(&self) -> DataType {
        self.values.data_type()
    }

    /// Adds a value in PostgreSQL's binary form, or null.
    ///
    /// # Errors
    /// [`RowError::Unreadable`], also of what the column's type of Arrow can't hold.
    pub fn push(&mut self, value: Option<&[u8]>) -> Result<(), RowError> {
        self.values
            .push(value)
            .map_err(|malformed| RowError::Unreadable { column: self.name.clone(), problem: malformed.0 })
    }

    /// The values, of which none are left.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.values.finish()
    }
}
