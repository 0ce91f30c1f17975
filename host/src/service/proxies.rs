use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{self, HeaderName};

use super::endpoint::Endpoint;
use crate::{ForwardedHeader, Network, ServiceConfig};

/// The proxies that are believed when they say for whom they ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    trusted: Vec<Network>,
    header: ForwardedHeader,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Proxies {
    pub fn of(config: &ServiceConfig) -> Self {
        Self { trusted: config.trusted_proxies.clone(), header: config.forwarded }
    }

    /// The address of the client that has sent a request: of the connection, or, where that is a proxy's, the last one of
    /// those that it names which is no proxy's itself. What stands before that may have been written by anybody.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        for named in self.named(headers).into_iter().rev() {
            // A proxy that does not know or tell for whom it asks is all that is known.
            let Some(address) = named.as_deref().and_then(address) else { break };
            client = Some(address);
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// The address for which a connection is counted, if it is not a proxy's.
    pub fn counted(&self, peer: &Endpoint) -> Option<IpAddr> {
        match peer {
            Endpoint::Tcp(peer) => Some(peer.ip()).filter(|address| !self.trusts(Some(*address))),
            Endpoint::Unix(_) => None,
        }
    }

    fn trusts(&self, address: Option<IpAddr>) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// For whom each proxy asked, the last one last: nothing, where it does not say.
    fn named(&self, headers: &HeaderMap) -> Vec<Option<String>> {
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        match self.header {
            ForwardedHeader::XForwardedFor => values
                .flat_map(|value| value.split(','))
                .map(|address| Some(address.trim().to_owned()))
                .collect(),
            ForwardedHeader::Forwarded => values.flat_map(elements).collect(),
        }
    }
}

/// For whom each element of a `Forwarded` says that it is. What stands within quotes separates nothing: a proxy may quote there
/// what its client has written, such as a host. Of a value whose quotes don't end nothing is known.
fn elements(value: &str) -> Vec<Option<String>> {
    let Some(elements) = split(value, ',') else { return vec![None] };
    elements.into_iter().map(named_by).collect()
}

/// For whom one of its elements says that it is: nothing, where it does not, or does so twice.
fn named_by(element: &str) -> Option<String> {
    let pairs = split(element, ';')?;
    let mut named = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
    });
    named.next().filter(|_| named.next().is_none())
}

/// A text in the pieces between a separator that is in no quotes. Nothing, if quotes don't end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if c == separator && !is_quoted => {
                pieces.extend(text.get(from..at));
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.extend(text.get(from..));
    (!is_quoted).then_some(pieces)
}

/// An address, with a port or without: `192.0.2.1:80`, `[2001:db8::1]`.
fn address(text: &str) -> Option<IpAddr> {
    let unwrapped = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    unwrapped.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, peer: &str, values: &[&str]) -> String {
        let config = ServiceConfig {
            trusted_proxies: ["10.0.0.0/8", "::1", "unix"].map(|network| network.parse().unwrap()).to_vec(),
            forwarded: header,
            ..ServiceConfig::default()
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, value.parse().unwrap());
            headers.append(header::FORWARDED, value.parse().unwrap());
        }
        let peer = peer.parse().ok().map(|peer| SocketAddr::new(peer, 1));
        let client = Proxies::of(&config).client(peer, &headers);
        client.map_or_else(|| "nobody".to_owned(), |client| client.to_string())
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        let of = |peer: &str, values: &[&str]| client(ForwardedHeader::XForwardedFor, peer, values);
        assert_eq!(of("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "198.51.100.1:4711", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(of("::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(of("a socket", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("a socket", &[]), "nobody");
        for unknown in [&[][..], &["unknown"], &["1.1.1.1, "], &["1.1.1.1, é"]] {
            assert_eq!(of("10.0.0.1", unknown), "10.0.0.1", "{unknown:?}");
        }
    }

    #[test]
    fn the_header_of_the_rfc_is_read_likewise() {
        let of = |values: &[&str]| client(ForwardedHeader::Forwarded, "10.0.0.1", values);
        assert_eq!(of(&["for=198.51.100.1;proto=https, FOR=10.0.0.2"]), "198.51.100.1");
        assert_eq!(of(&["proto=http;for=\"[2001:db8::7]:4711\""]), "2001:db8::7");
        assert_eq!(of(&["for=1.1.1.1, for=_hidden"]), "10.0.0.1");
        assert_eq!(of(&["for=1.1.1.1, proto=http"]), "10.0.0.1");
    }

    #[test]
    fn what_a_proxy_quotes_names_nobody() {
        let of = |values: &[&str]| client(ForwardedHeader::Forwarded, "10.0.0.1", values);
        for host in ["a,for=1.1.1.1", "a;for=1.1.1.1", "a\\\",for=1.1.1.1", "a, for=1.1.1.1;b="] {
            assert_eq!(of(&[&format!("host=\"{host}\";for=198.51.100.1")]), "198.51.100.1", "{host}");
            assert_eq!(of(&[&format!("for=198.51.100.1;host=\"{host}\"")]), "198.51.100.1", "{host}");
        }
        // Where the client has begun with quotes that the proxy has not ended.
        assert_eq!(of(&["for=\"1.1.1.1, for=198.51.100.1"]), "10.0.0.1");
        assert_eq!(of(&["for=\"1.1.1.1", "for=198.51.100.1"]), "198.51.100.1");
        assert_eq!(of(&["for=1.1.1.1;for=198.51.100.1"]), "10.0.0.1");
    }
}
