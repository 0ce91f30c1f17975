use super::change::ObjectKind;
use super::pairs::by_name;
use super::side::list;
use super::{Differ, ObjectRef, What};
use crate::catalog::{Policy, PolicyCommand, RowSecurity};

impl Differ<'_> {
    pub(super) fn row_security(&mut self, of: &ObjectRef, old: &RowSecurity, new: &RowSecurity) {
        let RowSecurity { enabled, forced, policies } = old;
        let mut about = self.about(of.clone());
        about.is("under row-level security", *enabled, new.enabled);
        about.is("under row-level security for its owner too", *forced, new.forced);
        for (name, pair) in by_name(policies, &new.policies, |its| &its.name) {
            let mut about = self.about(of.part(ObjectKind::Policy, name));
            match pair {
                (Some(old), Some(new)) => {
                    let Policy { name: _, command, permissive, roles, using, check } = old;
                    about.text("command", self::command(*command), self::command(new.command));
                    about.is("permissive", *permissive, new.permissive);
                    about.option("list of roles", Some(list(roles)), Some(list(&new.roles)));
                    about.option("condition (USING)", using.clone(), new.using.clone());
                    about.option("condition of writing (WITH CHECK)", check.clone(), new.check.clone());
                }
                (None, Some(new)) => {
                    let kind = if new.permissive { "permissive" } else { "restrictive" };
                    let using = new.using.as_ref().map(|using| format!(" using {using}")).unwrap_or_default();
                    let roles = list(&new.roles);
                    about.appeared(format!("{kind}, for {} to {roles}{using}", command(new.command)));
                }
                _ => about.tell(What::Disappeared),
            }
        }
    }
}

fn command(command: PolicyCommand) -> &'static str {
    match command {
        PolicyCommand::All => "ALL",
        PolicyCommand::Select => "SELECT",
        PolicyCommand::Insert => "INSERT",
        PolicyCommand::Update => "UPDATE",
        PolicyCommand::Delete => "DELETE",
    }
}
