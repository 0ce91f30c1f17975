use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::ReloadError;
use crate::{Change, Code, PluginChange, PluginFinding, RefreshError, Refusal};

/// What came of a reload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reloaded {
    /// The plugins by which callers might lose what they have.
    pub forced: BTreeSet<String>,
    /// When it began.
    pub at: SystemTime,
    /// How long it took, without its wait for the one before it.
    pub took: Duration,
    /// Whether the configuration is another one than before, or a file of secrets that it names, and is served.
    pub reconfigured: bool,
    /// Why the configuration is refused; what was served is served on.
    pub refused: Option<Arc<ReloadError>>,
    /// What became of plugins. Of those that are not named nothing has changed.
    pub plugins: Vec<PluginChange>,
    /// The databases whose plugins could not be looked at, by name, and why not.
    pub failed: BTreeMap<String, Arc<RefreshError>>,
    /// Why new versions of plugins are not served, also those that waited before.
    pub waiting: Vec<Refusal>,
    /// The settings that are others now and take a restart.
    pub restart: Vec<&'static str>,
}

impl Reloaded {
    pub(super) fn new(forced: BTreeSet<String>) -> Self {
        Self {
            forced,
            at: SystemTime::now(),
            took: Duration::ZERO,
            reconfigured: false,
            refused: None,
            plugins: Vec::new(),
            failed: BTreeMap::new(),
            waiting: Vec::new(),
            restart: Vec::new(),
        }
    }

    /// Whether something else is served than before.
    pub fn is_changed(&self) -> bool {
        let is_served = |its: &PluginChange| !matches!(its.change, Change::Waiting(_) | Change::Withdrawn);
        self.reconfigured || self.plugins.iter().any(is_served)
    }

    /// Whether it is worth another try, without anybody changing anything but the database.
    pub fn is_owed(&self) -> bool {
        !self.failed.is_empty() || self.refused.as_ref().is_some_and(|error| error.is_passing())
    }

    /// How it went, as HTTP tells it: 200, or 409 where callers would lose something and it was not forced, 422 where something
    /// can't be used or does not prove, and 503 where a database could not be asked.
    pub fn status(&self) -> StatusCode {
        let loses = |refusal: &Refusal| {
            refusal.findings.iter().all(|found| found.finding.code == Code::ReloadRefused)
        };
        let is_added_in_part = |its: &PluginChange| {
            matches!(&its.change, Change::Added { refusal: Some(_), .. } | Change::Degraded(_))
        };
        match self.refused.as_deref() {
            _ if self.is_owed() => StatusCode::SERVICE_UNAVAILABLE,
            Some(ReloadError::Loses(_)) => StatusCode::CONFLICT,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None if self.plugins.iter().any(is_added_in_part) => StatusCode::UNPROCESSABLE_ENTITY,
            None if self.waiting.is_empty() => StatusCode::OK,
            None if self.waiting.iter().all(loses) => StatusCode::CONFLICT,
            None => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// A word for how it went: `changed`, `unchanged`, `refused` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self.refused {
            _ if self.is_owed() => "failed",
            Some(_) => "refused",
            None if self.status() != StatusCode::OK => "refused",
            None if self.is_changed() => "changed",
            None => "unchanged",
        }
    }

    /// Says in the log what the hosts have not said themselves.
    pub(super) fn log(&self) {
        if let Some(error) = &self.refused {
            let code = error.code().as_str();
            tracing::error!(code, "the configuration is refused, what was served is served on: {error}");
            if let ReloadError::Loses(losses) = &**error {
                for refusal in losses {
                    refusal.findings.iter().for_each(|finding| finding.log_as_error(&refusal.plugin));
                }
            }
        }
        for setting in &self.restart {
            tracing::warn!("{setting} is another one now: it takes a restart");
        }
        match self.reconfigured {
            _ if self.refused.is_some() || !self.failed.is_empty() => {}
            true => tracing::info!(took = ?self.took, "the configuration is served as it is now"),
            false if self.plugins.is_empty() => tracing::info!("nothing has changed"),
            false => {}
        }
    }

    /// The same as JSON, for those who administrate the server.
    pub fn json(&self) -> Value {
        let change = |its: &PluginChange| {
            let swap = match &its.change {
                Change::NewVersion { swap, .. } => swap.as_ref().map(ToString::to_string),
                Change::Reconfigured { swap } => Some(swap.to_string()),
                _ => None,
            };
            json!({ "plugin": its.plugin, "change": its.change.to_string(), "swap": swap })
        };
        let failed = self.failed.iter().map(|(database, error)| {
            (database.clone(), json!({ "code": error.code().as_str(), "detail": error.to_string() }))
        });
        let refused = self.refused.as_ref().map(|error| {
            let losses = match &**error {
                ReloadError::Loses(losses) => losses.as_slice(),
                _ => &[],
            };
            json!({ "code": error.code().as_str(), "detail": error.to_string(), "plugins": refusals(losses) })
        });
        json!({
            "outcome": self.as_str(),
            "forced": self.forced,
            "reconfigured": self.reconfigured,
            "refused": refused,
            "plugins": self.plugins.iter().map(change).collect::<Vec<_>>(),
            "waiting": refusals(&self.waiting),
            "failed": failed.collect::<serde_json::Map<_, _>>(),
            "restart": self.restart,
            "took_ms": self.took.as_millis() as u64,
        })
    }
}

fn refusals(refusals: &[Refusal]) -> Value {
    let each = refusals
        .iter()
        .map(|refusal| (refusal.plugin.clone(), json!({ "findings": findings(&refusal.findings) })));
    Value::Object(each.collect())
}

/// Findings as JSON.
pub(in crate::service) fn findings(findings: &[PluginFinding]) -> Vec<Value> {
    let json = |found: &PluginFinding| {
        let finding = &found.finding;
        let place =
            finding.place.as_ref().map(|place| format!("{}:{}:{}", place.file, place.line, place.column));
        json!({
            "query": found.query,
            "code": finding.code.as_str(),
            "message": finding.message,
            "help": finding.help,
            "place": place,
        })
    };
    findings.iter().map(json).collect()
}
