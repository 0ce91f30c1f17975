use std::io::{Error, Write};

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::rows::RowError;

/// A body as gzip, piece by piece: what goes in comes out with the same piece, so that nothing waits for what comes later. Without
/// its end, which has a checksum and the length, it is not whole.
///
/// It only writes to memory, which does not fail; its errors are those of what it is written with.
pub(super) struct Gzip(GzEncoder<Vec<u8>>);

/// Below so many bytes, gzip's own head and end are not worth it.
pub(super) const LEAST_BYTES: usize = 1024;

impl Gzip {
    pub fn new() -> Self {
        // A reply is made once and sent once.
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// The next piece.
    pub fn piece(&mut self, bytes: &[u8]) -> Result<Bytes, RowError> {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).map_err(unwritable)?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }

    /// What is left, and the end.
    pub fn end(self) -> Result<Bytes, RowError> {
        self.0.finish().map(Bytes::from).map_err(unwritable)
    }

    /// The whole of a body.
    pub fn whole(mut self, bytes: &[u8]) -> Result<Bytes, RowError> {
        self.0.write_all(bytes).map_err(unwritable)?;
        self.end()
    }
}

fn unwritable(error: Error) -> RowError {
    RowError::Unwritable { problem: error.to_string() }
}
