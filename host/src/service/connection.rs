use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::problem::Problem;
use crate::Code;

/// A client's connection, on which every answer that refuses is a [`Problem`]. What hyper can't read as a request, it answers
/// itself with a head and no body, and it can't be told otherwise: that answer is exchanged on its way out.
///
/// Some clients are not answered at all, and their connection is closed: those that send nothing or not the whole of a head
/// in time, and those that begin with HTTP/2's preface.
pub(super) struct Connection<S> {
    stream: S,
    /// What stands in for hyper's answer, while it is sent.
    refusal: Option<Refusal>,
}

struct Refusal {
    bytes: Vec<u8>,
    sent: usize,
}

impl<S> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, refusal: None }
    }
}

/// The answer to what can't be read as a request, if these bytes are hyper's own: a head without a media type. Whatever else
/// has one of these statuses has a problem's.
fn refusal(head: &[u8]) -> Option<Refusal> {
    // `HTTP/1.1 414 `: cheap, as this looks at every piece of every reply.
    let status = StatusCode::from_bytes(head.strip_prefix(b"HTTP/1.")?.get(2..5)?).ok()?;
    let detail = match status {
        StatusCode::BAD_REQUEST => {
            "it can't be read as a request of HTTP/1: its first line or one of its headers is malformed, such as an address \
             that is not percent-encoded"
        }
        StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the address and the headers are too long; send the parameters as the JSON body of a POST"
        }
        _ => return None,
    };
    let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    if !head.ends_with("\r\n\r\n") || head.contains("\r\ncontent-type:") {
        return None;
    }
    let body = Problem::new(Code::BadRequest, detail).with_status(status).json();
    let bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {}\r\ncache-control: no-store\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        Problem::MEDIA_TYPE,
        body.len()
    );
    Some(Refusal { bytes: bytes.into_bytes(), sent: 0 })
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.refusal.is_none() {
            this.refusal = refusal(bytes);
        }
        let Some(refusal) = &mut this.refusal else {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        };
        while refusal.sent < refusal.bytes.len() {
            let rest = &refusal.bytes[refusal.sent..];
            match ready!(Pin::new(&mut this.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => refusal.sent += sent,
            }
        }
        this.refusal = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            // A head that has no body.
            [only] => self.poll_write(context, only),
            several => Pin::new(&mut self.stream).poll_write_vectored(context, several),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn sent(bytes: &[u8]) -> String {
        let mut sent = Connection::new(Vec::new());
        sent.write_all(bytes).await.unwrap();
        String::from_utf8(sent.stream).unwrap()
    }

    #[tokio::test]
    async fn an_answer_without_a_body_becomes_a_problem() {
        for status in ["400 Bad Request", "414 URI Too Long", "431 Request Header Fields Too Large"] {
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            let sent = sent(head.as_bytes()).await;
            assert!(sent.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{sent}");
            let (head, body) = sent.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}", body.len())), "{sent}");
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["code"], "CS1008", "{sent}");
        }
    }

    #[tokio::test]
    async fn every_other_answer_stays_as_it_is() {
        for bytes in [
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\ncontent-length: 9\r\n\r\n",
            "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "[{\"status\": \"HTTP/1.1 400 \"}]",
            "HTTP/1.1 ",
        ] {
            assert_eq!(sent(bytes.as_bytes()).await, bytes);
        }
    }
}
