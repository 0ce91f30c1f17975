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
            _ if is_hidden(c) => escape(&mut printed, c),
            _ => printed.push(c),
        }
    }
    printed
}

/// JSON for people and programs, on several lines. What could reorder or command a terminal, such as in a plugin's
/// documentation, is escaped as JSON does it, and so means the same to a program.
#[cfg(feature = "cli")]
pub(crate) fn printable_json(value: &impl serde::Serialize) -> String {
    let mut printed = String::new();
    // Writing what has names for keys does not fail.
    for c in serde_json::to_string_pretty(value).unwrap_or_default().chars() {
        match c {
            '\n' => printed.push(c),
            // All of these are within strings, and of four digits.
            _ if is_hidden(c) => _ = write!(printed, "\\u{:04x}", u32::from(c)),
            _ => printed.push(c),
        }
    }
    printed
}

/// Controls; zero-width characters but the joiners, which scripts and emoji need; line separators and changes of direction;
/// the byte order mark.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}')
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
        #[cfg(feature = "cli")]
        {
            let value = serde_json::json!({ "doc": "a\n\u{9b}2J\u{7f}\u{202e}\u{feff}größer 🦀" });
            let printed = super::printable_json(&value);
            assert!(printed.contains(r"a\n\u009b2J\u007f\u202e\ufeffgrößer 🦀"), "{printed}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
        }
        assert_eq!(printable("Zoë 🦀 日本", 100), "Zoë 🦀 日本");
    }
}
