use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use callslip_ir::Rows as Cardinality;

use super::error::CallError;
use super::fetch::Fetch;
use super::prove::ProvenStatement;
use crate::loan::{Isolation, ResultColumn};
use crate::rows::{Format, ReplyWriter, StatementRows, TextCells};

/// How many bytes are gathered before they are handed on.
const CHUNK_BYTES: usize = 64 << 10;

/// How long the last row of them is at most, but for few.
const ROW_BYTES: usize = 4 << 10;

/// The rows of a call in one of the [formats](Format), as they come from the database: nothing holds a whole result.
///
/// Dropped before its end, the statement is cancelled; on a connection that was lent, the rest is thrown away.
pub struct Reply<'loan> {
    fetch: Fetch<'loan>,
    writer: ReplyWriter,
    buffer: BytesMut,
    state: State,
    bytes: u64,
    most_bytes: u64,
}

/// The first rows of a statement, as cells, and how many rows it has in all.
pub(crate) type FirstCells = (Vec<Vec<Option<String>>>, usize);

/// Why a reply broke off. What was given of it is not the whole.
pub type ReplyError = CallError;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotBegun,
    Rows,
    Ended,
}

impl<'loan> Reply<'loan> {
    pub(super) fn new(mut fetch: Fetch<'loan>) -> Result<Self, CallError> {
        let writer = writer(&fetch).map_err(|error| fetch.fail(error))?;
        let most_bytes = fetch.allowance().bytes;
        Ok(Self { fetch, writer, buffer: BytesMut::new(), state: State::NotBegun, bytes: 0, most_bytes })
    }

    /// In what format it is written.
    pub fn format(&self) -> Format {
        self.fetch.output().format
    }

    /// How many statements there are.
    pub fn statement_count(&self) -> usize {
        self.fetch.statements().len()
    }

    /// The name of a statement, counted from 0; empty where the query has only one.
    pub fn statement_name(&self, statement: usize) -> &str {
        self.fetch.statements().get(statement).map_or("", |statement| statement.name.as_str())
    }

    /// The columns of a statement, counted from 0; they are known even if it has no rows.
    pub fn columns(&self, statement: usize) -> &[ResultColumn] {
        self.fetch.columns(statement)
    }

    /// The claims that row filters read and that the caller does not have, or has as null. Of the relations under these
    /// filters the call was given no rows.
    pub fn absent_claims(&self) -> &[String] {
        self.fetch.absent_claims()
    }

    /// The isolation level that the statements have. All of REPEATABLE READ and SERIALIZABLE see one snapshot; on a
    /// transaction that was lent it is its owner's.
    pub fn isolation(&self) -> Isolation {
        self.fetch.isolation()
    }

    /// How many rows were given so far, of all statements.
    pub fn rows(&self) -> u64 {
        self.fetch.rows()
    }

    /// Whether the query gives at most one row, and there was none. Known when the reply has ended.
    pub fn is_missing(&self) -> bool {
        self.state == State::Ended && self.fetch.is_missing()
    }

    /// Whether everything was given.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether it is a page, of which [`Reply::next_cursor`] tells where the next one begins.
    pub fn is_paged(&self) -> bool {
        self.fetch.is_paged()
    }

