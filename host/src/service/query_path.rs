use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The names of a plugin and of its query, as the path of a request has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueryPath<'a> {
    pub plugin: Cow<'a, str>,
    pub query: Cow<'a, str>,
}

impl<'a> QueryPath<'a> {
    /// The pattern of such paths, for a router and for those who count requests.
    pub const ROUTE: &'static str = "/q/{plugin}/{query}";

    /// The names without the escapes of a path. Nothing, where it is another path, or the escapes are no UTF-8.
    pub fn of(path: &'a str) -> Option<Self> {
        let (plugin, query) = path.strip_prefix("/q/")?.split_once('/')?;
        if plugin.is_empty() || query.is_empty() || query.contains('/') {
            return None;
        }
        let decoded = |name: &'a str| percent_decode_str(name).decode_utf8().ok();
        Some(Self { plugin: decoded(plugin)?, query: decoded(query)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_two_names_that_are_not_empty() {
        let of = |path| QueryPath::of(path).map(|its| (its.plugin.into_owned(), its.query.into_owned()));
        let names = |plugin: &str, query: &str| Some((plugin.to_owned(), query.to_owned()));
        assert_eq!(of("/q/hiring/funnel"), names("hiring", "funnel"));
        assert_eq!(of("/q/a%2fb/%c3%a4 c"), names("a/b", "ä c"));
        for other in ["/q", "/q/", "/q/a", "/q/a/", "/q//b", "/q/a/b/", "/q/a/b/c", "/docs/a/b", "/q/a/%ff"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
