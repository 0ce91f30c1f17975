use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::error::LoanError;
use super::guarded::GuardedRelation;
use super::privilege::Privilege;
use super::role::Role;
use crate::printable::printable;

/// Keeps statements from the connections of roles by whose rights a statement that only reads could see or do more than plugins
/// are granted: each [`Privilege`] that is not allowed.
///
/// Superusers and roles with BYPASSRLS are refused, and those with the rights of who owns a table that is guarded and does
/// not force its policies: row-level security does not hold for them. So are roles with CREATEROLE or REPLICATION, and the members of
/// superusers, `pg_read_server_files`, `pg_write_server_files`, `pg_execute_server_program` and `pg_signal_backend`, whose rights
/// reach out of the tables. PostgreSQL is asked what a role is and whose a table is, as of now; attributes are as the snapshot
/// of an open transaction shows them.
///
/// A role that would have to be set first (`SET ROLE`) gives its rights to no statement: nothing that a plugin describes
/// becomes a SET, and `set_config` is no function that it may call. So a membership without INHERIT matters not, be it in a table's owner
/// or in a role with BYPASSRLS. Only of what leads out of the database it is refused all the same, as nobody needs it who reads, and one
/// grant of a wrong function would make it all. [`Excess`](super::Excess) tells of the others.
///
/// A role may become another at any time, of which nobody is told. So it is asked of each role of a connection that is lent,
/// again after a second; and of a pool's login with each new session and whenever the host looks at its database. What
/// a role may see that was not asked again since, plugins see. Nothing of it stays: PostgreSQL keeps with a
/// prepared statement whether policies held when it was planned, and has to plan anew whenever it is asked again
/// (`DISCARD PLANS`, which leaves the session as it is, but for a moment that its next statements take).
///
/// Two things are not looked at. What a view shows is its owner's to say, unless it reads as its caller
/// (`security_invoker`): then it is as the tables that it reads. And a function that keeps plans of its own, as those in
/// PL/pgSQL do, may on a bare client, whose session keeps nothing of a host's, keep them longer: until a guard is next asked
/// on that session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    allowed: BTreeSet<Privilege>,
    relations: Vec<GuardedRelation>,
}

/// A role that may not pass a [`Guard`]. `Display` says why, and how to make one that may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivilegedRole {
    role: String,
    privilege: Privilege,
    /// What the role owns, where that is the reason.
    owned: Option<GuardedRelation>,
    /// Whose policies don't hold for it, where nobody can tell for what reason.
    exempt: Option<GuardedRelation>,
    /// The role that it is a member of, where that is the reason.
    member_of: Option<String>,
    /// The SQL that makes another role.
    remedy: String,
}

impl Guard {
    /// A guard of these relations, that lets pass who has no privilege but these. A superuser is refused as such alone.
    pub fn new(allowed: impl IntoIterator<Item = Privilege>, mut relations: Vec<GuardedRelation>) -> Self {
        relations.sort();
        relations.dedup();
        Self { allowed: allowed.into_iter().collect(), relations }
    }

    /// The same, without anything that is allowed.
    #[must_use]
    pub fn strict(&self) -> Self {
        Self { allowed: BTreeSet::new(), relations: self.relations.clone() }
    }

    pub(super) fn relations(&self) -> &[GuardedRelation] {
        &self.relations
    }

    /// Asks a session whether its role may pass.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], and whatever else can go wrong.
    pub async fn check(&self, client: &Client) -> Result<(), LoanError> {
        let found = client.simple_query(&self.question()).await?;
        self.judge(&found)
    }

    /// Asks for the role of a session.
    pub(super) fn question(&self) -> String {
        Role::question(&self.relations)
    }

    /// Lets the role that is in the answer pass.
    ///
    /// # Errors
    /// [`LoanError::Privileged`].
    pub(super) fn judge(&self, answer: &[SimpleQueryMessage]) -> Result<(), LoanError> {
        match Role::of_messages(answer) {
            Some(role) => self.admit(&role),
            None => Err(LoanError::unknown_role()),
        }
    }

