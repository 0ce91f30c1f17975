//! Streams of Apache Arrow.

mod column;
mod values;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use bytes::buf::Writer;
use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;

use self::column::ArrowColumn;
use super::column::raw_value;
use super::error::RowError;
use super::style::Numbers;
use crate::loan::ResultColumn;

/// How many rows a batch has at most.
const BATCH_ROWS: usize = 8192;

/// How many bytes of rows a batch is made of at most, but for those of a single row.
const BATCH_BYTES: usize = 256 << 10;

/// What a value takes beside its own bytes.
const VALUE_BYTES: usize = 16;

/// Writes the rows of one statement as a stream: the schema, batches of rows, and the mark of its end.
pub(super) struct ArrowReply {
    schema: Arc<Schema>,
    columns: Vec<ArrowColumn>,
    /// Nothing before the beginning.
    stream: Option<StreamWriter<Writer<BytesMut>>>,
    /// What the batch has that is being gathered.
    rows: usize,
    bytes: usize,
}

impl ArrowReply {
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub fn new(columns: &[ResultColumn], numbers: Numbers) -> Result<Self, RowError> {
        let columns = columns.iter().map(|column| ArrowColumn::new(column, numbers));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let field = |column: &ArrowColumn| Field::new(column.name(), column.data_type(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Ok(Self { schema, columns, stream: None, rows: 0, bytes: 0 })
    }

    pub fn begin(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        let stream = StreamWriter::try_new(BytesMut::new().writer(), &self.schema).map_err(unwritable)?;
        take(self.stream.insert(stream), out);
        Ok(())
    }

    pub fn row(&mut self, row: &Row, out: &mut BytesMut) -> Result<(), RowError> {
        // There may be others behind these.
        if row.len() < self.columns.len() {
            return Err(RowError::Unexpected);
        }
        for (position, column) in self.columns.iter_mut().enumerate() {
            let value = raw_value(row, position).flatten();
            column.push(value)?;
            self.bytes += VALUE_BYTES + value.map_or(0, <[u8]>::len);
        }
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.batch(out)?;
        }
        Ok(())
    }

    pub fn end(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        if self.rows > 0 {
            self.batch(out)?;
        }
        let stream = self.stream.as_mut().ok_or(RowError::Unexpected)?;
        stream.finish().map_err(unwritable)?;
        take(stream, out);
        Ok(())
    }

    /// Writes what is gathered.
    fn batch(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        let stream = self.stream.as_mut().ok_or(RowError::Unexpected)?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let arrays = self.columns.iter_mut().map(ArrowColumn::finish).collect::<Result<Vec<_>, _>>();
        let batch = arrays
            .and_then(|arrays| RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options));
        stream.write(&batch.map_err(unwritable)?).map_err(unwritable)?;
        (self.rows, self.bytes) = (0, 0);
        take(stream, out);
        Ok(())
    }
}

/// Takes what the stream has written.
fn take(stream: &mut StreamWriter<Writer<BytesMut>>, out: &mut BytesMut) {
    out.unsplit(std::mem::take(stream.get_mut().get_mut()));
}

fn unwritable(error: ArrowError) -> RowError {
    RowError::Unwritable { problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;
    use crate::rows::types::tests::{Random, TYPES};

    #[test]
    fn random_bytes_give_an_array_or_an_error() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for ty in TYPES {
            for (type_modifier, numbers) in
                [(-1, Numbers::AsNumbers), (655_366, Numbers::AsNumbers), (655_366, Numbers::AsStrings)]
            {
                let column = ResultColumn {
                    name: "v".to_owned(),
                    type_oid: ty.oid(),
                    type_name: ty.name().to_owned(),
                    type_modifier,
                };
                let mut refused = 0;
                for _ in 0..2_000 {
                    let mut column = ArrowColumn::new(&column, numbers).unwrap();
                    column.push(None).unwrap();
                    match column.push(Some(&random.bytes())) {
                        Ok(()) => {
                            let array = column.finish().unwrap();
                            array.to_data().validate_full().unwrap();
                            assert!(array.len() == 2 && array.is_null(0) && !array.is_null(1));
                            assert_eq!(array.data_type(), &column.data_type());
                        }
                        Err(_) => refused += 1,
                    }
                }
                assert!(refused > 0 || ty.name() == "bytea", "{ty} accepts anything");
            }
        }
    }
}
