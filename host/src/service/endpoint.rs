use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

/// Where a server listens: an address with a port, or, on Unix, the path of a socket.
///
/// ```
/// use callslip::service::Endpoint;
///
/// let socket: Endpoint = "unix:/run/callslip/http.sock".parse()?;
/// assert_eq!(socket, Endpoint::Unix("/run/callslip/http.sock".into()));
/// assert_eq!("[::1]:7070".parse::<Endpoint>()?.to_string(), "http://[::1]:7070");
/// # Ok::<(), callslip::service::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `127.0.0.1:7070`. Port 0 is any that is free.
    Tcp(SocketAddr),
    /// `unix:/run/callslip/http.sock`. Who owns the server may connect, and so may the group of the socket.
    Unix(PathBuf),
}

/// Nowhere to listen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an address and a port, such as 127.0.0.1:7070 or [::]:80, or the path of a socket, such as unix:/run/callslip.sock"
)]
pub struct EndpointError;

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match text.strip_prefix("unix:") {
            Some("") => Err(EndpointError),
            Some(path) if cfg!(unix) => Ok(Self::Unix(path.into())),
            Some(_) => Err(EndpointError),
            None => text.parse().map(Self::Tcp).map_err(|_| EndpointError),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Endpoint {
    /// Listens there. The socket that a server left behind which has ended is replaced; any other file is not.
    ///
    /// # Errors
    /// Why that can't be.
    pub async fn bind(&self) -> io::Result<EndpointListener> {
        match self {
            Self::Tcp(address) => TcpListener::bind(address).await.map(EndpointListener::Tcp),
            #[cfg(unix)]
            Self::Unix(path) => Socket::bind(path).await.map(EndpointListener::Unix),
            #[cfg(not(unix))]
            Self::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }
}

/// What accepts the connections of an [`Endpoint`]. Dropped, it removes its socket.
#[derive(Debug)]
pub enum EndpointListener {
    /// Of an address.
    Tcp(TcpListener),
    /// Of a path.
    #[cfg(unix)]
    Unix(Socket),
}

/// A socket that has a path.
#[cfg(unix)]
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// The file that it made, by device and number: another server may have replaced it since.
    file: (u64, u64),
}

/// What the owner and the group of a socket may do: connect.
#[cfg(unix)]
const SOCKET_MODE: u32 = 0o660;

#[cfg(unix)]
impl Socket {
    async fn bind(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;

        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_abandoned(path).await => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            bound => bound?,
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
        Ok(Self { listener, path: path.to_owned(), file: file(path)? })
    }
}

/// Whether a path is of a socket on which nobody listens.
#[cfg(unix)]
async fn is_abandoned(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|its| its.file_type().is_socket());
    is_socket
        && UnixStream::connect(path).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(unix)]
fn file(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if file(&self.path).is_ok_and(|found| found == self.file) {
            // Whoever starts next removes it otherwise.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A client's connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Listener for EndpointListener {
    type Io = Box<dyn Stream>;
    type Addr = Endpoint;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = Listener::accept(listener).await;
                // A head and a first piece that are written apart must not wait for each other.
                let _ = stream.set_nodelay(true);
                (Box::new(stream), Endpoint::Tcp(peer))
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                let (stream, _) = Listener::accept(&mut socket.listener).await;
                (Box::new(stream), Endpoint::Unix(socket.path.clone()))
            }
        }
    }

    fn local_addr(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Endpoint::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Endpoint::Unix(socket.path.clone())),
        }
    }
}

impl From<TcpListener> for EndpointListener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn an_endpoint_is_an_address_or_a_path() {
        assert_eq!("0.0.0.0:80".parse(), Ok(Endpoint::Tcp(([0, 0, 0, 0], 80).into())));
        assert_eq!("unix:a/b".parse(), Ok(Endpoint::Unix("a/b".into())));
        for wrong in ["", "nowhere", "localhost:80", "127.0.0.1", "unix:", "127.0.0.1:99999"] {
            assert_eq!(wrong.parse::<Endpoint>(), Err(EndpointError), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_socket_takes_connections_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let endpoint = Endpoint::Unix(path.clone());
        let mut listener = endpoint.bind().await.unwrap();
        assert_eq!(listener.local_addr().unwrap(), endpoint);
        let mut client = UnixStream::connect(&path).await.unwrap();
        let (mut stream, _) = listener.accept().await;
        stream.write_all(b"hello").await.unwrap();
        drop(stream);
        let mut told = String::new();
        client.read_to_string(&mut told).await.unwrap();
        assert_eq!(told, "hello");
        // Somebody listens there.
        assert_eq!(endpoint.bind().await.unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_server_left_behind_is_replaced_and_no_other_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Endpoint::Unix(path.clone()).bind().await.unwrap();
        UnixStream::connect(&path).await.unwrap();
        // Another one took its place: that stays.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "precious").unwrap();
        drop(listener);
        assert_eq!(Endpoint::Unix(path.clone()).bind().await.unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
