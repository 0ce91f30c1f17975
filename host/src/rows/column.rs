use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use super::error::{Malformed, RowError};
use super::style::Style;
use super::types::{Encode, ScalarType, array};
use crate::catalog::Oid;
use crate::loan::ResultColumn;

/// Whether values of this type are decoded. Of any other type, the column has to be cast to text.
pub fn is_decoded(type_oid: Oid) -> bool {
    ColumnEncoder::for_type(type_oid).is_some()
}

/// Writes the values of one column, as JSON or plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnEncoder {
    scalar: ScalarType,
    /// The type of the elements, if it is an array.
    element: Option<Oid>,
}

impl ColumnEncoder {
    /// The encoder for a type, if it is decoded.
    pub fn for_type(type_oid: Oid) -> Option<Self> {
        let ty = Type::from_oid(type_oid)?;
        if let Some(scalar) = ScalarType::of(&ty) {
            return Some(Self { scalar, element: None });
        }
        match ty.kind() {
            Kind::Array(element) => {
                Some(Self { scalar: ScalarType::of(element)?, element: Some(element.oid()) })
            }
            _ => None,
        }
    }

    /// The encoder for the values of a column.
    ///
    /// # Errors
    /// [`RowError::NotDecoded`].
    pub(super) fn of_column(column: &ResultColumn) -> Result<Self, RowError> {
        let ResultColumn { name, type_name, .. } = column;
        Self::for_type(column.type_oid)
            .ok_or_else(|| RowError::NotDecoded { column: name.clone(), type_name: type_name.clone() })
    }

    /// The same in a style.
    pub(super) fn in_style(self, style: Style) -> Self {
        Self { scalar: self.scalar.in_style(style), ..self }
    }

    /// What writes its values as JSON.
    pub(super) fn json(self) -> JsonEncoder {
        JsonEncoder { encode: self.scalar.encode(), element: self.element }
    }

    /// Appends a value as plain text: a string without its quotes, an array as JSON.
    pub(super) fn text(self, value: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
        match self.element {
            None => self.scalar.text(value, out),
            Some(element) => array::encode(value, element, self.scalar.encode(), out),
        }
    }

    /// Whether that text may have any character: a comma, a quote or a line break.
    pub(super) fn is_any_text(self) -> bool {
        self.element.is_some() || self.scalar.is_any_text()
    }

    /// What its values, or the elements of its arrays, are.
    #[cfg(any(feature = "arrow", feature = "service"))]
    pub(crate) fn scalar(self) -> ScalarType {
        self.scalar
    }

    /// The type of the elements, if it is an array.
    #[cfg(any(feature = "arrow", feature = "service"))]
    pub(crate) fn element(self) -> Option<Oid> {
        self.element
    }
}

/// Writes the values of one column as JSON: what depends on its type is decided once.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonEncoder {
    encode: Encode,
    element: Option<Oid>,
}

impl JsonEncoder {
    /// Appends a value in PostgreSQL's binary form, or null.
    pub fn put(self, value: Option<&[u8]>, out: &mut BytesMut) -> Result<(), Malformed> {
        match (value, self.element) {
            (None, _) => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            (Some(value), None) => (self.encode)(value, out),
            (Some(value), Some(element)) => array::encode(value, element, self.encode, out),
        }
    }
}

/// A value as it came.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The bytes of a value of a row; the outer None if the row has no such column.
pub(super) fn raw_value(row: &Row, position: usize) -> Option<Option<&[u8]>> {
    Some(row.try_get::<_, Option<Raw>>(position).ok()?.map(|raw| raw.0))
}
