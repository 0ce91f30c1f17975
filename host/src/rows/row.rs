use std::any::type_name;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, Type};

use self::sealed::Unknown;
use super::column::raw_value;
use super::error::RowError;
use super::object::JsonObject;
use super::style::Style;
use crate::loan::ResultColumn;

/// A row of a query: its values by column, or all of it as a struct of your own.
///
/// It is whole, and stays so when the next row is fetched.
pub struct Row {
    row: tokio_postgres::Row,
    shape: Arc<RowShape>,
    number: u64,
}

/// What the rows of one statement have in common.
pub struct RowShape {
    /// The query, for errors: `hiring.funnel`.
    query: String,
    columns: Arc<[ResultColumn]>,
    object: Arc<JsonObject>,
}

impl RowShape {
    /// The rows of a statement of a query.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(query: String, columns: Arc<[ResultColumn]>) -> Result<Self, RowError> {
        let object = Arc::new(JsonObject::new(&columns)?);
        Ok(Self { query, columns, object })
    }

    /// The same of rows of which it is known how they are written.
    #[cfg(feature = "host")]
    pub(crate) fn of_object(query: String, columns: Arc<[ResultColumn]>, object: Arc<JsonObject>) -> Self {
        Self { query, columns, object }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// A row of these.
    ///
    /// # Errors
    /// [`RowError::Unexpected`], if it has other columns.
    pub fn row(self: &Arc<Self>, row: tokio_postgres::Row, number: u64) -> Result<Row, RowError> {
        self.object.check(&row)?;
        Ok(Row { row, shape: self.clone(), number })
    }
}

impl Row {
    /// The columns, in order.
    pub fn columns(&self) -> &[ResultColumn] {
        &self.shape.columns
    }

    /// Which row of its statement it is, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The value of a column, by the column's name or by its position, counted from 0. A value that may be null is read
    /// as an `Option`.
    ///
    /// The types are those of [`tokio_postgres::types`], with its cargo features for other crates' types, and those
    /// of your own that implement [`FromSql`]. A type that callslip sends as text, such as an enum, is a `String`.
    ///
    /// ```no_run
    /// # fn example(row: callslip::Row) -> Result<(), callslip::CallError> {
    /// let id: i32 = row.get("id")?;
    /// let closed_at: Option<std::time::SystemTime> = row.get("closed_at")?;
    /// let title = row.get::<&str>(1)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RowError::UnknownColumn`] and [`RowError::OtherType`].
    pub fn get<'a, T: FromSql<'a>>(&'a self, column: impl ColumnIndex) -> Result<T, RowError> {
        let position = column.position(self.columns()).map_err(|Unknown { column, help }| {
            RowError::UnknownColumn { row: self.place(), column, help }
        })?;
        let ty = self.row.columns().get(position).ok_or(RowError::Unexpected)?.type_();
        if !T::accepts(ty) {
            let problem = match own_type(ty) {
                Some(own) => format!("its values are of type `{own}`"),
                None => "that type is for others; `Row::to` reads all types by serde".to_owned(),
            };
            return Err(self.other_type::<T>(Some(position), problem, None));
        }
        let value = raw_value(&self.row, position).ok_or(RowError::Unexpected)?;
        T::from_sql_nullable(ty, value).map_err(|source| {
            let problem = match value {
                None => "it is null: read it as an `Option`",
                Some(_) => "the value is none of that type",
            };
            self.other_type::<T>(Some(position), problem.to_owned(), Some(source))
        })
    }

    /// The row as a struct of your own, or anything else that serde makes of an object with the columns as its members. The
    /// values are those of the JSON reply: see [the table](crate::rows).
    ///
    /// A `numeric` is a number of JSON, of which an `f64` keeps some 15 digits. To keep them all, read the column as a
    /// [`serde_json::value::RawValue`], or cast it to text in the query.
    ///
    /// ```no_run
    /// # fn example(row: callslip::Row) -> Result<(), callslip::CallError> {
    /// #[derive(serde::Deserialize)]
    /// struct Position {
    ///     id: i32,
    ///     title: String,
    ///     closed_at: Option<String>,
    /// }
    ///
    /// let position: Position = row.to()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RowError::OtherType`], which says of which column or field; [`RowError::Unreadable`].
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, RowError> {
        self.to_in(&mut BytesMut::new())
    }

