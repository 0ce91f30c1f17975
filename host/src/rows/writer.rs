use std::sync::Arc;

use bytes::BytesMut;
use tokio_postgres::Row;

#[cfg(feature = "arrow")]
use super::arrow::ArrowReply;
use super::csv::CsvReply;
use super::error::RowError;
use super::format::Format;
use super::json::{JsonReply, JsonRows};
use super::ndjson::NdjsonReply;
use super::object::JsonObject;
use super::style::Numbers;
use crate::loan::ResultColumn;

/// The rows of one statement that are to be written.
#[derive(Clone, Copy, Debug)]
pub struct StatementRows<'a> {
    /// Its name; empty where the query has only one.
    pub name: &'a str,
    /// Its columns.
    pub columns: &'a [ResultColumn],
    /// Whether it gives at most one row.
    pub at_most_one: bool,
    /// Whether it gives a page, of which JSON says where the next one begins.
    pub is_page: bool,
    /// How they are written as JSON, if that is known already.
    pub(crate) object: Option<&'a Arc<JsonObject>>,
}

impl<'a> StatementRows<'a> {
    /// Any number of rows of these columns, of a statement of this name.
    pub fn new(name: &'a str, columns: &'a [ResultColumn]) -> Self {
        Self { name, columns, at_most_one: false, is_page: false, object: None }
    }

    /// How they are written as JSON.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub(super) fn object(&self) -> Result<Arc<JsonObject>, RowError> {
        self.object.map_or_else(|| JsonObject::new(self.columns).map(Arc::new), |object| Ok(object.clone()))
    }
}

/// Writes a reply in one of the [formats](Format), statement by statement and row by row.
///
/// Nothing is flushed: the caller empties the buffer as it likes. What was written must not be completed after an error.
pub struct ReplyWriter(Writer);

enum Writer {
    Json(JsonReply),
    Ndjson(NdjsonReply),
    Csv(CsvReply),
    #[cfg(feature = "arrow")]
    Arrow(Box<ArrowReply>),
}

impl ReplyWriter {
    /// A writer for the rows of these statements, in the order in which they will come.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`]; [`RowError::Unexpected`], if there is not exactly one statement and the format takes no others.
    pub fn new(format: Format, numbers: Numbers, statements: &[StatementRows<'_>]) -> Result<Self, RowError> {
        let only = || match statements {
            [only] => Ok(only),
            _ => Err(RowError::Unexpected),
        };
        Ok(Self(match format {
            Format::Json => Writer::Json(json(statements, numbers)?),
            Format::Ndjson => Writer::Ndjson(NdjsonReply::new(statements, numbers)?),
            Format::Csv => Writer::Csv(CsvReply::new(only()?.columns, numbers)?),
            #[cfg(feature = "arrow")]
            Format::Arrow => Writer::Arrow(Box::new(ArrowReply::new(only()?.columns, numbers)?)),
        }))
    }

    /// Appends what comes before the first row.
    ///
    /// # Errors
    /// [`RowError::Unwritable`].
    pub fn begin(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        match &mut self.0 {
            Writer::Json(json) => json.begin(out),
            Writer::Ndjson(_) => {}
            Writer::Csv(csv) => csv.begin(out),
            #[cfg(feature = "arrow")]
            Writer::Arrow(arrow) => arrow.begin(out)?,
        }
        Ok(())
    }

    /// Appends a row of the current statement; of Arrow a batch of rows, when there are enough for one.
    ///
    /// # Errors
    /// [`RowError::Unreadable`], [`RowError::Unexpected`], [`RowError::Unwritable`], and of JSON
    /// [`RowError::TooManyRows`].
    pub fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        match &mut self.0 {
            Writer::Json(json) => json.row(row, out),
            Writer::Ndjson(ndjson) => ndjson.row(row, out),
            Writer::Csv(csv) => csv.row(row, out),
            #[cfg(feature = "arrow")]
            Writer::Arrow(arrow) => arrow.row(row, out),
        }
    }

    /// Appends what comes after the last row of the current statement, of a page in JSON with where the next one begins; after
    /// the last statement, the end of the reply.
    ///
    /// # Errors
    /// [`RowError::Unwritable`].
    pub fn end_statement(&mut self, next: Option<&str>, out: &mut BytesMut) -> Result<(), RowError> {
        match &mut self.0 {
            Writer::Json(json) => json.end_statement(next, out),
            Writer::Ndjson(ndjson) => ndjson.end_statement(),
            Writer::Csv(_) => {}
            #[cfg(feature = "arrow")]
            Writer::Arrow(arrow) => arrow.end(out)?,
        }
        Ok(())
    }
}

fn json(statements: &[StatementRows<'_>], numbers: Numbers) -> Result<JsonReply, RowError> {
    let rows = |its: &StatementRows<'_>| -> Result<JsonRows, RowError> {
        let rows = JsonRows::of_object(its.object()?, its.at_most_one, numbers);
        Ok(if its.is_page { rows.of_page() } else { rows })
    };
    Ok(match statements {
        [only] if only.name.is_empty() => JsonReply::single(rows(only)?),
        several => {
            let named = several.iter().map(|its| Ok((its.name.to_owned(), rows(its)?)));
            JsonReply::named(named.collect::<Result<Vec<_>, RowError>>()?)
        }
    })
}
