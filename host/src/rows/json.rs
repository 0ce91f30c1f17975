use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;

use super::column::raw_value;
use super::error::RowError;
use super::object::{JsonObject, quote};
use super::style::{Numbers, Style};
use crate::loan::ResultColumn;

/// Writes the rows of one statement: `[{…},{…}]`, of at most one row `{…}` or `null`, and of a page `{"rows":[{…}],"next":"…"}`.
///
/// Nothing is flushed: the caller empties the buffer as it likes. After an error the buffer is as it was before
/// the call, and what was written must not be completed.
pub struct JsonRows {
    object: Arc<JsonObject>,
    style: Style,
    at_most_one: bool,
    is_page: bool,
    name: Option<String>,
    rows: u64,
}

impl JsonRows {
    /// Rows of these columns: any number of them, or at most one.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(columns: &[ResultColumn], at_most_one: bool, numbers: Numbers) -> Result<Self, RowError> {
        Ok(Self::of_object(Arc::new(JsonObject::new(columns)?), at_most_one, numbers))
    }

    /// Rows that are written so.
    pub(super) fn of_object(object: Arc<JsonObject>, at_most_one: bool, numbers: Numbers) -> Self {
        let style = Style { numbers, one_line: false };
        Self { object, style, at_most_one, is_page: false, name: None, rows: 0 }
    }

    /// The same of a page of any number of rows, with where the next one begins.
    #[must_use]
    pub fn of_page(self) -> Self {
        Self { is_page: true, ..self }
    }

    /// How many rows were written.
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    fn begin(&self, out: &mut BytesMut) {
        if self.is_page {
            out.extend_from_slice(b"{\"rows\":");
        }
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
        if let Err(error) = self.object.values(value, self.style, out) {
            out.truncate(start);
            return Err(error);
        }
        self.rows += 1;
        Ok(())
    }

    fn end(&self, next: Option<&str>, out: &mut BytesMut) {
        if !self.at_most_one {
            out.put_u8(b']');
        } else if self.rows == 0 {
            out.extend_from_slice(b"null");
        }
        if self.is_page {
            out.extend_from_slice(b",\"next\":");
            out.extend_from_slice(next.map_or_else(|| "null".to_owned(), quote).as_bytes());
            out.put_u8(b'}');
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

    /// Appends what comes after the last row of the current statement, of a page with where the next one begins; after the last
    /// statement, the end of the reply.
    pub fn end_statement(&mut self, next: Option<&str>, out: &mut BytesMut) {
        let Some(rows) = self.statements.get(self.current) else { return };
        rows.end(next, out);
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
            type_modifier: -1,
        };
        JsonRows::new(&columns.iter().map(column).collect::<Vec<_>>(), at_most_one, Numbers::AsNumbers)
            .unwrap()
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
            reply.end_statement(Some("a-b"), &mut out);
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
    fn a_page_is_an_object_with_where_the_next_one_begins() {
        let page = || rows(&[("n", INT4), ("t", TEXT)], false).of_page();
        let text = reply(JsonReply::single(page()), &[1]).unwrap();
        assert_eq!(text, r#"{"rows":[{"n":7,"t":"a\"b"}],"next":"a-b"}"#);
        let total = ("total".to_owned(), rows(&[("n", INT4), ("t", TEXT)], true));
        let text = reply(JsonReply::named([("page".to_owned(), page()), total]), &[0, 0]).unwrap();
        assert_eq!(text, r#"{"page":{"rows":[],"next":"a-b"},"total":null}"#);
        let (mut last, mut out) = (JsonReply::single(page()), BytesMut::new());
        last.begin(&mut out);
        last.end_statement(None, &mut out);
        assert_eq!(out.as_ref(), br#"{"rows":[],"next":null}"#);
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
        let column =
            ResultColumn { name: "b".into(), type_oid: 603, type_name: "box".into(), type_modifier: -1 };
        let error = JsonRows::new(&[column], false, Numbers::AsNumbers).err().unwrap();
        assert_eq!(error.to_string(), "column \"b\" has type box, which has to be cast to text");
    }
}
