use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::problem::Problem;
use super::traffic::Traffic;
use crate::Code;

/// A client's connection, on which every answer that refuses is a [`Problem`]. What hyper can't read as a request, it answers
/// itself with a head and no body, and it can't be told otherwise: that answer is exchanged on its way out.
///
/// Some clients are not answered at all, and their connection is closed: those that send nothing or not the whole of a head
/// in time, those that read nothing of what was sent to them for too long, and those that begin with HTTP/2's preface.
pub(super) struct Connection<S> {
    stream: S,
    traffic: Arc<Traffic>,
    /// How long the client may read nothing.
    stalled_after: Duration,
    /// When it has done so for as long, if it does.
    stalled: Option<Pin<Box<Sleep>>>,
    /// What stands in for hyper's answer, while it is sent.
    refusal: Option<Refusal>,
    /// Whether not all was sent that was to be: what comes next goes on with it, and begins nothing.
    is_within: bool,
}

struct Refusal {
    bytes: Vec<u8>,
    sent: usize,
}

impl<S> Connection<S> {
    /// Notes whether so many bytes were written whole.
    fn note(&mut self, written: &Poll<io::Result<usize>>, bytes: usize) {
        if let Poll::Ready(Ok(written)) = written {
            self.is_within = *written < bytes;
        }
    }

    pub(super) fn new(stream: S, traffic: Arc<Traffic>, stalled_after: Duration) -> Self {
        Self { stream, traffic, stalled_after, stalled: None, refusal: None, is_within: false }
    }

    /// What came of an attempt to write, unless the client has read nothing for too long.
    fn unless_stalled<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        self.traffic.set_writing(written.is_pending());
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled_after = self.stalled_after;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stalled_after)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    fn poll_write_once(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written, bytes.len());
        self.unless_stalled(written, context)
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
        // While a request is at hand, what is sent is its answer's, which may say anything.
        if this.refusal.is_none() && !this.is_within && !this.traffic.has_requests() {
            this.refusal = refusal(bytes);
        }
        let Some(refusal) = &mut this.refusal else {
            return this.poll_write_once(context, bytes);
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
            several => {
                let this = &mut *self;
                let written = Pin::new(&mut this.stream).poll_write_vectored(context, several);
                this.note(&written, several.iter().map(|slice| slice.len()).sum());
                this.unless_stalled(written, context)
            }
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
        let mut sent = Connection::new(Vec::new(), Arc::default(), Duration::from_secs(60));
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
    async fn what_a_reply_holds_is_not_taken_for_an_answer() {
        let hidden = "HTTP/1.1 400 Bad Request\r\n\r\n";
        // A piece of a reply, which the client took only the beginning of before.
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut connection = Connection::new(ours, Arc::default(), Duration::from_secs(60));
        let all = format!("1234{hidden}");
        let reader = async {
            let mut read = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut theirs, &mut read).await.unwrap();
            read
        };
        let writer = async {
            connection.write_all(all.as_bytes()).await.unwrap();
            drop(connection);
        };
        assert_eq!(tokio::join!(reader, writer).0, all);
        // And one that begins with it.
        let traffic = Arc::<Traffic>::default();
        let _at_hand = traffic.begin();
        let mut sent = Connection::new(Vec::new(), traffic, Duration::from_secs(60));
        sent.write_all(hidden.as_bytes()).await.unwrap();
        assert_eq!(sent.stream, hidden.as_bytes());
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
