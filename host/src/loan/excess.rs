use std::fmt;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::error::LoanError;
use super::guard::{Guard, identifier};
use super::guarded::{GuardedRelation, array};

/// What a login may do beside reading, which plugins don't need: nothing of it is in reach of a statement that only reads, but a
/// later mistake could make something of it. `Display` says what, and how to take it away.
///
/// What lets statements reach further than they are granted is a [`Privilege`](super::Privilege), and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    kind: Kind,
    /// What it is about: a role, database, schema, relation or function, as SQL names it.
    name: String,
    /// The login's own name.
    login: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A member of a role of PostgreSQL's own.
    Member,
    /// It can `SET ROLE` to one that would be refused.
    Becomes,
    CreatesDatabases,
    CreatesSchemas,
    MakesTemporaryTables,
    CreatesIn,
    Writes,
    OwnsFunction,
    CallsRestricted,
}

impl Kind {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Member, "member"),
        (Self::Becomes, "becomes"),
        (Self::CreatesDatabases, "creates_databases"),
        (Self::CreatesSchemas, "creates_schemas"),
        (Self::MakesTemporaryTables, "temporary"),
        (Self::CreatesIn, "creates_in"),
        (Self::Writes, "writes"),
        (Self::OwnsFunction, "owns_function"),
        (Self::CallsRestricted, "calls_restricted"),
    ];

    fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
}

/// Of how many relations, functions or roles each kind is told.
const TOLD: usize = 5;

impl Guard {
    /// Asks a session what its login may do beside reading what is guarded. A superuser, who may do everything, is told nothing.
    ///
    /// # Errors
    /// [`LoanError`], if PostgreSQL can't be asked.
    pub async fn excess(&self, client: &Client) -> Result<Vec<Excess>, LoanError> {
        // Behind a pooler the session has a path of its own.
        let question = format!(
            "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; {}; ROLLBACK",
            question(self.relations())
        );
        let found = client.simple_query(&question).await?;
        Ok(found.iter().filter_map(of_message).collect())
    }
}

fn of_message(message: &SimpleQueryMessage) -> Option<Excess> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let text = |column: &str| row.try_get(column).ok().flatten();
    Some(Excess {
        kind: Kind::of(text("kind")?)?,
        name: text("name")?.to_owned(),
        login: text("login")?.to_owned(),
    })
}

