//! What an HTTP server answers, read as strictly as RFC 9112 has it.

use Wrong::{BreaksOff, Malformed};

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case, in their order.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The one header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut its = self.headers.iter().filter(|(its, _)| its == name).map(|(_, value)| value.as_str());
        let first = its.next();
        assert_eq!(its.next(), None, "{name} is there twice");
        first
    }
}

/// Why bytes are no answer.
#[derive(Debug)]
#[allow(dead_code)] // It is told by its Debug alone.
pub enum Wrong {
    /// They end too early.
    BreaksOff,
    /// They are what no answer may be.
    Malformed(&'static str),
}

/// Reads one answer, after those that only say that it will come, and gives it with the bytes after it. `has_body` is false of
/// what answers HEAD.
pub fn answer(bytes: &[u8], has_body: bool) -> Result<(Answer, &[u8]), Wrong> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or(BreaksOff)?;
    let head = str::from_utf8(&bytes[..end]).map_err(|_| Malformed("a head is not UTF-8"))?;
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .or(line.strip_prefix("HTTP/1.0 "))
        .ok_or(Malformed("no status line"))?;
    let (code, reason) = status.split_once(' ').ok_or(Malformed("a status line without a reason"))?;
    let is_plain = |text: &str| text.chars().all(|c| c == '\t' || !c.is_control());
    let status = code
        .parse()
        .ok()
        .filter(|code| (100..600).contains(code) && is_plain(reason))
        .ok_or(Malformed("no status"))?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed("a header without a colon"))?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) || !is_plain(value) {
            return Err(Malformed("a malformed header"));
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    if status < 200 {
        return answer(rest, has_body);
    }
    let mut its = Answer { status, headers, body: Vec::new() };
    let length = its.header("content-length").map(|length| length.parse::<usize>());
    let rest = match (length, its.header("transfer-encoding")) {
        (Some(_), Some(_)) => return Err(Malformed("both a length and chunks")),
        _ if !has_body || matches!(status, 204 | 304) => rest,
        (Some(length), None) => {
            let length = length.map_err(|_| Malformed("a malformed length"))?;
            let (body, rest) = rest.split_at_checked(length).ok_or(BreaksOff)?;
            its.body = body.to_vec();
            rest
        }
        (None, Some("chunked")) => unchunk(rest, &mut its.body)?,
        (None, Some(_)) => return Err(Malformed("another transfer encoding")),
        (None, None) => {
            its.body = rest.to_vec();
            &[]
        }
    };
    Ok((its, rest))
}

/// Reads chunks to the last, and gives what comes after it.
fn unchunk<'a>(mut bytes: &'a [u8], body: &mut Vec<u8>) -> Result<&'a [u8], Wrong> {
    loop {
        let line = bytes.windows(2).position(|window| window == b"\r\n").ok_or(BreaksOff)?;
        let size = str::from_utf8(&bytes[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or(Malformed("a malformed size of a chunk"))?;
        let (chunk, rest) = bytes[line + 2..].split_at_checked(size).ok_or(BreaksOff)?;
        body.extend_from_slice(chunk);
        bytes = match rest {
            [b'\r', b'\n', rest @ ..] => rest,
            [] | [b'\r'] => return Err(BreaksOff),
            _ => return Err(Malformed("a chunk that is longer than its size")),
        };
        if size == 0 {
            return Ok(bytes);
        }
    }
}
