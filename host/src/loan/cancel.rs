use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Error};

use super::address::{self, Address, Opened};
use super::connect;
use super::error::LoanError;
use super::settings::{ConnectionSettings, TlsSettings};

/// How long a server that was reached may take to pass a cancel on.
const DELIVER_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait for a cancel to work before it is sent again: the one before may have come between two
/// statements.
pub(super) const CANCEL_EVERY: Duration = Duration::from_millis(250);

/// Cancels what runs in sessions that are not the host's own, through connections that are opened for nothing else.
/// Cheap to clone.
///
/// A cancel hits whatever its session runs when it arrives. [`Canceller::cancel`] returns when the server has passed it
/// on, so that whatever is sent in the session from then on is safe from it.
#[derive(Clone, Debug)]
pub struct Canceller(Arc<ConnectionSettings>);

impl Canceller {
    /// Cancels through the first server of these settings that takes connections. It must be the one that has the
    /// sessions: another one ignores the cancel. Neither a user nor a password is sent.
    pub fn new(connection: ConnectionSettings) -> Self {
        Self(Arc::new(connection))
    }

    /// Cancels what the session of a token runs, if anything, and waits until nothing of the cancel is under way. May be
    /// dropped at any await; then it may still come.
    ///
    /// It is sent with TLS where the settings ask for that.
    ///
    /// # Errors
    /// [`LoanError::Unavailable`]: no server was reached, or it did not close the connection. In the latter case the cancel
    /// may still come.
    pub async fn cancel(&self, token: &CancelToken) -> Result<(), LoanError> {
        let unavailable = |reason: String| LoanError::Unavailable { reason };
        let request = request(token).await.map_err(|error| unavailable(error.to_string()))?;
        let tls = self.0.tls();
        let open = |address: Address| async move {
            connect::open(&address, tls).await.map_err(|error| error.to_string())
        };
        let mut socket = address::first(&self.0, open).await?;
        match timeout(DELIVER_WITHIN, deliver(&mut *socket, &request)).await {
            Ok(delivered) => delivered.map_err(|error| unavailable(error.to_string())),
            Err(_) => Err(unavailable(format!("it did not take a cancel within {DELIVER_WITHIN:?}"))),
        }
    }
}

/// The same at the address of the session, however long it takes.
///
/// # Errors
/// Why it is not known whether the cancel has come and gone.
pub(super) async fn cancel(address: &Address, tls: &TlsSettings, token: &CancelToken) -> io::Result<()> {
    let request = request(token).await.map_err(io::Error::other)?;
    deliver(&mut *connect::open(address, tls).await?, &request).await
}

/// The server signals the session's process before it closes the connection. That process ignores the signal unless
/// it is running a statement.
async fn deliver(socket: &mut dyn Opened, request: &[u8]) -> io::Result<()> {
    socket.write_all(request).await?;
    socket.flush().await?;
    match socket.read(&mut [0]).await {
        Ok(0) => Ok(()),
        // It takes no leave of who has only asked for a cancel, which TLS minds.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("it answered a cancel, which PostgreSQL does not")),
    }
}

/// The bytes that ask for a cancel. The token tells them only to who connects as its session did; this is who says that
/// it does.
async fn request(token: &CancelToken) -> Result<Vec<u8>, Error> {
    let mut sent = Sent(Vec::new());
    token.cancel_query_raw(&mut sent, Unencrypted).await?;
    Ok(sent.0)
}

/// What would have been sent. It answers that TLS may begin, which is all that it can be asked.
struct Sent(Vec<u8>);

impl AsyncRead for Sent {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0 {
            buffer.put_slice(b"S");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sent {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Begins TLS by forgetting that it was asked for.
struct Unencrypted;

impl<'a> TlsConnect<&'a mut Sent> for Unencrypted {
    type Stream = &'a mut Sent;
    type Error = Infallible;
    type Future = Ready<Result<&'a mut Sent, Infallible>>;

    fn connect(self, sent: &'a mut Sent) -> Self::Future {
        sent.0.clear();
        ready(Ok(sent))
    }
}

impl TlsStream for &mut Sent {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
