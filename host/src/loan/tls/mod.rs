//! TLS to PostgreSQL, by rustls.

mod advice;
mod files;
mod verifier;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{Roots, TlsMode, TlsSettings};
use verifier::Verifier;

/// What PostgreSQL 17 is told that will be spoken; older ones don't listen.
const PROTOCOL: &[u8] = b"postgresql";

/// Begins TLS as its settings say. It is made anew for each connection, so that certificates can be renewed while a host runs.
#[derive(Clone)]
pub(super) struct Connector {
    /// Nothing, where TLS is never wanted.
    tls: Option<MakeRustlsConnect>,
    roots: Arc<Roots>,
    begun: Arc<AtomicBool>,
}

impl Connector {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// Which file can't be used, and why.
    pub async fn new(settings: &TlsSettings) -> Result<Self, String> {
        let tls = match settings.mode {
            TlsMode::Disable => None,
            _ => {
                let settings = settings.clone();
                let made = tokio::task::spawn_blocking(move || client_config(&settings)).await;
                let config = made.map_err(|_| "the certificates were not read to their end".to_owned())??;
                Some(MakeRustlsConnect::new(config))
            }
        };
        Ok(Self { tls, roots: Arc::new(settings.roots.clone()), begun: Arc::default() })
    }

    /// Whether TLS was begun: the server has said that it may, or was not asked.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

/// Whether the files that the settings name can be used now.
///
/// # Errors
/// Which can't, and why.
pub(super) fn check(settings: &TlsSettings) -> Result<(), String> {
    match settings.mode {
        TlsMode::Disable => Ok(()),
        _ => client_config(settings).map(|_| ()),
    }
}

fn client_config(settings: &TlsSettings) -> Result<ClientConfig, String> {
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let versions = [
        (settings.versions.tls13, &rustls::version::TLS13),
        (settings.versions.tls12, &rustls::version::TLS12),
    ];
    let versions: Vec<_> = versions.into_iter().filter(|(spoken, _)| *spoken).map(|(_, its)| its).collect();
    let verifier = Verifier::new(settings, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?
        // Its own says what libpq's modes verify, and that of rustls is in it.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &settings.client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let certificates = files::certificates(&client.certificate)?;
            let key = files::key(&client.key)?;
            config.with_client_auth_cert(certificates, key).map_err(|error| {
                format!("{} and {}: {error}", client.certificate.display(), client.key.display())
            })?
        }
    };
    config.enable_sni = settings.sni;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> MakeTlsConnect<S> for Connector {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake { connector: self.clone(), host: host.to_owned() })
    }
}

/// The beginning of TLS with a server of a name.
pub(super) struct Handshake {
    connector: Connector,
    host: String,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> TlsConnect<S> for Handshake {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Stream>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { connector: Connector { tls, roots, begun }, host } = self;
        async move {
            begun.store(true, Ordering::Relaxed);
            let Some(mut tls) = tls else { return Err(io::Error::other("TLS is disabled")) };
            let handshake = match MakeTlsConnect::<S>::make_tls_connect(&mut tls, &host) {
                Ok(handshake) => handshake,
                Err(never) => match never {},
            };
            handshake.connect(stream).await.map_err(|error| advice::advised(error, &roots, &host))
        }
        .boxed()
    }
}
