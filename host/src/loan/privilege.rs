use std::fmt;

use serde::Deserialize;

/// What a role may have by which its statements see or do more than a plugin is granted, though each of them only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Privilege {
    /// It is a superuser, for whom no grant and no policy holds, and functions read and write the server's files; or a member
    /// of one, in whatever way: who inherits its rights may call what PostgreSQL keeps for superusers.
    Superuser,
    /// It owns a table that plugins are granted, or has the rights of a role that does. The table's policies hold for its
    /// owner only where they are forced (`ALTER TABLE … FORCE ROW LEVEL SECURITY`).
    Owner,
    /// It has the attribute BYPASSRLS: no policy holds for it.
    BypassRls,
    /// It has the attribute CREATEROLE: before PostgreSQL 16 it can give itself the rights of every role but superusers, and
    /// since then those of the roles that it has made.
    CreateRole,
    /// It has the attribute REPLICATION: a SELECT makes a replication slot, which keeps the server's log until the disk is
    /// full, and reads from it what others write, whatever the policies.
    Replication,
    /// It is a member of `pg_read_server_files` or `pg_write_server_files`: functions read the server's files for it.
    ServerFiles,
    /// It is a member of `pg_execute_server_program`, and so can run programs on the server.
    ServerPrograms,
    /// It is a member of `pg_signal_backend`: a SELECT cancels the statements of others and ends their sessions.
    SignalBackend,
}

impl Privilege {
    /// Every privilege.
    pub const ALL: &[Self] = &[
        Self::Superuser,
        Self::Owner,
        Self::BypassRls,
        Self::CreateRole,
        Self::Replication,
        Self::ServerFiles,
        Self::ServerPrograms,
        Self::SignalBackend,
    ];

    /// As a configuration names it: `superuser`, `owner`, `bypass_rls`, `create_role`, `replication`, `server_files`,
    /// `server_programs` or `signal_backend`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Owner => "owner",
            Self::BypassRls => "bypass_rls",
            Self::CreateRole => "create_role",
            Self::Replication => "replication",
            Self::ServerFiles => "server_files",
            Self::ServerPrograms => "server_programs",
            Self::SignalBackend => "signal_backend",
        }
    }

    /// Whether row-level security does not hold for who has it.
    pub(super) fn passes_policies(self) -> bool {
        matches!(self, Self::Superuser | Self::Owner | Self::BypassRls)
    }

    /// PostgreSQL's own roles whose members have it.
    pub(super) fn predefined_roles(self) -> &'static [&'static str] {
        match self {
            Self::ServerFiles => &["pg_read_server_files", "pg_write_server_files"],
            Self::ServerPrograms => &["pg_execute_server_program"],
            Self::SignalBackend => &["pg_signal_backend"],
            Self::Superuser | Self::Owner | Self::BypassRls | Self::CreateRole | Self::Replication => &[],
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