    /// Lets a role pass.
    ///
    /// # Errors
    /// [`LoanError::Privileged`].
    fn admit(&self, role: &Role) -> Result<(), LoanError> {
        let attributes: &[(Privilege, bool)] = match role.is_superuser {
            // It has all the others.
            true => &[(Privilege::Superuser, true)],
            false => &[
                (Privilege::BypassRls, role.bypasses_rls || role.exempt.is_some()),
                (Privilege::Owner, role.owned.is_some()),
                (Privilege::CreateRole, role.creates_roles),
                (Privilege::Replication, role.replicates),
            ],
        };
        let memberships = role.member_of.keys().copied().filter(|_| !role.is_superuser);
        let held = attributes.iter().filter(|(_, is_held)| *is_held).map(|(privilege, _)| *privilege);
        match held.chain(memberships).find(|privilege| !self.allowed.contains(privilege)) {
            Some(privilege) => Err(LoanError::Privileged(Box::new(self.privileged(role, privilege)))),
            None => Ok(()),
        }
    }

    fn privileged(&self, role: &Role, privilege: Privilege) -> PrivilegedRole {
        let owned = role.owned.clone().filter(|_| privilege == Privilege::Owner);
        let exempt = role.exempt.clone().filter(|_| privilege == Privilege::BypassRls && !role.bypasses_rls);
        let member_of = role.member_of.get(&privilege).filter(|_| !role.is_superuser).cloned();
        PrivilegedRole { role: role.name.clone(), privilege, owned, exempt, member_of, remedy: self.remedy() }
    }

    /// What makes a role that may pass.
    fn remedy(&self) -> String {
        let mut by_schema: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for GuardedRelation { schema, name, .. } in &self.relations {
            by_schema.entry(schema).or_default().push(format!("{}.{}", identifier(schema), identifier(name)));
        }
        let mut sql = vec!["CREATE ROLE callslip LOGIN".to_owned()];
        for (schema, relations) in by_schema {
            sql.push(format!("GRANT USAGE ON SCHEMA {} TO callslip", identifier(schema)));
            sql.push(format!("GRANT SELECT ON {} TO callslip", relations.join(", ")));
        }
        sql.join("; ")
    }
}

impl PrivilegedRole {
    /// Its name.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// What it is, in a sentence: `the role "app" owns "public"."position"`.
    pub fn reason(&self) -> String {
        let role = identifier(&self.role);
        let table =
            |table: &GuardedRelation| format!("{}.{}", identifier(&table.schema), identifier(&table.name));
        if let Some(member_of) = &self.member_of {
            let what = if self.privilege == Privilege::Superuser { ", a superuser" } else { "" };
            return format!("the role {role} is a member of {}{what}", identifier(member_of));
        }
        match (self.privilege, &self.owned) {
            (Privilege::Superuser, _) => format!("the role {role} is a superuser"),
            (Privilege::CreateRole, _) => format!("the role {role} has CREATEROLE"),
            (Privilege::Replication, _) => format!("the role {role} has REPLICATION"),
            (Privilege::ServerFiles | Privilege::ServerPrograms | Privilege::SignalBackend, _) => {
                format!("the role {role} has the privilege {}", self.privilege)
            }
            (Privilege::BypassRls, _) => match &self.exempt {
                None => format!("the role {role} has BYPASSRLS"),
                Some(exempt) => format!(
                    "the role {role} has become one for which the policies of {} do not hold",
                    table(exempt)
                ),
            },
            (Privilege::Owner, None) => format!("the role {role} owns a table that plugins are granted"),
            (Privilege::Owner, Some(owned)) => {
                match owned.exempt.as_deref().filter(|owner| *owner != self.role) {
                    None => format!("the role {role} owns {}", table(owned)),
                    Some(owner) => {
                        format!(
                            "the role {role} has the rights of {}, which owns {}",
                            identifier(owner),
                            table(owned)
                        )
                    }
                }
            }
        }
    }

    /// By what it may see or do more than plugins are granted.
    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// One of the tables that it owns, as schema and name, where that is the reason.
    pub fn owned(&self) -> Option<(&str, &str)> {
        self.owned.as_ref().map(|owned| (owned.schema.as_str(), owned.name.as_str()))
    }
}

