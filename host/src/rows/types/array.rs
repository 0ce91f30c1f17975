use bytes::{BufMut, BytesMut};

use super::{Encode, Reader};
use crate::catalog::Oid;
use crate::rows::error::Malformed;

/// PostgreSQL's own limit (`MAXDIM`).
const MAX_DIMENSIONS: usize = 6;

/// An array of any dimensions, as nested JSON arrays.
pub(in crate::rows) fn encode(
    raw: &[u8],
    element: Oid,
    encode: Encode,
    out: &mut BytesMut,
) -> Result<(), Malformed> {
    let Array { sizes, dimensions, mut elements } = Array::read(raw, element)?;
    match &sizes[..dimensions] {
        [] => out.extend_from_slice(b"[]"),
        [size, inner @ ..] => put_dimension((*size, inner), encode, &mut elements, out)?,
    }
    elements.end()
}

/// Hands on the elements of an array that has one dimension, or none.
///
/// # Errors
/// The array has more dimensions, and whatever is wrong with an element.
#[cfg(feature = "arrow")]
pub(in crate::rows) fn each(
    raw: &[u8],
    element: Oid,
    mut take: impl FnMut(Option<&[u8]>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let Array { sizes, dimensions, mut elements } = Array::read(raw, element)?;
    match sizes[..dimensions] {
        [] => {}
        [size] => {
            for _ in 0..size {
                take(take_element(&mut elements)?)?;
            }
        }
        _ => return Err(Malformed("an array of several dimensions is no list; cast it to text")),
    }
    elements.end()
}

/// What an array has.
struct Array<'a> {
    sizes: [usize; MAX_DIMENSIONS],
    dimensions: usize,
    elements: Reader<'a>,
}

impl<'a> Array<'a> {
    fn read(raw: &'a [u8], element: Oid) -> Result<Self, Malformed> {
        let mut reader = Reader(raw);
        let dimensions = usize::try_from(reader.take_i32()?).unwrap_or(usize::MAX);
        let _has_nulls = reader.take_i32()?;
        if Oid::from_be_bytes(reader.take()?) != element {
            return Err(Malformed("an array has elements of another type"));
        }
        if dimensions > MAX_DIMENSIONS {
            return Err(Malformed("an array has more dimensions than there can be"));
        }
        let mut sizes = [0; MAX_DIMENSIONS];
        let mut elements = 1_usize;
        for size in &mut sizes[..dimensions] {
            *size = usize::try_from(reader.take_i32()?).unwrap_or(0);
            let _lower_bound = reader.take_i32()?;
            elements = elements.saturating_mul(*size);
        }
        // Each element has at least its length word, so that a short value can't claim many.
        if elements == 0 || (dimensions > 0 && elements > reader.0.len() / 4) {
            return Err(Malformed("an array's size is not that of its elements"));
        }
        Ok(Self { sizes, dimensions, elements: reader })
    }
}

fn put_dimension(
    (size, inner): (usize, &[usize]),
    encode: Encode,
    reader: &mut Reader<'_>,
    out: &mut BytesMut,
) -> Result<(), Malformed> {
    out.put_u8(b'[');
    for position in 0..size {
        if position > 0 {
            out.put_u8(b',');
        }
        match inner {
            [] => put_element(encode, reader, out)?,
            [size, inner @ ..] => put_dimension((*size, inner), encode, reader, out)?,
        }
    }
    out.put_u8(b']');
    Ok(())
}

fn put_element(encode: Encode, reader: &mut Reader<'_>, out: &mut BytesMut) -> Result<(), Malformed> {
    match take_element(reader)? {
        Some(value) => encode(value, out),
        None => {
            out.extend_from_slice(b"null");
            Ok(())
        }
    }
}

fn take_element<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    match reader.take_i32()? {
        -1 => Ok(None),
        length => {
            let length =
                usize::try_from(length).map_err(|_| Malformed("an element has a negative length"))?;
            reader.take_bytes(length).map(Some)
        }
    }
}
