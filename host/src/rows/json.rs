use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;

use super::column::raw_value;
use super::error::RowError;
use super::object::{JsonObject, quote};
use crate::loan::ResultColumn;

/// Writes the rows of one statement: `[{…},{…}]`, or of at most one row `{…}` or `null`.
///
/// Nothing is flushed: the caller empties the buffer as it likes. After an error the buffer is as it was before
/// the call, and what was written must not be completed.
pub struct JsonRows {
    object: JsonObject,
    at_most_one: bool,
    name: Option<String>,
    rows: u64,
}

impl JsonRows {
    /// Rows of these columns: any number of them, or at most one.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(columns: &[ResultColumn], at_most_one: bool) -> Result<Self, RowError> {
        Ok(Self { object: JsonObject::new(columns)?, at_most_one, name: None, rows: 0 })
    }

    /// How many rows were written.
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    fn begin(&self, out: &mut BytesMut) {
        if !self.at_most_one {
            out.put_u8(b'[');
        }
    }

    fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        self.object.check(row)?;
        self.values(|position| raw_value(row, position).flatten(), out)
    }

    fn values<'a>(
        &mut self,
        value: impl Fn(usize) -> Option<&'a [u8]>,
        out: &mut BytesMut,
    ) -> Result<(), RowError> {
        if self.rows > 0 && self.at_most_one {
            let name = self.name.as_ref();
            let statement =
                name.map_or_else(|| "the query".to_owned(), |name| format!("statement \"{name}\""));
            return Err(RowError::TooManyRows { statement });
        }
        let start = out.len();
        if self.rows > 0 {
            out.put_u8(b',');
        }
        if let Err(error) = self.object.values(value, out) {
            out.truncate(start);
            return Err(error);
        }
        self.rows += 1;
        Ok(())
    }

    fn end(&self, out: &mut BytesMut) {
        if !self.at_most_one {
            out.put_u8(b']');
        } else if self.rows == 0 {
            out.extend_from_slice(b"null");
        }
    }
}

/// Writes the reply of a call, statement by statement: one statement's rows as they are, or the rows of several
/// under their names, `{"positions":[…],"totals":{…}}`.
pub struct JsonReply {
    statements: Vec<JsonRows>,
    named: bool,
    current: usize,
}

impl JsonReply {
    /// The reply of a query with a single statement.
    pub fn single(rows: JsonRows) -> Self {
        Self { statements: vec![rows], named: false, current: 0 }
    }

    /// The reply of a query with named statements, in the order in which their rows will come.
    pub fn named(statements: impl IntoIterator<Item = (String, JsonRows)>) -> Self {
        let named = |(name, rows)| JsonRows { name: Some(name), ..rows };
        Self { statements: statements.into_iter().map(named).collect(), named: true, current: 0 }
    }

    /// The statements' rows, for their counts.
    pub fn statements(&self) -> &[JsonRows] {
        &self.statements
    }

    /// Appends what comes before the first row.
    pub fn begin(&self, out: &mut BytesMut) {
        if self.named {
            out.put_u8(b'{');
        }
        self.begin_statement(out);
        if self.named && self.statements.is_empty() {
            out.put_u8(b'}');
        }
    }

