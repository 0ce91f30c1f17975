use std::sync::Arc;

use bytes::BytesMut;
use futures_util::stream::{BoxStream, StreamExt, try_unfold};
use serde::de::DeserializeOwned;

use super::error::CallError;
use super::fetch::Fetch;
use crate::loan::{Isolation, ResultColumn};
use crate::rows::{Row, RowError, RowShape};

/// The rows of a call for the service that embeds the host, one by one as they come from the database: nothing holds a whole
/// result, and PostgreSQL waits for who reads slowly.
///
/// The values of a [`Row`] are read by column, or all of them as a struct of your own. Of a query with one statement:
///
/// ```no_run
/// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
/// #[derive(serde::Deserialize)]
/// struct Position {
///     title: String,
///     started: i64,
/// }
///
/// let mut rows = host.call("hiring", "funnel").param("company", 7).rows().await?;
/// while let Some(row) = rows.next().await? {
///     let position: Position = row.to()?;
///     println!("{}: {}", position.title, position.started);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The rows of several named statements come one statement after the other, in the order of the query. [`Rows::statement`]
/// goes on to the next; nothing is skipped unnoticed.
///
/// ```no_run
/// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
/// # #[derive(serde::Deserialize)]
/// # struct Position {}
/// # #[derive(serde::Deserialize)]
/// # struct Totals {}
/// let mut rows = host.call("hiring", "overview").param("company", 7).rows().await?;
/// let positions: Vec<Position> = rows.statement("positions").await?.collect_as().await?;
/// let totals: Option<Totals> = rows.statement("totals").await?.one_as().await?;
/// # Ok(())
/// # }
/// ```
///
/// The limits of the configuration hold: `limits.rows`, and `limits.reply_mib` for the rows as they come from the
/// database. So does what the query declares: a second row of a statement of at most one is an error.
///
/// Dropped before its end, the statement is cancelled; on a connection that was lent, the rest is thrown away.
pub struct Rows<'loan> {
    fetch: Fetch<'loan>,
    shapes: Vec<Arc<RowShape>>,
    /// The statement that is read; none before [`Rows::statement`], where it has a name.
    reading: Option<usize>,
    bytes: u64,
    /// For rows that become something else.
    buffer: BytesMut,
}

impl<'loan> Rows<'loan> {
    pub(super) fn new(mut fetch: Fetch<'loan>) -> Result<Self, CallError> {
        let shapes = shapes(&fetch).map_err(|error| fetch.fail(error))?;
        let reading = match fetch.statements() {
            [only] if only.name.is_empty() => Some(0),
            _ => None,
        };
        Ok(Self { fetch, shapes, reading, bytes: 0, buffer: BytesMut::new() })
    }

    /// The names of the query's statements, in the order in which they are read; none, if it has a single one without a name.
    pub fn statement_names(&self) -> impl Iterator<Item = &str> {
        self.fetch
            .statements()
            .iter()
            .map(|statement| statement.name.as_str())
            .filter(|name| !name.is_empty())
    }

    fn statement_name(&self, statement: usize) -> &str {
        self.fetch.statements().get(statement).map_or("", |its| its.name.as_str())
    }

    /// The columns of the rows, in order; they are known even if there are no rows. Where the query has several statements,
    /// those of the one that is read, and none before the first.
    ///
    /// Until the first row is there they may still become others, if the database changes at that moment.
    pub fn columns(&self) -> &[ResultColumn] {
        self.reading.and_then(|statement| self.shapes.get(statement)).map_or(&[], |shape| shape.columns())
    }

    /// The claims that row filters read and that the caller does not have, or has as null. Of the relations under these
    /// filters the call was given no rows.
    pub fn absent_claims(&self) -> &[String] {
        self.fetch.absent_claims()
    }

    /// Where the next page begins, of a query that gives pages: the parameter `cursor` of the same call. Known when the rows of this
    /// one were read, and nothing where none follows.
    pub fn next_cursor(&self) -> Option<&str> {
        self.fetch.next_cursor()
    }

    /// The isolation level that the statements have. All of REPEATABLE READ and SERIALIZABLE see one snapshot; on a
    /// transaction that was lent it is its owner's.
    pub fn isolation(&self) -> Isolation {
        self.fetch.isolation()
    }

    /// Goes on to a statement by its name: the first one, or the one after that which was read.
    ///
    /// # Errors
    /// [`CallError::OtherStatement`], if it is not the next, or rows of the one before it were not read; and whatever else can
    /// go wrong with those.
    pub async fn statement(&mut self, name: &str) -> Result<&mut Self, CallError> {
        let next = self.reading.map_or(0, |statement| statement + 1);
        let refuse = |problem| Err(CallError::OtherStatement { asked: name.to_owned(), problem });
        match self.statement_names().position(|its| its == name) {
            Some(found) if found == next => {}
            Some(found) if found < next => return refuse("its rows were read before".to_owned()),
            Some(_) => {
                let before = self.statement_name(next);
                return refuse(format!("the rows of \"{before}\" come before its own"));
            }
            None => {
                let names: Vec<&str> = self.statement_names().collect();
                return refuse(match names.as_slice() {
                    [] => "the query has one statement, without a name".to_owned(),
                    names => format!("the query has the statements {}", names.join(", ")),
                });
            }
        }
        if let Some(before) = self.reading
            && self.next().await?.is_some()
        {
            let before = self.statement_name(before);
            let problem = format!("rows of \"{before}\" were not read");
            return Err(self.fetch.fail(CallError::OtherStatement { asked: name.to_owned(), problem }));
        }
        self.reading = Some(next);
        Ok(self)
    }

