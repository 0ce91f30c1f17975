use std::sync::Arc;

use super::hosts::Hosts;
use super::identity::{Access, Identity};
use super::limits::ServiceLimits;
use super::metrics::InFlight;
use super::openapi::Cached;
use super::proxies::Proxies;
use super::rate_limits::RateLimits;
use super::readiness::Readiness;
use super::telemetry::Telemetry;
use super::traces::Traces;
use crate::host::Observers;
use crate::{Config, ConfigError, CorsConfig, Observation};

/// What is served over HTTP, and how. A clone is the same.
///
/// ```no_run
/// # async fn example(host: callslip::Host) -> std::io::Result<()> {
/// use callslip::service::Service;
///
/// let router = Service::new(host).router();
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:7070").await?;
/// axum::serve(listener, router).await
/// # }
/// ```
#[derive(Clone)]
pub struct Service(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    hosts: Hosts,
    limits: ServiceLimits,
    identity: Arc<Identity>,
    access: Arc<Access>,
    rate_limits: Option<RateLimits>,
    proxies: Proxies,
    cors: CorsConfig,
    exposes_errors: bool,
    docs: bool,
    openapi: Arc<Cached>,
    readiness: Readiness,
    telemetry: Option<Telemetry>,
    /// Whom it tells of requests.
    observers: Observers,
}

impl Service {
    /// Serves the plugins of one host, or those of several, to everybody, until it is [configured](Service::configured).
    pub fn new(hosts: impl Into<Hosts>) -> Self {
        Self(Arc::new(Parts {
            hosts: hosts.into(),
            limits: ServiceLimits::default(),
            docs: true,
            openapi: Arc::default(),
            readiness: Readiness::default(),
            telemetry: None,
            observers: Observers::default(),
            identity: Arc::default(),
            access: Arc::default(),
            rate_limits: None,
            proxies: Proxies::default(),
            cors: CorsConfig::default(),
            exposes_errors: false,
        }))
    }

    /// Serves them as a configuration says: to which callers, how often, within which limits. The files of keys that it names are
    /// read, now and not again. What a service counts and keeps goes on with the one `before` it, if there was one; of the requests of
    /// each caller, where their limit is the same.
    ///
    /// # Errors
    /// [`ConfigError`]: a file or a secret that the configuration names can't be used.
    pub fn configured(
        hosts: impl Into<Hosts>,
        config: &Config,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let identity = Identity::read(&config.identity)?;
        let service = match before {
            Some(before) => before.clone().with_hosts(hosts.into()),
            None => Self::new(hosts),
        };
        Ok(service.with(|parts| {
            parts.limits = ServiceLimits::of(&config.service);
            parts.docs = config.service.docs;
            parts.openapi = Arc::default();
            parts.identity = Arc::new(identity);
            parts.access = Arc::new(Access::of(&config.plugins));
            parts.rate_limits = RateLimits::of(&config.rate_limits, parts.rate_limits.as_ref());
            parts.proxies = Proxies::of(&config.service);
            parts.cors = config.service.cors.clone();
            parts.exposes_errors = config.service.expose_errors;
        }))
    }

    /// The same, of which clients may ask no more than this.
    #[must_use]
    pub fn with_limits(self, limits: ServiceLimits) -> Self {
        self.with(|parts| parts.limits = limits)
    }

    /// The same with the plugins of other hosts.
    #[must_use]
    pub(super) fn with_hosts(self, hosts: Hosts) -> Self {
        self.with(|parts| {
            parts.hosts = hosts;
            // What it remembers is of the hosts before.
            parts.openapi = Arc::default();
        })
    }

    /// The same, with or without the document of what is served, at `/openapi.json`, and its page, at `/docs`. Both are there
    /// otherwise.
    #[must_use]
    pub fn with_docs(self, docs: bool) -> Self {
        self.with(|parts| parts.docs = docs)
    }

    /// The same, whose requests are counted and are parts of traces. Its hosts have to tell the same
    /// [observer](Telemetry::observer) of their calls.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
        self.with(|parts| {
            parts.observers = parts.observers.with(telemetry.observer());
            parts.telemetry = Some(telemetry);
        })
    }

    /// What is counted, as OpenMetrics text, which Prometheus reads; nothing where nobody counts.
    pub fn metrics(&self) -> Option<String> {
        self.0.telemetry.as_ref().map(|its| its.metrics().text(&self.0.hosts, its.traces()))
    }

    /// Whether requests should come.
    pub(super) fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// Has a request counted as one that is at hand.
    pub(super) fn begin_request(&self) -> Option<InFlight> {
        self.0.telemetry.as_ref().map(|its| its.metrics().begin_request())
    }

    /// To whom traces are sent, if they are.
    pub(super) fn traces(&self) -> Option<&Traces> {
        self.0.telemetry.as_ref()?.traces()
    }

    /// Tells of what has happened to a request.
    pub(super) fn tell(&self, observation: &Observation) {
        self.0.observers.tell(observation);
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whose plugins are served.
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// Whether the document of what is served can be read.
    pub(super) fn has_docs(&self) -> bool {
        self.0.docs
    }

    /// The document of what is served.
    pub(super) fn openapi(&self) -> &Cached {
        &self.0.openapi
    }

    /// What clients may ask.
    pub(super) fn limits(&self) -> &ServiceLimits {
        &self.0.limits
    }

    /// How callers are known.
    pub(super) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Who may call what.
    pub(super) fn access(&self) -> &Access {
        &self.0.access
    }

    /// How often each may ask, if that is limited.
    pub(super) fn rate_limits(&self) -> Option<&RateLimits> {
        self.0.rate_limits.as_ref()
    }

    /// For whom proxies ask.
    pub(super) fn proxies(&self) -> &Proxies {
        &self.0.proxies
    }

    /// Which sites' pages may call.
    pub(super) fn cors(&self) -> &CorsConfig {
        &self.0.cors
    }

    /// Whether callers see why they are refused.
    pub(super) fn exposes_errors(&self) -> bool {
        self.0.exposes_errors
    }
}
