use std::collections::BTreeMap;

use tokio_postgres::SimpleQueryMessage;

use super::guarded::GuardedRelation;
use super::privilege::Privilege;

/// What decides whether a role may pass a [`Guard`](super::Guard).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    pub name: String,
    pub is_superuser: bool,
    pub bypasses_rls: bool,
    pub creates_roles: bool,
    pub replicates: bool,
    /// A relation whose owner's rights it has.
    pub owned: Option<GuardedRelation>,
    /// A relation whose policies don't hold for it, for no reason that its snapshot shows: it has become another since.
    pub exempt: Option<GuardedRelation>,
    /// What it is a member of, in whatever way, by what that gives.
    pub member_of: BTreeMap<Privilege, String>,
}

/// What memberships give.
const BY_MEMBERSHIP: [Privilege; 4] =
    [Privilege::Superuser, Privilege::ServerFiles, Privilege::ServerPrograms, Privilege::SignalBackend];

impl Role {
    /// Asks for it, and which of these it owns.
    ///
    /// The setting `is_superuser` is as old as the session's role, and a snapshot as old as the transaction may be: what
    /// either says counts. Whether policies hold, and who is a member of what, functions know as of now.
    ///
    /// A membership counts though nothing is inherited by it: whom it leads to, nobody needs who only reads.
    pub fn question(relations: &[GuardedRelation]) -> String {
        let memberships: Vec<String> = BY_MEMBERSHIP
            .iter()
            .map(|privilege| format!("({}) AS member_{privilege}", membership(*privilege)))
            .collect();
        format!(
            "SELECT CAST(CURRENT_USER AS pg_catalog.text) AS role, \
                    pg_catalog.current_setting('is_superuser') AS is_superuser, \
             CASE WHEN own.rolsuper THEN 'superuser' WHEN own.rolbypassrls THEN 'bypass_rls' \
             WHEN NOT own.rolbypassrls THEN 'none' END AS privilege, \
             own.rolcreaterole AS creates_roles, own.rolreplication AS replicates, {}, \
             owned.*, exempt.* FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_roles AS own \
             ON own.rolname OPERATOR(pg_catalog.=) CURRENT_USER \
             LEFT JOIN ({}) AS owned ON true LEFT JOIN ({}) AS exempt ON true",
            memberships.join(", "),
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
        let member =
            |privilege: &Privilege| Some((*privilege, column(&format!("member_{privilege}"))?.to_owned()));
        Some(Self {
            name: column("role")?.to_owned(),
            is_superuser: column("is_superuser")? == "on" || privilege == Some("superuser"),
            // A role that is not there any more, whose session goes on, is none that should pass.
            bypasses_rls: privilege != Some("none"),
            creates_roles: column("creates_roles") != Some("f"),
            replicates: column("replicates") != Some("f"),
            owned: relation("owned_schema", "owned_name", column("owner")),
            exempt: relation("exempt_schema", "exempt_name", None),
            member_of: BY_MEMBERSHIP.iter().filter_map(member).collect(),
        })
    }
}

/// Asks for a role that gives the privilege to the session's, which is a member of it: its name, or nothing.
fn membership(privilege: Privilege) -> String {
    if privilege == Privilege::Superuser {
        return "SELECT super.rolname FROM pg_catalog.pg_roles AS super WHERE super.rolsuper \
                AND super.rolname OPERATOR(pg_catalog.<>) CURRENT_USER \
                AND pg_catalog.pg_has_role(super.oid, 'MEMBER') LIMIT 1"
            .to_owned();
    }
    let roles = privilege.predefined_roles();
    let case = |role: &&str| format!("WHEN pg_catalog.pg_has_role('{role}', 'MEMBER') THEN '{role}'");
    format!("CASE {} END", roles.iter().map(case).collect::<Vec<_>>().join(" "))
}
