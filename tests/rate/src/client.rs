//! One connection to a server, which is kept.

use std::io::{BufRead, BufReader, Read, Write, copy, sink};
use std::net::{SocketAddr, TcpStream};
use std::str;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use httparse::{EMPTY_HEADER, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that asks one thing at a time.
pub struct Client {
    server: SocketAddr,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    head: Vec<u8>,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    /// The bytes of the body.
    pub bytes: u64,
}

/// How a body ends.
enum Framing {
    Length(u64),
    Chunks,
}

impl Client {
    pub fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).with_context(|| format!("{server}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let stream = BufReader::with_capacity(64 << 10, stream);
        Ok(Self { server, stream, request: Vec::new(), head: Vec::new() })
    }

    /// Asks for a path and reads the answer to its end.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.request.clear();
        let server = self.server;
        write!(self.request, "GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: application/json\r\n\r\n")?;
        self.stream.get_mut().write_all(&self.request)?;
        let (status, framing) = self.read_head()?;
        let bytes = match framing {
            Framing::Length(length) => self.skip(length)?,
            Framing::Chunks => self.read_chunks()?,
        };
        Ok(Answer { status, bytes })
    }

    fn read_head(&mut self) -> Result<(u16, Framing)> {
        self.head.clear();
        while !self.head.ends_with(b"\r\n\r\n") {
            ensure!(self.stream.read_until(b'\n', &mut self.head)? > 0, "the server closed the connection");
        }
        let mut headers = [EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let Status::Complete(_) = response.parse(&self.head)? else { bail!("the head is not whole") };
        let status = response.code.context("no status")?;
        let value = |name: &str| {
            let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| str::from_utf8(header.value)).transpose()
        };
        let framing = match (value("transfer-encoding")?, value("content-length")?) {
            (Some("chunked"), _) => Framing::Chunks,
            (None, Some(length)) => Framing::Length(length.parse()?),
            (coding, _) => bail!("a body with neither chunks nor a length: {coding:?}"),
        };
        Ok((status, framing))
    }

    fn read_chunks(&mut self) -> Result<u64> {
        let mut bytes = 0;
        loop {
            self.head.clear();
            ensure!(self.stream.read_until(b'\n', &mut self.head)? > 0, "the transfer was broken off");
            let length = match httparse::parse_chunk_size(&self.head) {
                Ok(Status::Complete((_, length))) => length,
                _ => bail!("no length of a chunk"),
            };
            // The end of the line after it, too.
            bytes += self.skip(length + 2)? - 2;
            if length == 0 {
                return Ok(bytes);
            }
        }
    }

    fn skip(&mut self, length: u64) -> Result<u64> {
        let skipped = copy(&mut (&mut self.stream).take(length), &mut sink())?;
        ensure!(skipped == length, "the transfer was broken off");
        Ok(length)
    }
}
