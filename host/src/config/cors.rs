use serde::Deserialize;

use super::ConfigError;

/// `[service.cors]`: the pages of which sites may call from a browser (CORS of the Fetch standard). Without origins there are no
/// headers of it, and browsers let no other site's pages read a reply.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// The sites, such as `https://app.example.com`, without a path; `"*"` alone is every site. Default: none.
    pub origins: Vec<String>,
    /// The methods that their pages may use. Default: GET, HEAD and POST.
    pub methods: Vec<String>,
    /// The headers that their pages may send. Default: those that the service reads.
    pub headers: Vec<String>,
    /// For how many seconds a browser may keep that in mind. Default: 600.
    pub max_age_s: u64,
    /// Whether browsers send the cookies and the certificates that they have of this service, which goes with no `"*"`. Keys and
    /// tokens don't need it. Default: false.
    pub credentials: bool,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            origins: Vec::new(),
            methods: texts(&["GET", "HEAD", "POST"]),
            headers: texts(&[
                "accept",
                "authorization",
                "content-type",
                "if-none-match",
                "traceparent",
                "tracestate",
                "x-api-key",
            ]),
            max_age_s: 600,
            credentials: false,
        }
    }
}

impl CorsConfig {
    /// Whether it is every site.
    pub fn is_for_all(&self) -> bool {
        self.origins == ["*"]
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, wrong: String| Err(ConfigError::setting(format!("service.cors.{key}"), wrong));
        if let Some(origin) = self.origins.iter().find(|origin| !self.is_for_all() && !is_origin(origin)) {
            let advice = "write a scheme and a host, such as https://app.example.com, in lower case and without a path, or \"*\" alone";
            return wrong("origins", format!("has {origin:?}, which no browser sends: {advice}"));
        }
        if self.is_for_all() && self.credentials {
            return wrong("credentials", "can't go with every site: name the origins".to_owned());
        }
        for (key, names) in [("methods", &self.methods), ("headers", &self.headers)] {
            if let Some(name) = names.iter().find(|name| !is_token(name)) {
                return wrong(key, format!("has {name:?}, which can't be one"));
            }
        }
        Ok(())
    }
}

/// Whether a browser can send this: it compares byte by byte.
fn is_origin(text: &str) -> bool {
    let is_host = |host: &str| {
        let may_be = |b: u8| {
            b.is_ascii_lowercase()
                || b.is_ascii_digit()
                || matches!(b, b'-' | b'.' | b':' | b'[' | b']' | b'_')
        };
        !host.is_empty() && host.bytes().all(may_be)
    };
    text.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'))
            && is_host(host)
    })
}

/// Whether it can be the name of a method or a header.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        && text != "*"
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        let parse = |lines: &str| {
            let text = format!("[service.cors]\n{lines}\n");
            Config::parse(&text, "".as_ref()).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(
            parse("origins = [\"https://a.example\", \"http://localhost:3000\"]\ncredentials = true"),
            Ok(())
        );
        assert_eq!(parse("origins = [\"*\"]"), Ok(()));
        for origin in
            ["https://a.example/", "a.example", "null", "https://A.example", "https://", "*.example", ""]
        {
            let error = parse(&format!("origins = [\"{origin}\"]")).unwrap_err();
            assert!(error.starts_with("service.cors.origins has "), "{error}");
        }
        let error = parse("origins = [\"*\", \"https://a.example\"]").unwrap_err();
        assert!(error.starts_with("service.cors.origins has \"*\""), "{error}");
        let error = parse("origins = [\"*\"]\ncredentials = true").unwrap_err();
        assert!(error.starts_with("service.cors.credentials "), "{error}");
        let error = parse("headers = [\"a b\"]").unwrap_err();
        assert!(error.starts_with("service.cors.headers "), "{error}");
    }
}
