//! What takes time, locks, or the sessions of others.

use super::{Danger, Harm};

const WAITS: &str = "waits and locks";
const ENDS: &str = "ends the sessions of others";
const EXPLODES: &str = "explosion";
const SLOW: &str = "slow to interrupt";

const VICTIMS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active'";

/// What no timeout ends while it works. It is smaller here than it could be, so that twins end.
const fn unstoppable(name: &'static str, sql: &'static str) -> Danger {
    Danger::new("can't be interrupted", name, sql, Harm::Outlasts).refused("CS0209", "can't interrupt")
}

/// The rows.
pub const ROWS: &[Danger] = &[
    Danger::new(WAITS, "pg_sleep", "SELECT pg_sleep(20)", Harm::Holds(1000)),
    Danger::new(WAITS, "pg_sleep_for", "SELECT pg_sleep_for('20 s')", Harm::Holds(1000)),
    Danger::new(WAITS, "pg_sleep_until", "SELECT pg_sleep_until('2999-01-01 00:00+00')", Harm::Holds(1000)),
    Danger::new(WAITS, "pg_advisory_lock", "SELECT pg_advisory_lock(1)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1")),
    Danger::new(WAITS, "pg_advisory_lock_shared", "SELECT pg_advisory_lock_shared(2)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2")),
    Danger::new(WAITS, "pg_try_advisory_lock", "SELECT pg_try_advisory_lock(3)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3")),
    Danger::new(WAITS, "pg_try_advisory_lock_shared", "SELECT pg_try_advisory_lock_shared(4)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4")),
    Danger::new(WAITS, "pg_advisory_xact_lock", "SELECT pg_advisory_xact_lock(5)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5")),
    Danger::new(WAITS, "pg_advisory_xact_lock_shared", "SELECT pg_advisory_xact_lock_shared(6)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 6")),
    Danger::new(WAITS, "pg_try_advisory_xact_lock", "SELECT pg_try_advisory_xact_lock(7)", Harm::Locks("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7")),
    Danger::new(WAITS, "pg_advisory_unlock_all", "SELECT pg_advisory_unlock_all()", Harm::Answers),
    Danger::new(WAITS, "pg_advisory_unlock", "SELECT pg_advisory_unlock(1)", Harm::Answers),
    Danger::new(WAITS, "pg_export_snapshot", "SELECT pg_export_snapshot()", Harm::Answers),
    Danger::new(ENDS, "pg_cancel_backend", "SELECT pg_cancel_backend({cancelled})", Harm::Changes(VICTIMS)),
    Danger::new(ENDS, "pg_terminate_backend", "SELECT pg_terminate_backend({ended})", Harm::Changes(VICTIMS)),
    Danger::new(
        EXPLODES,
        "generate_series",
        "SELECT count(*) FROM generate_series(1, 2000000000) AS n",
        Harm::Holds(1000),
    )
    .refused("CS1104", ""),
    Danger::new(
        EXPLODES,
        "a recursive CTE",
        "WITH RECURSIVE cte_n (n) AS (SELECT 1 AS n UNION ALL SELECT c.n FROM cte_n AS c) SELECT count(*) FROM cte_n AS c",
        Harm::Holds(1000),
    )
    .refused("CS1104", ""),
    Danger::new(
        EXPLODES,
        "cross joins",
        "SELECT count(*) FROM app.item AS a, app.item AS b, app.item AS c, app.item AS d, app.item AS e",
        Harm::Holds(1000),
    )
    .refused("CS1104", ""),
Danger::new(
        SLOW,
        "array_fill",
        "SELECT cardinality(array_fill(1, ARRAY[120000000]))",
        Harm::Outlasts,
    ),
    Danger::new(
        SLOW,
        "format with a width",
        "SELECT length(format('%200000000s', ''))",
        Harm::Outlasts,
    )
    .refused("CS0314", "asks for a width"),
    Danger::new(SLOW, "repeat", "SELECT length(repeat('x', 1000000000))", Harm::Answers),
    Danger::new(SLOW, "lpad", "SELECT length(lpad('x', 200000000))", Harm::Answers),
    unstoppable("array @>", "SELECT array_agg(n.n) @> array_agg(n.n) FROM generate_series(1, 70000) AS n (n)"),
    unstoppable(
        "array &&",
        "SELECT array_agg(n.n) && array_agg(0 - n.n) FROM generate_series(1, 70000) AS n (n)",
    ),
    unstoppable("jsonb @>", "SELECT jsonb_agg(n.n) @> jsonb_agg(n.n) FROM generate_series(1, 30000) AS n (n)"),
    unstoppable("text to jsonb", "SELECT jsonb_typeof(CAST(format('%300000000s1', '') AS jsonb))"),
    unstoppable("strpos", "SELECT strpos(format('%600000s', ''), 'x' || format('%30000s', ''))"),
    unstoppable("replace", "SELECT length(replace(format('%600000s', ''), 'x' || format('%30000s', ''), ''))"),
    unstoppable("translate", "SELECT length(translate(format('%50000s', ''), replace(format('%30000s', ''), ' ', 'x'), ''))"),
    unstoppable(
        "btrim",
        "SELECT length(btrim(format('%50000s', ''), replace(format('%60000s', ''), ' ', 'x') || ' '))",
    ),
    unstoppable("LIKE", "SELECT format('%150000s', '') LIKE '%' || format('%30000s', '') || 'x%'"),
    unstoppable(
        "path <-> path",
        "SELECT CAST(replace(format('(%6000s(0,0))', ''), ' ', '(1,1),') AS path) <->
                CAST(replace(format('(%6000s(5,5))', ''), ' ', '(0,9),') AS path)",
    ),
];
