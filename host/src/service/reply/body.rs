use std::time::Instant;

use axum::body::{Body, Bytes};
use tokio::sync::mpsc::{self, error::SendTimeoutError};

use super::Answering;
use super::gzip::Gzip;
use crate::Reply;
use crate::service::limits::ServiceLimits;

/// No body, of which the head does not say how long it is: none belongs to this answer, and a length would be taken for that of
/// the one that does.
pub(super) fn of_no_length() -> Body {
    Body::from_stream(futures_util::stream::empty::<Result<Bytes, BrokenOff>>())
}

/// A piece of a body, or why it breaks off. Nothing but `None` says that it is whole.
type Piece = Result<Option<Bytes>, BrokenOff>;

#[derive(Debug, thiserror::Error)]
#[error("the reply broke off")]
struct BrokenOff;

/// The pieces of a reply, as they are sent.
struct Pieces {
    reply: Reply<'static>,
    /// Nothing where they are sent as they are, and when its end was given.
    gzip: Option<Gzip>,
}

impl Pieces {
    /// The next piece. May be dropped at its await and called again.
    async fn next(&mut self) -> Piece {
        match self.reply.next_chunk().await {
            Ok(Some(chunk)) => self.encoded(chunk),
            Ok(None) => self.gzip.take().map(Gzip::end).transpose().map_err(|_| BrokenOff),
            Err(_) => Err(BrokenOff),
        }
    }

    fn encoded(&mut self, chunk: Bytes) -> Piece {
        Ok(Some(match &mut self.gzip {
            Some(gzip) => gzip.piece(&chunk).map_err(|_| BrokenOff)?,
            None => chunk,
        }))
    }
}

/// A body that comes as the rows do. An error breaks the transfer off, so that what was sent can't look whole. The rows
/// are read on a task of their own: it sees that the client has gone while the database is at work, and a client that
/// reads nothing doesn't hold the connection for ever.
pub(super) fn stream(
    first: Bytes,
    reply: Reply<'static>,
    gzip: Option<Gzip>,
    answering: &Answering<'_>,
) -> Body {
    let (sender, receiver) = mpsc::channel::<Piece>(1);
    let (plugin, query) = (answering.plugin.to_owned(), answering.query.to_owned());
    let ServiceLimits { stalled_after, reading_time, .. } = *answering.limits;
    let mut pieces = Pieces { reply, gzip };
    tokio::spawn(async move {
        let mut piece = pieces.encoded(first);
        let mut patience = reading_time;
        loop {
            let goes_on = matches!(piece, Ok(Some(_)));
            let waiting = Instant::now();
            let sent = sender.send_timeout(piece, stalled_after.min(patience)).await;
            patience = patience.saturating_sub(waiting.elapsed());
            match sent {
                Ok(()) if goes_on => {}
                Ok(()) | Err(SendTimeoutError::Closed(_)) => return,
                Err(SendTimeoutError::Timeout(_)) => {
                    tracing::warn!(plugin, query, "a client reads too slowly; its reply is broken off");
                    return;
                }
            }
            piece = tokio::select! {
                piece = pieces.next() => piece,
                () = sender.closed() => return,
            };
        }
    });
    Body::from_stream(futures_util::stream::try_unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(piece) => Ok(piece?.map(|chunk| (chunk, receiver))),
            None => Err(BrokenOff),
        }
    }))
}
