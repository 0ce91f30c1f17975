use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The first byte of a cursor.
const VERSION: u8 = 1;
/// The bytes of a signature.
const TAG_BYTES: usize = 32;
/// How many bytes the keys of a cursor may have: it goes into a URL and a header.
const MOST_BYTES: usize = 2_048;
/// How long a cursor is at most: the keys, the signature and what stands around them, in base64.
const MOST_CHARACTERS: usize = 4_096;
/// The fewest bytes of a secret.
const LEAST_SECRET: usize = 32;

/// The key by which a host makes the cursors of its pages, and knows them again. Hosts that serve the same clients have the
/// same one; without one each host makes its own, and no cursor outlives it.
///
/// A cursor holds the keys of a row, which need not be in the reply. It is encrypted and signed in one (a synthetic IV, as in RFC
/// 5297, of HMAC-SHA-256): nobody can read it, change it, or use it for anything but the page behind the one with which it was
/// given. The same page has the same cursor each time.
#[derive(Clone)]
pub struct CursorKey {
    signing: Hmac<Sha256>,
    hiding: Hmac<Sha256>,
}

/// A secret for a [`CursorKey`] that is too short.
#[derive(Debug, thiserror::Error)]
#[error("a secret for cursors has at least {LEAST_SECRET} bytes, and this has {found}")]
pub struct ShortSecret {
    found: usize,
}

impl CursorKey {
    /// A key that is made of a secret: at least 32 bytes, which nobody can guess.
    ///
    /// # Errors
    /// [`ShortSecret`].
    pub fn new(secret: &[u8]) -> Result<Self, ShortSecret> {
        match secret.len() {
            LEAST_SECRET.. => Ok(Self::of(secret)),
            found => Err(ShortSecret { found }),
        }
    }

    /// A key that no other host has.
    pub(super) fn random() -> Self {
        // 122 bits each.
        let secret: Vec<u8> = (0..3).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
        Self::of(&secret)
    }

    fn of(secret: &[u8]) -> Self {
        let derived = |purpose: &[u8]| {
            let key = mac(secret).chain_update(purpose).finalize().into_bytes();
            mac(&key)
        };
        Self { signing: derived(b"callslip cursor: signing"), hiding: derived(b"callslip cursor: hiding") }
    }

    fn signature(&self, context: &Context, keys: &[u8]) -> Hmac<Sha256> {
        self.signing.clone().chain_update([VERSION]).chain_update(context.0).chain_update(keys)
    }

    /// The keys, encrypted or decrypted.
    fn hide(&self, tag: &[u8; TAG_BYTES], bytes: &mut [u8]) {
        for (number, block) in (0_u32..).zip(bytes.chunks_mut(TAG_BYTES)) {
            let pad = self.hiding.clone().chain_update(tag).chain_update(number.to_be_bytes()).finalize();
            block.iter_mut().zip(pad.into_bytes()).for_each(|(byte, pad)| *byte ^= pad);
        }
    }

    /// The cursor of a row with these keys; none, if they are too long for one.
    pub(super) fn seal(&self, context: &Context, keys: &[Option<String>]) -> Option<String> {
        let mut bytes = Vec::new();
        for key in keys {
            match key {
                None => bytes.push(0),
                Some(text) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&u32::try_from(text.len()).ok()?.to_be_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        if bytes.len() > MOST_BYTES {
            return None;
        }
        let tag: [u8; TAG_BYTES] = self.signature(context, &bytes).finalize().into_bytes().into();
        self.hide(&tag, &mut bytes);
        let mut cursor = vec![VERSION];
        cursor.extend_from_slice(&tag);
        cursor.append(&mut bytes);
        Some(URL_SAFE_NO_PAD.encode(cursor))
    }

    /// The keys of a cursor, so many as there are; none, if it was not made by this key in this context.
    pub(super) fn open(&self, context: &Context, cursor: &str, keys: usize) -> Option<Vec<Option<String>>> {
        if cursor.len() > MOST_CHARACTERS {
            return None;
        }
        let cursor = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = cursor.split_first()?;
        let (tag, bytes) = rest.split_first_chunk::<TAG_BYTES>()?;
        if *version != VERSION {
            return None;
        }
        let mut bytes = bytes.to_vec();
        self.hide(tag, &mut bytes);
        // It takes as long wherever they differ.
        self.signature(context, &bytes).verify_slice(tag).ok()?;
        let mut rest = bytes.as_slice();
        let read = (0..keys).map(|_| key(&mut rest)).collect::<Option<Vec<_>>>()?;
        rest.is_empty().then_some(read)
    }
}

/// HMAC takes a key of any length.
fn mac(key: &[u8]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        Err(error) => unreachable!("{error}"),
    }
}

fn key(bytes: &mut &[u8]) -> Option<Option<String>> {
    let (is_there, rest) = bytes.split_first()?;
    *bytes = rest;
    if *is_there == 0 {
        return Some(None);
    }
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok().map(Some)
}

/// Shows nothing of the key.
impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// What a cursor is bound to: everything by which the list that it points into is another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Context([u8; 32]);

/// A [`Context`] that is being made.
pub(super) struct ContextMaker(Sha256);

impl ContextMaker {
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds a part, of which nothing can run over into the next one.
    #[must_use]
    pub fn with(self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        Self(self.0.chain_update((part.len() as u64).to_be_bytes()).chain_update(part))
    }

