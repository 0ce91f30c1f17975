use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A value for a parameter of any type, as the text that the type's own input function reads. PostgreSQL so
/// checks every value itself, and no parameter is ever sent in the binary form of a wrong type.
#[derive(Clone, Copy)]
pub(super) struct TextValue<'a>(Option<&'a str>);

impl<'a> TextValue<'a> {
    /// A value, or null.
    pub fn new(text: Option<&'a str>) -> Self {
        Self(text)
    }
}

/// Shows no value: the driver writes its parameters to the log of level debug.
impl std::fmt::Debug for TextValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "…" } else { "null" })
    }
}

impl ToSql for TextValue<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            None => Ok(IsNull::Yes),
            Some(text) if text.contains('\0') => Err("a value has a NUL character".into()),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
