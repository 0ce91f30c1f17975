use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, PluginConfig};
use crate::plugin::{self, Profile, ProfileLimits};

/// What plugins and callers may cost. [`PluginLimitConfig`] says otherwise for one plugin, and [`QueryLimitConfig`] for one
/// query.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitConfig {
    /// The memory of an instance, in MiB; at most 4,096. Default: 16.
    pub memory_mib: usize,
    /// How long a plugin may plan, in milliseconds. Default: 50. To say what queries it has it may take as long, and 200
    /// in any case.
    pub plan_ms: u64,
    /// `[limits.script]`: the same of plugins whose `profile` is `"script"`.
    pub script: ScriptLimitConfig,
    /// How many runs of one plugin's code there are at once; its further calls wait, and other plugins do not. Closed
    /// queries that are proven run none. Default: 1.
    pub runs: usize,
    /// How many runs of a plugin's code fail, in a row or of the last twice as many, before the plugin is suspended: by a
    /// panic, a trap, its time, its memory or an answer that can't be read. At most 1,000. Default: 5.
    pub failures: u32,
    /// How many shapes of a query are proven at load; the rest on first use. Default: 256.
    pub shapes: usize,
    /// How many statements a query may reply with. Default: 16.
    pub statements: usize,
    /// How long a call may take, in milliseconds: all that it waits for, from the pool to its last row. Default: 30,000.
    pub call_ms: u64,
    /// How many rows a call may give. Default: 1,000,000.
    pub rows: u64,
    /// How much a reply may have, in MiB. Default: 1,024.
    pub reply_mib: u64,
    /// How many calls of one plugin run at once. A further one waits as long as for a connection, `pool.wait_ms`. Default: any
    /// number; but where there are several plugins, the calls of one have at most three quarters of the host's own connections
    /// at once, and never all of them if there are two.
    pub calls: Option<usize>,
    /// The highest cost of a statement that is proven, in PostgreSQL's own units, as EXPLAIN has it: of the plan for any
    /// values, when the plugin is loaded, and again when the database has changed. It is an estimate, made of the statistics
    /// of that moment. Default: any cost, which then nobody asks for.
    pub cost: Option<u64>,
    /// For how long the statements of one plugin may keep connections, in milliseconds within a minute; one that has not used
    /// them up has so many at once. What runs already is not stopped by it. Default: any time.
    pub database_ms_per_minute: Option<u64>,
    /// `[limits.per_claim.CLAIM]`: what all calls with one value of this claim may cost together, whatever the plugin.
    pub per_claim: BTreeMap<String, ClaimLimitConfig>,
}

/// `[limits.per_claim.CLAIM]`: what all calls with one value of a claim may cost together. Calls without the claim are those of
/// one more value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLimitConfig {
    /// For how long their statements may keep connections, in milliseconds within a minute.
    pub database_ms_per_minute: u64,
}

/// `[plugins.NAME.limits]`: what holds for one plugin instead of the key of the same name in `[limits]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginLimitConfig {
    /// The memory of an instance, in MiB; no more than all plugins may have.
    pub memory_mib: Option<usize>,
    /// How long it may plan, in milliseconds; no longer than all plugins may.
    pub plan_ms: Option<u64>,
    /// How many shapes of a query are proven at load.
    pub shapes: Option<usize>,
    /// How many statements a query may reply with; no more than of any plugin.
    pub statements: Option<usize>,
    /// How long a call may take, in milliseconds.
    pub call_ms: Option<u64>,
    /// How many rows a call may give.
    pub rows: Option<u64>,
    /// How much a reply may have, in MiB.
    pub reply_mib: Option<u64>,
    /// How many calls of the plugin run at once.
    pub calls: Option<usize>,
    /// The highest cost of a statement.
    pub cost: Option<u64>,
    /// For how long the plugin's statements may keep connections, in milliseconds within a minute.
    pub database_ms_per_minute: Option<u64>,
}

/// `[plugins.NAME.queries.QUERY.limits]`: what holds for one query instead of the key of the same name of its plugin. `calls` and
/// `database_ms_per_minute` are the query's own, and hold beside those of its plugin, of which they are a part.
///
/// An instance's memory and its time are a plugin's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryLimitConfig {
    /// How many of its shapes are proven at load.
    pub shapes: Option<usize>,
    /// How many statements it may reply with; no more than of any plugin.
    pub statements: Option<usize>,
    /// How long a call may take, in milliseconds.
    pub call_ms: Option<u64>,
    /// How many rows a call may give.
    pub rows: Option<u64>,
    /// How much a reply may have, in MiB.
    pub reply_mib: Option<u64>,
    /// How many calls of the query run at once.
    pub calls: Option<usize>,
    /// The highest cost of a statement.
    pub cost: Option<u64>,
    /// For how long the query's statements may keep connections, in milliseconds within a minute.
    pub database_ms_per_minute: Option<u64>,
}

