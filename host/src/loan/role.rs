use tokio_postgres::SimpleQueryMessage;

use super::guarded::GuardedRelation;

/// What decides whether row-level security holds for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub name: String,
    pub is_superuser: bool,
    pub bypasses_rls: bool,
    /// A relation whose owner's rights it has.
    pub owned: Option<GuardedRelation>,
    /// A relation whose policies don't hold for it, for no reason that its snapshot shows: it has become another since.
    pub exempt: Option<GuardedRelation>,
}

impl Role {
    /// Asks for it, and which of these it owns.
    ///
    /// The setting `is_superuser` is as old as the session's role, and a snapshot as old as the transaction may be: what
    /// either says counts. Whether policies hold, a function knows as of now.
    pub fn question(relations: &[GuardedRelation]) -> String {
        format!(
            "SELECT CAST(CURRENT_USER AS pg_catalog.text) AS role, \
                    pg_catalog.current_setting('is_superuser') AS is_superuser, \
             (SELECT CASE WHEN own.rolsuper THEN 'superuser' WHEN own.rolbypassrls THEN 'bypass_rls' ELSE 'none' END \
              FROM pg_catalog.pg_roles AS own WHERE own.rolname OPERATOR(pg_catalog.=) CURRENT_USER) AS privilege, \
             owned.*, exempt.* FROM (SELECT) AS one LEFT JOIN ({}) AS owned ON true LEFT JOIN ({}) AS exempt ON true",
            GuardedRelation::owned(relations),
            GuardedRelation::exempt(relations)
        )
    }

    /// Of the answer.
    pub fn of_messages(messages: &[SimpleQueryMessage]) -> Option<Self> {
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })?;
        let column = |name: &str| row.try_get(name).ok().flatten();
        let relation = |schema: &str, name: &str, owner: Option<&str>| {
            let (schema, name) = (column(schema)?.to_owned(), column(name)?.to_owned());
            Some(GuardedRelation { schema, name, exempt: owner.map(str::to_owned) })
        };
        let privilege: Option<&str> = column("privilege");
        Some(Self {
            name: column("role")?.to_owned(),
            is_superuser: column("is_superuser")? == "on" || privilege == Some("superuser"),
            // A role that is not there any more, whose session goes on, is none that should pass.
            bypasses_rls: privilege != Some("none"),
            owned: relation("owned_schema", "owned_name", column("owner")),
            exempt: relation("exempt_schema", "exempt_name", None),
        })
    }
}
