//! What writes: to the database, to the server, to its files.

use super::{Danger, Harm};

const BLOCKED: &str = "what READ ONLY blocks";
const WRITES: &str = "writes that READ ONLY lets pass";
const SERVER: &str = "writes of the server";
const FILES: &str = "files";

const COUNTER: &str = "SELECT last_value, is_called FROM app.counter";
const WRITTEN: &str = "SELECT count(*) FROM app.written";
const LARGE_OBJECTS: &str = "SELECT count(*) FROM pg_largeobject_metadata";
const MESSAGES: &str = "SELECT count(*) FROM pg_logical_slot_peek_binary_changes('seen', NULL, NULL, 'proto_version', '1', \
    'publication_names', 'nothing', 'messages', 'true') WHERE get_byte(data, 0) = 77";
const LOG_FILE: &str = "SELECT pg_walfile_name(pg_current_wal_insert_lsn())";
const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";
const FILE: &str = "SELECT coalesce((SELECT string_agg(name, ',') FROM pg_ls_dir('.') AS name WHERE name LIKE 'attacked%'), 'none')";

/// The rows.
pub const ROWS: &[Danger] = &[
    Danger::new(BLOCKED, "nextval", "SELECT nextval('app.counter')", Harm::Blocked(COUNTER)),
    Danger::new(BLOCKED, "setval", "SELECT setval('app.counter', 77)", Harm::Blocked(COUNTER)),
    Danger::new(
        BLOCKED,
        "a writing function that says IMMUTABLE",
        "SELECT app.mislabelled()",
        Harm::Blocked(WRITTEN),
    )
    .refused("CS0402", "mislabelled"),
    Danger::new(WRITES, "lo_put", "SELECT lo_put(4711, 0, 'x')", Harm::Changes("SELECT lo_get(4711)")),
    Danger::new(WRITES, "lo_create", "SELECT lo_create(0)", Harm::Changes(LARGE_OBJECTS)),
    Danger::new(WRITES, "lo_creat", "SELECT lo_creat(-1)", Harm::Changes(LARGE_OBJECTS)),
    Danger::new(WRITES, "lo_from_bytea", "SELECT lo_from_bytea(0, 'x')", Harm::Changes(LARGE_OBJECTS)),
    Danger::new(WRITES, "INSERT into a temporary table", "SELECT app.into_temp()", Harm::Answers)
        .refused("CS0402", "into_temp")
        .after("CREATE TEMPORARY TABLE kept (n int)"),
    Danger::new(
        WRITES,
        "pg_logical_emit_message",
        "SELECT pg_logical_emit_message(false, 'attack', 'written')",
        Harm::Changes(MESSAGES),
    ),
    Danger::new(
        WRITES,
        "txid_current",
        "SELECT txid_current()",
        Harm::Changes("SELECT pg_snapshot_xmax(pg_current_snapshot())"),
    ),
    Danger::new(
        WRITES,
        "pg_current_xact_id",
        "SELECT pg_current_xact_id()",
        Harm::Changes("SELECT pg_snapshot_xmax(pg_current_snapshot())"),
    ),
    Danger::new(WRITES, "pg_notify", "SELECT pg_notify('heard', 'x')", Harm::Notifies("heard")),
    Danger::new(
        SERVER,
        "pg_create_physical_replication_slot",
        "SELECT s.slot_name FROM pg_create_physical_replication_slot('physical') AS s",
        Harm::Changes(SLOTS),
    )
    .by("replicator"),
    Danger::new(
        SERVER,
        "pg_create_logical_replication_slot",
        "SELECT s.slot_name FROM pg_create_logical_replication_slot('logical', 'pgoutput') AS s",
        Harm::Changes(SLOTS),
    )
    .by("replicator"),
    Danger::new(
        SERVER,
        "pg_drop_replication_slot",
        "SELECT pg_drop_replication_slot('kept')",
        Harm::Changes(SLOTS),
    )
    .by("replicator")
    .after("SELECT pg_create_physical_replication_slot('kept')"),
    Danger::new(SERVER, "pg_switch_wal", "SELECT pg_switch_wal()", Harm::Changes(LOG_FILE))
        .after("SELECT txid_current()"),
    Danger::new(SERVER, "pg_create_restore_point", "SELECT pg_create_restore_point('attack')", Harm::Answers),
    Danger::new(
        SERVER,
        "pg_stat_reset",
        "SELECT pg_stat_reset()",
        Harm::Changes("SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()"),
    ),
    Danger::new(
        SERVER,
        "pg_stat_reset_shared",
        "SELECT pg_stat_reset_shared('bgwriter')",
        Harm::Changes("SELECT stats_reset FROM pg_stat_bgwriter"),
    ),
    Danger::new(SERVER, "pg_rotate_logfile", "SELECT pg_rotate_logfile()", Harm::Answers),
    Danger::new(
        SERVER,
        "pg_reload_conf",
        "SELECT pg_reload_conf()",
        Harm::Changes("SELECT pg_conf_load_time()"),
    ),
    Danger::new(
        SERVER,
        "gin_clean_pending_list",
        "SELECT gin_clean_pending_list('app.words')",
        Harm::Answers,
    ),
    Danger::new(
        SERVER,
        "brin_summarize_new_values",
        "SELECT brin_summarize_new_values('app.ranges')",
        Harm::Answers,
    ),
    Danger::new(FILES, "lo_export", "SELECT lo_export(4711, 'attacked-export')", Harm::Changes(FILE)),
    Danger::new(
        FILES,
        "pg_file_write",
        "SELECT pg_file_write('attacked-written', 'x', false)",
        Harm::Changes(FILE),
    )
    .refused("CS0402", "pg_file_write")
    .with("adminpack"),
    Danger::new(FILES, "COPY TO in a function", "SELECT app.copies()", Harm::Changes(FILE))
        .refused("CS0402", "copies"),
    Danger::new(FILES, "pg_read_file", "SELECT pg_read_file('PG_VERSION')", Harm::Answers),
    Danger::new(FILES, "pg_read_binary_file", "SELECT pg_read_binary_file('PG_VERSION')", Harm::Answers),
    Danger::new(FILES, "pg_ls_dir", "SELECT pg_ls_dir('.')", Harm::Tells("pg_wal")),
    Danger::new(FILES, "pg_ls_logdir", "SELECT f.name FROM pg_ls_waldir() AS f", Harm::Answers)
        .refused("CS0402", "pg_ls_waldir"),
    Danger::new(FILES, "pg_ls_tmpdir", "SELECT count(*) FROM pg_ls_tmpdir() AS f", Harm::Answers),
    Danger::new(FILES, "pg_stat_file", "SELECT f.size FROM pg_stat_file('PG_VERSION') AS f", Harm::Answers),
    Danger::new(FILES, "lo_import", "SELECT lo_import('PG_VERSION')", Harm::Changes(LARGE_OBJECTS)),
    Danger::new(FILES, "pg_current_logfile", "SELECT coalesce(pg_current_logfile(), 'x')", Harm::Answers),
    Danger::new(FILES, "pg_hba_file_rules", "SELECT count(*) FROM pg_hba_file_rules() AS f", Harm::Answers),
    Danger::new(FILES, "lo_get", "SELECT lo_get(4711)", Harm::Answers),
    Danger::new(FILES, "loread", "SELECT loread(lo_open(4711, 262144), 10)", Harm::Answers),
];