/// What a plugin that carries an interpreter along may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptLimitConfig {
    /// The memory of an instance, in MiB; at most 4,096. Default: 64.
    pub memory_mib: usize,
    /// How long a plugin may plan, in milliseconds. Default: 250. To say what queries it has it may take as long, and a
    /// second in any case.
    pub plan_ms: u64,
}

impl Default for LimitConfig {
    fn default() -> Self {
        let (memory_mib, plan_ms) = of_profile(Profile::Compact);
        Self {
            memory_mib,
            plan_ms,
            script: ScriptLimitConfig::default(),
            runs: 1,
            failures: 5,
            shapes: 256,
            statements: 16,
            call_ms: 30_000,
            rows: 1_000_000,
            reply_mib: 1_024,
            calls: None,
            cost: None,
            database_ms_per_minute: None,
            per_claim: BTreeMap::new(),
        }
    }
}

impl Default for ScriptLimitConfig {
    fn default() -> Self {
        let (memory_mib, plan_ms) = of_profile(Profile::Script);
        Self { memory_mib, plan_ms }
    }
}

/// The memory, in MiB, and the milliseconds of a plan, that a profile has by default.
fn of_profile(profile: Profile) -> (usize, u64) {
    let limits = ProfileLimits::of(profile);
    (limits.memory_bytes >> 20, limits.plan_time.as_millis() as u64)
}

fn set(limits: &mut ProfileLimits, memory_mib: usize, plan_ms: u64) {
    limits.memory_bytes = memory_mib.saturating_mul(1 << 20);
    limits.plan_time = Duration::from_millis(plan_ms);
    limits.manifest_time = limits.manifest_time.max(limits.plan_time);
}

impl LimitConfig {
    /// The limits of an engine that several hosts are to share: see [`HostBuilder::engine`](crate::HostBuilder::engine).
    pub fn plugin(&self) -> plugin::Limits {
        let mut limits = plugin::Limits::default();
        set(&mut limits.compact, self.memory_mib, self.plan_ms);
        set(&mut limits.script, self.script.memory_mib, self.script.plan_ms);
        limits.runs = NonZeroUsize::new(self.runs).unwrap_or(limits.runs);
        limits.failures = self.failures;
        limits.shapes = self.shapes;
        limits.statements = self.statements;
        limits
    }

    /// What holds for a plugin.
    pub(crate) fn of_plugin(&self, plugin: &PluginConfig) -> Self {
        let (memory_mib, plan_ms) = self.of_profile(plugin.profile);
        Self { memory_mib, plan_ms, ..self.clone() }.with(&plugin.limits)
    }

    /// The memory and the milliseconds of a plan of plugins of a profile.
    fn of_profile(&self, profile: Profile) -> (usize, u64) {
        match profile {
            Profile::Compact => (self.memory_mib, self.plan_ms),
            Profile::Script => (self.script.memory_mib, self.script.plan_ms),
        }
    }

    fn with(&self, its: &PluginLimitConfig) -> Self {
        Self {
            memory_mib: its.memory_mib.unwrap_or(self.memory_mib),
            plan_ms: its.plan_ms.unwrap_or(self.plan_ms),
            script: self.script.clone(),
            runs: self.runs,
            failures: self.failures,
            shapes: its.shapes.unwrap_or(self.shapes),
            statements: its.statements.unwrap_or(self.statements),
            call_ms: its.call_ms.unwrap_or(self.call_ms),
            rows: its.rows.unwrap_or(self.rows),
            reply_mib: its.reply_mib.unwrap_or(self.reply_mib),
            calls: its.calls.or(self.calls),
            cost: its.cost.or(self.cost),
            database_ms_per_minute: its.database_ms_per_minute.or(self.database_ms_per_minute),
            per_claim: BTreeMap::new(),
        }
    }

    /// What holds for a query of a plugin for which this does. The calls at once and the time of the database are the query's
    /// own.
    pub(crate) fn of_query(&self, its: &QueryLimitConfig) -> Self {
        let of_plugin = PluginLimitConfig {
            shapes: its.shapes,
            statements: its.statements,
            call_ms: its.call_ms,
            rows: its.rows,
            reply_mib: its.reply_mib,
            cost: its.cost,
            ..PluginLimitConfig::default()
        };
        let (calls, database_ms_per_minute) = (its.calls, its.database_ms_per_minute);
        Self { calls, database_ms_per_minute, ..self.with(&of_plugin) }
    }

