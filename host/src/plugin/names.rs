//! Names that plugins and callers write, in messages that people and logs read.

use std::fmt::Write;

/// At most `limit` characters, with what could forge a line of a log or reorder a terminal's text escaped.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let mut printed = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            printed.push('…');
            break;
        }
        match c {
            '\n' => printed.push_str("\\n"),
            '\t' => printed.push_str("\\t"),
            // Controls; zero-width characters; line separators and changes of direction; the byte order mark.
            _ if c.is_control() => escape(&mut printed, c),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                escape(&mut printed, c)
            }
            _ => printed.push(c),
        }
    }
    printed
}

fn escape(printed: &mut String, c: char) {
    // Writing to a string does not fail.
    let _ = write!(printed, "\\u{{{:x}}}", u32::from(c));
}

/// The candidate that is most likely meant by `written`, if one is near enough.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of both lengths, and callers write what they like.
    if written.len() > 100 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether a name is `[a-z][a-z0-9_]*` of at most 63 bytes.
pub(super) fn is_identifier(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(
            printable("a\nb\r\u{1b}[31mc\u{202e}d\u{2028}", 100),
            "a\\nb\\u{d}\\u{1b}[31mc\\u{202e}d\\u{2028}"
        );
        assert_eq!(printable("größer", 3), "grö…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn the_nearest_is_near() {
        assert_eq!(nearest("compnay", ["company", "since"]), Some("company"));
        assert_eq!(nearest("x", ["company", "since"]), None);
        assert_eq!(nearest(&"company".repeat(1000), ["company"]), None);
    }

    #[test]
    fn identifiers() {
        assert!(is_identifier("a") && is_identifier("a_1") && is_identifier(&"a".repeat(63)));
        for name in ["", "A", "1a", "_a", "a-b", "ä", "a b", &"a".repeat(64)] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
