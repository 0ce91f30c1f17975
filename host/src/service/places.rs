use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::limits::ServiceLimits;
use super::problem::Problem;
use super::rate_limits::neighbourhood;
use crate::Code;

/// The connections that there are. A clone counts the same.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    /// Those of each address that has any.
    of: HashMap<u128, usize>,
    /// Whether the log was told that there is no place, since there last was one.
    is_told: bool,
}

/// The place of a connection, until it is dropped.
pub(super) struct Place {
    places: Places,
    address: Option<u128>,
}

impl Places {
    /// Takes a place for a connection, if there is one for it within these limits. Those of an address that is given are
    /// counted for themselves, too.
    pub fn take(&self, address: Option<IpAddr>, limits: &ServiceLimits) -> Option<Place> {
        let address = address.map(neighbourhood);
        let mut taken = self.taken();
        let of_address = address.and_then(|address| taken.of.get(&address).copied()).unwrap_or(0);
        let most_of_address = limits.connections_per_address.unwrap_or(usize::MAX);
        if taken.all >= limits.connections || of_address >= most_of_address {
            if !std::mem::replace(&mut taken.is_told, true) {
                tracing::warn!(
                    connections = taken.all,
                    of_address,
                    "a connection is refused: there are as many as may be"
                );
            }
            return None;
        }
        taken.all += 1;
        taken.is_told = false;
        if let Some(address) = address {
            *taken.of.entry(address).or_default() += 1;
        }
        Some(Place { places: self.clone(), address })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(count) = taken.of.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.of.remove(&address);
            }
        }
    }
}

/// How long a client may take to read that there is no place for it.
const PARTING: Duration = Duration::from_secs(1);

/// Tells a client that there is no place for its connection, and closes that.
pub(super) async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let problem = Problem::new(Code::TooManyCalls, "there are as many connections as may be; try again")
        .with_status(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    let body = problem.json();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: {}\r\ncache-control: no-store\r\nretry-after: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        problem.status(),
        Problem::MEDIA_TYPE,
        body.len()
    );
    let parting = async {
        stream.write_all((head + &body).as_bytes()).await?;
        stream.shutdown().await?;
        // What it has sent is read: the answer might not reach it otherwise.
        let mut rest = [0; 4_096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whether it has read it is nobody's matter.
    _ = tokio::time::timeout(PARTING, parting).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_is_closed() {
        let places = Places::default();
        let limits =
            ServiceLimits { connections: 3, connections_per_address: Some(2), ..ServiceLimits::default() };
        let take = |address: &str| places.take(Some(address.parse().unwrap()), &limits);
        let first = take("192.0.2.1").unwrap();
        let second = take("::ffff:192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none(), "it has two");
        let third = take("2001:db8::1").unwrap();
        assert!(take("192.0.2.2").is_none() && places.take(None, &limits).is_none(), "there are three");
        drop(first);
        let fourth = take("2001:db8::2").unwrap();
        drop(third);
        assert!(take("2001:db8:0:1::1").is_some(), "another /64");
        drop((second, fourth));
        let taken = places.taken();
        assert!(taken.all == 0 && taken.of.is_empty());
    }
}
