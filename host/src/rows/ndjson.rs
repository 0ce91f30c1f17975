use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;

use super::error::RowError;
use super::object::{JsonObject, quote};
use super::style::{Numbers, Style};
use super::writer::StatementRows;

/// Writes a row object a line; of several statements `{"statement":"…","row":{…}}`.
pub(super) struct NdjsonReply {
    statements: Vec<Lines>,
    style: Style,
    current: usize,
}

struct Lines {
    /// What comes before a row, if it has a name.
    before: Option<Box<[u8]>>,
    object: Arc<JsonObject>,
}

impl NdjsonReply {
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(statements: &[StatementRows<'_>], numbers: Numbers) -> Result<Self, RowError> {
        let lines = |rows: &StatementRows<'_>| {
            let before = format!("{{\"statement\":{},\"row\":", quote(rows.name));
            Ok(Lines {
                before: (!rows.name.is_empty()).then(|| before.into_bytes().into()),
                object: rows.object()?,
            })
        };
        let statements = statements.iter().map(lines).collect::<Result<_, _>>()?;
        Ok(Self { statements, style: Style { numbers, one_line: true }, current: 0 })
    }

    pub fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        let Lines { before, object } = self.statements.get(self.current).ok_or(RowError::Unexpected)?;
        if let Some(before) = before {
            out.extend_from_slice(before);
        }
        object.row(row, self.style, out)?;
        if before.is_some() {
            out.put_u8(b'}');
        }
        out.put_u8(b'\n');
        Ok(())
    }

    pub fn end_statement(&mut self) {
        self.current += 1;
    }
}
