use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, CorsConfig, Network};

/// `[service]`: HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceConfig {
    /// Has callers see of an error what is otherwise in the log only: what PostgreSQL said, which may hold anybody's data, what
    /// is wrong with a plugin, and what there is that they may not know of. For development. Default: false.
    pub expose_errors: bool,
    /// Has `/openapi.json` say what is served, and `/docs` show it. Default: true.
    pub docs: bool,
    /// A file of at least 32 bytes that nobody can guess, such as `openssl rand -hex 32` writes: the cursors of pages are encrypted and
    /// signed with a key that is made of them. Hosts that serve the same clients share it. White space around it does not count. What the
    /// variable `CALLSLIP_CURSOR_KEY` of the environment holds goes before it.
    /// Default: none; each process makes a key of its own, and cursors are good for as long as it runs.
    pub cursor_key_file: Option<PathBuf>,
    /// The body of a request, in KiB. Default: 1,024.
    pub body_kib: usize,
    /// The query string of a request, in KiB. Default: 32. An address of more than 64 KiB is refused whatever this says.
    pub query_string_kib: usize,
    /// The head of a request, in KiB: its address and all its headers; at least 8. Default: 128.
    pub header_kib: usize,
    /// The headers of a request, at most 1,000. Default: 100.
    pub headers: usize,
    /// How long a client may take to send the head of a request, in milliseconds, and then to send its body. A connection on
    /// which nothing is asked is closed after as long. Default: 30,000.
    pub request_ms: u64,
    /// A reply to a client of HTTP/1.0, which is gathered before it is sent, in KiB. Default: 16,384.
    pub buffered_kib: usize,
    /// How long a client may read nothing of a reply before it is broken off, in milliseconds. Default: 30,000.
    pub stalled_ms: u64,
    /// How long a client may keep a reply waiting in all, in milliseconds, however little it reads each time. Default: 600,000.
    pub reading_ms: u64,
    /// How many connections of clients there are at once; one more is answered with 503 and closed. Default: 1,000.
    pub connections: usize,
    /// How many of them one address may have, of IPv6 a /64. Not for `trusted_proxies`. Default: any number.
    pub connections_per_address: Option<usize>,
    /// The networks of the proxies that are believed when they say for whom they ask; `unix` are those on a socket. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say so. They must set or extend it on each request. Default: `x-forwarded-for`.
    pub forwarded: ForwardedHeader,
    /// `[service.cors]`: which sites' pages may call.
    pub cors: CorsConfig,
}

/// Where a proxy says for whom it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, to which each proxy appends the address that asked it.
    #[default]
    XForwardedFor,
    /// `Forwarded` of RFC 7239, likewise.
    Forwarded,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            expose_errors: false,
            docs: true,
            cursor_key_file: None,
            body_kib: 1_024,
            query_string_kib: 32,
            header_kib: 128,
            headers: 100,
            request_ms: 30_000,
            buffered_kib: 16_384,
            stalled_ms: 30_000,
            reading_ms: 600_000,
            connections: 1_000,
            connections_per_address: None,
            trusted_proxies: Vec::new(),
            forwarded: ForwardedHeader::default(),
            cors: CorsConfig::default(),
        }
    }
}

/// The least that a head may be allowed, in KiB: the server reads in pieces of this.
const LEAST_HEAD: usize = 8;

impl ServiceConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const GIB: u64 = 1 << 20;
        const DAY: u64 = 86_400_000;
        let per_address = self.connections_per_address.unwrap_or(1);
        let numbers = [
            ("body_kib", self.body_kib as u64, GIB),
            ("query_string_kib", self.query_string_kib as u64, GIB),
            ("header_kib", self.header_kib as u64, 1_024),
            ("headers", self.headers as u64, 1_000),
            ("request_ms", self.request_ms, DAY),
            ("buffered_kib", self.buffered_kib as u64, GIB),
            ("stalled_ms", self.stalled_ms, DAY),
            ("reading_ms", self.reading_ms, DAY),
            ("connections", self.connections as u64, 1_000_000),
            ("connections_per_address", per_address as u64, 1_000_000),
        ];
        for (key, value, most) in numbers {
            if value == 0 {
                return Err(ConfigError::Zero(format!("service.{key}")));
            }
            if value > most {
                return Err(ConfigError::setting(
                    format!("service.{key}"),
                    format!("must be at most {most}"),
                ));
            }
        }
        if self.header_kib < LEAST_HEAD {
            return Err(ConfigError::setting("service.header_kib", format!("must be at least {LEAST_HEAD}")));
        }
        self.cors.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn parse(line: &str) -> Result<ServiceConfig, String> {
        let text = format!("[service]\n{line}");
        Config::parse(&text, "".as_ref()).map(|config| config.service).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_is_neither_nothing_nor_without_end() {
        assert_eq!(parse("body_kib = 0").unwrap_err(), "service.body_kib must be greater than zero");
        assert_eq!(
            parse("reading_ms = 86400001").unwrap_err(),
            "service.reading_ms must be at most 86400000"
        );
        assert_eq!(parse("header_kib = 7").unwrap_err(), "service.header_kib must be at least 8");
        assert!(parse("connections_per_address = 0").unwrap_err().contains("greater than zero"));
    }

    #[test]
    fn proxies_are_networks() {
        let service =
            parse("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nforwarded = \"forwarded\"").unwrap();
        assert_eq!((service.trusted_proxies.len(), service.forwarded), (2, ForwardedHeader::Forwarded));
        let error = parse("trusted_proxies = [\"10.0.0.1/8\"]").unwrap_err();
        assert!(error.contains("line 2") && error.contains("within its network"), "{error}");
        assert!(parse("forwarded = \"via\"").unwrap_err().contains("`x-forwarded-for` or `forwarded`"));
    }
}
