#[cfg(feature = "host")]
use std::sync::Arc;

use bytes::BytesMut;
use tokio_postgres::Row;

use super::column::{ColumnEncoder, JsonEncoder, raw_value};
use super::error::{Malformed, RowError};
use super::style::Style;
use crate::loan::ResultColumn;

/// Writes a row as a JSON object, in any style: `{"id":7,"title":"Baker"}`. It is made once a statement, and used by many replies.
#[derive(Debug)]
pub(crate) struct JsonObject(Box<[JsonColumn]>);

#[derive(Debug)]
struct JsonColumn {
    name: String,
    /// `{"name":` for the first column, `,"name":` for the others.
    key: Key,
    /// By the number of the style.
    encoders: [JsonEncoder; Style::ALL.len()],
}

impl JsonObject {
    /// That of a statement that is proven; none, if a type is not decoded.
    #[cfg(feature = "host")]
    pub(crate) fn usual(columns: &[ResultColumn]) -> Option<Arc<Self>> {
        Self::new(columns).ok().map(Arc::new)
    }

    /// Rows of these columns.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub(super) fn new(columns: &[ResultColumn]) -> Result<Self, RowError> {
        let column = |(position, column): (usize, &ResultColumn)| {
            let encoder = ColumnEncoder::of_column(column)?;
            let start = if position == 0 { '{' } else { ',' };
            let key = Key::new(format!("{start}{}:", quote(&column.name)).as_bytes());
            let encoders = Style::ALL.map(|style| encoder.in_style(style).json());
            Ok(JsonColumn { name: column.name.clone(), key, encoders })
        };
        columns.iter().enumerate().map(column).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a row has these columns, and perhaps others behind them.
    ///
    /// # Errors
    /// [`RowError::Unexpected`].
    pub fn check(&self, row: &Row) -> Result<(), RowError> {
        if row.len() >= self.0.len() { Ok(()) } else { Err(RowError::Unexpected) }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] and [`RowError::Unexpected`]; a part of it may then be appended.
    pub(super) fn row(&self, row: &Row, style: Style, out: &mut BytesMut) -> Result<(), RowError> {
        self.check(row)?;
        self.values(|position| raw_value(row, position).flatten(), style, out)
    }

    /// The same of values by position, in PostgreSQL's binary form.
    pub(super) fn values<'a>(
        &self,
        value: impl Fn(usize) -> Option<&'a [u8]>,
        style: Style,
        out: &mut BytesMut,
    ) -> Result<(), RowError> {
        for (position, column) in self.0.iter().enumerate() {
            let written = column.write(value(position), style, out);
            written.map_err(|malformed| column.unreadable(malformed))?;
        }
        out.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    /// The column in whose value a byte of the row is that was written in a style; none, if it is not in a value.
    pub(super) fn column_at(&self, row: &Row, style: Style, byte: usize) -> Option<usize> {
        let mut out = BytesMut::new();
        for (position, column) in self.0.iter().enumerate() {
            let value_starts = out.len() + column.key.length;
            column.write(raw_value(row, position).flatten(), style, &mut out).ok()?;
            if byte < out.len() {
                return (byte >= value_starts).then_some(position);
            }
        }
        None
    }
}

/// How many bytes of a key are copied without a call.
const AT_ONCE: usize = 24;

/// A text that is written for each row.
#[derive(Debug)]
struct Key {
    /// So many bytes as are known beforehand are copied without a call: what comes behind them is taken back.
    first: [u8; AT_ONCE],
    rest: Box<[u8]>,
    length: usize,
}

impl Key {
    fn new(text: &[u8]) -> Self {
        let (start, rest) = text.split_at(text.len().min(AT_ONCE));
        let mut first = [0; AT_ONCE];
        first[..start.len()].copy_from_slice(start);
        Self { first, rest: rest.into(), length: text.len() }
    }

    fn put(&self, out: &mut BytesMut) {
        let end = out.len() + self.length;
        out.extend_from_slice(&self.first);
        match self.rest.is_empty() {
            true => out.truncate(end),
            false => out.extend_from_slice(&self.rest),
        }
    }
}

impl JsonColumn {
    fn write(&self, value: Option<&[u8]>, style: Style, out: &mut BytesMut) -> Result<(), Malformed> {
        self.key.put(out);
        self.encoders[style.number()].put(value, out)
    }

    #[cold]
    fn unreadable(&self, malformed: Malformed) -> RowError {
        RowError::Unreadable { column: self.name.clone(), problem: malformed.0 }
    }
}

pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_is_written() {
        for length in 1..100 {
            let text: Vec<u8> = (0..length).collect();
            let mut out = BytesMut::from("before");
            Key::new(&text).put(&mut out);
            assert_eq!(out, [b"before".as_slice(), &text].concat());
        }
    }
}
