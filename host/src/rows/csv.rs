use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;

use super::column::{ColumnEncoder, raw_value};
use super::error::RowError;
use super::style::{Numbers, Style};
use crate::loan::ResultColumn;

/// Writes CSV of RFC 4180: the names of the columns, then a line a row, each ended by CR and LF.
///
/// A null is an empty field, and a text that is empty is `""`.
pub(super) struct CsvReply {
    columns: Vec<(String, ColumnEncoder)>,
    /// For values that have to be read once more, to find what is to be quoted.
    text: BytesMut,
}

impl CsvReply {
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(columns: &[ResultColumn], numbers: Numbers) -> Result<Self, RowError> {
        let style = Style { numbers, one_line: false };
        let column = |column: &ResultColumn| {
            Ok((column.name.clone(), ColumnEncoder::of_column(column)?.in_style(style)))
        };
        let columns = columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self { columns, text: BytesMut::new() })
    }

    pub fn begin(&self, out: &mut BytesMut) {
        for (position, (name, _)) in self.columns.iter().enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            put_field(name.as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
    }

    pub fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        // There may be others behind these.
        if row.len() < self.columns.len() {
            return Err(RowError::Unexpected);
        }
        for (position, (name, encoder)) in self.columns.iter().enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            if let Some(value) = raw_value(row, position).flatten() {
                let written = put(*encoder, value, &mut self.text, out);
                written.map_err(|problem| RowError::Unreadable { column: name.clone(), problem })?;
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn put(
    encoder: ColumnEncoder,
    value: &[u8],
    text: &mut BytesMut,
    out: &mut BytesMut,
) -> Result<(), &'static str> {
    if encoder.is_any_text() {
        text.clear();
        encoder.text(value, text).map_err(|malformed| malformed.0)?;
        put_field(text, out);
        return Ok(());
    }
    let start = out.len();
    encoder.text(value, out).map_err(|malformed| malformed.0)?;
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    Ok(())
}

fn put_field(text: &[u8], out: &mut BytesMut) {
    let quotes = text.iter().filter(|byte| **byte == b'"').count();
    let plain =
        quotes == 0 && !text.is_empty() && !text.iter().any(|byte| matches!(byte, b',' | b'\r' | b'\n'));
    if plain {
        return out.extend_from_slice(text);
    }
    out.reserve(text.len() + quotes + 2);
    out.put_u8(b'"');
    for (position, part) in text.split(|byte| *byte == b'"').enumerate() {
        if position > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part);
    }
    out.put_u8(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(type_oid: u32, value: &[u8]) -> String {
        let mut out = BytesMut::new();
        put(ColumnEncoder::for_type(type_oid).unwrap(), value, &mut BytesMut::new(), &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn what_would_be_read_otherwise_is_quoted() {
        for (text, field) in [
            ("plain é", "plain é"),
            (" a ", " a "),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("\"", "\"\"\"\""),
            ("a\"b\"\"", "\"a\"\"b\"\"\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("a\rb", "\"a\rb\""),
        ] {
            assert_eq!(written(25, text.as_bytes()), field);
        }
        assert_eq!(written(17, b""), "\"\"");
        assert_eq!(written(114, b"{\"a\": 1}"), "\"{\"\"a\"\": 1}\"");
        assert_eq!(written(20, &7_i64.to_be_bytes()), "7");
    }
}
