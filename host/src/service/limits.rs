use std::time::Duration;

use crate::ServiceConfig;

/// What clients may ask of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceLimits {
    /// The bytes of a request's body. Default: 1 MiB.
    pub body_bytes: usize,
    /// The bytes of a query string. Default: 32 KiB. An address of more than 64 KiB is refused whatever this says.
    pub query_string_bytes: usize,
    /// The bytes of the head of a request, its address and all its headers; at least 8 KiB. Default: 128 KiB.
    pub header_bytes: usize,
    /// The headers of a request. Default: 100.
    pub headers: usize,
    /// How long a client may take to send the head of a request, and then to send its body; a connection on which nothing is
    /// asked is closed after as long. Default: 30 s.
    pub request_time: Duration,
    /// The bytes of a reply to a client of HTTP/1.0, which is gathered before it is sent. Default: 16 MiB.
    pub buffered_bytes: usize,
    /// How long a client may read nothing of a reply before it is broken off and its connection to the database is
    /// free again. Default: 30 s.
    pub stalled_after: Duration,
    /// How long a client may keep a reply waiting in all, however little it reads each time. Default: 10 min.
    pub reading_time: Duration,
    /// The connections that there are at once. Default: 1,000.
    pub connections: usize,
    /// The connections of one address. Default: any number.
    pub connections_per_address: Option<usize>,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self::of(&ServiceConfig::default())
    }
}

impl ServiceLimits {
    /// Those that a configuration says.
    pub fn of(config: &ServiceConfig) -> Self {
        Self {
            body_bytes: config.body_kib << 10,
            query_string_bytes: config.query_string_kib << 10,
            header_bytes: config.header_kib << 10,
            headers: config.headers,
            request_time: Duration::from_millis(config.request_ms),
            buffered_bytes: config.buffered_kib << 10,
            stalled_after: Duration::from_millis(config.stalled_ms),
            reading_time: Duration::from_millis(config.reading_ms),
            connections: config.connections,
            connections_per_address: config.connections_per_address,
        }
    }
}
