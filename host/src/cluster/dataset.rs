use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use tokio_postgres::{
    Client, SimpleQueryMessage,
    error::{ErrorPosition, SqlState},
    types::Type,
};

use super::quoted_identifier;
use crate::reason::reason;

/// A file that has this in it is run once for each slice.
const SLICE: &str = "callslip.slice";

/// The largest scale, far beyond what one machine holds.
const LARGEST_SCALE: f64 = 1000.0;

const MOST_SLICES: u32 = 10_000;

/// How much CSV is sent to PostgreSQL at once, in bytes.
const CHUNK: usize = 64 << 10;

/// A data set: SQL files that fill a schema, run in the order of their names, and tables among them whose rows a program
/// makes.
///
/// The files name nothing with a schema; the first schema of `search_path` is the one to fill. They see these settings:
/// `callslip.scale`, how much data to make (1 is the data set's own measure), and, in a file that mentions `callslip.slice`,
/// that and `callslip.slices`: such a file is run for each slice from 1 to `callslip.slices` and makes that part of its rows, so that
/// progress can be shown.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// In the order of their names.
    steps: Vec<Step>,
    slices: Option<u32>,
}

#[derive(Clone, Debug)]
struct Step {
    name: String,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Sql(String),
    Copy(GeneratedTable),
}

/// A table of a [`Dataset`] whose rows a program makes.
#[derive(Clone, Copy, Debug)]
pub struct GeneratedTable {
    /// The step's name, such as `10-region`: it says after which files the table is filled.
    pub step: &'static str,
    /// The table's name.
    pub table: &'static str,
    /// The rows of one slice, each a line of CSV without its end.
    pub rows: fn(Slice) -> GeneratedRows,
}

/// The rows of a [`GeneratedTable`].
pub type GeneratedRows = Box<dyn Iterator<Item = String> + Send>;

/// Which part of a table's rows to make. All slices together are the same rows, however many there are.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// How much data the whole data set is to be.
    pub scale: f64,
    /// Which slice, from 1.
    pub number: u32,
    /// How many there are, 10,000 at most.
    pub count: u32,
}

/// How far [`Dataset::load`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress<'a> {
    /// The name of the file that was just run, or of the table's step, whole or a slice of it.
    pub file: &'a str,
    /// How many steps are done; the last report has all of them.
    pub done: usize,
    /// How many steps there are.
    pub total: usize,
    /// How many rows were inserted until now.
    pub rows: u64,
}

/// Why a data set could not be read or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or the folder can't be read as text.
    #[error("{path} can't be read: {source}", path = path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder has no SQL file.
    #[error("{folder} has no file that ends in .sql", folder = folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// The scale is not a number above 0 and up to 1000.
    #[error("a data set can't be loaded at scale {scale}: from above 0 to {LARGEST_SCALE}")]
    InvalidScale {
        /// The scale.
        scale: f64,
    },
    /// There is a schema of that name already.
    #[error("there is a schema `{schema}` already; drop it or name another")]
    SchemaExists {
        /// Its name.
        schema: String,
    },
    /// PostgreSQL refused a statement of a file, or the rows of a generated table.
    #[error("{file}{line} failed: {reason}", line = line.map(|l| format!(":{l}")).unwrap_or_default(), reason = reason(source))]
    File {
        /// The file's name.
        file: String,
        /// The line, from 1, if PostgreSQL says where.
        line: Option<usize>,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// PostgreSQL refused what loading needs beside the files, or the connection is gone.
    #[error("the data can't be loaded: {reason}", reason = reason(source))]
    Database {
        /// What PostgreSQL or the driver said.
        #[from]
        source: tokio_postgres::Error,
    },
}