    /// Where the next page begins: the parameter `cursor` of the same call. Known when the rows of this one were given, and nothing
    /// where none follows.
    ///
    /// ```no_run
    /// # async fn example(host: callslip::Host) -> Result<(), callslip::CallError> {
    /// let mut cursor: Option<String> = None;
    /// loop {
    ///     let mut call = host.call("hiring", "applicants").param("company", 7);
    ///     if let Some(cursor) = cursor.take() {
    ///         call = call.param("cursor", cursor);
    ///     }
    ///     let mut page = call.run().await?;
    ///     while let Some(chunk) = page.next_chunk().await? {
    ///         print!("{}", String::from_utf8_lossy(&chunk));
    ///     }
    ///     match page.next_cursor() {
    ///         Some(next) => cursor = Some(next.to_owned()),
    ///         None => return Ok(()),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn next_cursor(&self) -> Option<&str> {
        self.fetch.next_cursor()
    }

    /// The same with the parameter that takes it.
    #[cfg(feature = "service")]
    pub(crate) fn next_page(&self) -> Option<(&str, &str)> {
        self.fetch.next_page()
    }

    /// Has it give at most so many bytes, with those that it has given; never more than `limits.reply_mib` of the configuration.
    pub fn limit_bytes(&mut self, most: u64) {
        self.most_bytes = self.most_bytes.min(most);
    }

    /// Stops the statements now, as [`Running::cancel`](crate::Running::cancel) does: it has to be awaited to its end.
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`](crate::loan::LoanError::NotCancelled), if a connection that was lent can't be cancelled;
    /// [`LoanError::Lost`](crate::loan::LoanError::Lost).
    pub async fn cancel(self) -> Result<(), CallError> {
        self.fetch.cancel().await
    }

    /// The next piece of the reply, in its [format](Format). Nothing after the last piece. May be dropped at any await and
    /// called again.
    ///
    /// # Errors
    /// [`ReplyError`]: the pieces before it are not the whole, and none follows, but for
    /// [`LoanError::RunFailed`](crate::loan::LoanError::RunFailed) each time.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, ReplyError> {
        while let Err(error) = self.fill().await {
            self.begin_anew();
            self.run_again(error).await?;
        }
        self.bytes += self.buffer.len() as u64;
        let limit = self.most_bytes;
        if self.bytes > limit {
            self.begin_anew();
            return Err(self.fetch.fail(CallError::ReplyTooLarge { limit }));
        }
        if !self.buffer.is_empty() {
            self.fetch.has_given(self.bytes);
        }
        if self.state == State::Ended {
            self.fetch.end();
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        // What follows is most often as long.
        let room = if self.state == State::Ended { 0 } else { CHUNK_BYTES + ROW_BYTES };
        Ok(Some(mem::replace(&mut self.buffer, BytesMut::with_capacity(room)).freeze()))
    }

    /// Gathers a piece.
    async fn fill(&mut self) -> Result<(), CallError> {
        if self.state == State::NotBegun {
            self.writer.begin(&mut self.buffer)?;
            self.state = State::Rows;
        }
        loop {
            poll_fn(|context| Poll::Ready(self.take_ready(context))).await?;
            if self.state == State::Ended || self.buffer.len() >= CHUNK_BYTES {
                return Ok(());
            }
            match self.fetch.next_row().await? {
                Some(row) => self.writer.row(&row, &mut self.buffer)?,
                None => {
                    self.writer.end_statement(self.fetch.next_cursor(), &mut self.buffer)?;
                    if self.fetch.is_finished() {
                        self.state = State::Ended;
                    }
                }
            }
        }
    }

    /// Gathers the rows that are there already, as far as they have room in a piece.
    fn take_ready(&mut self, context: &mut Context<'_>) -> Result<(), CallError> {
        while self.buffer.len() < CHUNK_BYTES
            && let Some(row) = self.fetch.ready_row(context)?
        {
            self.writer.row(&row, &mut self.buffer)?;
        }
        Ok(())
    }

    /// Forgets what is gathered.
    fn begin_anew(&mut self) {
        self.buffer.clear();
        self.state = State::NotBegun;
    }

    /// Begins anew, if the error may come of a change of the database.
    async fn run_again(&mut self, error: CallError) -> Result<(), CallError> {
        self.fetch.again(error).await?;
        self.writer = writer(&self.fetch).map_err(|error| self.fetch.fail(error))?;
        Ok(())
    }

    /// The rows of every statement as cells of text, for people; the whole of them.
    ///
    /// # Errors
    /// [`ReplyError`].
    pub async fn cells(&mut self) -> Result<Vec<Vec<Vec<Option<String>>>>, ReplyError> {
        let statements = self.first_cells(usize::MAX).await?;
        Ok(statements.into_iter().map(|(rows, _)| rows).collect())
    }

    /// The same of the first rows of every statement alone, with the number of all that it has.
    ///
    /// # Errors
    /// [`ReplyError`].
    pub(crate) async fn first_cells(&mut self, most: usize) -> Result<Vec<FirstCells>, ReplyError> {
        loop {
            match self.read_cells(most).await {
                Ok(cells) => {
                    self.fetch.end();
                    return Ok(cells);
                }
                Err(error) => self.run_again(error).await?,
            }
        }
    }

    async fn read_cells(&mut self, most: usize) -> Result<Vec<FirstCells>, CallError> {
        let mut statements = Vec::new();
        let mut bytes = 0;
        for statement in 0..self.statement_count() {
            let mut cells = TextCells::new(self.columns(statement))?;
            let (mut rows, mut count) = (Vec::new(), 0);
            while let Some(row) = self.fetch.next_row().await? {
                bytes += row.raw_size_bytes() as u64;
                count += 1;
                if rows.len() < most {
                    rows.push(cells.cells(&row)?);
                }
            }
            statements.push((rows, count));
        }
        self.fetch.has_given(bytes);
        Ok(statements)
    }
}

/// What writes the reply.
fn writer<'a>(fetch: &'a Fetch<'_>) -> Result<ReplyWriter, CallError> {
    let rows = |statement: &'a ProvenStatement| StatementRows {
        name: &statement.name,
        columns: &statement.columns,
        at_most_one: statement.rows == Cardinality::One,
        is_page: statement.rows == Cardinality::Page,
        object: statement.object.as_ref(),
    };
    let statements: Vec<_> = fetch.statements().iter().map(rows).collect();
    Ok(ReplyWriter::new(fetch.output().format, fetch.output().numbers, &statements)?)
}
