use std::sync::Arc;
use std::time::Duration;

use super::error::ReloadError;
use super::reloaded::Reloaded;
use crate::Config;
use crate::host::Observer;
use crate::service::{Service, Slips, Telemetry};

/// How long what has yet to be sent to a collector may take when the server ends.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// What counts and keeps what happens. It goes on for as long as the process lives, whatever is reloaded.
pub(super) struct Instruments {
    telemetry: Telemetry,
    slips: Option<Slips>,
}

impl Instruments {
    pub fn start(config: &Config) -> Result<Self, ReloadError> {
        Ok(Self { telemetry: Telemetry::start(&config.telemetry)?, slips: Slips::start(&config.slips)? })
    }

    /// Has them told of a service's requests.
    pub fn on(&self, service: Service) -> Service {
        service.with_telemetry(self.telemetry.clone())
    }

    /// Whom each host tells.
    pub fn observers(&self) -> Vec<Observer> {
        let slips = self.slips.iter().map(|slips| Arc::new(slips.observer()) as Observer);
        slips.chain([Arc::new(self.telemetry.observer()) as Observer]).collect()
    }

    /// Counts a reload, by how it went.
    pub fn count(&self, reloaded: &Reloaded) {
        self.telemetry.metrics().reloaded(reloaded.as_str());
    }

    /// Sends and writes what has yet to be.
    pub async fn flush(&self) {
        if let Some(slips) = &self.slips {
            slips.flush().await;
        }
        if let Some(traces) = self.telemetry.traces() {
            traces.flush(LAST_SPANS).await;
        }
    }
}
