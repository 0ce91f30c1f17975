/// What stands for a character that changes how others are shown.
const HIDDEN: char = char::REPLACEMENT_CHARACTER;

/// A comment of the database as Markdown that says what the comment says: no link, list, HTML or code block is made of it,
/// which would be warned about or even run as a test.
pub(super) fn prose(comment: &str) -> String {
    let mut markdown = String::new();
    for line in comment.lines() {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_none() {
            if !markdown.is_empty() && !markdown.ends_with("\n\n") {
                markdown.push_str("\n\n");
            }
            continue;
        }
        for word in words {
            let begins = markdown.is_empty() || markdown.ends_with('\n');
            if !begins {
                markdown.push(' ');
            }
            escape(&mut markdown, word, begins);
        }
    }
    markdown.truncate(markdown.trim_end().len());
    markdown
}

fn escape(markdown: &mut String, word: &str, begins: bool) {
    for c in word.chars() {
        // `-` and `1.` are lists only where a paragraph begins.
        let harmless =
            matches!(c, ',' | '\'' | '"' | '(' | ';' | '?') || (!begins && matches!(c, '.' | ')' | '-'));
        if c.is_ascii_punctuation() && !harmless {
            markdown.push('\\');
        }
        markdown.push(shown(c));
    }
}

/// Control characters, and those that turn the direction of text, show something else than is there.
fn shown(c: char) -> char {
    if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { HIDDEN } else { c }
}

/// A piece of SQL as Markdown.
pub(super) fn code(sql: &str) -> String {
    let sql: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(shown).collect();
    if !sql.contains('`') {
        return format!("`{sql}`");
    }
    let fence = "`".repeat(1 + sql.split(|c| c != '`').map(str::len).max().unwrap_or(0));
    format!("{fence} {sql} {fence}")
}

#[cfg(test)]
mod tests {
    use super::{code, prose};

    #[test]
    fn a_comment_is_text_and_nothing_else() {
        for (comment, markdown) in [
            ("The title.", "The title."),
            ("a\n    b", "a b"),
            ("a\n\n\n  \nb\n\n", "a\n\nb"),
            ("see [x](y) and <b>", r"see \[x\](y) and \<b\>"),
            ("```\ncode\n```", r"\`\`\` code \`\`\`"),
            ("- a\n- b", r"\- a - b"),
            ("1. a", r"1\. a"),
            ("https://example.org/a", r"https\:\/\/example\.org\/a"),
            ("\u{202e}evil\u{2066} \u{1}", "\u{fffd}evil\u{fffd} \u{fffd}"),
        ] {
            assert_eq!(prose(comment), markdown, "{comment}");
        }
    }

    #[test]
    fn sql_is_code_whatever_it_contains() {
        assert_eq!(code("id int8"), "`id int8`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code("a\u{202e}b\u{7f}"), "`a\u{fffd}b\u{fffd}`");
    }
}
