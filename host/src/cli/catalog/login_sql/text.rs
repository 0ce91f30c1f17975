use std::time::Duration;

use crate::host::Needed;
use crate::loan::PoolSettings;
use crate::printable::printable;

/// A login that is to be made.
pub(super) struct Login<'a> {
    pub name: &'a str,
    /// The roles that it may become for callers.
    pub roles: &'a [String],
    pub needed: &'a Needed,
    pub settings: &'a PoolSettings,
}

/// Beside its pool a host has a connection that listens, and one to look at the database.
const OTHER_CONNECTIONS: usize = 2;

/// How long a statement may take where the configuration has no bound of its own.
const LONGEST: Duration = Duration::from_secs(3_600);

impl Login<'_> {
    /// The SQL that makes it, all of it or nothing.
    pub fn sql(&self) -> String {
        let parts = [self.role(), self.limits(), self.taken(), self.granted(), self.withheld(), self.notes()];
        parts.join("\n")
    }

    fn role(&self) -> String {
        let (role, name) = (quoted(self.name), literal(self.name));
        let connections = self.settings.size.saturating_add(OTHER_CONNECTIONS);
        let made = self.block(&format!(
            "BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name}) THEN
    CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
  ELSIF EXISTS (SELECT FROM pg_catalog.pg_roles
                WHERE rolname = {name} AND (rolsuper OR rolreplication OR rolbypassrls)) THEN
    ALTER ROLE {role} NOSUPERUSER NOREPLICATION NOBYPASSRLS;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_shdepend AS d JOIN pg_catalog.pg_roles AS r ON r.oid = d.refobjid
             WHERE r.rolname = {name} AND d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
               AND d.deptype = 'o') THEN
    RAISE EXCEPTION 'the role % owns objects, and so may do with them what it likes', {name}
      USING HINT = 'Choose another --name, or give them to another role (REASSIGN OWNED).';
  END IF;
END"
        ));
        format!(
            "-- A login for Callslip that may only read what its plugins are granted.
--
-- Run it in the database of the plugins, as a superuser or as who owns it and what is in it and may create roles. It can be
-- run again: what the login has and does not need is taken from it. All of it is done, or nothing.

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;

{made}
-- A host has a pool of {} connections and {OTHER_CONNECTIONS} more; each other host on this login has as many.
ALTER ROLE {role} LOGIN NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT {connections};
",
            self.settings.size
        )
    }

    fn limits(&self) -> String {
        let role = quoted(self.name);
        let bounded = |timeout: Duration| {
            let timeout = if timeout.is_zero() { LONGEST } else { timeout };
            i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
        };
        let PoolSettings {
            statement_timeout,
            lock_timeout,
            idle_in_transaction_timeout,
            client_check_interval,
            ..
        } = *self.settings;
        let noticed = self.block(&format!(
            "BEGIN
  ALTER ROLE {role} SET client_connection_check_interval = '{}ms';
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE NOTICE 'this server can not notice that a client has gone';
END",
            bounded(client_check_interval)
        ));
        format!(
            "-- What its sessions begin with. A host sets the same by itself; whoever else logs in has it, too.
ALTER ROLE {role} RESET ALL;
ALTER ROLE {role} SET default_transaction_read_only = on;
ALTER ROLE {role} SET search_path = pg_catalog, pg_temp;
ALTER ROLE {role} SET statement_timeout = '{}ms';
ALTER ROLE {role} SET lock_timeout = '{}ms';
ALTER ROLE {role} SET idle_in_transaction_session_timeout = '{}ms';
{noticed}
-- How much it may spill to the disk, which a superuser alone can say:
-- ALTER ROLE {role} SET temp_file_limit = '1GB';
",
            bounded(statement_timeout),
            bounded(lock_timeout),
            bounded(idle_in_transaction_timeout)
        )
    }

    /// Takes away what the role has from before.
    fn taken(&self) -> String {
        let name = literal(self.name);
        // REVOKE takes only what its user has granted, or the owner for a superuser: what another has granted is taken as that
        // role, and said where that can't be done.
        let block = self.block(&format!(
            "DECLARE
  before CONSTANT text := current_setting('role');
  held record;
BEGIN
  FOR held IN
    SELECT format('REVOKE %I FROM %I', g.rolname, {name}) || coalesce(format(' GRANTED BY %I', b.rolname), '') AS sql
    FROM pg_auth_members AS m JOIN pg_roles AS l ON l.oid = m.member JOIN pg_roles AS g ON g.oid = m.roleid
    LEFT JOIN pg_roles AS b ON b.oid = m.grantor
    WHERE l.rolname = {name}
  LOOP
    EXECUTE held.sql;
  END LOOP;
  FOR pass IN 1..3 LOOP
    FOR held IN
      WITH login AS (SELECT oid FROM pg_roles WHERE rolname = {name}),
      places (place, columns, acl) AS (
        SELECT format('TABLE %I.%I', n.nspname, c.relname), '', c.relacl
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        UNION ALL
        SELECT format('TABLE %I.%I', n.nspname, c.relname), format(' (%I)', t.attname), t.attacl
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS t ON t.attrelid = c.oid
        WHERE NOT t.attisdropped
        UNION ALL
        SELECT format('SCHEMA %I', nspname), '', nspacl FROM pg_namespace
        UNION ALL
        SELECT format('ROUTINE %s', oid::regprocedure), '', proacl FROM pg_proc
        UNION ALL
        SELECT format('DATABASE %I', datname), '', datacl FROM pg_database WHERE datname = current_database()
      )
      SELECT DISTINCT format('REVOKE ALL%s ON %s FROM %I', columns, place, {name}) AS sql,
        CASE WHEN pass > 1 THEN pg_get_userbyid(a.grantor) END AS grantor
      FROM places, login, aclexplode(places.acl) AS a
      WHERE a.grantee = login.oid
    LOOP
      IF pass = 1 THEN
        EXECUTE held.sql;
      ELSIF pass = 2 THEN
        BEGIN
          PERFORM set_config('role', held.grantor, true);
          EXECUTE held.sql;
          PERFORM set_config('role', before, true);
        EXCEPTION WHEN insufficient_privilege THEN
          NULL;
        END;
      ELSE
        RAISE WARNING 'it keeps what % has granted; as that role: %', held.grantor, held.sql;
      END IF;
    END LOOP;
  END LOOP;
END"
        ));
        format!("-- What it has from before.\n{block}")
    }

    fn granted(&self) -> String {
        let (role, needed) = (quoted(self.name), self.needed);
        let mut sql = self.block(&format!(
            "BEGIN
  EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), {});
END",
            literal(self.name)
        ));
        let mut line = |text: String| {
            sql.push_str(&text);
            sql.push('\n');
        };
        for schema in &needed.schemas {
            line(format!("GRANT USAGE ON SCHEMA {} TO {role};", quoted(schema)));
        }
        for ((schema, name), columns) in &needed.relations {
            let columns = columns.as_ref().map_or_else(String::new, |columns| {
                format!(" ({})", columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
            });
            line(format!("GRANT SELECT{columns} ON TABLE {}.{} TO {role};", quoted(schema), quoted(name)));
        }
        for (schema, name, arguments) in &needed.functions {
            let arguments = arguments.join(", ");
            line(format!(
                "GRANT EXECUTE ON FUNCTION {}.{}({arguments}) TO {role};",
                quoted(schema),
                quoted(name)
            ));
        }
        if !self.roles.is_empty() {
            line(
                "-- It becomes the role of each caller, whose rights it does not have by itself.".to_owned(),
            );
        }
        for caller in self.roles {
            line(format!("GRANT {} TO {role};", quoted(caller)));
        }
        format!(
            "-- What its plugins are granted, and what reading that takes. Types need no grant to be read.\n{sql}"
        )
    }

    /// Takes from PUBLIC what the login would have by that, and gives it to those who are there.
    fn withheld(&self) -> String {
        let mut left: Vec<String> = self.roles.iter().map(|role| literal(role)).collect();
        left.push(literal(self.name));
        let schemas: Vec<String> = self.needed.schemas.iter().map(|schema| literal(schema)).collect();
        let (left, schemas) = (left.join(", "), schemas.join(", "));
        let block = self.block(&format!(
            "DECLARE
  others CONSTANT name[] := ARRAY(SELECT rolname FROM pg_roles
    WHERE oid >= 16384 AND NOT rolsuper AND rolname <> ALL (ARRAY[{left}]::name[]) ORDER BY rolname);
  other name;
  place text;
BEGIN
  FOR place IN
    SELECT format('TEMPORARY ON DATABASE %I', d.datname)
    FROM pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY'
    UNION ALL
    SELECT format('CREATE ON SCHEMA %I', n.nspname) FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
    WHERE n.nspname = ANY (ARRAY[{schemas}]::name[]) AND a.grantee = 0 AND a.privilege_type = 'CREATE'
  LOOP
    FOREACH other IN ARRAY others LOOP
      EXECUTE format('GRANT %s TO %I', place, other);
    END LOOP;
    EXECUTE format('REVOKE %s FROM PUBLIC', place);
    RAISE NOTICE 'no longer for PUBLIC, but for each role that there is: %', place;
  END LOOP;
END"
        ));
        format!(
            "-- What it would have since everybody has it: temporary tables, which are writable in a transaction that only reads, and objects in
-- the schema public, which everybody may make up to PostgreSQL 14. Each role that there is now keeps both; one that
-- is made later has to be granted them.
{block}"
        )
    }

    fn notes(&self) -> String {
        let role = quoted(self.name);
        let comment = |name: &str| printable(name, 200);
        let mut notes = vec![
            format!("It has no password. In psql: \\password {}", comment(self.name)),
            "It is to be let in by pg_hba.conf, best from where the host is alone.".to_owned(),
            "Functions are PUBLIC's when they are made: what it may call is more than what plugins may. REVOKE EXECUTE … FROM PUBLIC \
             takes those away that must not be called by who only reads (SECURITY DEFINER above all)."
                .to_owned(),
            "Large objects are not kept from it: PUBLIC may call lo_create and its like, which up to PostgreSQL 15 write in a \
             transaction that only reads, too. No plugin may call them."
                .to_owned(),
        ];
        if !self.needed.with_policies.is_empty() {
            notes.push(
                "There are tables with policies. What a policy reads and calls, it reads and calls with the rights of this login: \
                 grant it that."
                    .to_owned(),
            );
        }
        if !self.roles.is_empty() {
            notes.push("Each caller's role needs the same grants as the login.".to_owned());
        }
        for ((schema, name), server) in &self.needed.foreign {
            let (name, server) = (format!("{schema}.{name}"), quoted(server));
            notes.push(format!(
                "The foreign table {} needs a user mapping: CREATE USER MAPPING FOR {} SERVER {} OPTIONS (…)",
                comment(&name),
                comment(&role),
                comment(&server)
            ));
        }
        let notes: Vec<String> = notes.iter().map(|note| format!("-- * {note}")).collect();
        format!("COMMIT;\n\n{}\n", notes.join("\n"))
    }

    /// A block of PL/pgSQL, quoted so that nothing in it ends it.
    fn block(&self, body: &str) -> String {
        let mut tag = "$callslip$".to_owned();
        while body.contains(&tag) {
            tag.insert(tag.len() - 1, '_');
        }
        format!("DO {tag}\n{body}\n{tag};\n")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    if text.contains('\\') { format!("E'{escaped}'") } else { format!("'{escaped}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_what_it_stands_in() {
        let odd = "a\"b'c\\$callslip$\n; DROP TABLE x --";
        let mut needed = Needed::default();
        needed.schemas.insert(odd.to_owned());
        needed.relations.insert((odd.to_owned(), odd.to_owned()), Some([odd.to_owned()].into()));
        needed.foreign.insert((odd.to_owned(), odd.to_owned()), odd.to_owned());
        let (settings, roles) = (PoolSettings::default(), [odd.to_owned()]);
        let sql = Login { name: odd, roles: &roles, needed: &needed, settings: &settings }.sql();
        // Each place: as an identifier, as a text, in a comment of one line.
        let known = [quoted(odd), literal(odd)];
        let rest = known.iter().fold(sql, |sql, known| sql.replace(known, ""));
        for line in rest.lines().filter(|line| line.contains("DROP")) {
            assert!(line.starts_with("--"), "{line}");
        }
    }
}
