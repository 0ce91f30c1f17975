//! The same as `tls`, in a build that has none.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::NoTls;
use tokio_postgres::tls::{MakeTlsConnect, NoTlsError, NoTlsStream};

use super::settings::TlsSettings;

/// Begins no TLS.
#[derive(Clone)]
pub(super) struct Connector;

impl Connector {
    /// One that serves these settings, which ask for nothing.
    pub async fn new(_: &TlsSettings) -> Result<Self, String> {
        Ok(Self)
    }

    /// Whether TLS was begun.
    pub fn has_begun(&self) -> bool {
        false
    }
}

/// Whether the files that the settings name can be used: they name none that matters.
pub(super) fn check(_: &TlsSettings) -> Result<(), String> {
    Ok(())
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> MakeTlsConnect<S> for Connector {
    type Stream = NoTlsStream;
    type TlsConnect = NoTls;
    type Error = NoTlsError;

    fn make_tls_connect(&mut self, _: &str) -> Result<NoTls, NoTlsError> {
        Ok(NoTls)
    }
}
