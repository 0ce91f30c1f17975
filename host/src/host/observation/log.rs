use super::{CallEnded, CallOutcome, Observation, ShapeProven};
use crate::Code;
use crate::catalog::CHANNEL;
use crate::host::load::PluginFinding;
use crate::host::refresh::{Change, PluginChange, RefreshError, Refreshed};

/// Where calls are logged, so that who hears of each call otherwise can leave them out.
const CALLS: &str = "callslip::call";

impl Observation {
    /// Says it in the log.
    pub(super) fn log(&self) {
        match self {
            Self::CallEnded(call) => call.log(),
            Self::ShapeProven(proven) => proven.log(),
            Self::StatementStale { plugin, query, change } => {
                tracing::info!(
                    plugin = &**plugin,
                    query = &**query,
                    "a proven statement is not what it was: {change}"
                );
            }
            Self::Doubted => tracing::warn!(
                "a call met something that is not as it was proven: refresh the host on a connection that is lent \
                 (`Host::refresh_on`)"
            ),
            Self::Refreshed { refreshed: Refreshed { generation, changed: true, .. }, took } => {
                tracing::info!(generation, ?took, "the catalog's generation {generation} is served");
            }
            Self::Refreshed { took, .. } => tracing::debug!(?took, "the database is as it was"),
            Self::RefreshFailed { error, is_repeated, .. } => log_failure(error, *is_repeated),
            Self::RefreshRecovered => tracing::info!("the database can be looked at again"),
            Self::PluginChanged { change, .. } => change.log(),
            Self::NotificationsLost { reason } => tracing::warn!(
                "the database's notifications are not heard, changes are found by polling alone: {reason}"
            ),
            Self::NotificationsRecovered => tracing::info!("listening on the channel {CHANNEL} again"),
            Self::NotificationsUnheard => tracing::info!(
                "behind a pooler that shares sessions notifications are not heard: changes are found by polling alone"
            ),
        }
    }
}

impl CallEnded {
    fn log(&self) {
        let Self { ran_on, waited, planned, first_row, total, rows, bytes, outcome, .. } = self;
        let (plugin, query, shape) = (self.plugin.as_deref(), self.query.as_deref(), self.shape.as_deref());
        let ran_on = ran_on.as_str();
        let CallOutcome::Failed { code, message } = outcome else {
            let outcome = outcome.as_str();
            tracing::debug!(
                target: CALLS, plugin, query, shape, outcome, ran_on, ?waited, ?planned, ?first_row, ?total, rows, bytes,
                "the call has ended"
            );
            return;
        };
        macro_rules! say {
            ($level:ident) => {
                tracing::$level!(
                    target: CALLS, plugin, query, shape, code = code.as_str(), ran_on, ?total, "{message}"
                )
            };
        }
        match code {
            // It may be a fault of the data, which no caller can mend.
            Code::RejectedValue => say!(warn),
            code if code.as_str().starts_with("CS10") => say!(debug),
            _ => say!(error),
        }
    }
}

impl ShapeProven {
    fn log(&self) {
        let (plugin, query, shape) = (&*self.plugin, &*self.query, self.shape.as_deref());
        let took = self.took;
        match self.refused {
            None => tracing::debug!(plugin, query, shape, ?took, "a shape is proven on its first use"),
            // The call says why.
            Some(code) => {
                tracing::debug!(plugin, query, code = code.as_str(), ?took, "a shape does not prove");
            }
        }
    }
}

/// Said once of each kind, until the host can look again.
fn log_failure(error: &RefreshError, is_repeated: bool) {
    let code = error.code().as_str();
    match is_repeated {
        true => tracing::debug!(code, "the catalog can't be refreshed: {error}"),
        false => {
            tracing::error!(code, "the catalog can't be refreshed, what was served is served on: {error}");
        }
    }
}

impl PluginChange {
    fn log(&self) {
        let plugin = self.plugin.as_str();
        match &self.change {
            Change::NewVersion { warnings, .. } => {
                tracing::info!(plugin, "{}", self.change);
                warnings.iter().for_each(|warning| warning.log_as_warning(plugin));
            }
            Change::Healthy | Change::Withdrawn => tracing::info!(plugin, "{}", self.change),
            Change::Degraded(refusal) => {
                tracing::error!(plugin, "{}", self.change);
                refusal.findings.iter().for_each(|finding| finding.log_as_error(plugin));
            }
            Change::Waiting(refusal) => {
                tracing::warn!(plugin, "{}", self.change);
                refusal.findings.iter().for_each(|finding| finding.log_as_warning(plugin));
            }
        }
    }
}

impl PluginFinding {
    /// Says it in the log: for its plugin, the reason to be refused.
    pub(crate) fn log_as_error(&self, plugin: &str) {
        tracing::error!(plugin, query = self.query.as_deref().unwrap_or_default(), "{}", self.finding);
    }

    /// The same of what a plugin is only warned of, or has to mend before its new version is served.
    pub(crate) fn log_as_warning(&self, plugin: &str) {
        tracing::warn!(plugin, query = self.query.as_deref().unwrap_or_default(), "{}", self.finding);
    }
}
