use std::time::Duration;

/// What clients may ask of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceLimits {
    /// The bytes of a request's body. Default: 1 MiB.
    pub body_bytes: usize,
    /// The bytes of a query string. Default: 32 KiB. An address of more than 64 KiB is refused whatever this says.
    pub query_string_bytes: usize,
    /// How long a client may take to send the head of a request, and then to send its body. Default: 30 s.
    pub request_time: Duration,
    /// The bytes of a reply to a client of HTTP/1.0, which is gathered before it is sent. Default: 16 MiB.
    pub buffered_bytes: usize,
    /// How long a client may read nothing of a reply before it is broken off and its connection to the database is
    /// free again. Default: 30 s.
    pub stalled_after: Duration,
    /// How long a client may keep a reply waiting in all, however little it reads each time. Default: 10 min.
    pub reading_time: Duration,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            query_string_bytes: 32 << 10,
            request_time: Duration::from_secs(30),
            buffered_bytes: 16 << 20,
            stalled_after: Duration::from_secs(30),
            reading_time: Duration::from_secs(600),
        }
    }
}
