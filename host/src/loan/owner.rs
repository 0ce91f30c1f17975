use tokio_postgres::{Error, Row, SimpleQueryMessage};

use super::isolation::Isolation;

/// What is read of it, in this order, all of it text. `owners` is SQL: the text of an array of roles.
///
/// The setting `is_superuser` is as old as the session's role, and a snapshot as old as the transaction may be: what either
/// says counts. Who has whose rights is asked of a function, which knows it as of now.
pub(super) fn columns(owners: &str) -> String {
    format!(
        "pg_catalog.current_setting('transaction_isolation') AS isolation, \
         CAST(CURRENT_USER AS pg_catalog.text) AS role, \
         pg_catalog.current_setting('is_superuser') AS is_superuser, \
         (SELECT CASE WHEN own.rolsuper THEN 'superuser' WHEN own.rolbypassrls THEN 'bypass_rls' ELSE 'none' END \
          FROM pg_catalog.pg_roles AS own WHERE own.rolname OPERATOR(pg_catalog.=) CURRENT_USER) AS privilege, \
         (SELECT owners.role FROM pg_catalog.unnest(CAST({owners} AS pg_catalog.text[])) AS owners (role) \
          WHERE pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(owners.role)), 'USAGE') \
          LIMIT 1) AS has_rights_of"
    )
}

/// What a loan finds of the session that is lent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub isolation: Isolation,
    pub role: Role,
}

/// The role with whose rights statements run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub name: String,
    pub is_superuser: bool,
    pub bypasses_rls: bool,
    /// The one of the owners that were asked about whose rights it has.
    pub has_rights_of: Option<String>,
}

impl Owner {
    /// Of a row that begins with [`columns`].
    pub fn of_row(row: &Row) -> Result<Self, Error> {
        Ok(Self::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
    }

    /// Of the answer to several statements, one of which gives such a row.
    pub fn of_messages(messages: &[SimpleQueryMessage]) -> Option<Self> {
        messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.len() >= 5 => {
                Some(Self::new(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3), row.get(4)))
            }
            _ => None,
        })
    }

    fn new(
        isolation: &str,
        role: &str,
        is_superuser: &str,
        privilege: Option<&str>,
        has_rights_of: Option<&str>,
    ) -> Self {
        let role = Role {
            name: role.to_owned(),
            is_superuser: is_superuser == "on" || privilege == Some("superuser"),
            // A role that is not there any more, whose session goes on, is none that should pass.
            bypasses_rls: privilege != Some("none"),
            has_rights_of: has_rights_of.map(str::to_owned),
        };
        Self { isolation: Isolation::of_setting(isolation), role }
    }
}
