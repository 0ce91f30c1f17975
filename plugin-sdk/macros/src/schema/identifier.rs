//! What names of the database are in Rust.

use std::collections::HashMap;

use callslip_ir::snapshot::is_plain;
use proc_macro2::{Ident, Span};
use unicode_ident::{is_xid_continue, is_xid_start};

use crate::name::snake_case;

/// What nothing that can be part of an identifier is called.
const UNNAMED: &str = "unnamed";
/// The keywords that can't be written as `r#…`.
const NEVER_RAW: [&str; 5] = ["_", "self", "Self", "super", "crate"];
/// The other keywords, in order.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The identifiers of one scope, so that none is there twice.
#[derive(Default)]
pub(super) struct Scope {
    /// How often each was wanted.
    taken: HashMap<String, u32>,
}

impl Scope {
    pub(super) fn with(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|name| ((*name).to_owned(), 1)).collect() }
    }

    /// An identifier for each name, in the same order. Where several names come to the same, a name as PostgreSQL writes it
    /// without quotes goes first, and the others get a number.
    pub(super) fn name_all<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
        identifier: fn(&str) -> String,
    ) -> Vec<String> {
        let names: Vec<&str> = names.into_iter().collect();
        let mut identifiers = vec![String::new(); names.len()];
        for plain in [true, false] {
            for (name, slot) in names.iter().zip(&mut identifiers) {
                if is_plain(name) == plain {
                    *slot = self.name(identifier(name));
                }
            }
        }
        identifiers
    }

    fn name(&mut self, wanted: String) -> String {
        let Some(count) = self.taken.get(&wanted) else {
            self.taken.insert(wanted.clone(), 1);
            return wanted;
        };
        let mut count = *count;
        let name = loop {
            count += 1;
            let name = format!("{wanted}_{count}");
            if !self.taken.contains_key(&name) {
                break name;
            }
        };
        self.taken.insert(wanted, count);
        self.taken.insert(name.clone(), 1);
        name
    }
}

/// The identifier of a field or a module.
pub(super) fn snake(name: &str) -> String {
    if is_plain(name) && name.bytes().any(|b| b != b'_') {
        return possible(name.to_owned());
    }
    possible(words(name).join("_"))
}

/// The identifier of a type or a variant.
pub(super) fn pascal(name: &str) -> String {
    let mut pascal = String::new();
    for word in words(name) {
        // `a_1_2` is not `a_12`.
        if pascal.ends_with(|c: char| c.is_numeric()) && word.starts_with(|c: char| c.is_numeric()) {
            pascal.push('_');
        }
        let mut chars = word.chars();
        pascal.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        pascal.push_str(chars.as_str());
    }
    possible(pascal)
}

/// The identifier as a token: a keyword as `r#…`.
pub(super) fn ident(identifier: &str) -> Ident {
    if KEYWORDS.binary_search(&identifier).is_ok() {
        Ident::new_raw(identifier, Span::call_site())
    } else {
        Ident::new(identifier, Span::call_site())
    }
}

/// The words of a name in lower case: what is no part of an identifier parts them, and so does a capital letter.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| c == '_' || !is_xid_continue(c)).filter(|part| !part.is_empty()) {
        if is_plain(part) {
            words.push(part.to_owned());
        } else {
            words.extend(snake_case(part).split('_').map(str::to_owned));
        }
    }
    if words.is_empty() { vec![UNNAMED.to_owned()] } else { words }
}

/// Mends what can't be an identifier.
fn possible(mut name: String) -> String {
    if NEVER_RAW.contains(&name.as_str()) {
        name.push('_');
    }
    if !name.starts_with(|c: char| c == '_' || is_xid_start(c)) {
        name.insert(0, '_');
    }
    if name.is_ascii() {
        return name;
    }
    // The compiler takes two spellings of one character for the same name.
    Ident::new(&name, Span::call_site()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_in_order() {
        assert!(KEYWORDS.is_sorted());
        for keyword in KEYWORDS.iter().chain(&NEVER_RAW) {
            assert!(syn::parse_str::<Ident>(keyword).is_err() || *keyword == "gen", "{keyword}");
            assert!(syn::parse_str::<Ident>(&ident(&snake(keyword)).to_string()).is_ok(), "{keyword}");
        }
    }

    #[test]
    fn names_become_identifiers() {
        for (name, field, ty) in [
            ("title", "title", "Title"),
            ("interview_status", "interview_status", "InterviewStatus"),
            ("type", "type", "Type"),
            ("self", "self_", "Self_"),
            ("First Name", "first_name", "FirstName"),
            ("companyId", "company_id", "CompanyId"),
            ("HTTPError", "http_error", "HttpError"),
            ("IN_PROGRESS", "in_progress", "InProgress"),
            ("2fa", "_2fa", "_2fa"),
            ("a_1_2", "a_1_2", "A1_2"),
            ("_hidden", "_hidden", "Hidden"),
            ("a__b", "a__b", "AB"),
            ("größe", "größe", "Größe"),
            ("名前", "名前", "名前"),
            ("?column?", "column", "Column"),
            ("_", "unnamed", "Unnamed"),
            ("", "unnamed", "Unnamed"),
            ("!?", "unnamed", "Unnamed"),
            ("in-progress", "in_progress", "InProgress"),
        ] {
            assert_eq!((snake(name).as_str(), pascal(name).as_str()), (field, ty), "{name}");
        }
    }

    #[test]
    fn plain_names_go_first_and_others_get_numbers() {
        let names = ["Title", "title", "TITLE", "title_2"];
        assert_eq!(Scope::default().name_all(names, snake), ["title_3", "title", "title_4", "title_2"]);
        let names = ["columns", "x"];
        assert_eq!(Scope::with(&["columns"]).name_all(names, snake), ["columns_2", "x"]);
    }
}
