use std::sync::Arc;

use tokio_postgres::{Column, Statement};

use crate::catalog::Oid;

/// What PostgreSQL says of a statement without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The types of its parameters, `$1` first.
    pub parameters: Vec<Oid>,
    /// The columns of its result, in order; none if it gives no rows.
    pub columns: Arc<[ResultColumn]>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type. Of a domain, the type that it is over.
    pub type_oid: Oid,
    /// The name of that type in `pg_type`.
    pub type_name: String,
    /// What was declared with the type, such as the precision and scale of a `numeric(10,2)`, as PostgreSQL has it
    /// (`pg_attribute.atttypmod`); -1 for nothing, and where it is not known.
    pub type_modifier: i32,
}

impl ResultColumn {
    /// The precision and scale of a `numeric`, or of an array of these, that is declared with some that a decimal of 128 bits can
    /// have: at most 38 digits, and not more of them after the point than in all.
    #[cfg(feature = "arrow")]
    pub(crate) fn numeric_digits(&self) -> Option<(u8, i8)> {
        // The header of four bytes is counted in; the scale has 11 bits and a sign.
        let modifier = self.type_modifier.checked_sub(4).filter(|modifier| *modifier >= 0)?;
        let (precision, scale) = (modifier >> 16, ((modifier & 0x7ff) ^ 1024) - 1024);
        match (precision, scale) {
            (1..=38, 0..) if scale <= precision => {
                Some((u8::try_from(precision).ok()?, i8::try_from(scale).ok()?))
            }
            _ => None,
        }
    }

    pub(super) fn describes(&self, column: &Column) -> bool {
        self.type_oid == column.type_().oid() && self.name == column.name()
    }
}

impl Described {
    pub(super) fn new(statement: &Statement) -> Self {
        let column = |column: &Column| ResultColumn {
            name: column.name().to_owned(),
            type_oid: column.type_().oid(),
            type_name: column.type_().name().to_owned(),
            type_modifier: column.type_modifier(),
        };
        Self {
            parameters: statement.params().iter().map(|ty| ty.oid()).collect(),
            columns: statement.columns().iter().map(column).collect(),
        }
    }
}
