use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// What is under way on a client's connection: shared by what answers its requests and what writes to it.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    requests: AtomicUsize,
    is_writing: AtomicBool,
}

impl Traffic {
    /// Begins a request, which ends when what is returned is dropped.
    pub fn begin(self: &Arc<Self>) -> AtHand {
        self.requests.fetch_add(1, Ordering::Relaxed);
        AtHand(self.clone())
    }

    /// Notes whether the client is waited for, to read what was sent.
    pub fn set_writing(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Relaxed);
    }

    /// Whether any request is at hand.
    pub fn has_requests(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Whether nothing is under way but, perhaps, the head of a request that is not there yet.
    pub fn is_idle(&self) -> bool {
        !self.has_requests() && !self.is_writing.load(Ordering::Relaxed)
    }
}

/// A request that is at hand, until its answer was handed on.
pub(super) struct AtHand(Arc<Traffic>);

impl Drop for AtHand {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer. While it is there, its request is at hand.
pub(super) struct Answer {
    pub body: Body,
    pub _at_hand: AtHand,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
