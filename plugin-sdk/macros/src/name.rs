use proc_macro2::Span;
use syn::{Error, Ident, LitStr, Result, ext::IdentExt};

/// The longest name that PostgreSQL keeps, in bytes.
const MAX_NAME: usize = 63;

/// The name of a query, a parameter, a sort key or a statement, and where it was written.
pub(crate) struct Name {
    pub text: String,
    pub span: Span,
}

impl Name {
    /// An identifier as a name, or what it was renamed to.
    pub(crate) fn new(ident: &Ident, renamed: Option<&LitStr>) -> Result<Self> {
        let (text, span) = match renamed {
            Some(renamed) => (renamed.value(), renamed.span()),
            None => (ident.unraw().to_string(), ident.span()),
        };
        Self::checked(text, span)
    }

    /// This text as a name, if it can be one.
    pub(crate) fn checked(text: String, span: Span) -> Result<Self> {
        let first = text.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !first || !rest || text.len() > MAX_NAME {
            return Err(Error::new(
                span,
                format!(
                    "`{text}` can't be a name: it begins with a-z, goes on with a-z, 0-9 and _, and has at most \
                     {MAX_NAME} bytes; `rename = \"…\"` or `name = \"…\"` gives another"
                ),
            ));
        }
        Ok(Self { text, span })
    }
}

/// Refuses a name that is there twice.
pub(crate) fn refuse_duplicates<'a>(names: impl IntoIterator<Item = &'a Name>) -> Result<()> {
    let mut known = std::collections::HashSet::new();
    for name in names {
        if !known.insert(&name.text) {
            return Err(Error::new(name.span, format!("the name `{}` is there twice", name.text)));
        }
    }
    Ok(())
}

/// A Rust name in snake_case: `NotAsked` is `not_asked`, `HTTPError` is `http_error`.
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
        let before_lower =
            i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|c| c.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_where_they_begin() {
        for (rust, label) in [
            ("Completed", "completed"),
            ("NotAsked", "not_asked"),
            ("HTTPError", "http_error"),
            ("Top10", "top10"),
            ("A", "a"),
            ("Snake_case", "snake_case"),
        ] {
            assert_eq!(snake_case(rust), label);
        }
    }
}
