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
}

impl ResultColumn {
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
        };
        Self {
            parameters: statement.params().iter().map(|ty| ty.oid()).collect(),
            columns: statement.columns().iter().map(column).collect(),
        }
    }
}