    /// Whether each is a limit; `table` is where they are written.
    pub(super) fn check(&self, table: &str) -> Result<(), ConfigError> {
        let numbers = [
            ("memory_mib", Some(self.memory_mib as u64)),
            ("plan_ms", Some(self.plan_ms)),
            ("script.memory_mib", Some(self.script.memory_mib as u64)),
            ("script.plan_ms", Some(self.script.plan_ms)),
            ("runs", Some(self.runs as u64)),
            ("failures", Some(self.failures.into())),
            ("shapes", Some(self.shapes as u64)),
            ("statements", Some(self.statements as u64)),
            ("call_ms", Some(self.call_ms)),
            ("rows", Some(self.rows)),
            ("reply_mib", Some(self.reply_mib)),
            ("calls", self.calls.map(|calls| calls as u64)),
            ("cost", self.cost),
            ("database_ms_per_minute", self.database_ms_per_minute),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == Some(0)) {
            return Err(ConfigError::Zero(format!("{table}.{name}")));
        }
        if self.per_claim.contains_key("") {
            return Err(ConfigError::EmptyLimitClaim(format!("{table}.per_claim")));
        }
        match self.per_claim.iter().find(|(_, its)| its.database_ms_per_minute == 0) {
            Some((claim, _)) => {
                Err(ConfigError::Zero(format!("{table}.per_claim.{claim}.database_ms_per_minute")))
            }
            None => Ok(()),
        }
    }

    /// Whether a plugin's are limits, and no more than the sandbox, which all share, was made for.
    pub(super) fn check_plugin(&self, profile: Profile, all: &Self, table: &str) -> Result<(), ConfigError> {
        self.check(table)?;
        let (memory_mib, plan_ms) = all.of_profile(profile);
        let keys = match profile {
            Profile::Compact => ["memory_mib", "plan_ms"],
            Profile::Script => ["script.memory_mib", "script.plan_ms"],
        };
        let at_most = [
            (keys[0], self.memory_mib as u64, memory_mib as u64),
            (keys[1], self.plan_ms, plan_ms),
            ("statements", self.statements as u64, all.statements as u64),
        ];
        match at_most.into_iter().find(|(_, its, most)| its > most) {
            Some((key, _, most)) => {
                let setting = format!("{table}.{}", key.trim_start_matches("script."));
                Err(ConfigError::MoreThanAll { setting, most, key })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn parse(limits: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!("[plugins.a]\ncomponent = \"a.wasm\"\n{limits}"), Path::new(""))
    }

    #[test]
    fn a_plugin_s_limits_go_before_all_plugins_and_a_query_s_before_its_plugin_s_key_by_key() {
        let config = parse(
            "[limits]\nrows = 10\ncall_ms = 11\ncalls = 12\ncost = 13\ndatabase_ms_per_minute = 14\n\
             [plugins.a.limits]\nrows = 20\ncalls = 22\n\
             [plugins.a.queries.q.limits]\nrows = 30\ncost = 33\nshapes = 34\n",
        );
        let config = config.unwrap();
        let plugin = config.limits.of_plugin(&config.plugins["a"]);
        assert_eq!((plugin.rows, plugin.call_ms, plugin.reply_mib), (20, 11, 1_024));
        assert_eq!(
            (plugin.calls, plugin.cost, plugin.database_ms_per_minute),
            (Some(22), Some(13), Some(14))
        );
        let query = plugin.of_query(&config.plugins["a"].queries["q"].limits);
        assert_eq!((query.rows, query.call_ms, query.cost, query.shapes), (30, 11, Some(33), 34));
        assert_eq!((query.calls, query.database_ms_per_minute), (None, None), "its plugin's hold beside");
    }

    #[test]
    fn what_can_only_fail_is_refused_where_it_is_written() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(error("[limits]\ncost = 0"), "limits.cost must be greater than zero");
        assert_eq!(
            error("[plugins.a.limits]\ncalls = 0"),
            "plugins.a.limits.calls must be greater than zero"
        );
        assert_eq!(
            error("[plugins.a.queries.q.limits]\nrows = 0"),
            "plugins.a.queries.q.limits.rows must be greater than zero"
        );
        assert_eq!(
            error("[limits.per_claim.company]\ndatabase_ms_per_minute = 0"),
            "limits.per_claim.company.database_ms_per_minute must be greater than zero"
        );
        assert_eq!(
            error("[limits.per_claim.\"\"]\ndatabase_ms_per_minute = 1"),
            "limits.per_claim has a claim with an empty name"
        );
        assert_eq!(
            error("[plugins.a.limits]\nmemory_mib = 17"),
            "plugins.a.limits.memory_mib must be at most 16, which all plugins may have: raise limits.memory_mib first"
        );
        let script = error("profile = \"script\"\n[plugins.a.limits]\nmemory_mib = 65");
        assert!(
            script.contains("at most 64") && script.contains("limits.script.memory_mib first"),
            "{script}"
        );
        parse("profile = \"script\"\n[plugins.a.limits]\nmemory_mib = 64").unwrap();
        assert!(error("[plugins.a.queries.q.limits]\nstatements = 17").contains("at most 16"));
        for unknown in ["memory_mib = 1", "plan_ms = 1"] {
            let message = error(&format!("[plugins.a.queries.q.limits]\n{unknown}"));
            assert!(message.contains("line 4") && message.contains("unknown field"), "{message}");
        }
        let message = error("[limits.per_claim.company]\nrows = 1");
        assert!(message.contains("database_ms_per_minute"), "{message}");
    }
}
