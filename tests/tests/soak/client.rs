//! A client of HTTP/1.1 that keeps its connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a reply may take in all.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// How a request ended.
#[derive(Debug)]
pub enum Ended {
    /// With a reply that ends as its framing says.
    Whole { status: u16, head: String, body: Vec<u8> },
    /// With a reply that breaks off.
    Cut { status: u16 },
    /// The client went away in the middle of its reply.
    Left,
    /// Without a reply: nobody took the connection, or it was closed before the first byte.
    Unreached,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Asks for a path, and goes away in the middle of the reply if it is to.
    pub async fn get(&mut self, path: &str, leaves: bool) -> Ended {
        timeout(PATIENCE, self.asked(path, leaves)).await.expect("a reply, or its end")
    }

    async fn asked(&mut self, path: &str, leaves: bool) -> Ended {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(self.address).await {
                Ok(stream) => BufReader::new(stream),
                Err(_) => return Ended::Unreached,
            },
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_err() {
            return Ended::Unreached;
        }
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head).await, Ok(1..)) {
                return Ended::Unreached;
            }
        }
        let head = head.to_lowercase();
        let status = head[9..12].parse().expect("a status");
        if leaves {
            _ = stream.read(&mut [0; 100]).await;
            return Ended::Left;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = Vec::new();
        let read = match length {
            Some(length) => {
                body.resize(length.parse().expect("a length"), 0);
                stream.read_exact(&mut body).await.map(|_| ())
            }
            None => chunks(&mut stream, &mut body).await,
        };
        if read.is_err() {
            return Ended::Cut { status };
        }
        if !head.contains("connection: close") {
            self.stream = Some(stream);
        }
        Ended::Whole { status, head, body }
    }
}

async fn chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let size = usize::from_str_radix(line.trim_end(), 16);
        let size = size.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let begin = body.len();
        body.resize(begin + size, 0);
        stream.read_exact(&mut body[begin..]).await?;
        stream.read_exact(&mut [0; 2]).await?;
        if size == 0 {
            return Ok(());
        }
    }
}
