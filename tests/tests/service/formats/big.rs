//! A reply of any length in constant memory.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::StreamReader;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::{FORMATS, serve};

/// What the server may have had of memory at its most.
const MOST_KIB: u64 = 128 << 10;

/// How many rows: `CALLSLIP_BIG_ROWS`, or half a million.
fn rows() -> i64 {
    std::env::var("CALLSLIP_BIG_ROWS").map_or(500_000, |rows| rows.parse().unwrap())
}

#[test]
fn a_reply_of_any_length_takes_the_same_memory() {
    let rows = rows();
    let served = serve(&format!(
        "[limits]\nrows = {rows}\nreply_mib = 65536\ncall_ms = 36000000\n[pool]\nstatement_timeout_ms = 36000000\n"
    ));
    let address = served.address();
    for encoding in ["identity", "gzip"] {
        for (format, _) in FORMATS {
            let began = std::time::Instant::now();
            let body =
                Body::of(address, &format!("/q/replies/numbered?rows={rows}&format={format}"), encoding);
            let (count, sum) = match encoding {
                "gzip" => read(format, BufReader::new(GzDecoder::new(body))),
                _ => read(format, body),
            };
            assert_eq!((count, sum), (rows, rows * (rows + 1) / 2), "{format} {encoding}");
            let most = most_kib(served.pid().as_raw());
            println!("{rows} rows as {format} ({encoding}): {:?}, at most {most} KiB", began.elapsed());
            assert!(most < MOST_KIB, "{format} {encoding}: {most} KiB");
        }
    }
}

/// The most memory that a process has had.
fn most_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[derive(Deserialize)]
struct Numbered {
    n: i64,
}

/// How many rows a body has, and the sum of their numbers.
fn read(format: &str, body: impl BufRead) -> (i64, i64) {
    let add = |(count, sum), n: i64| (count + 1, sum + n);
    match format {
        "json" => {
            let mut json = serde_json::Deserializer::from_reader(body);
            let read = json.deserialize_seq(Sum).unwrap();
            json.end().unwrap();
            read
        }
        "ndjson" => body
            .lines()
            .map(|line| serde_json::from_str::<Numbered>(&line.unwrap()).unwrap().n)
            .fold((0, 0), add),
        "csv" => {
            let mut csv = csv::Reader::from_reader(body);
            csv.deserialize::<Numbered>().map(|row| row.unwrap().n).fold((0, 0), add)
        }
        _ => StreamReader::try_new(body, None).unwrap().fold((0, 0), |read, batch| {
            let batch = batch.unwrap();
            batch.column(0).as_primitive::<Int64Type>().values().iter().copied().fold(read, add)
        }),
    }
}

/// Reads an array of rows without keeping it.
struct Sum;

impl<'de> Visitor<'de> for Sum {
    type Value = (i64, i64);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(i64, i64), A::Error> {
        let (mut count, mut sum) = (0, 0);
        while let Some(row) = rows.next_element::<Numbered>()? {
            (count, sum) = (count + 1, sum + row.n);
        }
        Ok((count, sum))
    }
}

/// The body of an answer in chunks, as it comes.
struct Body {
    stream: BufReader<TcpStream>,
    /// What is left of the chunk.
    left: usize,
    is_ended: bool,
}

impl Body {
    fn of(address: SocketAddr, path: &str, encoding: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: {encoding}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert_eq!(head.contains("content-encoding: gzip"), encoding == "gzip", "{head}");
        Self { stream, left: 0, is_ended: false }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 && !self.is_ended {
            self.left = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            self.is_ended = self.left == 0;
        }
        let most = self.left;
        match most {
            0 => Ok(&[]),
            _ => match self.stream.fill_buf()? {
                [] => Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => Ok(&bytes[..bytes.len().min(most)]),
            },
        }
    }

    fn consume(&mut self, amount: usize) {
        self.stream.consume(amount);
        self.left -= amount;
        if amount > 0 && self.left == 0 {
            // A chunk ends with a line break of its own. That it is missing is seen when the next is read.
            _ = self.line();
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        self.consume(read);
        Ok(read)
    }
}
