use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::keys::Keys;
use crate::plugin::Digest;

/// A new API key, and the entry by which it is known.
pub(crate) struct NewKey {
    /// The key itself: `callslip_` and 256 random bits. It is kept nowhere.
    pub key: String,
    /// What a file of keys has of it: a table of TOML, with its hash.
    pub entry: String,
}

impl NewKey {
    /// Makes one for a caller, with these claims, until then: a date or a moment of RFC 3339.
    ///
    /// # Errors
    /// What of this can't be in an entry, or that there is no randomness.
    pub fn make(name: &str, claims: &Map<String, Value>, expires: Option<&str>) -> Result<Self, String> {
        let mut bits = [0; 32];
        rand::fill(&mut bits).map_err(|_| "the system gives no random numbers")?;
        let key = format!("callslip_{}", URL_SAFE_NO_PAD.encode(bits));
        let mut entry = format!("[{}]\nsha256 = \"{}\"\n", key_of_toml(name), Digest::of(key.as_bytes()));
        if !claims.is_empty() {
            let claims = toml::Value::try_from(claims).map_err(
                |_| "a claim is null, or a number that TOML can't have; give a large one as a text",
            )?;
            entry += &format!("claims = {claims}\n");
        }
        if let Some(expires) = expires {
            let time: toml::value::Datetime = expires
                .parse()
                .map_err(|_| format!("{expires:?} is no date and no moment, such as 2027-01-01"))?;
            entry += &format!("expires = {time}\n");
        }
        Keys::parse(&entry)?;
        Ok(Self { key, entry })
    }
}

/// A name as the header of a table has it.
fn key_of_toml(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => toml::Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_its_key_and_does_not_have_it() {
        let claims = serde_json::json!({ "company": 9_007_199_254_740_993_i64, "role": "partner", "of": ["a\"b", "c"] });
        let claims = claims.as_object().unwrap();
        let made = NewKey::make("a.b@example", claims, Some("9999-01-01")).unwrap();
        assert!(made.entry.starts_with("[\"a.b@example\"]\nsha256 = \""), "{}", made.entry);
        assert!(!made.entry.contains(&made.key) && made.key.len() == "callslip_".len() + 43);
        let keys = Keys::parse(&made.entry).unwrap();
        let (name, found) = keys.find(&made.key).unwrap().unwrap();
        assert_eq!(name, "a.b@example");
        assert_eq!(found.word("company").as_deref(), Some("9007199254740993"));
        assert_eq!(found.texts("of"), ["a\"b", "c"]);
        let other = NewKey::make("a", &Map::new(), None).unwrap();
        assert_ne!(other.key, made.key);
        assert!(keys.find(&other.key).is_none());
    }

    #[test]
    fn what_can_t_be_an_entry_is_refused() {
        let make = |name: &str, claims: Value, expires: Option<&str>| {
            NewKey::make(name, claims.as_object().unwrap(), expires).map(|made| made.entry)
        };
        let none = || serde_json::json!({});
        assert!(make("a b", none(), None).unwrap_err().contains("is no name"));
        assert!(make("", none(), None).unwrap_err().contains("is no name"));
        assert!(make("a", serde_json::json!({ "n": null }), None).unwrap_err().contains("null"));
        assert!(make("a", serde_json::json!({ "n": u64::MAX }), None).unwrap_err().contains("large"));
        assert!(make("a", none(), Some("tomorrow")).unwrap_err().contains("is no date"));
        assert!(make("a", none(), Some("2027-01-01T00:00:00")).unwrap_err().contains("is no moment"));
    }
}
