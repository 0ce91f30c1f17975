use super::metrics::Metrics;
use super::traces::{Traces, TracesError};
use crate::Observation;
use crate::config::TelemetryConfig;

/// What a service counts and sends of what happens in it and in its hosts: metrics, and traces, if it is told where to. A clone is the
/// same, so that one can serve a process for its whole life, whatever is reloaded.
///
/// ```no_run
/// # async fn example(
/// #     config: callslip::Config,
/// #     connection: callslip::loan::ConnectionSettings,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::Host;
/// use callslip::service::{Service, Telemetry};
///
/// let telemetry = Telemetry::start(&config.telemetry)?;
/// let host = Host::builder().connect(&connection).observe(telemetry.observer()).start(&config).await?;
/// let service = Service::new(host).with_telemetry(telemetry);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Telemetry {
    metrics: Metrics,
    traces: Option<Traces>,
}

impl Telemetry {
    /// Begins to count, and to send traces, if the configuration or the variables of OpenTelemetry say where to: [`Traces::start`].
    ///
    /// # Errors
    /// [`TracesError`], if an address is none.
    ///
    /// # Panics
    /// Outside of a tokio runtime, if there are traces to be sent.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TracesError> {
        Ok(Self { metrics: Metrics::new(), traces: Traces::start(config)? })
    }

    /// Who is to be told by each host, for [`HostBuilder::observe`](crate::HostBuilder::observe).
    pub fn observer(&self) -> impl Fn(&Observation) + Send + Sync + use<> {
        let Self { metrics, traces } = self.clone();
        move |observation| {
            metrics.observe(observation);
            if let Some(traces) = &traces {
                traces.observe(observation);
            }
        }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What is sent, if anything is.
    pub fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }
}
