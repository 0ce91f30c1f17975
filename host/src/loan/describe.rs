use std::sync::Arc;

use tokio_postgres::{Column, Statement};

use super::bind::TextValue;
use super::error::LoanError;
use super::pool::Loan;
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

impl Loan {
    /// Has PostgreSQL parse one statement and say what its parameters and columns are. Nothing is planned or
    /// run: no function is called. The statement has only parameters and no values, so what
    /// [`LoanError::postgres`] then says is safe to show to its author.
    ///
    /// # Errors
    /// [`LoanError::Failed`] with SQLSTATE, message, hint and position; [`LoanError::Lost`].
    pub async fn describe(&self, sql: &str) -> Result<Described, LoanError> {
        self.connection.begin_unknown_work();
        let result = self.connection.client().prepare(sql).await.map_err(LoanError::from);
        if result.as_ref().err().is_none_or(LoanError::leaves_connection_idle) {
            self.connection.settle_unknown_work();
        }
        Ok(Described::new(&result?))
    }

    /// Runs a statement of the host's own that reads its one parameter as a value, to see whether it is one.
    ///
    /// # Errors
    /// [`LoanError::Failed`], if it is none; [`LoanError::Lost`].
    pub async fn evaluate(&self, sql: &str, text: &str) -> Result<(), LoanError> {
        if text.contains('\0') {
            return Err(LoanError::NulCharacter { parameter: 1 });
        }
        self.connection.begin_unknown_work();
        let value = TextValue::new(Some(text));
        let result = self.connection.client().query(sql, &[&value]).await.map_err(LoanError::from);
        if result.as_ref().err().is_none_or(LoanError::leaves_connection_idle) {
            self.connection.settle_unknown_work();
        }
        result.map(|_| ())
    }
}
