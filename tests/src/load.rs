use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{self, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What clients got that ask without a pause: each for the next as soon as it has the last.
#[derive(Debug, Default)]
pub struct Load {
    /// How many replies.
    pub requests: usize,
    /// How many bytes, of the bodies.
    pub bytes: u64,
    /// How many ends of lines, which are the rows of NDJSON.
    pub lines: u64,
    /// From the first request to the last byte.
    pub elapsed: Duration,
    /// How long each reply took, to its last byte; the shortest first.
    latencies: Vec<Duration>,
}

impl Load {
    /// Asks a server for so long on so many connections, which are kept. Each client asks for all paths in turn, beginning
    /// with another one.
    ///
    /// # Panics
    /// If there is no path, or a reply is not a whole one with the status 200.
    pub async fn run(address: SocketAddr, paths: &[String], connections: usize, lasts: Duration) -> Self {
        assert!(!paths.is_empty(), "there is something to ask for");
        let request = |path: &String| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes();
        let requests: Arc<[Vec<u8>]> = paths.iter().map(request).collect();
        let began = Instant::now();
        let mut clients = JoinSet::new();
        for client in 0..connections {
            let first = client * requests.len() / connections;
            clients.spawn(ask(address, requests.clone(), first, began + lasts));
        }
        let mut load = Self::default();
        for asked in clients.join_all().await {
            load.bytes += asked.bytes;
            load.lines += asked.lines;
            load.latencies.extend(asked.latencies);
        }
        load.elapsed = began.elapsed();
        load.requests = load.latencies.len();
        load.latencies.sort_unstable();
        load
    }

    /// The replies of a second.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that this part of the replies kept to: 0.99 for that of 99 in 100.
    pub fn latency(&self, part: f64) -> Duration {
        let rank = (part * self.requests as f64).ceil() as usize;
        self.latencies.get(rank.max(1) - 1).copied().unwrap_or_default()
    }
}

/// What one client got.
#[derive(Default)]
struct Asked {
    bytes: u64,
    lines: u64,
    latencies: Vec<Duration>,
}

/// Asks until it is over, once at least.
async fn ask(address: SocketAddr, requests: Arc<[Vec<u8>]>, first: usize, over: Instant) -> Asked {
    let stream = TcpStream::connect(address).await.expect("a server listens");
    stream.set_nodelay(true).expect("a socket of TCP");
    let mut connection = Connection { stream: BufReader::with_capacity(64 << 10, stream), line: Vec::new() };
    let mut asked = Asked::default();
    for request in requests.iter().cycle().skip(first) {
        let began = Instant::now();
        let whole = connection.reply(request, &mut asked).await;
        whole.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(request)));
        asked.latencies.push(began.elapsed());
        if Instant::now() >= over {
            break;
        }
    }
    asked
}

/// A connection that is kept. Nothing of a reply is: it may be larger than the memory.
struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Connection {
    async fn reply(&mut self, request: &[u8], asked: &mut Asked) -> io::Result<()> {
        self.stream.write_all(request).await?;
        if self.line().await?.get(9..12) != Some(b"200") {
            return Err(io::Error::other(String::from_utf8_lossy(&self.line).into_owned()));
        }
        // None for a body in chunks.
        let mut length = None;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = field(line, "content-length") {
                length = Some(value.parse().map_err(io::Error::other)?);
            }
        }
        if let Some(length) = length {
            return self.body(length, asked).await;
        }
        loop {
            let size = String::from_utf8_lossy(self.line().await?);
            let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
            self.body(size, asked).await?;
            self.line().await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// The next line, without its end.
    async fn line(&mut self) -> io::Result<&[u8]> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line).await?;
        self.line.strip_suffix(b"\r\n").ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// So many bytes of a body.
    async fn body(&mut self, mut left: u64, asked: &mut Asked) -> io::Result<()> {
        asked.bytes += left;
        while left > 0 {
            let read = self.stream.fill_buf().await?;
            let part = read.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if part == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            asked.lines += read[..part].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.stream.consume(part);
            left -= part as u64;
        }
        Ok(())
    }
}

/// The value of a line of the head, if that is of this field.
fn field<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    let (field, value) = str::from_utf8(line).ok()?.split_once(':')?;
    field.eq_ignore_ascii_case(name).then(|| value.trim())
}
