//! The names of what a plugin declares.

/// Whether a name is `[a-z][a-z0-9_]*` of at most 63 bytes.
pub(super) fn is_identifier(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_identifier;

    #[test]
    fn identifiers() {
        assert!(is_identifier("a") && is_identifier("a_1") && is_identifier(&"a".repeat(63)));
        for name in ["", "A", "1a", "_a", "a-b", "ä", "a b", &"a".repeat(64)] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
