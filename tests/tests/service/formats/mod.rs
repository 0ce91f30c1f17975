//! Replies in every format: what is in them, how they are negotiated, broken off, and kept.

mod big;
mod broken;
mod kept;
mod negotiated;
mod parsed;

use std::io::Read;
use std::net::SocketAddr;

use callslip_tests::http::{Response, send};
use callslip_tests::{component, database};
use flate2::read::GzDecoder;

use crate::served::Served;

/// Every format, by its name and its media type.
const FORMATS: [(&str, &str); 4] = [
    ("json", "application/json"),
    ("ndjson", "application/x-ndjson"),
    ("csv", "text/csv"),
    ("arrow", "application/vnd.apache.arrow.stream"),
];

/// A server with the plugin `replies`, behind these settings.
fn serve(settings: &str) -> Served {
    let component = component("tests/guests/replies");
    let config = format!(
        "{settings}
         [plugins.replies]
         component = {component:?}
         [plugins.replies.grants]
         functions = [\"pg_sleep\", \"generate_series(int8, int8)\"]"
    );
    Served::start(&database().url(), &config, &[])
}

/// Asks by this method and with these headers, each a line.
async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let lines: String =
        headers.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
    send(address, format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n")).await
}

/// The value of a header of an answer, in lower case.
fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    let line = answer.head.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split_once(": ").map(|(_, value)| value)
}

fn text(answer: &Response) -> &str {
    str::from_utf8(&answer.body).unwrap()
}

/// What a body was before it became gzip, as far as it goes, and whether it has its end.
fn gunzipped(body: &[u8]) -> (Vec<u8>, bool) {
    let mut plain = Vec::new();
    let whole = GzDecoder::new(body).read_to_end(&mut plain).is_ok();
    (plain, whole)
}
