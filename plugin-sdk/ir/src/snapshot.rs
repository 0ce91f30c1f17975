//! What the host, which writes catalog snapshots, and the SDK's macros, which make tables of them, have to agree on.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// What the member `format` of a snapshot says.
pub const FORMAT: &str = "callslip catalog snapshot";
/// What its member `version` says where it is written today. A change that an older program would misread makes it one more.
pub const VERSION: u32 = 2;
/// The versions that can be read. Version 1 has fewer members: nothing of defaults, checks, indexes, policies, partitions,
/// views' queries, extensions and settings, and nothing that can't be read.
pub const VERSIONS: RangeInclusive<u32> = 1..=VERSION;

/// The schema of PostgreSQL's own objects.
pub const PG_CATALOG: &str = "pg_catalog";

/// An object of a schema as a snapshot refers to it: of `pg_catalog` by its name alone.
pub fn reference(schema: &str, name: &str) -> String {
    match schema {
        PG_CATALOG => quoted(name).into_owned(),
        _ => format!("{}.{}", quoted(schema), quoted(name)),
    }
}

/// A name as it is, where it is plain, and otherwise quoted as SQL quotes it.
pub fn quoted(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

/// Whether a name is written without quotes: `[a-z_][a-z0-9_]*`.
pub fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The schema and name that a reference means, if it can be read as one.
pub fn read_reference(reference: &str) -> Option<(String, String)> {
    let (first, rest) = part(reference)?;
    match rest.strip_prefix('.') {
        None => rest.is_empty().then(|| (PG_CATALOG.to_owned(), first)),
        Some(rest) => {
            let (name, rest) = part(rest)?;
            rest.is_empty().then_some((first, name))
        }
    }
}

/// The name that the text begins with, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return is_plain(&text[..end]).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let quote = rest.find('"')?;
        name.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return (!name.is_empty()).then_some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{read_reference, reference};

    #[test]
    fn a_reference_reads_back_as_what_it_was_made_of() {
        for (schema, name, written) in [
            ("pg_catalog", "int4", "int4"),
            ("public", "mood", "public.mood"),
            ("pg_catalog", "Weird", "\"Weird\""),
            ("a.b", "Weird.Na\"me", "\"a.b\".\"Weird.Na\"\"me\""),
            ("public", "9lives", "public.\"9lives\""),
            ("größe", "a[]", "\"größe\".\"a[]\""),
        ] {
            assert_eq!(reference(schema, name), written);
            assert_eq!(read_reference(written), Some((schema.to_owned(), name.to_owned())), "{written}");
        }
    }

    #[test]
    fn nothing_else_is_a_reference() {
        for written in [
            "", ".", "a.", ".a", "a.b.c", "A", "a b", "9a", "\"", "\"a", "\"a\"b", "\"\"", "\"\".a",
            "a.\"\"", "é", "a.\"b\"c",
        ] {
            assert_eq!(read_reference(written), None, "{written}");
        }
    }
}
