use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::error::LoanError;
use super::guarded::GuardedRelation;
use super::privilege::Privilege;
use super::role::Role;
use crate::printable::printable;

/// Keeps statements from the connections of roles for which row-level security does not hold.
///
/// Superusers and roles with BYPASSRLS are refused, and those with the rights of who owns a table that is guarded and does
/// not force its policies, unless they are allowed. PostgreSQL is asked what a role is and whose a table is, as of now.
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

/// A role for which row-level security does not hold. `Display` says why, and how to make one for which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivilegedRole {
    role: String,
    privilege: Privilege,
    /// What the role owns, where that is the reason.
    owned: Option<GuardedRelation>,
    /// Whose policies don't hold for it, where nobody can tell for what reason.
    exempt: Option<GuardedRelation>,
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
        let held: &[(Privilege, bool)] = match role.is_superuser {
            // It has all the others.
            true => &[(Privilege::Superuser, true)],
            false => &[
                (Privilege::BypassRls, role.bypasses_rls || role.exempt.is_some()),
                (Privilege::Owner, role.owned.is_some()),
            ],
        };
        match held.iter().find(|(privilege, is_held)| *is_held && !self.allowed.contains(privilege)) {
            Some((privilege, _)) => Err(LoanError::Privileged(Box::new(self.privileged(role, *privilege)))),
            None => Ok(()),
        }
    }

    fn privileged(&self, role: &Role, privilege: Privilege) -> PrivilegedRole {
        let owned = role.owned.clone().filter(|_| privilege == Privilege::Owner);
        let exempt = role.exempt.clone().filter(|_| privilege == Privilege::BypassRls && !role.bypasses_rls);
        PrivilegedRole { role: role.name.clone(), privilege, owned, exempt, remedy: self.remedy() }
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
        match (self.privilege, &self.owned) {
            (Privilege::Superuser, _) => format!("the role {role} is a superuser"),
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

    /// Why no policy holds for it, or not every one.
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
        write!(
            f,
            "{}, so that row-level security does not hold for it: use a role such as `{remedy}` makes (log in as it, or \
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
fn identifier(name: &str) -> String {
    format!("\"{}\"", printable(&name.replace('"', "\"\""), usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, exempt: Option<&str>) -> GuardedRelation {
        GuardedRelation { schema: "app".into(), name: name.into(), exempt: exempt.map(str::to_owned) }
    }

    fn role(is_superuser: bool, bypasses_rls: bool, owner: Option<&str>) -> Role {
        Role {
            name: "me".into(),
            is_superuser,
            bypasses_rls,
            owned: owner.map(|owner| table("t", Some(owner))),
            exempt: None,
        }
    }

    #[test]
    fn each_privilege_is_allowed_by_itself() {
        let roles = [
            (role(true, true, Some("boss")), Some(Privilege::Superuser)),
            (role(false, true, None), Some(Privilege::BypassRls)),
            (role(false, false, Some("boss")), Some(Privilege::Owner)),
            (role(false, false, None), None),
        ];
        for allowed in
            [vec![], vec![Privilege::Superuser], vec![Privilege::BypassRls], vec![Privilege::Owner]]
        {
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
