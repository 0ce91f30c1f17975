use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, Version};

use crate::{CallId, TraceContext};

/// What is known of a request beside its body.
pub(super) struct Asked {
    pub method: Method,
    pub uri: Uri,
    /// What its call is known by.
    pub id: CallId,
    pub version: Version,
    pub headers: HeaderMap,
    /// From where it came, if the server tells: [`super::serve_until`] does, and so do axum's own services with connection info.
    pub peer: Option<SocketAddr>,
    /// The span that it is, if it is a part of a trace.
    pub trace: Option<TraceContext>,
}

impl Asked {
    /// What the head of a request says, and what was made known of it before.
    pub fn of(parts: Parts) -> Self {
        let Parts { method, uri, version, headers, extensions, .. } = parts;
        let id = extensions.get().copied().unwrap_or_else(CallId::new);
        let peer = extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| *peer);
        Self { method, uri, id, version, headers, peer, trace: extensions.get().cloned() }
    }

    /// The query string, of a request that has its parameters there.
    pub fn query_string(&self) -> Option<&str> {
        let has_no_body = matches!(self.method, Method::GET | Method::HEAD);
        has_no_body.then(|| self.uri.query().unwrap_or_default())
    }

    /// The name of a client of which no more is known than its address; with the port where a connection of its own says so.
    pub fn name_of(&self, address: Option<IpAddr>) -> Option<String> {
        let address = address?;
        let of_connection = self.peer.filter(|peer| peer.ip().to_canonical() == address);
        Some(of_connection.map_or_else(|| address.to_string(), |peer| peer.to_string()))
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.clone()))
    }
}
