use super::{CallEnded, CallOutcome, Observation, RequestEnded, ShapeProven, TraceContext};
use crate::Code;
use crate::catalog::CHANNEL;
use crate::host::load::PluginFinding;
use crate::host::refresh::{Change, PluginChange, RefreshError, Refreshed};

/// Where it is logged why calls fail, so that who hears of each call otherwise can leave that out.
const CALLS: &str = "callslip::call";

/// Where each call is logged, so that it can be kept apart from the rest, or left out.
const AUDIT: &str = "callslip::audit";

impl Observation {
    /// Says it in the log.
    pub(super) fn log(&self) {
        match self {
            Self::CallEnded(call) => call.log(),
            Self::RequestEnded(request) => request.log(),
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
            Self::PluginSuspended { plugin, digest, time } => tracing::error!(
                plugin = &**plugin,
                code = Code::PluginSuspended.as_str(),
                %digest,
                "the plugin is suspended for {} s, since too many of its runs failed; queries that are proven are served",
                time.as_secs()
            ),
            Self::PluginResumed { plugin, digest } => {
                tracing::info!(plugin = &**plugin, %digest, "the plugin is run again");
            }
            Self::NotificationsLost { reason } => tracing::warn!(
                "the database's notifications are not heard, changes are found by polling alone: {reason}"
            ),
            Self::NotificationsRecovered => tracing::info!("listening on the channel {CHANNEL} again"),
            Self::NotificationsUnheard => tracing::info!(
                "behind a pooler that shares sessions notifications are not heard: changes are found by polling alone"
            ),
            Self::ReplicaServes { replica } => {
                tracing::info!(replica = &**replica, "calls are read from the replica");
            }
            Self::ReplicaRests { replica, reason } => {
                tracing::warn!(replica = &**replica, "calls are not read from the replica: {reason}");
            }
        }
    }
}

impl CallEnded {
    /// Once for every call what came of it, whatever that was; and why it has failed, if it has, by itself: that may hold data, and
    /// may be of no interest to who counts calls.
    fn log(&self) {
        let Self { id, ran_on, waited, planned, executed, first_row, total, rows, bytes, outcome, .. } = self;
        let (plugin, query, shape) = (&*self.called_plugin, &*self.called_query, self.shape.as_deref());
        let (caller, ran_on, replica) = (self.caller.as_deref(), ran_on.as_str(), self.replica.as_deref());
        let digest = self.digest.map(tracing::field::display);
        let trace_id = self.trace.as_ref().map(trace_id);
        if !self.absent_claims.is_empty() {
            let absent = self.absent_claims.join(", ");
            tracing::info!(
                target: CALLS, %id, plugin, query, shape,
                "no row passes the row filters that read claims which the caller does not have: {absent}"
            );
        }
        tracing::info!(
            target: AUDIT, %id, caller, plugin, digest, query, shape, rows, bytes, ?total, ?waited, ?planned, ?executed, ?first_row,
            ran_on, replica, outcome = outcome.as_str(), trace_id, "a call has ended"
        );
        let CallOutcome::Failed { code, message } = outcome else { return };
        macro_rules! say {
            ($level:ident) => {
                tracing::$level!(target: CALLS, %id, plugin, query, shape, code = code.as_str(), trace_id, "{message}")
            };
        }
        match code {
            // It may be a fault of the data, which no caller can mend.
            Code::RejectedValue => say!(warn),
            // Whoever is refused when much is asked for must not fill the log, too.
            Code::TooManyCalls => say!(debug),
            code if code.as_str().starts_with("CS10") => say!(debug),
            _ => say!(error),
        }
    }
}

/// Where each request is logged. What became of its call is in the audit.
const REQUESTS: &str = "callslip::request";

impl RequestEnded {
    fn log(&self) {
        if !tracing::enabled!(target: REQUESTS, tracing::Level::DEBUG) {
            return;
        }
        let Self { method, path, status, format, is_whole, bytes, total, read, .. } = self;
        let peer = self.peer.map(|peer| peer.to_string());
        let peer = peer.as_deref();
        let trace_id = self.trace.as_ref().map(trace_id);
        let id = self.id.map(tracing::field::display);
        tracing::debug!(
            target: REQUESTS, id, peer, method, path, status, format, is_whole, bytes, ?total, ?read, trace_id,
            "a request has ended"
        );
    }
}

/// What a log finds a trace by, as OpenTelemetry writes it.
fn trace_id(trace: &TraceContext) -> tracing::field::DisplayValue<String> {
    tracing::field::display(format!("{:032x}", trace.trace_id()))
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
            Change::Healthy
            | Change::Withdrawn
            | Change::Removed
            | Change::Reconfigured { .. }
            | Change::Added { refusal: None, .. } => tracing::info!(plugin, "{}", self.change),
            Change::Degraded(refusal) | Change::Added { refusal: Some(refusal), .. } => {
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