/// Asks for rows of `kind`, `name` and `login`.
fn question(relations: &[GuardedRelation]) -> String {
    let schemas = array(relations.iter().map(|its| Some(its.schema.as_str())));
    let names = array(relations.iter().map(|its| Some(its.name.as_str())));
    format!(
        "WITH guarded AS (SELECT DISTINCT c.oid, c.relnamespace, c.relowner, n.nspname, c.relname \
           FROM ROWS FROM (pg_catalog.unnest(CAST({schemas} AS pg_catalog.text[])), \
                           pg_catalog.unnest(CAST({names} AS pg_catalog.text[]))) AS named (schema, name) \
           JOIN pg_catalog.pg_namespace AS n ON n.nspname = named.schema \
           JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = named.name), \
         found AS ( \
           SELECT 1 AS rank, 'member' AS kind, CAST(r.rolname AS pg_catalog.text) AS name FROM pg_catalog.pg_roles AS r \
           WHERE pg_catalog.starts_with(CAST(r.rolname AS pg_catalog.text), 'pg_') AND pg_catalog.pg_has_role(r.oid, 'MEMBER') \
             AND r.rolname <> ALL (ARRAY['pg_database_owner', 'pg_read_server_files', 'pg_write_server_files', \
                                         'pg_execute_server_program', 'pg_signal_backend']) \
           UNION ALL \
           SELECT 2, 'becomes', CAST(r.rolname AS pg_catalog.text) FROM pg_catalog.pg_roles AS r \
           WHERE r.rolname <> CURRENT_USER AND NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, 'MEMBER') \
             AND (r.rolbypassrls OR r.rolcreaterole OR r.rolreplication \
                  OR (NOT pg_catalog.pg_has_role(r.oid, 'USAGE') \
                      AND EXISTS (SELECT FROM guarded AS g WHERE pg_catalog.pg_has_role(r.oid, g.relowner, 'USAGE')))) \
           UNION ALL \
           SELECT 3, 'creates_databases', '' FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER AND r.rolcreatedb \
           UNION ALL \
           SELECT 4, 'creates_schemas', pg_catalog.quote_ident(d) FROM pg_catalog.current_database() AS d \
           WHERE pg_catalog.has_database_privilege(d, 'CREATE') \
           UNION ALL \
           SELECT 5, 'temporary', pg_catalog.quote_ident(d) FROM pg_catalog.current_database() AS d \
           WHERE pg_catalog.has_database_privilege(d, 'TEMPORARY') \
           UNION ALL \
           SELECT DISTINCT 6, 'creates_in', pg_catalog.quote_ident(g.nspname) FROM guarded AS g \
           WHERE pg_catalog.has_schema_privilege(g.relnamespace, 'CREATE') \
           UNION ALL \
           SELECT 7, 'writes', pg_catalog.quote_ident(g.nspname) || '.' || pg_catalog.quote_ident(g.relname) \
           FROM guarded AS g \
           WHERE pg_catalog.has_table_privilege(g.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') \
              OR pg_catalog.has_any_column_privilege(g.oid, 'INSERT, UPDATE, REFERENCES') \
           UNION ALL \
           SELECT 8, 'owns_function', pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) \
           FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
           WHERE p.pronamespace IN (SELECT relnamespace FROM guarded) AND pg_catalog.pg_has_role(p.proowner, 'USAGE') \
           UNION ALL \
           SELECT 9, 'calls_restricted', 'pg_catalog.' || pg_catalog.quote_ident(p.proname) FROM pg_catalog.pg_proc AS p \
           WHERE p.pronamespace = CAST('pg_catalog' AS pg_catalog.regnamespace) AND p.proacl IS NOT NULL \
             AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') \
             AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(p.proacl) AS a \
                             WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')), \
         numbered AS (SELECT kind, name, rank, \
           pg_catalog.row_number() OVER (PARTITION BY rank ORDER BY name COLLATE \"C\") AS number \
           FROM (SELECT DISTINCT rank, kind, name FROM found) AS each) \
         SELECT kind, name, CAST(CURRENT_USER AS pg_catalog.text) AS login FROM numbered \
         WHERE number <= {TOLD} AND NOT EXISTS \
           (SELECT FROM pg_catalog.pg_roles AS own WHERE own.rolname = CURRENT_USER AND own.rolsuper) \
         ORDER BY rank, number"
    )
}

impl Excess {
    /// What it may do, in a few words: `may write to app.position`.
    pub fn what(&self) -> String {
        let name = &self.name;
        match self.kind {
            Kind::Member => format!("is a member of {name}"),
            Kind::Becomes => {
                format!("can become (SET ROLE) {}, which would be refused itself", identifier(name))
            }
            Kind::CreatesDatabases => "may create databases".to_owned(),
            Kind::CreatesSchemas => format!("may create schemas in the database {name}"),
            Kind::MakesTemporaryTables => format!("may make temporary tables in the database {name}"),
            Kind::CreatesIn => format!("may create objects in the schema {name}"),
            Kind::Writes => format!("may write to {name}, or refer to it"),
            Kind::OwnsFunction => format!("may replace the function {name}, as its owner"),
            Kind::CallsRestricted => format!("may call {name}, which PostgreSQL keeps from others"),
        }
    }

    /// What takes it away.
    pub fn remedy(&self) -> String {
        let Self { name, login, .. } = self;
        let login = identifier(login);
        match self.kind {
            Kind::Member | Kind::Becomes => format!("REVOKE {} FROM {login}", identifier(name)),
            Kind::CreatesDatabases => format!("ALTER ROLE {login} NOCREATEDB"),
            Kind::CreatesSchemas => format!("REVOKE CREATE ON DATABASE {name} FROM {login}"),
            Kind::MakesTemporaryTables => {
                format!("REVOKE TEMPORARY ON DATABASE {name} FROM {login}, PUBLIC, who has it by default")
            }
            Kind::CreatesIn => format!("REVOKE CREATE ON SCHEMA {name} FROM {login}, PUBLIC"),
            Kind::Writes => {
                format!(
                    "REVOKE ALL ON {name} FROM {login}, PUBLIC, and grant it SELECT on the columns that plugins are granted"
                )
            }
            Kind::OwnsFunction => format!("ALTER ROUTINE {name} OWNER TO another role"),
            Kind::CallsRestricted => format!("REVOKE EXECUTE ON FUNCTION {name} FROM {login}"),
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the login {} {}: {}", identifier(&self.login), self.what(), self.remedy())
    }
}
