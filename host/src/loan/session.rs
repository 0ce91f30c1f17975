use std::time::Duration;

use super::pool::PoolSettings;

/// What a statement finds set wherever it runs, whatever the role or the database says. The text of a timestamp,
/// interval or float depends on some of these; what a name means depends on others.
const SESSION: &[(&str, &str)] = &[
    ("search_path", "pg_catalog,pg_temp"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO,YMD"),
    ("IntervalStyle", "iso_8601"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
];

/// The startup options of a session: the user's own first, since the last of a name holds. Being startup options,
/// they are also what RESET goes back to.
pub(super) fn startup_options(own: Option<&str>, settings: &PoolSettings, read_only: bool) -> String {
    let mut options = own.unwrap_or_default().to_owned();
    let mut set = |name: &str, value: &str| options.push_str(&format!(" -c {name}={value}"));
    for (name, value) in SESSION {
        set(name, value);
    }
    if read_only {
        set("default_transaction_read_only", "on");
    }
    let timeouts = [
        ("statement_timeout", settings.statement_timeout),
        ("lock_timeout", settings.lock_timeout),
        ("idle_in_transaction_session_timeout", settings.idle_in_transaction_timeout),
    ];
    for (name, timeout) in timeouts {
        set(name, &milliseconds(timeout).to_string());
    }
    options.trim_start().to_owned()
}

/// A SELECT that sets the same for the rest of the transaction or savepoint that it runs in. Of the timeouts, a
/// shorter one that is in force already stays.
pub(super) fn local_settings(settings: &PoolSettings) -> String {
    let mut calls: Vec<String> = SESSION
        .iter()
        .map(|(name, value)| format!("pg_catalog.set_config('{name}', '{value}', true)"))
        .collect();
    let timeouts =
        [("statement_timeout", settings.statement_timeout), ("lock_timeout", settings.lock_timeout)];
    for (name, timeout) in timeouts.into_iter().filter(|(_, timeout)| !timeout.is_zero()) {
        let limit = milliseconds(timeout);
        let in_force = format!("pg_catalog.current_setting('{name}')");
        // As intervals: the text has a unit.
        let interval = format!("CAST({in_force} AS pg_catalog.interval)");
        calls.push(format!(
            "pg_catalog.set_config('{name}', CASE WHEN {interval} OPERATOR(pg_catalog.>) INTERVAL '0' \
             AND {interval} OPERATOR(pg_catalog.<) INTERVAL '{limit}ms' THEN {in_force} ELSE '{limit}ms' END, true)"
        ));
    }
    format!("SELECT {}", calls.join(", "))
}

/// A timeout as PostgreSQL counts it: rounded up, since zero would be none.
pub(super) fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_rounded_up_and_fits() {
        let milliseconds = |nanos| milliseconds(Duration::from_nanos(nanos));
        assert_eq!(milliseconds(0), 0);
        assert_eq!(milliseconds(1), 1);
        assert_eq!(milliseconds(1_000_001), 2);
        assert_eq!(milliseconds(u64::MAX), i32::MAX);
    }

    #[test]
    fn the_host_s_options_come_after_the_user_s_own() {
        let own = "-c work_mem=64MB -c TimeZone=CET";
        let options = startup_options(Some(own), &PoolSettings::default(), true);
        assert!(options.starts_with("-c work_mem=64MB"), "{options}");
        assert!(options.rfind("TimeZone=UTC") > options.rfind("TimeZone=CET"), "{options}");
        assert!(options.contains("-c default_transaction_read_only=on"), "{options}");
        assert!(options.contains("-c statement_timeout=30000"), "{options}");
    }

    #[test]
    fn a_timeout_of_none_leaves_the_owner_s() {
        let settings = PoolSettings { lock_timeout: Duration::ZERO, ..PoolSettings::default() };
        let select = local_settings(&settings);
        assert!(select.contains("'statement_timeout'") && !select.contains("'lock_timeout'"), "{select}");
    }
}
