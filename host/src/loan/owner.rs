use tokio_postgres::{Row, SimpleQueryMessage};

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
    /// Of a row that has [`COLUMNS`] among its own.
    pub fn of_row(row: &Row) -> Option<Self> {
        let text = |name: &str| row.try_get::<_, &str>(name).ok();
        Some(Self {
            isolation: Isolation::of_setting(text("isolation")?),
            role: text("role")?.to_owned(),
            is_superuser: text("is_superuser")? == "on",
        })
    }

    /// Of the answer to several statements, one of which gives [`COLUMNS`].
    pub fn of_messages(messages: &[SimpleQueryMessage]) -> Option<Self> {
        messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(Self {
                isolation: Isolation::of_setting(row.try_get("isolation").ok()??),
                role: row.try_get("role").ok()??.to_owned(),
                is_superuser: row.try_get("is_superuser").ok()?? == "on",
            }),
            _ => None,
        })
    }
}