    /// Appends a row of the current statement.
    ///
    /// # Errors
    /// [`RowError::Unreadable`], [`RowError::TooManyRows`] and [`RowError::Unexpected`]; nothing is then
    /// appended.
    pub fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        self.statements.get_mut(self.current).ok_or(RowError::Unexpected)?.row(row, out)
    }

    /// Appends what comes after the last row of the current statement; after the last statement, the end of the
    /// reply.
    pub fn end_statement(&mut self, out: &mut BytesMut) {
        let Some(rows) = self.statements.get(self.current) else { return };
        rows.end(out);
        self.current += 1;
        if self.current < self.statements.len() {
            out.put_u8(b',');
            self.begin_statement(out);
        } else if self.named {
            out.put_u8(b'}');
        }
    }

    fn begin_statement(&self, out: &mut BytesMut) {
        let Some(rows) = self.statements.get(self.current) else { return };
        if let Some(name) = &rows.name {
            out.extend_from_slice(quote(name).as_bytes());
            out.put_u8(b':');
        }
        rows.begin(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: u32 = 23;
    const TEXT: u32 = 25;

    fn rows(columns: &[(&str, u32)], at_most_one: bool) -> JsonRows {
        let column = |&(name, type_oid): &(&str, u32)| ResultColumn {
            name: name.to_owned(),
            type_oid,
            type_name: format!("type {type_oid}"),
        };
        JsonRows::new(&columns.iter().map(column).collect::<Vec<_>>(), at_most_one).unwrap()
    }

    /// Writes the reply with so many rows of `(7, "a\"b")` for each statement.
    fn reply(mut reply: JsonReply, counts: &[usize]) -> Result<String, RowError> {
        let mut out = BytesMut::new();
        reply.begin(&mut out);
        for &count in counts {
            for _ in 0..count {
                let values: [Option<&[u8]>; 2] = [Some(&[0, 0, 0, 7]), Some(b"a\"b")];
                let current = reply.current;
                reply.statements[current].values(|position| values[position], &mut out)?;
            }
            reply.end_statement(&mut out);
        }
        let text = String::from_utf8(out.to_vec()).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        Ok(text)
    }

    #[test]
    fn a_single_statement_is_an_array() {
        let make = || JsonReply::single(rows(&[("n", INT4), ("t\"", TEXT)], false));
        assert_eq!(reply(make(), &[0]).unwrap(), "[]");
        assert_eq!(reply(make(), &[2]).unwrap(), r#"[{"n":7,"t\"":"a\"b"},{"n":7,"t\"":"a\"b"}]"#);
    }

    #[test]
    fn at_most_one_row_is_an_object_or_null() {
        let make = || JsonReply::single(rows(&[("n", INT4), ("t", TEXT)], true));
        assert_eq!(reply(make(), &[0]).unwrap(), "null");
        assert_eq!(reply(make(), &[1]).unwrap(), r#"{"n":7,"t":"a\"b"}"#);
        let error = reply(make(), &[2]).unwrap_err();
        assert_eq!(error.to_string(), "the query gave more than its one row");
    }

    #[test]
    fn named_statements_are_an_object() {
        let make = || {
            JsonReply::named([
                ("positions".to_owned(), rows(&[("n", INT4), ("t", TEXT)], false)),
                ("totals".to_owned(), rows(&[("n", INT4), ("t", TEXT)], true)),
            ])
        };
        assert_eq!(reply(make(), &[0, 0]).unwrap(), r#"{"positions":[],"totals":null}"#);
        assert_eq!(
            reply(make(), &[1, 1]).unwrap(),
            r#"{"positions":[{"n":7,"t":"a\"b"}],"totals":{"n":7,"t":"a\"b"}}"#
        );
        assert_eq!(reply(JsonReply::named([]), &[]).unwrap(), "{}");
    }

    #[test]
    fn an_unreadable_value_leaves_no_trace() {
        let mut rows = rows(&[("t", TEXT), ("n", INT4)], false);
        let mut out = BytesMut::new();
        let values: [Option<&[u8]>; 2] = [Some(b"x"), Some(&[0])];
        let error = rows.values(|position| values[position], &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a value of column \"n\" can't be read: a value has another length than its type"
        );
        assert!(out.is_empty());
        assert_eq!(rows.row_count(), 0);
    }

    #[test]
    fn a_type_that_is_not_decoded_is_refused() {
        let column = ResultColumn { name: "b".into(), type_oid: 603, type_name: "box".into() };
        let error = JsonRows::new(&[column], false).err().unwrap();
        assert_eq!(error.to_string(), "column \"b\" has type box, which has to be cast to text");
    }
}
