use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::owner;
use super::pool::PoolSettings;
use super::terms::Terms;

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

/// The same for the rest of the block that it runs in, as one message: with the bounds of these terms, and what it finds
/// of the session's [`Owner`](super::owner::Owner).
pub(super) fn local_settings(terms: &Terms) -> String {
    let mut statements: Vec<String> =
        SESSION.iter().map(|(name, value)| format!("SET LOCAL {name} = {}", listed(value))).collect();
    let mut columns = vec![owner::COLUMNS.to_owned()];
    for (name, limit) in terms.timeouts() {
        if limit > 0 {
            columns.push(shorter(name, &format!("'{limit}ms'")));
        }
    }
    statements.push(format!("SELECT {}", columns.join(", ")));
    statements.join("; ")
}

/// The same as one SELECT, to be prepared once: its parameters are the timeouts that [`timeout_values`] gives.
pub(super) static LOCAL_SETTINGS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let mut columns = vec![owner::COLUMNS.to_owned()];
    for (name, value) in SESSION {
        columns.push(format!("pg_catalog.set_config('{name}', '{}', true)", listed(value)));
    }
    for (position, (name, _)) in Terms::default().timeouts().iter().enumerate() {
        columns.push(shorter(name, &format!("CAST(${} AS pg_catalog.text)", position + 1)));
    }
    format!("SELECT {}", columns.join(", ")).into()
});

/// A list as PostgreSQL itself writes it.
fn listed(value: &str) -> String {
    value.replace(',', ", ")
}

/// The timeouts of these terms, as text.
pub(super) fn timeout_values(terms: &Terms) -> Vec<Option<String>> {
    // What a timeout can't be longer than.
    let text = |(_, limit)| format!("{}ms", if limit > 0 { limit } else { i32::MAX });
    terms.timeouts().map(text).map(Some).to_vec()
}

/// Sets a timeout, unless a shorter one is in force already.
fn shorter(name: &str, limit: &str) -> String {
    let in_force = format!("pg_catalog.current_setting('{name}')");
    // As intervals: the text has a unit.
    let interval = |text: &str| format!("CAST({text} AS pg_catalog.interval)");
    let (is, limited) = (interval(&in_force), interval(limit));
    format!(
        "pg_catalog.set_config('{name}', CASE WHEN {is} OPERATOR(pg_catalog.>) INTERVAL '0' \
         AND {is} OPERATOR(pg_catalog.<) {limited} THEN {in_force} ELSE {limit} END, true)"
    )
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
        let terms = Terms { lock_timeout: Duration::ZERO, ..Terms::default() };
        let settings = local_settings(&terms);
        assert!(
            settings.contains("'statement_timeout'") && !settings.contains("'lock_timeout'"),
            "{settings}"
        );
        assert_eq!(timeout_values(&terms), [Some("30000ms".to_owned()), Some("2147483647ms".to_owned())]);
    }
}
