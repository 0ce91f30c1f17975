use tokio_postgres::SimpleQueryMessage;

/// What decides whether row-level security holds for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub name: String,
    pub is_superuser: bool,
    pub bypasses_rls: bool,
    /// The one of the owners that were asked about whose rights it has.
    pub has_rights_of: Option<String>,
}

impl Role {
    /// Asks for it, and of which of these roles it has the rights: `owners` is the text of an array.
    ///
    /// The setting `is_superuser` is as old as the session's role, and a snapshot as old as the transaction may be: what
    /// either says counts. Who has whose rights is asked of a function, which knows it as of now.
    pub fn question(owners: &str) -> String {
        let owners = owners.replace('\'', "''");
        format!(
            "SELECT CAST(CURRENT_USER AS pg_catalog.text) AS role, \
                    pg_catalog.current_setting('is_superuser') AS is_superuser, \
             (SELECT CASE WHEN own.rolsuper THEN 'superuser' WHEN own.rolbypassrls THEN 'bypass_rls' ELSE 'none' END \
              FROM pg_catalog.pg_roles AS own WHERE own.rolname OPERATOR(pg_catalog.=) CURRENT_USER) AS privilege, \
             (SELECT owners.role FROM pg_catalog.unnest(CAST('{owners}' AS pg_catalog.text[])) AS owners (role) \
              WHERE pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(owners.role)), 'USAGE') \
              LIMIT 1) AS has_rights_of"
        )
    }

    /// Of the answer.
    pub fn of_messages(messages: &[SimpleQueryMessage]) -> Option<Self> {
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })?;
        let column = |name| row.try_get(name).ok().flatten();
        let privilege: Option<&str> = column("privilege");
        Some(Self {
            name: column("role")?.to_owned(),
            is_superuser: column("is_superuser")? == "on" || privilege == Some("superuser"),
            // A role that is not there any more, whose session goes on, is none that should pass.
            bypasses_rls: privilege != Some("none"),
            has_rights_of: column("has_rights_of").map(str::to_owned),
        })
    }
}
