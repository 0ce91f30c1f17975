use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callslip::loan::{ConnectionSettings, Pool, PoolSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;

/// What becomes of a cancel.
#[derive(Clone, Copy)]
pub enum Cancels {
    Passed,
    /// Passed after this time.
    Late(Duration),
    /// Never passed, and its connection stays open.
    Swallowed,
    /// Its connection is reset.
    Refused,
}

/// A TCP port before the socket of a database.
pub struct Proxy {
    pub address: SocketAddr,
    cancels: Arc<AtomicUsize>,
    sessions: Arc<AtomicUsize>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    pub async fn start(socket: &str, become_of: Cancels) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cancels, sessions) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (socket, counts) = (socket.to_owned(), [cancels.clone(), sessions.clone()]);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(forward(client, socket.clone(), become_of, counts.clone()));
            }
        });
        Self { address, cancels, sessions, _accepting: accepting }
    }

    /// How many cancels have come.
    pub fn cancels(&self) -> usize {
        self.cancels.load(Ordering::Relaxed)
    }

    /// How many sessions have begun.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// How to connect through it, which knows nothing of TLS.
    pub fn settings(&self) -> ConnectionSettings {
        let url = format!("postgresql://postgres@{}/postgres?sslmode=disable", self.address);
        ConnectionSettings::resolve(Some(&url), &|_| None).unwrap()
    }

    /// A pool of one connection through it.
    pub fn pool(&self) -> Pool {
        Pool::new(&self.settings(), PoolSettings { size: 1, ..PoolSettings::default() }).unwrap()
    }
}

async fn forward(mut client: TcpStream, socket: String, become_of: Cancels, counts: [Arc<AtomicUsize>; 2]) {
    // The length, and the code of a cancel where a startup has its version.
    let mut start = [0; 8];
    if client.read_exact(&mut start).await.is_err() {
        return;
    }
    let [cancels, sessions] = counts;
    if start[4..] != 80_877_102_u32.to_be_bytes() {
        sessions.fetch_add(1, Ordering::Relaxed);
    } else {
        cancels.fetch_add(1, Ordering::Relaxed);
        match become_of {
            Cancels::Passed => {}
            Cancels::Late(delay) => tokio::time::sleep(delay).await,
            Cancels::Swallowed => std::future::pending().await,
            // What was not read resets it.
            Cancels::Refused => return,
        }
    }
    let mut server = UnixStream::connect(socket).await.unwrap();
    server.write_all(&start).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
