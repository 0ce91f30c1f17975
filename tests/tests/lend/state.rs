//! Everything that a loan could leave behind on a session, and a query can see.

use std::collections::BTreeMap;

use tokio_postgres::{Client, SimpleQueryMessage};

/// One line for each thing. The locks of SERIALIZABLE's conflict detection must stay, and are not among them: they are
/// what it remembers of what was read.
pub const STATE: &str = "\
    SELECT 'setting ' || s.name || ' = ' || s.setting || ' of ' || s.source AS line FROM pg_catalog.pg_settings s \
    UNION ALL SELECT 'own setting ' || coalesce(pg_catalog.current_setting('lend.own', true), 'none') \
    UNION ALL SELECT 'role ' || CURRENT_USER || ' of ' || SESSION_USER \
    UNION ALL SELECT 'lock ' || l.locktype || ' ' || coalesce(l.relation::pg_catalog.text, '') || ' ' \
            || coalesce(l.objid::pg_catalog.text, '') || ' ' || l.mode || ' ' || l.granted::pg_catalog.text \
        FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND l.mode <> 'SIReadLock' \
    UNION ALL SELECT 'cursor ' || c.name FROM pg_catalog.pg_cursors c \
    UNION ALL SELECT 'temporary ' || c.relkind::pg_catalog.text || ' ' || c.relname::pg_catalog.text \
        FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() \
    UNION ALL SELECT 'temporary function ' || p.proname::pg_catalog.text \
        FROM pg_catalog.pg_proc p WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() \
    UNION ALL SELECT 'channel ' || pg_catalog.pg_listening_channels() \
    UNION ALL SELECT 'queue ' || pg_catalog.pg_notification_queue_usage()::pg_catalog.text \
    UNION ALL SELECT 'transaction ' \
        || coalesce(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, 'that has not written') \
    ORDER BY 1";

/// What the session has prepared.
const PREPARED: &str = "SELECT s.statement FROM pg_catalog.pg_prepared_statements s ORDER BY 1";

/// The state of a session.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    pub lines: Vec<String>,
    /// How often each text is prepared.
    pub prepared: BTreeMap<String, usize>,
}

impl State {
    /// By the simple protocol, which leaves nothing itself but locks on the catalog: look twice before the first loan.
    pub async fn of(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let mut prepared = BTreeMap::new();
        for text in column(client, PREPARED).await? {
            *prepared.entry(text).or_default() += 1;
        }
        Ok(Self { lines: column(client, STATE).await?, prepared })
    }

    /// What is there now and was not before, and what has gone.
    pub fn difference(&self, before: &[String]) -> Vec<String> {
        let new = self.lines.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
        let gone = before.iter().filter(|line| !self.lines.contains(line)).map(|line| format!("- {line}"));
        let mut all: Vec<String> = gone.chain(new).collect();
        if all.is_empty() && self.lines != before {
            all.push(format!("{} lines instead of {}", self.lines.len(), before.len()));
        }
        all
    }
}

async fn column(client: &Client, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let text = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
        _ => None,
    };
    Ok(client.simple_query(sql).await?.into_iter().filter_map(text).collect())
}
