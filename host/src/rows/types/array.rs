use bytes::{BufMut, BytesMut};

use super::{Reader, ScalarType};
use crate::catalog::Oid;
use crate::rows::error::Malformed;

/// PostgreSQL's own limit (`MAXDIM`).
const MAX_DIMENSIONS: usize = 6;

/// An array of any dimensions, as nested JSON arrays.
pub(in crate::rows) fn encode(
    raw: &[u8],
    element: Oid,
    scalar: ScalarType,
    out: &mut BytesMut,
) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let count = usize::try_from(reader.take_i32()?).unwrap_or(usize::MAX);
    let _has_nulls = reader.take_i32()?;
    if Oid::from_be_bytes(reader.take()?) != element {
        return Err(Malformed("an array has elements of another type"));
    }
    if count > MAX_DIMENSIONS {
        return Err(Malformed("an array has more dimensions than there can be"));
    }
    let mut sizes = [0; MAX_DIMENSIONS];
    let sizes = &mut sizes[..count];
    let mut elements = 1_usize;
    for size in &mut *sizes {
        *size = usize::try_from(reader.take_i32()?).unwrap_or(0);
        let _lower_bound = reader.take_i32()?;
        elements = elements.saturating_mul(*size);
    }
    // Each element has at least its length word, so that a short value can't claim many.
    if elements == 0 || (count > 0 && elements > reader.0.len() / 4) {
        return Err(Malformed("an array's size is not that of its elements"));
    }
    if sizes.is_empty() {
        out.extend_from_slice(b"[]");
    } else {
        put_dimension(sizes, scalar, &mut reader, out)?;
    }
    reader.end()
}

fn put_dimension(
    sizes: &[usize],
    scalar: ScalarType,
    reader: &mut Reader<'_>,
    out: &mut BytesMut,
) -> Result<(), Malformed> {
    let [size, inner @ ..] = sizes else { return put_element(scalar, reader, out) };
    out.put_u8(b'[');
    for position in 0..*size {
        if position > 0 {
            out.put_u8(b',');
        }
        put_dimension(inner, scalar, reader, out)?;
    }
    out.put_u8(b']');
    Ok(())
}

fn put_element(scalar: ScalarType, reader: &mut Reader<'_>, out: &mut BytesMut) -> Result<(), Malformed> {
    match reader.take_i32()? {
        -1 => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        length => {
            let length =
                usize::try_from(length).map_err(|_| Malformed("an element has a negative length"))?;
            scalar.encode(reader.take_bytes(length)?, out)
        }
    }
}