impl fmt::Display for PrivilegedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { privilege, remedy, .. } = self;
        let consequence = match privilege.passes_policies() {
            true => "row-level security does not hold for it",
            false => "its rights reach further than what plugins are granted",
        };
        write!(
            f,
            "{}, so that {consequence}: use a role such as `callslip catalog login-sql` prints, which may read the columns \
             that plugins are granted and no more, or as `{remedy}` makes, which may read whole tables (log in as it, or \
             `SET LOCAL ROLE callslip` on a transaction that is lent)",
            self.reason()
        )?;
        if *privilege == Privilege::Owner {
            f.write_str(", or force the policies on its tables (ALTER TABLE … FORCE ROW LEVEL SECURITY)")?;
        }
        write!(f, ", or allow it ([database] allow = [\"{privilege}\"])")
    }
}

/// A name as SQL has it.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", printable(&name.replace('"', "\"\""), usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, exempt: Option<&str>) -> GuardedRelation {
        GuardedRelation { schema: "app".into(), name: name.into(), exempt: exempt.map(str::to_owned) }
    }

    fn role(is_superuser: bool, bypasses_rls: bool, owner: Option<&str>) -> Role {
        let owned = owner.map(|owner| table("t", Some(owner)));
        Role { name: "me".into(), is_superuser, bypasses_rls, owned, ..Role::default() }
    }

    fn member(privilege: Privilege, of: &str) -> Role {
        Role { name: "me".into(), member_of: [(privilege, of.to_owned())].into(), ..Role::default() }
    }

    #[test]
    fn each_privilege_is_allowed_by_itself() {
        let roles = [
            (role(true, true, Some("boss")), Some(Privilege::Superuser)),
            (role(false, true, None), Some(Privilege::BypassRls)),
            (role(false, false, Some("boss")), Some(Privilege::Owner)),
            (Role { creates_roles: true, ..role(false, false, None) }, Some(Privilege::CreateRole)),
            (Role { replicates: true, ..role(false, false, None) }, Some(Privilege::Replication)),
            (member(Privilege::Superuser, "postgres"), Some(Privilege::Superuser)),
            (member(Privilege::ServerFiles, "pg_read_server_files"), Some(Privilege::ServerFiles)),
            (member(Privilege::ServerPrograms, "pg_execute_server_program"), Some(Privilege::ServerPrograms)),
            (member(Privilege::SignalBackend, "pg_signal_backend"), Some(Privilege::SignalBackend)),
            (role(false, false, None), None),
        ];
        let each = Privilege::ALL.iter().map(|privilege| vec![*privilege]);
        for allowed in [vec![]].into_iter().chain(each) {
            let guard = Guard::new(allowed.clone(), vec![table("t", Some("boss"))]);
            for (role, privilege) in &roles {
                let refused = guard.admit(role).err().map(|error| match error {
                    LoanError::Privileged(role) => role.privilege(),
                    other => panic!("{other}"),
                });
                assert_eq!(refused, privilege.filter(|its| !allowed.contains(its)), "{allowed:?} {role:?}");
            }
        }
        let both = role(false, true, Some("boss"));
        let guard = Guard::new([Privilege::BypassRls], vec![table("t", Some("boss"))]);
        let error = guard.admit(&both).unwrap_err().to_string();
        assert!(error.contains("has the rights of \"boss\", which owns \"app\".\"t\""), "{error}");
        assert!(guard.strict().admit(&both).unwrap_err().to_string().contains("BYPASSRLS"));
    }

    #[test]
    fn what_to_do_instead_is_said_as_sql() {
        let relations = vec![table("a", Some("it's \"x\"\\")), table("B\"x", None), table("B\"x", None)];
        let guard = Guard::new([], relations);
        assert_eq!(
            guard.remedy(),
            r#"CREATE ROLE callslip LOGIN; GRANT USAGE ON SCHEMA "app" TO callslip; GRANT SELECT ON "app"."B""x", "app"."a" TO callslip"#
        );
    }
}
