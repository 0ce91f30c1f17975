//! What reads more than was granted: by other rights, by SQL in a string, over the network, in the catalog, in errors.

use super::{Danger, Harm};

const RIGHTS: &str = "other rights and settings";
const STRINGS: &str = "SQL or a table in a string";
const NETWORK: &str = "network";
const LOOKS: &str = "looks at what was not granted";
const ERRORS: &str = "values in errors";
const SHADOWED: &str = "shadowed names";

/// A connection with other rights, which somebody has left open.
const CONNECTED: &str = "SELECT dblink_connect_u('open', 'host={socket} user=postgres dbname=postgres')";
const SECRET: Harm = Harm::Tells("opensesame");

const fn relation(line: &'static str, name: &'static str, sql: &'static str, harm: Harm) -> Danger {
    Danger::new(line, name, sql, harm).refused("CS0401", name)
}

/// What is no relation for a plugin, since it is the system's or no table.
const fn unseen(name: &'static str, sql: &'static str, harm: Harm) -> Danger {
    Danger::new(LOOKS, name, sql, harm).refused("CS0301", name)
}

/// The rows.
pub const ROWS: &[Danger] = &[
    Danger::new(RIGHTS, "set_config of the role", "SELECT set_config('role', 'none', false)", Harm::Answers)
        .refused("CS0402", "set_config"),
    Danger::new(RIGHTS, "set_config of a timeout", "SELECT set_config('statement_timeout', '0', false)", Harm::Answers)
        .refused("CS0402", "set_config"),
    Danger::new(RIGHTS, "set_config of READ ONLY", "SELECT set_config('transaction_read_only', 'on', false)", Harm::Answers)
        .refused("CS0402", "set_config"),
    Danger::new(RIGHTS, "SECURITY DEFINER", "SELECT app.elevated()", Harm::Tells("SCRAM-SHA-256"))
        .refused("CS0402", "elevated"),
    Danger::new(RIGHTS, "setseed", "SELECT setseed(0.5)", Harm::Answers),
    Danger::new(RIGHTS, "random", "SELECT random()", Harm::Answers),
    Danger::new(STRINGS, "query_to_xml", "SELECT query_to_xml('SELECT secret FROM app.vault', true, true, '')", SECRET),
    Danger::new(
        STRINGS,
        "query_to_xml_and_xmlschema",
        "SELECT query_to_xml_and_xmlschema('SELECT secret FROM app.vault', true, true, '')",
        SECRET,
    ),
    Danger::new(STRINGS, "query_to_xmlschema", "SELECT query_to_xmlschema('SELECT secret FROM app.vault', true, true, '')", Harm::Tells("secret")),
    Danger::new(STRINGS, "table_to_xml", "SELECT table_to_xml('app.vault', true, true, '')", SECRET),
    Danger::new(
        STRINGS,
        "table_to_xml_and_xmlschema",
        "SELECT table_to_xml_and_xmlschema('app.vault', true, true, '')",
        SECRET,
    ),
    Danger::new(STRINGS, "schema_to_xml", "SELECT schema_to_xml('app', true, true, '')", SECRET),
    Danger::new(STRINGS, "database_to_xml", "SELECT database_to_xml(true, true, '')", Harm::Answers),
    Danger::new(STRINGS, "cursor_to_xml", "SELECT cursor_to_xml('kept', 10, true, true, '')", SECRET)
        .after("BEGIN READ ONLY; DECLARE kept CURSOR WITH HOLD FOR SELECT secret FROM app.vault; COMMIT"),
    Danger::new(STRINGS, "ts_stat", "SELECT s.word FROM ts_stat('SELECT to_tsvector(secret) FROM app.vault') AS s", Harm::Tells("opensesam")),
    Danger::new(
        STRINGS,
        "ts_rewrite",
        "SELECT ts_rewrite('a', 'SELECT ''a''::tsquery, plainto_tsquery(secret) FROM app.vault')",
        Harm::Tells("opensesam"),
    ),
    Danger::new(
        STRINGS,
        "crosstab",
        "SELECT c.a FROM crosstab('SELECT secret, secret, secret FROM app.vault') AS c (a text, b text)",
        SECRET,
    )
    .refused("CS0402", "crosstab")
    .with("tablefunc"),
    Danger::new(
        STRINGS,
        "connectby",
        "SELECT c.a FROM connectby('app.vault', 'id', 'above', '1', 0) AS c (a int4, b int4, l int4)",
        Harm::Answers,
    )
    .refused("CS0402", "connectby")
    .with("tablefunc"),
    Danger::new(
        STRINGS,
        "xpath_table",
        "SELECT x.b FROM xpath_table('id', '''<a>'' || secret || ''</a>''', 'app.vault', '/a', 'true') AS x (a int4, b text)",
        SECRET,
    )
    .refused("CS0402", "xpath_table")
    .with("xml2"),
    Danger::new(NETWORK, "dblink", "SELECT d.secret FROM dblink('open', 'SELECT secret FROM app.vault') AS d (secret text)", SECRET)
        .after(CONNECTED)
        .with("dblink"),
    Danger::new(NETWORK, "dblink_connect_u", "SELECT dblink_connect_u('{socket}', 'host={socket} user=postgres dbname=postgres')", Harm::Answers)
        .with("dblink"),
    Danger::new(NETWORK, "dblink_exec", "SELECT dblink_exec('open', 'INSERT INTO app.written VALUES (1)')", Harm::Changes("SELECT count(*) FROM app.written"))
        .after(CONNECTED)
        .with("dblink"),
    Danger::new(NETWORK, "dblink_send_query", "SELECT dblink_send_query('open', 'INSERT INTO app.written VALUES (1)')", Harm::Changes("SELECT count(*) FROM app.written"))
        .after(CONNECTED)
        .with("dblink"),
    relation(NETWORK, "app.remote", "SELECT r.secret FROM app.remote AS r", SECRET).with("postgres_fdw"),
    relation(LOOKS, "app.vault", "SELECT v.secret FROM app.vault AS v", SECRET),
    relation(LOOKS, "app.hidden", "SELECT v.id FROM app.hidden AS v", Harm::Answers),
    Danger::new(LOOKS, "current_setting", "SELECT current_setting('app.password')", SECRET),
    Danger::new(LOOKS, "current_setting with a default", "SELECT current_setting('app.password', true)", SECRET)
        .refused("CS0402", "current_setting"),
    Danger::new(LOOKS, "pg_get_viewdef", "SELECT pg_get_viewdef('app.hidden')", SECRET),
    Danger::new(LOOKS, "pg_get_functiondef", "SELECT pg_get_functiondef(CAST('app.elevated' AS regproc))", Harm::Tells("pg_authid"))
        .refused("CS0403", "regproc"),
    Danger::new(LOOKS, "has_table_privilege", "SELECT has_table_privilege('postgres', 'app.vault', 'SELECT')", Harm::Answers),
    Danger::new(LOOKS, "has_column_privilege", "SELECT has_column_privilege('app.vault', 'secret', 'SELECT')", Harm::Answers),
    Danger::new(LOOKS, "has_function_privilege", "SELECT has_function_privilege('app.elevated()', 'EXECUTE')", Harm::Answers),
    Danger::new(LOOKS, "pg_has_role", "SELECT pg_has_role('keeper', 'MEMBER')", Harm::Answers),
    Danger::new(LOOKS, "row_security_active", "SELECT row_security_active('app.vault')", Harm::Answers),
    Danger::new(LOOKS, "::regclass", "SELECT CAST(CAST('app.vault' AS regclass) AS text)", Harm::Tells("vault"))
        .refused("CS0403", "regclass"),
    Danger::new(LOOKS, "::regrole", "SELECT CAST(CAST('keeper' AS regrole) AS text)", Harm::Tells("keeper"))
        .refused("CS0403", "regrole"),
    Danger::new(LOOKS, "::regproc", "SELECT CAST(CAST('app.elevated' AS regproc) AS text)", Harm::Tells("elevated"))
        .refused("CS0403", "regproc"),
    Danger::new(LOOKS, "::regtype", "SELECT CAST(CAST('app.vault' AS regtype) AS text)", Harm::Tells("vault"))
        .refused("CS0403", "regtype"),
    Danger::new(LOOKS, "to_regclass", "SELECT to_regclass('app.vault')", Harm::Tells("vault")),
    Danger::new(LOOKS, "to_regrole", "SELECT to_regrole('keeper')", Harm::Tells("keeper")),
    Danger::new(LOOKS, "pg_typeof", "SELECT pg_typeof(i.id) FROM app.item AS i", Harm::Answers),
    Danger::new(LOOKS, "pg_relation_size", "SELECT pg_relation_size('app.vault')", Harm::Answers),
    Danger::new(LOOKS, "pg_relation_filepath", "SELECT pg_relation_filepath('app.vault')", Harm::Answers),
    Danger::new(LOOKS, "obj_description", "SELECT coalesce(obj_description(1259, 'pg_class'), 'x')", Harm::Answers),
    Danger::new(LOOKS, "format_type", "SELECT format_type(16, -1)", Harm::Answers),
    Danger::new(LOOKS, "version", "SELECT version()", Harm::Tells("PostgreSQL")),
    Danger::new(LOOKS, "inet_server_port", "SELECT coalesce(inet_server_port(), 1)", Harm::Answers),
    Danger::new(LOOKS, "pg_backend_pid", "SELECT pg_backend_pid()", Harm::Answers),
    Danger::new(LOOKS, "pg_postmaster_start_time", "SELECT pg_postmaster_start_time()", Harm::Answers),
    Danger::new(LOOKS, "pg_stat_get_activity", "SELECT s.query FROM pg_stat_get_activity({watched}) AS s", Harm::Tells("pg_sleep")),
    Danger::new(LOOKS, "pg_show_all_settings", "SELECT s.name FROM pg_show_all_settings() AS s", Harm::Tells("data_directory")),
    Danger::new(LOOKS, "pg_lock_status", "SELECT count(*) FROM pg_lock_status() AS s", Harm::Answers),
    Danger::new(LOOKS, "pg_cursor", "SELECT count(*) FROM pg_cursor() AS s", Harm::Answers),
    Danger::new(LOOKS, "pg_prepared_statement", "SELECT count(*) FROM pg_prepared_statement() AS s", Harm::Answers),
    Danger::new(LOOKS, "currtid2", "SELECT currtid2('app.vault', '(0,1)')", Harm::Answers),
    Danger::new(LOOKS, "pg_prewarm", "SELECT pg_prewarm('app.vault')", Harm::Answers).with("pg_prewarm"),
    Danger::new(LOOKS, "pgrowlocks", "SELECT count(*) FROM pgrowlocks('app.vault') AS r", Harm::Answers).with("pgrowlocks"),
    unseen("pg_catalog.pg_roles", "SELECT r.rolname FROM pg_catalog.pg_roles AS r", Harm::Tells("keeper")),
    unseen("pg_catalog.pg_stats", "SELECT s.most_common_vals FROM pg_catalog.pg_stats AS s WHERE s.tablename = 'vault'", SECRET),
    unseen("pg_catalog.pg_class", "SELECT c.relname FROM pg_catalog.pg_class AS c", Harm::Tells("vault")),
    unseen("pg_catalog.pg_proc", "SELECT p.prosrc FROM pg_catalog.pg_proc AS p", Harm::Tells("pg_authid")),
    unseen("pg_catalog.pg_stat_activity", "SELECT a.query FROM pg_catalog.pg_stat_activity AS a", Harm::Tells("pg_sleep")),
    unseen("pg_catalog.pg_settings", "SELECT s.name FROM pg_catalog.pg_settings AS s", Harm::Tells("data_directory")),
    unseen("pg_catalog.pg_views", "SELECT v.definition FROM pg_catalog.pg_views AS v", SECRET),
    unseen("information_schema.columns", "SELECT c.column_name FROM information_schema.columns AS c WHERE c.table_name = 'vault'", Harm::Tells("secret")),
    unseen("app.counter", "SELECT c.last_value FROM app.counter AS c", Harm::Answers),
    Danger::new(ERRORS, "a cast of what is no number", "SELECT CAST(i.secret AS int4) FROM app.item AS i", Harm::Tells("secret of item"))
        .refused("CS1012", "secret of item"),
    Danger::new(ERRORS, "a cast to a date", "SELECT CAST(i.secret AS date) FROM app.item AS i", Harm::Tells("secret of item"))
        .refused("CS1012", "secret of item"),
    Danger::new(ERRORS, "to_number", "SELECT to_date(i.secret, 'YYYY') FROM app.item AS i", Harm::Tells("secr"))
        .refused("CS1012", "secr"),
    Danger::new(ERRORS, "a regular expression that is none", "SELECT regexp_match('a', i.secret || '(') FROM app.item AS i", Harm::Tells("parentheses"))
        .refused("CS1103", "parentheses"),
    Danger::new(SHADOWED, "a more exact lower(varchar)", "SELECT lower(i.label) FROM app.item AS i WHERE i.id = 1", SECRET)
        .refused("CS0402", "public.lower"),
    Danger::new(SHADOWED, "public.lower by its name", "SELECT public.lower(i.label) FROM app.item AS i WHERE i.id = 1", SECRET)
        .refused("CS0402", "public.lower"),
];
