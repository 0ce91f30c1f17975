use std::collections::HashSet;

/// The names in an expression or a definition as PostgreSQL writes it, without quotes: of columns and relations, and whatever
/// else stands where these could. What is in a string is none.
pub(super) fn names_in(sql: &str) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        match first {
            '\'' | '"' => {
                let (text, after) = quoted(&rest[1..], first);
                if first == '"' {
                    names.insert(text);
                }
                rest = after;
            }
            _ if is_of_a_name(first) => {
                let end = rest.find(|c| !is_of_a_name(c)).unwrap_or(rest.len());
                names.insert(rest[..end].to_owned());
                rest = &rest[end..];
            }
            _ => rest = &rest[first.len_utf8()..],
        }
    }
    names
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// What stands before the closing quote, and what comes after it. Two quotes are one; a backslash is nothing particular, since
/// PostgreSQL writes it twice.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut inside = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(quote) {
        inside.push_str(before);
        match after.strip_prefix(quote) {
            Some(after) => {
                inside.push(quote);
                rest = after;
            }
            None => return (inside, after),
        }
    }
    inside.push_str(rest);
    (inside, "")
}

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn names_are_told_from_strings() {
        for (sql, names) in [
            ("", &[][..]),
            ("(lower(name) <> 'secret'::text)", &["lower", "name", "text"]),
            ("(\"a \"\"b\"\"\" = 'it''s' \"c\")", &["a \"b\"", "c"]),
            ("(\"é\" > 1) AND größe", &["é", "1", "AND", "größe"]),
            ("animal.* IS NULL", &["animal", "IS", "NULL"]),
            ("E'\\\\' a", &["E", "a"]),
            ("'open", &[]),
            ("\"open", &["open"]),
        ] {
            let mut found: Vec<_> = names_in(sql).into_iter().collect();
            let mut names: Vec<_> = names.iter().map(ToString::to_string).collect();
            found.sort();
            names.sort();
            assert_eq!(found, names, "{sql}");
        }
    }
}
