use callslip::Code;
use callslip::loan::{BoundStatement, Kept, PlanMode, ResultColumn};
use serde_json::Value;
use tokio_postgres::types::Type;

/// What a loan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Rows,
    Large,
    Several,
    Error,
    LateError,
    /// Sleeps, until its timeout where it has a short one.
    Sleep,
    /// Reads a table whose column changes its type now and then.
    Changing,
    Query,
    OpenQuery,
    Trap,
    Panic,
    ErrorInThePlugin,
    ManyRows,
    SlowQuery,
    /// Gives rows, and the last of them late.
    LateQuery,
}

pub const WORK: [Work; 15] = [
    Work::Rows,
    Work::Large,
    Work::Several,
    Work::Error,
    Work::LateError,
    Work::Sleep,
    Work::Changing,
    Work::Query,
    Work::OpenQuery,
    Work::Trap,
    Work::Panic,
    Work::ErrorInThePlugin,
    Work::ManyRows,
    Work::SlowQuery,
    Work::LateQuery,
];

impl Work {
    /// How it may end, beside well, when nobody has asked for more than it: a backend may always be terminated.
    pub fn may_end_with(self, code: Code) -> bool {
        match self {
            _ if code == Code::DatabaseUnavailable => true,
            Self::Error | Self::LateError | Self::ErrorInThePlugin => code == Code::StatementFailed,
            // On a fast machine there are more of these than any plugin may fail with.
            Self::Trap | Self::Panic => matches!(code, Code::PluginTrapped | Code::PluginSuspended),
            Self::Sleep => code == Code::StatementTimeout,
            Self::Changing => code == Code::StaleStatement,
            _ => false,
        }
    }

    pub fn must_fail(self) -> bool {
        matches!(self, Self::Error | Self::LateError | Self::ErrorInThePlugin | Self::Trap | Self::Panic)
    }

    /// The statements, where it is not a query of the plugin's.
    pub fn statements(self) -> Option<Vec<BoundStatement>> {
        let series = |n: u32| {
            format!("SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, {n}) AS g (i)")
        };
        let statements: &[&str] = match self {
            Self::Rows => &["SELECT pg_catalog.count(*) AS n FROM chaos.counted AS c"],
            Self::Large => &[&series(50_000)],
            Self::Several => &[&series(20_000), "SELECT CAST(1 AS int8) AS n", &series(20_000)],
            Self::Error => &["SELECT CAST(1 / 0 AS int8) AS n"],
            Self::LateError => &[
                "SELECT CAST(1 AS int8) AS n",
                "SELECT CAST(1 / (9999 - g.i) AS int8) AS n FROM pg_catalog.generate_series(1, 10000) AS g (i)",
            ],
            Self::Sleep => {
                &["SELECT CAST(pg_catalog.length(CAST(pg_catalog.pg_sleep(0.05) AS text)) AS int8) AS n"]
            }
            Self::Changing => &["SELECT c.n AS n FROM chaos.changing AS c"],
            _ => return None,
        };
        let bound = |sql: &&str| BoundStatement {
            sql: (*sql).into(),
            values: Vec::new(),
            columns: [ResultColumn {
                name: "n".into(),
                type_oid: Type::INT8.oid(),
                type_name: "int8".into(),
                type_modifier: -1,
            }]
            .into(),
            kept: Kept::Always,
            is_single: false,
            plan: PlanMode::Auto,
        };
        Some(statements.iter().map(bound).collect())
    }

    /// The plugin and its query, with a parameter.
    pub fn query(self, number: u64) -> (&'static str, &'static str, &'static str, Value) {
        match self {
            // Something new is proven first, on a connection of the host's own.
            Self::OpenQuery => ("language", "search", "words", format!("engineer {number}").into()),
            Self::Trap => ("language", "search", "words", "abort".into()),
            Self::Panic => ("language", "search", "words", "panic".into()),
            Self::ErrorInThePlugin => ("language", "breaking", "", Value::Null),
            Self::ManyRows => ("language", "ratings", "", Value::Null),
            Self::SlowQuery => ("slow", "sleep", "seconds", 0.05.into()),
            Self::LateQuery => ("slow", "late", "seconds", 0.05.into()),
            _ => ("language", "sorted", "sort", "title".into()),
        }
    }
}