    /// Adds how many parts follow, and the parts: pairs of a name and a value, or no value.
    #[must_use]
    pub fn with_pairs<'a>(self, pairs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let (mut of_pairs, mut count) = (Self::new(), 0_u64);
        for (name, value) in pairs {
            of_pairs = of_pairs.with(name).with([u8::from(value.is_some())]).with(value.unwrap_or_default());
            count += 1;
        }
        self.with(count.to_be_bytes()).with(of_pairs.0.finalize())
    }

    pub fn finish(self) -> Context {
        Context(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn context(part: &str) -> Context {
        ContextMaker::new().with(part).finish()
    }

    fn keys() -> Vec<Option<String>> {
        vec![Some("Baker".to_owned()), None, Some(String::new()), Some("7".repeat(100))]
    }

    #[test]
    fn keys_come_back_as_they_were_and_the_same_page_has_the_same_cursor() {
        let key = CursorKey::new(SECRET).unwrap();
        let cursor = key.seal(&context("a"), &keys()).unwrap();
        assert_eq!(key.open(&context("a"), &cursor, 4), Some(keys()));
        assert_eq!(CursorKey::new(SECRET).unwrap().seal(&context("a"), &keys()), Some(cursor.clone()));
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
        let shown = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        assert!(!shown.windows(5).any(|bytes| bytes == b"Baker"), "it can be read");
    }

    #[test]
    fn of_another_key_context_or_number_of_keys_it_is_none() {
        let key = CursorKey::new(SECRET).unwrap();
        let cursor = key.seal(&context("a"), &keys()).unwrap();
        assert_eq!(key.open(&context("b"), &cursor, 4), None);
        assert_eq!(key.open(&context("a"), &cursor, 3), None);
        assert_eq!(key.open(&context("a"), &cursor, 5), None);
        assert_eq!(CursorKey::random().open(&context("a"), &cursor, 4), None);
    }

    #[test]
    fn with_any_bit_flipped_or_any_byte_less_or_more_it_is_none() {
        let key = CursorKey::new(SECRET).unwrap();
        let cursor = URL_SAFE_NO_PAD.decode(key.seal(&context("a"), &keys()).unwrap()).unwrap();
        let open = |bytes: &[u8]| key.open(&context("a"), &URL_SAFE_NO_PAD.encode(bytes), 4);
        assert_eq!(open(&cursor), Some(keys()));
        for at in 0..cursor.len() {
            for bit in 0..8 {
                let mut other = cursor.clone();
                other[at] ^= 1 << bit;
                assert_eq!(open(&other), None, "bit {bit} of byte {at}");
            }
            assert_eq!(open(&cursor[..at]), None, "of {at} bytes");
        }
        assert_eq!(open(&[cursor.as_slice(), &[0]].concat()), None);
        for text in ["", "!", "AQ", "null", &"A".repeat(100_000)] {
            assert_eq!(key.open(&context("a"), text, 0), None);
        }
    }

    #[test]
    fn parts_do_not_run_over_and_absent_is_not_empty() {
        let of = |parts: &[&str]| {
            parts.iter().fold(ContextMaker::new(), |maker, part| maker.with(part)).finish().0
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        let pairs = |pairs: &[(&'static str, Option<&'static str>)]| {
            ContextMaker::new().with_pairs(pairs.iter().copied()).finish().0
        };
        assert_ne!(pairs(&[("a", None)]), pairs(&[("a", Some(""))]));
        assert_ne!(pairs(&[("a", Some("b"))]), pairs(&[]));
    }

    #[test]
    fn keys_that_are_too_long_have_no_cursor_and_a_short_secret_makes_no_key() {
        let key = CursorKey::new(SECRET).unwrap();
        assert_eq!(key.seal(&context("a"), &[Some("x".repeat(MOST_BYTES))]), None);
        let longest = [Some("x".repeat(MOST_BYTES - 5))];
        let cursor = key.seal(&context("a"), &longest).unwrap();
        assert!(cursor.len() <= MOST_CHARACTERS);
        assert_eq!(key.open(&context("a"), &cursor, 1), Some(longest.to_vec()));
        let short = CursorKey::new(&SECRET[1..]).unwrap_err();
        assert_eq!(short.to_string(), "a secret for cursors has at least 32 bytes, and this has 31");
        assert_eq!(format!("{key:?}"), "CursorKey(…)");
    }
}
