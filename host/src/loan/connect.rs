use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Connection, Error, Socket};

use super::address::{self, Address, Opened};
use super::error::LoanError;
use super::settings::{ConnectionSettings, TlsMode, TlsSettings};
use super::tls::Connector;
use crate::reason::reason;

/// What sends and receives for a session, encrypted or not.
pub(super) type Wires = Connection<Socket, <Connector as MakeTlsConnect<Socket>>::Stream>;

/// Opens a session as the settings say, and nothing more: it has none of the bounds that a pool's sessions have. What is
/// returned beside it has to be polled for as long as it is used.
///
/// # Errors
/// [`LoanError::Unavailable`].
pub async fn connect(
    settings: &ConnectionSettings,
) -> Result<(Client, impl Future<Output = Result<(), Error>> + Send + 'static), LoanError> {
    let login = settings.login();
    address::first(settings, |address| async move { at(&address, login, settings.tls()).await }).await
}

/// Opens a session at an address.
///
/// # Errors
/// Why there is none, with what to do where it is about TLS.
pub(super) async fn at(
    address: &Address,
    login: &Config,
    tls: &TlsSettings,
) -> Result<(Client, Wires), String> {
    let connector = Connector::new(tls).await?;
    let mut config = address.config(login);
    if tls.direct {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    let connect = async |mode| config.clone().ssl_mode(mode).connect(connector.clone()).await;
    // As libpq does: what goes through a socket of this machine needs no TLS.
    let mode = if address.is_local() { TlsMode::Disable } else { tls.mode };
    let (first, second) = match mode {
        TlsMode::Disable => (connect(SslMode::Disable).await, None),
        TlsMode::Allow => (connect(SslMode::Disable).await, Some(SslMode::Require)),
        TlsMode::Prefer => (connect(SslMode::Prefer).await, Some(SslMode::Disable)),
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => (connect(SslMode::Require).await, None),
    };
    let error = match first {
        Ok(connected) => return Ok(connected),
        Err(error) => error,
    };
    let is_refused = error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
    let told = advised(&error, mode, tls);
    match second {
        // The server lets in who comes otherwise, or it can't do what it says that it can. A password that is wrong
        // stays wrong, and is not sent again in the clear.
        Some(second) if is_refused || (connector.has_begun() && error.as_db_error().is_none()) => {
            let how = if second == SslMode::Disable { "without TLS" } else { "with TLS" };
            connect(second).await.map_err(|error| format!("{told}; {how}: {}", reason(&error)))
        }
        _ => Err(told),
    }
}

/// Why there is no session, with what to do where it is about TLS.
fn advised(error: &Error, mode: TlsMode, tls: &TlsSettings) -> String {
    let told = reason(error);
    let is_refused = error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
    let advice = if told.contains("does not support TLS") {
        "switch it on there (ssl = on), or use sslmode=prefer on a network that you trust"
    } else if told.contains("fatal alert") && tls.client.is_some() {
        "it may not take the client's certificate (sslcert), or not know who has signed it"
    } else if is_refused && told.contains("certificate") {
        "set sslcert and sslkey to the files of a certificate for this user"
    } else if is_refused && mode == TlsMode::Disable && told.contains("no encryption") {
        "it may want TLS (sslmode=require)"
    } else {
        return told;
    };
    format!("{told}; {advice}")
}

/// Asks whether TLS may begin, as PostgreSQL wants to be asked: a length, and a code in the place of a version.
const MAY_TLS_BEGIN: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Opens a connection for what is no session, which is encrypted as sessions are.
///
/// # Errors
/// Whatever can go wrong.
pub(super) async fn open(address: &Address, tls: &TlsSettings) -> io::Result<Box<dyn Opened>> {
    let (address, host) = match address {
        Address::Unix { folder, port } => {
            return Ok(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?));
        }
        Address::Tcp { address, host } => (address, host),
    };
    let mut socket = TcpStream::connect(address).await?;
    if tls.mode < TlsMode::Prefer {
        return Ok(Box::new(socket));
    }
    if !tls.direct {
        socket.write_all(&MAY_TLS_BEGIN).await?;
        if socket.read_u8().await? != b'S' {
            return match tls.mode {
                TlsMode::Prefer => Ok(Box::new(socket)),
                _ => Err(io::Error::other("the server does not support TLS")),
            };
        }
    }
    let mut connector = Connector::new(tls).await.map_err(io::Error::other)?;
    let handshake = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut connector, host);
    match handshake.map_err(io::Error::other)?.connect(socket).await {
        Ok(encrypted) => Ok(Box::new(encrypted)),
        Err(_) if tls.mode == TlsMode::Prefer => Ok(Box::new(TcpStream::connect(address).await?)),
        Err(error) => Err(io::Error::other(error)),
    }
}
