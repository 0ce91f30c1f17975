//! Strings of JSON. Eight bytes are looked at at a time: most texts are ASCII with nothing to escape, and copied as they are.

use bytes::{BufMut, BytesMut};

use super::string::utf8;
use crate::rows::error::Malformed;

/// `text` and whatever is sent like it.
pub(super) fn text(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    out.reserve(raw.len() + 2);
    out.put_u8(b'"');
    match is_plain(raw) {
        true => out.extend_from_slice(raw),
        false => put_escaped(utf8(raw)?, out),
    }
    out.put_u8(b'"');
    Ok(())
}

/// Appends what is within the quotes.
fn put_escaped(text: &str, out: &mut BytesMut) {
    let mut rest = text.as_bytes();
    while let Some((plain, [byte, after @ ..])) = escaped_at(rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(plain);
        put_escape(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn put_escape(byte: u8, out: &mut BytesMut) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 0xF)];
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// A bit of each byte: the lowest, and the highest.
const LOWEST: u64 = u64::MAX / 0xFF;
const HIGHEST: u64 = LOWEST << 7;

/// Marks the bytes of a word that have to be escaped, by their highest bits. The first that is marked is one; those after it may be
/// none, since what is subtracted is borrowed there.
fn marks(word: u64) -> u64 {
    let below = |word: u64, limit: u64| word.wrapping_sub(LOWEST * limit) & !word;
    let equal = |byte: u8| below(word ^ (LOWEST * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHEST
}

/// Whether all of it is ASCII, and nothing has to be escaped.
fn is_plain(text: &[u8]) -> bool {
    let marks = |word: u64| marks(word) | word & HIGHEST;
    let (words, rest) = text.as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | marks(u64::from_le_bytes(*word)));
    // What is left of it is looked at together with what comes before.
    let last = match (text.last_chunk::<8>(), text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(last), ..) => marks(u64::from_le_bytes(*last)),
        (None, Some(first), Some(last)) => {
            marks(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
        }
        _ => rest.iter().fold(0, |found, byte| found | marks(LOWEST * u64::from(*byte))),
    };
    found | last == 0
}

/// Where the first byte is that has to be escaped.
fn escaped_at(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(8 * position + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))?;
    Some(text.len() - rest.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::types::tests::Random;

    fn written(raw: &[u8]) -> Option<String> {
        let mut out = BytesMut::new();
        text(raw, &mut out).ok()?;
        Some(String::from_utf8(out.to_vec()).unwrap())
    }

    /// A text of these characters, of each length from none.
    fn texts(random: &mut Random, characters: &[char]) -> Vec<String> {
        let text = |length| {
            (0..length).map(|_| characters[random.next() as usize % characters.len()]).collect::<String>()
        };
        (0..70).map(text).collect()
    }

    #[test]
    fn it_is_what_serde_json_writes() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let escaped: Vec<char> = (0..0x20).chain([0x22, 0x5C]).map(char::from).collect();
        let near = ['!', '#', ' ', '[', ']', '\u{7F}', '\u{80}', 'é', '\u{2028}', '😀', 'a', '/'];
        let plain: Vec<char> = (0x20..0x7F).map(char::from).filter(|its| !escaped.contains(its)).collect();
        for _ in 0..300 {
            let mut all = [&near, plain.as_slice(), &escaped].concat();
            for characters in [&plain, &all.clone(), &near.to_vec()] {
                for text in texts(&mut random, characters) {
                    assert_eq!(written(text.as_bytes()), serde_json::to_string(&text).ok(), "{text:?}");
                }
            }
            // One that has to be escaped, anywhere in what has not.
            all.truncate(near.len() + plain.len());
            for (at, text) in texts(&mut random, &all).into_iter().enumerate() {
                let mut characters: Vec<char> = text.chars().collect();
                characters.insert(random.next() as usize % (at + 1), escaped[at % escaped.len()]);
                let text: String = characters.into_iter().collect();
                assert_eq!(written(text.as_bytes()), serde_json::to_string(&text).ok(), "{text:?}");
            }
        }
    }

    #[test]
    fn each_byte_is_judged_wherever_it_is() {
        for length in 1..40 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut raw = vec![b'x'; length];
                    raw[at] = byte;
                    let expected =
                        std::str::from_utf8(&raw).ok().map(|it| serde_json::to_string(it).unwrap());
                    assert_eq!(written(&raw), expected, "{byte:#x} at {at} of {length}");
                }
            }
        }
    }
}
