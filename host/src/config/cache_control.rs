use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// What `Cache-Control` says of a reply: directives of RFC 9111 and those that were registered since, of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheControl(String);

/// Those without a value, and those with a number of seconds.
const PLAIN: [&str; 9] = [
    "must-revalidate",
    "must-understand",
    "no-cache",
    "no-store",
    "no-transform",
    "private",
    "proxy-revalidate",
    "public",
    "immutable",
];
const TIMED: [&str; 4] = ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

/// Those that say for whom a reply may be kept.
const FOR_WHOM: [&str; 3] = ["no-store", "private", "public"];

impl CacheControl {
    /// The directives, in lower case: `private, max-age=60`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says for whom a reply may be kept: `public`, `private`, or `no-store` for nobody.
    pub fn says_for_whom(&self) -> bool {
        self.0.split(", ").any(|directive| FOR_WHOM.contains(&directive))
    }
}

impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CacheControl {
    type Err = UnknownDirective;

    fn from_str(text: &str) -> Result<Self, UnknownDirective> {
        let directive = |text: &str| {
            let text = text.trim().to_ascii_lowercase();
            let is_known = match text.split_once('=') {
                None => PLAIN.contains(&text.as_str()),
                // Of 31 bits, as caches have it.
                Some((name, seconds)) => {
                    TIMED.contains(&name)
                        && seconds.bytes().all(|byte| byte.is_ascii_digit())
                        && seconds.parse::<i32>().is_ok()
                }
            };
            if is_known { Ok(text) } else { Err(UnknownDirective(text)) }
        };
        let directives = text.split(',').map(directive).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(directives.join(", ")))
    }
}

impl<'de> Deserialize<'de> for CacheControl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is no directive of [`CacheControl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no directive of a reply's Cache-Control; there are {plain} and, with seconds as in max-age=60, {timed}",
    plain = PLAIN.join(", "),
    timed = TIMED.join(", ")
)]
pub struct UnknownDirective(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_known_ones() {
        let read = |text: &str| text.parse::<CacheControl>().map(|read| read.to_string());
        assert_eq!(read("private,max-age=60").unwrap(), "private, max-age=60");
        assert_eq!(read(" Public , IMMUTABLE").unwrap(), "public, immutable");
        for text in [
            "",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=+1",
            "max-age=2147483648",
            "private=1",
            "max-ag=1",
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(
                message.contains("max-age=60") && message.contains("stale-if-error"),
                "{text}: {message}"
            );
        }
        let for_whom = |text: &str| text.parse::<CacheControl>().unwrap().says_for_whom();
        assert!(for_whom("max-age=1, private") && for_whom("no-store") && !for_whom("max-age=1, no-cache"));
    }
}
