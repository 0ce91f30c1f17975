use serde::Deserialize;

use super::ConfigError;

/// `[telemetry]`: where traces go, and how the log is written. It is read when `callslip serve` starts; another one takes a
/// restart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// The collector of OpenTelemetry to which traces are sent, by OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is
    /// added. Default: what the variables `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` say, and
    /// otherwise none: nothing is sent.
    pub otlp_endpoint: Option<String>,
    /// How many of the traces that begin here are sent, from 0 to 1. Of a trace that a client has begun, the client says whether it
    /// is. Default: 1.
    pub sample_ratio: SampleRatio,
    /// What the service is called in traces. Default: what the variable `OTEL_SERVICE_NAME` says, and otherwise `callslip`.
    pub service_name: Option<String>,
    /// Whether the text of statements is sent. It holds no values: these are parameters, all of them. Default: true.
    pub query_text: bool,
    /// How the log is written. Default: as text.
    pub log: LogFormat,
    /// What is logged, as `tracing-subscriber` reads it: `warn,callslip=info,callslip::audit=off`. The variable `RUST_LOG` goes before
    /// it, and so do `-v` and `--quiet`. Default: `warn,callslip=info`.
    pub log_filter: Option<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// As lines for people.
    #[default]
    Text,
    /// As JSON objects, one a line.
    Json,
}

/// A part of all, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct SampleRatio(f64);

// It is never NaN.
impl Eq for SampleRatio {}

impl SampleRatio {
    /// Of all.
    pub const ALL: Self = Self(1.0);

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for SampleRatio {
    type Error = String;

    fn try_from(ratio: f64) -> Result<Self, String> {
        match (0.0..=1.0).contains(&ratio) {
            true => Ok(Self(ratio)),
            false => Err(format!("{ratio} is not from 0 to 1")),
        }
    }
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            sample_ratio: SampleRatio::ALL,
            service_name: None,
            query_text: true,
            log: LogFormat::default(),
            log_filter: None,
        }
    }
}

impl TelemetryConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, wrong: &str| Err(ConfigError::Telemetry { key, wrong: wrong.to_owned() });
        if let Some(endpoint) = &self.otlp_endpoint {
            let Some(rest) = endpoint.strip_prefix("http://") else {
                return wrong(
                    "otlp_endpoint",
                    "is no address that begins with http://: traces go to a collector nearby, which may send them on by TLS",
                );
            };
            if rest.contains('@') {
                return wrong(
                    "otlp_endpoint",
                    "has a user or a password: say it in OTEL_EXPORTER_OTLP_HEADERS",
                );
            }
            if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return wrong("otlp_endpoint", "is no address, such as http://127.0.0.1:4318");
            }
        }
        if self.service_name.as_ref().is_some_and(String::is_empty) {
            return wrong("service_name", "is empty");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn parse(text: &str) -> Result<TelemetryConfig, String> {
        let config = Config::parse(&format!("[telemetry]\n{text}"), Path::new(""));
        config.map(|config| config.telemetry).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_sent_unless_it_is_said_where_to() {
        assert_eq!(parse("").unwrap(), TelemetryConfig::default());
        let said = parse(
            "otlp_endpoint = \"http://127.0.0.1:4318\"\nsample_ratio = 0.25\nquery_text = false\nlog = \"json\"",
        );
        let said = said.unwrap();
        assert_eq!((said.sample_ratio.get(), said.query_text, said.log), (0.25, false, LogFormat::Json));
    }

    #[test]
    fn what_can_t_be_is_refused() {
        for (text, words) in [
            ("otlp_endpoint = \"https://collector:4318\"", "begins with http://"),
            ("otlp_endpoint = \"http://\"", "is no address"),
            ("otlp_endpoint = \"http://a b\"", "is no address"),
            ("service_name = \"\"", "telemetry.service_name is empty"),
            ("sample_ratio = 1.5", "line 2"),
            ("sample_ratio = nan", "is not from 0 to 1"),
            ("log = \"xml\"", "`text` or `json`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let error = parse("otlp_endpoint = \"http://user:secret@collector\"").unwrap_err();
        assert!(error.contains("OTEL_EXPORTER_OTLP_HEADERS") && !error.contains("secret"), "{error}");
    }
}
