//! What is reflected, against what the safety of the host rests on.

use callslip::catalog::INSTALL_NOTIFY;
use callslip::grants::builtin;
use callslip_tests::Database;

use crate::command::callslip;

#[test]
fn what_is_dangerous_is_not_built_in() {
    // From the tables of what a mere SELECT can do: writes, waits, locks, files, settings, SQL in strings, the catalog.
    let dangerous = [
        "lo_create",
        "lo_creat",
        "lo_from_bytea",
        "lo_export",
        "lo_import",
        "lo_get",
        "nextval",
        "setval",
        "currval",
        "pg_logical_emit_message",
        "txid_current",
        "pg_current_xact_id",
        "pg_notify",
        "pg_file_write",
        "pg_read_file",
        "pg_read_binary_file",
        "pg_ls_dir",
        "pg_stat_file",
        "pg_sleep",
        "pg_sleep_for",
        "pg_sleep_until",
        "pg_advisory_lock",
        "pg_advisory_xact_lock",
        "pg_try_advisory_lock",
        "pg_cancel_backend",
        "pg_terminate_backend",
        "pg_reload_conf",
        "pg_switch_wal",
        "pg_stat_reset",
        "set_config",
        "current_setting",
        "query_to_xml",
        "query_to_xml_and_xmlschema",
        "table_to_xml",
        "schema_to_xml",
        "database_to_xml",
        "cursor_to_xml",
        "ts_stat",
        "ts_rewrite",
        "dblink",
        "crosstab",
        "connectby",
        "xpath_table",
        "pg_get_viewdef",
        "pg_get_functiondef",
        "has_table_privilege",
        "to_regclass",
        "to_regproc",
        "currtid2",
        "pg_prewarm",
        "array_fill",
        "repeat",
        "lpad",
        "rpad",
        "random",
        "gen_random_uuid",
        "clock_timestamp",
        "version",
        "inet_server_addr",
        "pg_backend_pid",
        "pg_relation_size",
        "pg_database_size",
        "obj_description",
        "col_description",
        "pg_typeof",
        "row_security_active",
    ];
    for name in dangerous {
        assert!(builtin::function_names().binary_search(&name).is_err(), "{name} is built in");
    }
}

#[tokio::test]
async fn the_notifying_triggers_are_printed_installed_and_removed() {
    let database = Database::new(&[]).await;
    let client = database.owner().await;
    let triggers = || async {
        let sql = "SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'callslip%'";
        client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let run = |arguments: &[&str]| {
        let output = callslip().args(["catalog", "install-notify"]).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };

    let (code, sql, _) = run(&[]);
    assert_eq!((code, sql.as_str()), (Some(0), INSTALL_NOTIFY));
    assert_eq!(triggers().await, 0, "printing changes nothing");
    client.batch_execute(&sql).await.unwrap();
    assert_eq!(triggers().await, 2);

    let (code, _, error) = run(&["--remove", "--admin-url", &database.owner_url()]);
    assert_eq!((code, triggers().await), (Some(0), 0), "{error}");
    let (code, said, error) = run(&["--admin-url", &database.owner_url()]);
    assert_eq!((code, triggers().await), (Some(0), 2), "{error}");
    assert!(said.contains("tells of every change of its schema"), "{said}");

    let (code, said, error) = run(&["--admin-url", ""]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(error.contains("CALLSLIP_ADMIN_URL"), "{error}");

    // Whoever is no superuser changes nothing.
    let (code, _, error) = run(&["--remove", "--admin-url", &database.url()]);
    assert_eq!((code, triggers().await), (Some(1), 2));
    assert!(error.contains("superuser") && error.contains("nothing was changed"), "{error}");
}
