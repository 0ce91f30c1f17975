use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version};

use crate::{CallId, TraceContext};

/// What is known of a request beside its address and parameters.
pub(super) struct Asked {
    pub method: Method,
    /// What its call is known by.
    pub id: CallId,
    pub version: Version,
    pub headers: HeaderMap,
    /// The query string, of a request that has its parameters there.
    pub query_string: Option<String>,
    /// From where it came, if the server tells: [`super::serve_until`] does, and so do axum's own services with connection info.
    pub peer: Option<SocketAddr>,
    /// The span that it is, if it is a part of a trace.
    pub trace: Option<TraceContext>,
}

impl Asked {
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
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let headers = parts.headers.clone();
        let method = parts.method.clone();
        let has_no_body = matches!(method, Method::GET | Method::HEAD);
        let query_string = has_no_body.then(|| parts.uri.query().unwrap_or_default().to_owned());
        let trace = parts.extensions.get::<TraceContext>().cloned();
        let id = parts.extensions.get().copied().unwrap_or_else(CallId::new);
        let peer = peer.map(|ConnectInfo(peer)| *peer);
        Ok(Self { method, id, version: parts.version, headers, query_string, peer, trace })
    }
}