impl Dataset {
    /// Reads the `.sql` files of a folder.
    ///
    /// # Errors
    /// [`DatasetError::Unreadable`] and [`DatasetError::Empty`].
    pub fn read(folder: &Path) -> Result<Self, DatasetError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| DatasetError::Unreadable { path, source }
        };
        let mut steps = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let sql = fs::read_to_string(&path).map_err(unreadable(&path))?;
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                steps.push(Step { name, work: Work::Sql(sql) });
            }
        }
        if steps.is_empty() {
            return Err(DatasetError::Empty { folder: folder.to_owned() });
        }
        Ok(Self { steps, slices: None }.in_order())
    }

    /// Fills these tables too, which the files make.
    #[must_use]
    pub fn with_tables(mut self, tables: impl IntoIterator<Item = GeneratedTable>) -> Self {
        let steps =
            tables.into_iter().map(|table| Step { name: table.step.to_owned(), work: Work::Copy(table) });
        self.steps.extend(steps);
        self.in_order()
    }

    fn in_order(mut self) -> Self {
        self.steps.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }

    /// Runs the steps that can be in this many slices, from 1 to 10,000. Without it the scale decides.
    #[must_use]
    pub fn with_slices(mut self, slices: u32) -> Self {
        self.slices = Some(slices.clamp(1, MOST_SLICES));
        self
    }

    /// Makes the schema and fills it, in one transaction: on an error, or when this future is dropped, nothing of it stays.
    /// Reports after each file and slice.
    ///
    /// The client must have no transaction open.
    ///
    /// # Errors
    /// [`DatasetError`], above all if the schema exists.
    pub async fn load(
        &self,
        client: &Client,
        schema: &str,
        scale: f64,
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<(), DatasetError> {
        if !(scale > 0.0 && scale <= LARGEST_SCALE) {
            return Err(DatasetError::InvalidScale { scale });
        }
        let mut transaction = Transaction { client, open: true };
        // Compiling long expressions anew for each slice would take longer than running them.
        client.batch_execute("BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL jit = off").await?;
        let loaded = self.fill(client, schema, scale, progress).await;
        transaction.open = false;
        let end = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = client.batch_execute(end).await;
        loaded?;
        Ok(ended?)
    }

    async fn fill(
        &self,
        client: &Client,
        schema: &str,
        scale: f64,
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<(), DatasetError> {
        let name = quoted_identifier(schema);
        client.batch_execute(&format!("CREATE SCHEMA {name}")).await.map_err(|source| {
            match source.code() {
                Some(&SqlState::DUPLICATE_SCHEMA) => DatasetError::SchemaExists { schema: schema.to_owned() },
                _ => source.into(),
            }
        })?;
        let slices = self.slices.unwrap_or_else(|| slices_at(scale));
        set(client, "search_path", &name).await?;
        set(client, "callslip.scale", &scale.to_string()).await?;
        set(client, "callslip.slices", &slices.to_string()).await?;

        let total = self.steps.iter().map(|step| step.slices(slices) as usize).sum();
        let (mut done, mut rows) = (0, 0);
        for step in &self.steps {
            for number in 1..=step.slices(slices) {
                rows += step.run(client, Slice { scale, number, count: slices }).await?;
                done += 1;
                progress(LoadProgress { file: &step.name, done, total, rows });
            }
        }
        Ok(())
    }
}

impl Step {
    /// In how many of these slices it is run.
    fn slices(&self, slices: u32) -> u32 {
        match &self.work {
            Work::Sql(sql) if !sql.contains(SLICE) => 1,
            _ => slices,
        }
    }

    /// Runs one slice of it; tells how many rows were inserted.
    async fn run(&self, client: &Client, slice: Slice) -> Result<u64, DatasetError> {
        match &self.work {
            Work::Sql(sql) => {
                set(client, SLICE, &slice.number.to_string()).await?;
                self.run_sql(client, sql).await
            }
            Work::Copy(table) => {
                let copied = table.copy(client, slice).await;
                copied.map_err(|source| DatasetError::File { file: self.name.clone(), line: None, source })
            }
        }
    }

    async fn run_sql(&self, client: &Client, sql: &str) -> Result<u64, DatasetError> {
        let answer = client.simple_query(sql).await.map_err(|source| {
            let line = match source.as_db_error().and_then(|said| said.position()) {
                Some(ErrorPosition::Original(position)) => Some(line_at(sql, *position as usize)),
                _ => None,
            };
            DatasetError::File { file: self.name.clone(), line, source }
        })?;
        let inserted =
            |message| if let SimpleQueryMessage::CommandComplete(rows) = message { rows } else { 0 };
        Ok(answer.into_iter().map(inserted).sum())
    }
}

impl GeneratedTable {
    async fn copy(&self, client: &Client, slice: Slice) -> Result<u64, tokio_postgres::Error> {
        let table = quoted_identifier(self.table);
        // The driver loses the connection when COPY itself is refused, such as for a table that is not there.
        client.batch_execute(&format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE")).await?;
        let statement = format!("COPY {table} FROM STDIN (FORMAT csv)");
        let mut copy = Box::pin(client.copy_in::<_, Bytes>(&statement).await?);
        let mut chunk = String::new();
        for row in (self.rows)(slice) {
            chunk.push_str(&row);
            chunk.push('\n');
            if chunk.len() >= CHUNK {
                copy.send(std::mem::take(&mut chunk).into()).await?;
            }
        }
        copy.send(chunk.into()).await?;
        copy.as_mut().finish().await
    }
}

/// Rolls back when it is dropped open.
struct Transaction<'a> {
    client: &'a Client,
    open: bool,
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // The first poll sends it; nobody needs the answer.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// Sets a setting until the transaction ends.
async fn set(client: &Client, name: &str, value: &str) -> Result<(), tokio_postgres::Error> {
    let sql = "SELECT pg_catalog.set_config($1, $2, true)";
    client.query_typed(sql, &[(&name, Type::TEXT), (&value, Type::TEXT)]).await.map(drop)
}

/// So many that each takes a fraction of a second.
fn slices_at(scale: f64) -> u32 {
    (scale * 40.0).clamp(4.0, 400.0) as u32
}

/// The line, from 1, of a character, from 1.
fn line_at(sql: &str, position: usize) -> usize {
    1 + sql.chars().take(position.saturating_sub(1)).filter(|c| *c == '\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_in_characters() {
        let sql = "é;\nü x\n";
        assert_eq!([1, 3, 4, 5, 100].map(|position| line_at(sql, position)), [1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_folder_without_sql_is_refused_and_files_are_sorted() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Dataset::read(folder.path()), Err(DatasetError::Empty { .. })));
        for name in ["90-b.sql", "01-a.sql", "notes.txt"] {
            fs::write(folder.path().join(name), "SELECT 1").unwrap();
        }
        let names: Vec<_> =
            Dataset::read(folder.path()).unwrap().steps.into_iter().map(|step| step.name).collect();
        assert_eq!(names, ["01-a.sql", "90-b.sql"]);
        fs::write(folder.path().join("02-latin1.sql"), b"-- \xe9").unwrap();
        let error = Dataset::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("02-latin1.sql can't be read"), "{error}");
        assert!(Dataset::read(&folder.path().join("nowhere")).is_err());
    }
}
