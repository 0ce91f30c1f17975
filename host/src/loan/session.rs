use std::sync::LazyLock;
use std::time::Duration;

use super::error::LoanError;
use super::lack::IDLE_TIMEOUT;
use super::owner;
use super::pool::PoolSettings;
use super::terms::{LEAST_TIMEOUT, Terms};

const SEARCH_PATH: (&str, &str) = ("search_path", "pg_catalog,pg_temp");

/// What a statement finds set wherever it runs, whatever the role or the database says. The text of a timestamp,
/// interval or float depends on some of these; what a name means depends on others.
const SESSION: &[(&str, &str)] = &[
    SEARCH_PATH,
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO,YMD"),
    ("IntervalStyle", "iso_8601"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    // Otherwise a policy would be an error, as of a statement that is not what was proven.
    ("row_security", "on"),
];

/// The startup options of a session: the user's own first, since the last of a name holds. Being startup options,
/// they are also what RESET goes back to. What the server lacks is left out.
pub(super) fn startup_options(
    own: Option<&str>,
    settings: &PoolSettings,
    read_only: bool,
    lacking: &[&str],
) -> String {
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
        (IDLE_TIMEOUT, settings.idle_in_transaction_timeout),
    ];
    for (name, timeout) in timeouts.into_iter().filter(|(name, _)| !lacking.contains(name)) {
        set(name, &milliseconds(timeout).to_string());
    }
    options.trim_start().to_owned()
}

/// The same for the rest of a block.
static FIXED: LazyLock<String> =
    LazyLock::new(|| SESSION.iter().map(|&setting| set(setting)).collect::<Vec<_>>().join("; "));

fn set((name, value): (&str, &str)) -> String {
    format!("SET LOCAL {name} = {}", listed(value))
}

/// How a block finds out about its [`Owner`](super::owner::Owner), and bounds its statements by what is shorter: the
/// owner's timeouts, or those of the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settings {
    /// By comparing them.
    Compared,
    /// The same, by a statement of the session's that is prepared: [`PREPARE_SETTINGS`]. It also sets what is otherwise than
    /// in [`SESSION`].
    Prepared,
    /// By taking the owner to have none. Where it has one, the block fails before anything runs in it without its bound:
    /// [`Settings::is_refuted_by`] says whether that is why. To parse no comparison saves a third of what a block costs.
    Assumed,
}

impl Settings {
    /// The statements that do so, for the first ones of a block.
    pub fn sql(self, terms: &Terms) -> String {
        let timeouts = terms.timeouts();
        let own = match self {
            Self::Compared => {
                let shorter = |(name, limit)| shorter(name, &format!("'{}'", milliseconds_text(limit)));
                format!("SELECT {}, {}", owner::COLUMNS, timeouts.map(shorter).join(", "))
            }
            Self::Prepared => {
                let value = |(_, limit)| format!("'{}'", milliseconds_text(limit));
                let found = format!("EXECUTE {SETTINGS_NAME} ({})", timeouts.map(value).join(", "));
                return format!("{found}; {}", set(SEARCH_PATH));
            }
            Self::Assumed => {
                // No timeout is a mere zero; any other has a unit, and is no number.
                let none =
                    |(name, _)| format!("CAST(pg_catalog.current_setting('{name}') AS pg_catalog.int2)");
                let none = timeouts.map(none).join(", ");
                let set = |(name, limit)| format!("; SET LOCAL {name} = {limit}");
                let [statement, lock] = timeouts;
                let set = match terms.shortened() {
                    None => [set(statement), set(lock)].concat(),
                    // As a SET, each number would be another statement to the server's statistics.
                    Some(_) => {
                        let (name, limit) = statement;
                        format!(", pg_catalog.set_config('{name}', '{limit}', true){}", set(lock))
                    }
                };
                format!("SELECT {}, {none}{set}", owner::COLUMNS)
            }
        };
        format!("{own}; {}", *FIXED)
    }

    /// Whether the block failed because the owner has a timeout and was assumed to have none.
    pub fn is_refuted_by(self, error: &LoanError) -> bool {
        // invalid_text_representation
        self == Self::Assumed && error.sqlstate() == Some("22P02")
    }
}

/// Has PostgreSQL look for the rest of a block whether the session's client is still there, where it can: on Linux, and by its
/// version 15 elsewhere, too, of which nobody can say where.
pub(super) fn noticing(check_interval: Duration) -> String {
    let name = "client_connection_check_interval";
    format!(
        "SELECT pg_catalog.set_config('{name}', CASE WHEN pg_catalog.strpos(pg_catalog.version(), 'linux') OPERATOR(pg_catalog.>) 0 \
         THEN '{}' ELSE pg_catalog.current_setting('{name}') END, true)",
        milliseconds(check_interval)
    )
}

