//! What people are told.

#![allow(dead_code)] // A target uses some of it.

/// Checks that what is told is bounded and printable.
///
/// # Panics
/// If it is not.
pub fn assert_told(text: &str) {
    assert!(text.len() <= 64 << 10, "{} bytes are told", text.len());
    assert_printable(text);
}

/// Checks that nothing in a text forges a line of a log or is obeyed by a terminal.
///
/// # Panics
/// If something does.
pub fn assert_printable(text: &str) {
    let odd = text.chars().find(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(c));
    assert_eq!(odd, None, "{text:?}");
}
