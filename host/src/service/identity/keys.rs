use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::ConfigError;
use crate::config::unreadable;
use crate::plugin::{Digest, Inputs};

/// The API keys that are taken, each by its hash alone. A key has 256 random bits, so that its hash tells nothing of it, and to
/// look one up takes no time that would.
///
/// ```toml
/// [partner-a]
/// sha256 = "…"
/// claims = { company = 7, role = "partner" }
/// expires = 2027-01-01T00:00:00Z
/// ```
#[derive(Debug)]
pub(super) struct Keys(HashMap<Digest, Key>);

#[derive(Debug)]
struct Key {
    /// The caller whose it is.
    name: String,
    claims: Inputs,
    expires: Option<SystemTime>,
}

/// The setting that names the file.
const SETTING: &str = "identity.keys_file";

/// How long a name is at most, in bytes.
const LONGEST_NAME: usize = 63;

impl Keys {
    /// Reads a file of keys.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(SETTING, path, &error))?;
        Self::parse(&text).map_err(|wrong| {
            ConfigError::setting(SETTING, format!("names {}, which can't be used: {wrong}", path.display()))
        })
    }

    /// What a file says. An error never has text of the file but the names of entries: somebody may have put a key in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {} is no TOML, or names a key a second time", before.matches('\n').count() + 1)
        })?;
        let mut keys = HashMap::<Digest, Key>::new();
        for (name, entry) in file {
            let (digest, key) = Key::parse(&name, entry).map_err(|wrong| format!("[{name}] {wrong}"))?;
            if let Some(other) = keys.insert(digest, key) {
                return Err(format!("[{name}] has the same sha256 as [{}]", other.name));
            }
        }
        Ok(Self(keys))
    }

    /// Whose key this is, and with which claims: nothing, if it is nobody's.
    pub fn find(&self, text: &str) -> Option<Result<(&str, &Inputs), Refusal>> {
        let key = self.0.get(&Digest::of(text.as_bytes()))?;
        let is_over = key.expires.is_some_and(|expires| expires <= SystemTime::now());
        Some(if is_over {
            Err(Refusal::Invalid("the key has expired"))
        } else {
            Ok((&key.name, &key.claims))
        })
    }
}

impl Key {
    fn parse(name: &str, entry: toml::Value) -> Result<(Digest, Self), String> {
        let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_name_byte) {
            return Err(format!("is no name of at most {LONGEST_NAME} letters, digits and -_.@"));
        }
        let toml::Value::Table(mut entry) = entry else {
            return Err("is no table; write [NAME], and sha256 = \"…\" below it".to_owned());
        };
        let sha256 = entry.remove("sha256").ok_or("has no sha256")?;
        let digest = sha256.as_str().and_then(|text| text.parse().ok());
        let digest =
            digest.ok_or("has a sha256 that is not 64 hexadecimal digits; `callslip key` makes one")?;
        let claims = match entry.remove("claims").map(json) {
            None => Map::new(),
            Some(Some(Value::Object(claims))) => claims,
            Some(_) => {
                return Err("has claims that are no table of texts, numbers, truths and lists".to_owned());
            }
        };
        let expires = entry.remove("expires").map(|value| time(&value)).transpose()?;
        if let Some(other) = entry.keys().next() {
            return Err(format!("has {other:?}; there are sha256, claims and expires"));
        }
        Ok((digest, Self { name: name.to_owned(), claims: Inputs::from_object(&claims), expires }))
    }
}

/// The moment at which a key ends.
fn time(value: &toml::Value) -> Result<SystemTime, &'static str> {
    let wrong = "has an expires that is no moment, such as 2027-01-01T00:00:00Z, and no date";
    let text = value.as_datetime().ok_or(wrong)?.to_string();
    // A date alone begins with its day.
    let text = if text.len() == "2027-01-01".len() { format!("{text}T00:00:00Z") } else { text };
    humantime::parse_rfc3339(&text).map_err(|_| wrong)
}

/// A value as claims have it. Nothing, if JSON has no such value.
fn json(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::Number(serde_json::Number::from_f64(number)?),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(json).collect::<Option<_>>()?),
        toml::Value::Table(members) => {
            let members = members.into_iter().map(|(name, value)| Some((name, json(value)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, lines: &str) -> String {
        format!("[partner]\nsha256 = \"{}\"\n{lines}\n", Digest::of(key.as_bytes()))
    }

    #[test]
    fn a_key_is_found_by_its_hash_with_the_claims_as_they_were_written() {
        let text = entry("k1", "claims = { company = 9007199254740993, role = \"partner\", of = [1, 2] }");
        let keys = Keys::parse(&text).unwrap();
        let (name, claims) = keys.find("k1").unwrap().unwrap();
        assert_eq!(name, "partner");
        assert_eq!(claims.word("company").as_deref(), Some("9007199254740993"));
        assert_eq!(claims.word("of").as_deref(), Some("[1,2]"));
        assert!(keys.find("k2").is_none() && keys.find("").is_none());
        assert!(keys.find(&Digest::of(b"k1").to_string()).is_none(), "a hash is no key");
    }

    #[test]
    fn a_key_ends() {
        for (expires, is_over) in [
            ("2020-01-01T00:00:00Z", true),
            ("2020-01-01", true),
            ("9999-01-01", false),
            ("9999-12-31T23:59:59Z", false),
        ] {
            let keys = Keys::parse(&entry("k", &format!("expires = {expires}"))).unwrap();
            assert_eq!(keys.find("k").unwrap().is_err(), is_over, "{expires}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_its_text() {
        let secret = "callslip_secret";
        let hash = Digest::of(b"k");
        for (text, expected) in [
            (format!("\nkey {secret}"), "line 2 is no TOML, or names a key a second time".to_owned()),
            (format!("[a]\nsha256 = \"{secret}\""), "[a] has a sha256 that is not 64".to_owned()),
            (format!("a = \"{secret}\""), "[a] is no table".to_owned()),
            (format!("[a]\nkey = \"{secret}\""), "[a] has no sha256".to_owned()),
            (format!("[a]\nsha256 = \"{hash}\"\nkey = \"{secret}\""), "[a] has \"key\"".to_owned()),
            (format!("[a]\nsha256 = \"{hash}\"\nclaims = \"{secret}\""), "[a] has claims".to_owned()),
            (format!("[a]\nsha256 = \"{hash}\"\nclaims = {{ a = nan }}"), "[a] has claims".to_owned()),
            (format!("[a]\nsha256 = \"{hash}\"\nexpires = \"{secret}\""), "[a] has an expires".to_owned()),
            (
                format!("[a]\nsha256 = \"{hash}\"\nexpires = 2027-01-01T00:00:00"),
                "[a] has an expires".to_owned(),
            ),
            (
                format!("[a]\nsha256 = \"{hash}\"\n[b]\nsha256 = \"{hash}\""),
                "[b] has the same sha256 as [a]".to_owned(),
            ),
            (format!("[\"a b\"]\nsha256 = \"{hash}\""), "[a b] is no name".to_owned()),
        ] {
            let error = Keys::parse(&text).unwrap_err();
            assert!(error.starts_with(&expected) && !error.contains(secret), "{text}: {error}");
        }
    }
}