    /// The next row; None after the last, of the statement that is read where there are several. May be dropped at any await
    /// and called again.
    ///
    /// # Errors
    /// [`CallError`]: what was given before is not the whole, and no row follows.
    pub async fn next(&mut self) -> Result<Option<Row>, CallError> {
        let Some(statement) = self.reading else {
            let names: Vec<&str> = self.statement_names().collect();
            let problem = format!("name it with `Rows::statement`: it is one of {}", names.join(", "));
            return Err(CallError::OtherStatement { asked: String::new(), problem });
        };
        if self.fetch.current_statement() != statement {
            return Ok(None);
        }
        let row = loop {
            match self.fetch.next_row().await {
                Ok(row) => break row,
                Err(error) => {
                    let read = self.statement_name(statement).to_owned();
                    self.fetch.again(error).await?;
                    self.shapes = shapes(&self.fetch).map_err(|error| self.fetch.fail(error))?;
                    // There may be a new version of the plugin.
                    if self.statement_name(statement) != read {
                        let problem = "the query has other statements since it was run again".to_owned();
                        return Err(self.fetch.fail(CallError::OtherStatement { asked: read, problem }));
                    }
                }
            }
        };
        let Some(row) = row else {
            self.fetch.has_given(self.bytes);
            if self.fetch.is_finished() {
                self.fetch.end();
            }
            return Ok(None);
        };
        self.bytes += row.raw_size_bytes() as u64;
        let limit = self.fetch.allowance().bytes;
        if self.bytes > limit {
            return Err(self.fetch.fail(CallError::ReplyTooLarge { limit }));
        }
        let shape = self.shapes.get(statement).ok_or(RowError::Unexpected);
        let row = shape.and_then(|shape| shape.row(row, self.fetch.rows_of_statement()));
        let row = row.map_err(|error| self.fetch.fail(error.into()))?;
        self.fetch.has_given(self.bytes);
        Ok(Some(row))
    }

    /// Stops the statements now, as [`Running::cancel`](crate::Running::cancel) does: it has to be awaited to its end.
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`](crate::loan::LoanError::NotCancelled), if a connection that was lent can't be cancelled;
    /// [`LoanError::Lost`](crate::loan::LoanError::Lost).
    pub async fn cancel(self) -> Result<(), CallError> {
        self.fetch.cancel().await
    }

    /// The next row as a struct of your own; see [`Row::to`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn next_as<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CallError> {
        match self.next().await? {
            Some(row) => {
                let read = row.to_in(&mut self.buffer);
                read.map(Some).map_err(|error| self.fetch.fail(error.into()))
            }
            None => Ok(None),
        }
    }

    /// All rows that are left of the statement that is read, as structs of your own; see [`Row::to`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn collect_as<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        while let Some(row) = self.next_as().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// The only row of the statement that is read, as a struct of your own; None, if there is none. See [`Row::to`].
    ///
    /// # Errors
    /// [`CallError`]; a second row is [`RowError::TooManyRows`].
    pub async fn one_as<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CallError> {
        let one = self.next_as().await?;
        if one.is_some() && self.next().await?.is_some() {
            let statement = self.reading.and_then(|statement| self.fetch.statements().get(statement));
            let statement = statement.map_or_else(String::new, |statement| statement.described());
            return Err(self.fetch.fail(RowError::TooManyRows { statement }.into()));
        }
        Ok(one)
    }

    /// The rows that are left of the statement that is read, as a stream of structs of your own; see [`Row::to`]. It ends with
    /// the first error.
    ///
    /// ```no_run
    /// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
    /// # #[derive(serde::Deserialize)]
    /// # struct Position {}
    /// use futures_util::TryStreamExt;
    ///
    /// let rows = host.call("hiring", "funnel").param("company", 7).rows().await?;
    /// let mut positions = rows.into_stream_as::<Position>();
    /// while let Some(position) = positions.try_next().await? {
    ///     // …
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_stream_as<T: DeserializeOwned + Send + 'loan>(
        self,
    ) -> BoxStream<'loan, Result<T, CallError>> {
        try_unfold(self, async |mut rows| Ok(rows.next_as().await?.map(|row| (row, rows)))).boxed()
    }
}

/// What the rows of each statement have in common.
fn shapes(fetch: &Fetch<'_>) -> Result<Vec<Arc<RowShape>>, CallError> {
    let query = fetch.query();
    let shapes = fetch.statements().iter().map(|statement| {
        let of = match statement.name.as_str() {
            "" => query.clone(),
            name => format!("\"{name}\" of {query}"),
        };
        let columns = statement.columns.clone();
        Ok(Arc::new(match &statement.object {
            Some(object) => RowShape::of_object(of, columns, object.clone()),
            None => RowShape::new(of, columns)?,
        }))
    });
    shapes.collect()
}
