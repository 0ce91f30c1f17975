use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use callslip_ir::Rows;
use tokio_postgres::Row;

use super::call::Again;
use super::error::CallError;
use super::prove::{ProvenShape, ProvenStatement};
use crate::loan::{ResultColumn, Run};
use crate::rows::{JsonReply, JsonRows, RowError, TextCells};

/// How many bytes are gathered before they are handed on.
const CHUNK_BYTES: usize = 32 << 10;

/// The rows of a call, as they come from the database: nothing holds a whole result.
///
/// Dropped before its end, the statement is cancelled; on a transaction that was lent, the rest is thrown away.
pub struct Reply<'loan> {
    run: Run<'loan>,
    json: JsonReply,
    buffer: BytesMut,
    state: State,
    rows: u64,
    bytes: u64,
    limits: ReplyLimits,
    single: Option<Rows>,
    proven: Arc<ProvenShape>,
    /// For a later statement that is found to be stale when rows of an earlier one were read, but not given yet.
    again: Option<Again>,
}

/// How much a call may give.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyLimits {
    pub rows: u64,
    pub bytes: u64,
}

/// Why a reply broke off. What was given of it is not the whole.
pub type ReplyError = CallError;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotBegun,
    Rows,
    Ended,
    Failed,
}

impl<'loan> Reply<'loan> {
    pub(super) fn new(
        run: Run<'loan>,
        proven: Arc<ProvenShape>,
        limits: ReplyLimits,
        again: Option<Again>,
    ) -> Result<Self, CallError> {
        let rows =
            |statement: &ProvenStatement| JsonRows::new(&statement.columns, statement.rows == Rows::One);
        let (json, single) = match proven.statements() {
            [only] if only.name.is_empty() => (JsonReply::single(rows(only)?), Some(only.rows)),
            several => {
                let named = several.iter().map(|statement| Ok((statement.name.clone(), rows(statement)?)));
                (JsonReply::named(named.collect::<Result<Vec<_>, CallError>>()?), None)
            }
        };
        Ok(Self {
            run,
            json,
            buffer: BytesMut::new(),
            state: State::NotBegun,
            rows: 0,
            bytes: 0,
            limits,
            single,
            proven,
            again,
        })
    }

    /// How many statements there are.
    pub fn statement_count(&self) -> usize {
        self.run.statement_count()
    }

    /// The name of a statement, counted from 0; empty where the query has only one.
    pub fn statement_name(&self, statement: usize) -> &str {
        self.proven.statements().get(statement).map_or("", |statement| statement.name.as_str())
    }

    /// The columns of a statement, counted from 0; they are known even if it has no rows.
    pub fn columns(&self, statement: usize) -> &[ResultColumn] {
        self.run.columns(statement)
    }

    /// How many rows were given so far, of all statements.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the query gives at most one row, and there was none. Known when the reply has ended.
    pub fn is_missing(&self) -> bool {
        self.state == State::Ended && self.single == Some(Rows::One) && self.rows == 0
    }

    /// Whether everything was given.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The next piece of the reply as JSON: an array of row objects, one object or null where the query gives at
    /// most one row, or an object of these by name where it has several statements. Nothing after the last piece.
    ///
    /// # Errors
    /// [`ReplyError`]: the pieces before it are not the whole, and none follows.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, ReplyError> {
        while let Err(error) = self.fill().await {
            self.state = State::Failed;
            self.buffer.clear();
            match self.again.take() {
                Some(again) if self.bytes == 0 => *self = Self { again: None, ..again.run(error).await? },
                _ => return Err(error),
            }
        }
        self.bytes += self.buffer.len() as u64;
        if self.bytes > self.limits.bytes {
            self.state = State::Failed;
            self.buffer.clear();
            return Err(CallError::ReplyTooLarge { limit: self.limits.bytes });
        }
        Ok((!self.buffer.is_empty()).then(|| self.buffer.split().freeze()))
    }

    /// Gathers a piece.
    async fn fill(&mut self) -> Result<(), CallError> {
        if self.state == State::NotBegun {
            self.json.begin(&mut self.buffer);
            self.state = State::Rows;
        }
        while self.state == State::Rows && self.buffer.len() < CHUNK_BYTES {
            self.write_row().await?;
        }
        Ok(())
    }

    async fn write_row(&mut self) -> Result<(), CallError> {
        match self.next_row().await? {
            Some(row) => {
                self.count()?;
                self.json.row(&row, &mut self.buffer)?;
            }
            None => {
                self.json.end_statement(&mut self.buffer);
                if self.run.is_finished() {
                    self.state = State::Ended;
                }
            }
        }
        Ok(())
    }

    async fn next_row(&mut self) -> Result<Option<Row>, CallError> {
        let row = self.run.next_row().await;
        row.map_err(|error| CallError::of_run(error, self.proven.statements()))
    }

    /// The rows of every statement as cells of text, for people; the whole of them.
    ///
    /// # Errors
    /// [`ReplyError`].
    pub async fn cells(mut self) -> Result<Vec<Vec<Vec<Option<String>>>>, ReplyError> {
        loop {
            match (self.all_cells().await, self.again.take()) {
                (Err(error), Some(again)) => self = Self { again: None, ..again.run(error).await? },
                (cells, _) => return cells,
            }
        }
    }

    async fn all_cells(&mut self) -> Result<Vec<Vec<Vec<Option<String>>>>, CallError> {
        let mut statements = Vec::new();
        for statement in 0..self.run.statement_count() {
            let mut cells = TextCells::new(self.run.columns(statement))?;
            let mut rows = Vec::new();
            while let Some(row) = self.next_row().await? {
                self.count()?;
                let proven = self.proven.statements().get(statement);
                if proven.is_some_and(|proven| proven.rows == Rows::One) && !rows.is_empty() {
                    let statement = format!("statement {}", statement + 1);
                    return Err(RowError::TooManyRows { statement }.into());
                }
                rows.push(cells.cells(&row)?);
            }
            statements.push(rows);
        }
        Ok(statements)
    }

    fn count(&mut self) -> Result<(), CallError> {
        self.rows += 1;
        if self.rows > self.limits.rows {
            return Err(CallError::TooManyRows { limit: self.limits.rows });
        }
        Ok(())
    }
}