    /// The same, by way of a buffer that is used again for the next row. What it holds is overwritten.
    ///
    /// # Errors
    /// Those of [`Row::to`].
    pub fn to_in<T: DeserializeOwned>(&self, buffer: &mut BytesMut) -> Result<T, RowError> {
        buffer.clear();
        self.shape.object.row(&self.row, Style::default(), buffer)?;
        serde_json::from_slice(buffer).map_err(|error| {
            let byte = end_of_read(buffer, &error).saturating_sub(1);
            let column = self.shape.object.column_at(&self.row, Style::default(), byte);
            let problem = if column.is_some() { in_value(&error) } else { described(&error) };
            self.other_type::<T>(column, problem, Some(error.into()))
        })
    }

    /// The row, for people.
    fn place(&self) -> String {
        format!("row {} of {}", self.number, self.shape.query)
    }

    fn other_type<T>(
        &self,
        column: Option<usize>,
        problem: String,
        source: Option<Box<dyn Error + Send + Sync>>,
    ) -> RowError {
        let what = match column.and_then(|position| self.shape.columns.get(position)) {
            Some(column) => {
                format!("column \"{}\" of type {} in {}", column.name, column.type_name, self.place())
            }
            None => self.place(),
        };
        RowError::OtherType { what, wanted: type_name::<T>(), problem, source }
    }
}

/// Shows no value.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("query", &self.shape.query)
            .field("number", &self.number)
            .field("columns", &self.shape.columns)
            .finish_non_exhaustive()
    }
}

/// The Rust type that reads the values of one of PostgreSQL's, if there is a single one that everybody has.
fn own_type(ty: &Type) -> Option<&'static str> {
    Some(match *ty {
        Type::BOOL => "bool",
        Type::INT2 => "i16",
        Type::INT4 => "i32",
        Type::INT8 => "i64",
        Type::FLOAT4 => "f32",
        Type::FLOAT8 => "f64",
        Type::TEXT => "String",
        _ => return None,
    })
}

/// How many bytes of a text were read until this error. Values of type `json` may have line breaks.
fn end_of_read(text: &[u8], error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column()
}

/// What serde says, without the place, which is one in a text that nobody has seen.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}

/// The same of an error in a value, without the value.
fn in_value(error: &serde_json::Error) -> String {
    let text = described(error);
    if text.starts_with("missing field `") || text.starts_with("invalid type: null, ") {
        return text;
    }
    let is_serde_s = ["invalid type: ", "invalid value: "].iter().any(|start| text.starts_with(start));
    match text.rsplit_once(", expected ").filter(|_| is_serde_s) {
        Some((_, expected)) => format!("expected {expected}"),
        None => "the value is none of that type".to_owned(),
    }
}

/// What names a column of a [`Row`]: its name, or its position, counted from 0.
pub trait ColumnIndex: sealed::ColumnIndex {}

impl<T: sealed::ColumnIndex> ColumnIndex for T {}

mod sealed {
    use crate::loan::ResultColumn;
    use crate::nearest::suggestion;
    use crate::printable::printable;

    pub trait ColumnIndex {
        fn position(&self, columns: &[ResultColumn]) -> Result<usize, Unknown>;
    }

    /// A column that there is not.
    pub struct Unknown {
        pub column: String,
        pub help: String,
    }

    impl ColumnIndex for usize {
        fn position(&self, columns: &[ResultColumn]) -> Result<usize, Unknown> {
            if *self < columns.len() {
                return Ok(*self);
            }
            let help = format!("it has {}, counted from 0", columns.len());
            Err(Unknown { column: format!("number {self}"), help })
        }
    }

    impl ColumnIndex for str {
        fn position(&self, columns: &[ResultColumn]) -> Result<usize, Unknown> {
            columns.iter().position(|column| column.name == self).ok_or_else(|| {
                let help = suggestion(self, columns.iter().map(|its| its.name.as_str()), "it has");
                Unknown { column: format!("\"{}\"", printable(self, 63)), help }
            })
        }
    }

    impl ColumnIndex for String {
        fn position(&self, columns: &[ResultColumn]) -> Result<usize, Unknown> {
            self.as_str().position(columns)
        }
    }

    impl<T: ColumnIndex + ?Sized> ColumnIndex for &T {
        fn position(&self, columns: &[ResultColumn]) -> Result<usize, Unknown> {
            (**self).position(columns)
        }
    }
}
