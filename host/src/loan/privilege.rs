use std::fmt;

use serde::Deserialize;

/// What a role may have that row-level security does not hold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Privilege {
    /// It is a superuser: no grant and no policy holds for it, and functions read and write the server's files for it.
    Superuser,
    /// It owns a table that plugins are granted, or has the rights of a role that does. The table's policies hold for its
    /// owner only where they are forced (`ALTER TABLE … FORCE ROW LEVEL SECURITY`).
    Owner,
    /// It has the attribute BYPASSRLS: no policy holds for it.
    BypassRls,
}

impl Privilege {
    /// Every privilege.
    pub const ALL: &[Self] = &[Self::Superuser, Self::Owner, Self::BypassRls];

    /// As a configuration names it: `superuser`, `owner` or `bypass_rls`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Owner => "owner",
            Self::BypassRls => "bypass_rls",
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