/// Its text is always the same, so that it matters to nobody which host has prepared it.
const SETTINGS_NAME: &str = "callslip_settings_c6b1f03e";

/// Prepares what [`Settings::Prepared`] runs. It has to be done under the owner's `search_path`: under another one
/// PostgreSQL would analyze it anew each time; so it does not set that itself.
pub(super) static PREPARE_SETTINGS: LazyLock<String> = LazyLock::new(|| {
    let names = Terms::default().timeouts().map(|(name, _)| name);
    let timeouts = [shorter(names[0], "$1"), shorter(names[1], "$2")];
    let others =
        SESSION.iter().filter(|&&setting| setting != SEARCH_PATH).map(|&setting| set_if_other(setting));
    format!(
        "PREPARE {SETTINGS_NAME} (pg_catalog.text, pg_catalog.text) AS SELECT {}, {}",
        owner::COLUMNS,
        timeouts.into_iter().chain(others).collect::<Vec<_>>().join(", ")
    )
});

/// Sets what is otherwise: to compare costs less.
fn set_if_other((name, value): (&str, &str)) -> String {
    let value = listed(value);
    format!(
        "CASE WHEN pg_catalog.current_setting('{name}') OPERATOR(pg_catalog.<>) '{value}' \
         THEN pg_catalog.set_config('{name}', '{value}', true) END"
    )
}

/// A list as PostgreSQL itself writes it.
fn listed(value: &str) -> String {
    value.replace(',', ", ")
}

/// What has the rest of a block remember when it began, by a cursor that goes with it. As with its savepoint, one name serves
/// for all, and nobody else may have it.
pub(super) const REMEMBER_BEGIN: &str = "DECLARE callslip_began_c6b1f03e NO SCROLL CURSOR FOR SELECT 1";

/// Bounds the next statement of a block by what is left of the time that it had at its begin, unless a shorter timeout is in
/// force already.
pub(super) fn bounded_by_rest(of: Duration) -> String {
    let rest = format!(
        "SELECT GREATEST({least}, {of} OPERATOR(pg_catalog.-) CAST(pg_catalog.floor(pg_catalog.date_part('epoch', \
         pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) c.creation_time) OPERATOR(pg_catalog.*) 1000) \
         AS pg_catalog.int8)) OPERATOR(pg_catalog.||) 'ms' AS text FROM pg_catalog.pg_cursors AS c \
         WHERE c.name OPERATOR(pg_catalog.=) 'callslip_began_c6b1f03e'",
        of = milliseconds(of),
        least = milliseconds(LEAST_TIMEOUT),
    );
    format!("SELECT {} FROM ({rest}) AS rest", shorter("statement_timeout", "rest.text"))
}

/// A timeout as text; none as the longest that there can be.
fn milliseconds_text(limit: i32) -> String {
    format!("{}ms", if limit > 0 { limit } else { i32::MAX })
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
    use std::time::Instant;

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
        let options = startup_options(Some(own), &PoolSettings::default(), true, &[]);
        assert!(options.starts_with("-c work_mem=64MB"), "{options}");
        assert!(options.rfind("TimeZone=UTC") > options.rfind("TimeZone=CET"), "{options}");
        assert!(options.contains("-c default_transaction_read_only=on"), "{options}");
        assert!(options.contains("-c statement_timeout=30000"), "{options}");
    }

    #[test]
    fn a_timeout_of_none_leaves_the_owner_s() {
        let terms = Terms { lock_timeout: Duration::ZERO, ..Terms::default() };
        let sql = Settings::Prepared.sql(&terms);
        assert!(
            sql.starts_with(
                "EXECUTE callslip_settings_c6b1f03e ('30000ms', '2147483647ms'); SET LOCAL search_path"
            ),
            "{sql}"
        );
        let sql = Settings::Assumed.sql(&terms);
        assert!(sql.contains("; SET LOCAL statement_timeout = 30000; SET LOCAL lock_timeout = 0; "), "{sql}");
    }

    #[test]
    fn a_time_of_its_own_makes_no_statement_of_its_own() {
        let terms = Terms { deadline: Some(Instant::now()), ..Terms::default() };
        let sql = Settings::Assumed.sql(&terms);
        let set = ", pg_catalog.set_config('statement_timeout', '50', true); SET LOCAL lock_timeout = 2000; ";
        assert!(sql.contains(set) && !sql.contains("SET LOCAL statement_timeout"), "{sql}");
    }
}
