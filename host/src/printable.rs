//! Text that plugins, callers and databases wrote, where people and logs read it.

use std::fmt::Write;

/// At most `limit` characters, with what could forge a line of a log or reorder a terminal's text escaped.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut printed = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            printed.push('…');
            break;
        }
        match c {
            '\n' => printed.push_str("\\n"),
            '\t' => printed.push_str("\\t"),
            // Controls; zero-width characters but the joiners, which scripts and emoji need; line separators and changes
            // of direction; the byte order mark.
            _ if c.is_control() => escape(&mut printed, c),
            '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => escape(&mut printed, c),
            _ => printed.push(c),
        }
    }
    printed
}

fn escape(printed: &mut String, c: char) {
    // Writing to a string does not fail.
    let _ = write!(printed, "\\u{{{:x}}}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_message_stays_on_its_line_and_commands_no_terminal() {
        assert_eq!(
            printable("a\nb\r\u{1b}[31mc\u{202e}d\u{2028}\u{9b}", 100),
            "a\\nb\\u{d}\\u{1b}[31mc\\u{202e}d\\u{2028}\\u{9b}"
        );
        assert_eq!(printable("größer", 3), "grö…");
        assert_eq!(printable("Zoë 🦀 日本", 100), "Zoë 🦀 日本");
    }
}
