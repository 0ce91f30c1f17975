use tokio_postgres::{Error, Row, SimpleQueryMessage};

use super::isolation::Isolation;

/// What is read of it, in this order, all of it text.
pub(super) const COLUMNS: &str = "pg_catalog.current_setting('transaction_isolation') AS isolation, \
    CAST(CURRENT_USER AS pg_catalog.text) AS role, pg_catalog.current_setting('is_superuser') AS is_superuser";

/// What a loan finds of the session that is lent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub isolation: Isolation,
    /// The role with whose rights statements run.
    pub role: String,
    pub is_superuser: bool,
}

impl Owner {
    /// Of a row that begins with [`COLUMNS`].
    pub fn of_row(row: &Row) -> Result<Self, Error> {
        Ok(Self::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    }

    /// Of the answer to several statements, one of which gives such a row.
    pub fn of_messages(messages: &[SimpleQueryMessage]) -> Option<Self> {
        messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.len() >= 3 => {
                Some(Self::new(row.get(0)?, row.get(1)?, row.get(2)?))
            }
            _ => None,
        })
    }

    fn new(isolation: &str, role: &str, is_superuser: &str) -> Self {
        let isolation = Isolation::of_setting(isolation);
        Self { isolation, role: role.to_owned(), is_superuser: is_superuser == "on" }
    }
}
