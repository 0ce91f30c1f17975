use std::sync::Arc;

use super::error::CallError;
use super::prove::{ProvenShape, ProvenStatement};
use crate::printable::printable;
use crate::rows::{Format, Numbers};

/// What is wanted of the rows of a call, and how they are to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    pub format: Format,
    pub numbers: Numbers,
    /// The one statement that is wanted of several.
    pub statement: Option<String>,
}

impl Output {
    /// What is to be run of a shape.
    ///
    /// # Errors
    /// [`CallError::UnknownStatement`]; [`CallError::SeveralStatements`].
    pub fn of(&self, proven: Arc<ProvenShape>) -> Result<Arc<ProvenShape>, CallError> {
        let Ok(statements) = &proven.outcome else { return Ok(proven) };
        let names =
            || statements.iter().map(|its| its.name.clone()).filter(|name| !name.is_empty()).collect();
        match &self.statement {
            Some(wanted) => {
                let statement = statements.iter().find(|its| its.name == *wanted && !wanted.is_empty());
                let statement = statement.ok_or_else(|| CallError::UnknownStatement {
                    name: printable(wanted, 63),
                    statements: names(),
                })?;
                // It is the only one of the call, and has no need of a name.
                let only = ProvenStatement { name: String::new(), ..statement.clone() };
                let (shape, schemas) = (proven.shape.clone(), proven.schemas.clone());
                let outcome = Ok(vec![only]);
                let recurs = proven.recurs;
                Ok(Arc::new(ProvenShape { shape, schemas, outcome, described: None, recurs }))
            }
            None if statements.len() != 1 && !self.format.takes_several() => {
                Err(CallError::SeveralStatements { format: self.format, statements: names() })
            }
            None => Ok(proven),
        }
    }
}
