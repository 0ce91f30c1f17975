use bytes::BytesMut;
use tokio_postgres::Row;

use super::column::{ColumnEncoder, raw_value};
use super::error::RowError;
use crate::loan::ResultColumn;
use crate::printable::printable;

/// Makes cells for a terminal: the JSON of each value, strings without their quotes, and nothing in them that a
/// terminal would obey.
pub struct TextCells {
    columns: Vec<(String, ColumnEncoder)>,
    buffer: BytesMut,
}

impl TextCells {
    /// Cells of these columns.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(columns: &[ResultColumn]) -> Result<Self, RowError> {
        let column = |column: &ResultColumn| Ok((column.name.clone(), ColumnEncoder::of_column(column)?));
        let columns = columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self { columns, buffer: BytesMut::new() })
    }

    /// The cells of a row; None for null.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] and [`RowError::Unexpected`].
    pub fn cells(&mut self, row: &Row) -> Result<Vec<Option<String>>, RowError> {
        let mut cells = Vec::with_capacity(self.columns.len());
        for (position, (name, encoder)) in self.columns.iter().enumerate() {
            let value = raw_value(row, position).ok_or(RowError::Unexpected)?;
            let cell = value.map(|value| cell(*encoder, value, &mut self.buffer)).transpose();
            cells.push(cell.map_err(|problem| RowError::Unreadable { column: name.clone(), problem })?);
        }
        Ok(cells)
    }
}

fn cell(encoder: ColumnEncoder, value: &[u8], buffer: &mut BytesMut) -> Result<String, &'static str> {
    buffer.clear();
    encoder.text(value, buffer).map_err(|malformed| malformed.0)?;
    Ok(printable(&String::from_utf8_lossy(buffer), usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(type_oid: u32, value: &[u8]) -> String {
        cell(ColumnEncoder::for_type(type_oid).unwrap(), value, &mut BytesMut::new()).unwrap()
    }

    #[test]
    fn a_string_has_no_quotes_and_no_control_characters() {
        assert_eq!(text(25, b"plain"), "plain");
        assert_eq!(text(25, "\"q\" \\ \x1b[31m\n\u{202e}é".as_bytes()), "\"q\" \\ \\u{1b}[31m\\n\\u{202e}é");
    }

    #[test]
    fn other_values_are_their_json() {
        assert_eq!(text(23, &7_i32.to_be_bytes()), "7");
        assert_eq!(text(114, b"\"a json string\""), "\"a json string\"");
        assert_eq!(text(1082, &0_i32.to_be_bytes()), "2000-01-01");
        assert_eq!(text(701, &f64::NAN.to_be_bytes()), "NaN");
    }
}
