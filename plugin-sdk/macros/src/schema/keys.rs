//! Foreign keys as methods of tables.
//!
//! Their names come from the constraints alone, and a name that two keys of a table could have is given to neither. So what a
//! name means stays the same, whichever tables, views and keys are added to the database.

use std::collections::HashMap;

use proc_macro2::TokenStream;

use super::{
    identifier::snake,
    snapshot::{ForeignKey, Relation},
};

/// What PostgreSQL puts behind the columns in the names that it makes of them.
const SUFFIX: &str = "_fkey";
/// What columns that refer to a row are mostly called.
const ID: &str = "_id";
/// What follows a whole name that can't be a method.
const AVOIDING: &str = "_foreign_key";
/// The methods and functions that tables have anyway, in order: those of the SDK's traits, and of what every type has.
const RESERVED: [&str; 19] = [
    "alias",
    "bind",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "clone_to_uninit",
    "columns",
    "from",
    "into",
    "into_relation",
    "only",
    "table",
    "tablesample",
    "to_owned",
    "try_from",
    "try_into",
    "type_id",
];

/// A foreign key whose target is generated, too.
pub(super) struct Key<'a> {
    pub key: &'a ForeignKey,
    pub names: Names<'a>,
    /// The struct of what it refers to, as it is written in the table's module.
    pub target: TokenStream,
    /// The places of its columns and, beside each, of the one that it refers to.
    pub places: Vec<(usize, usize)>,
}

/// The methods that a key has.
pub(super) struct Names<'a> {
    pub short: Short<'a>,
    /// The constraint's whole name; none if it is that of another key, too.
    pub whole: Option<String>,
}

impl Names<'_> {
    pub(super) fn is_empty(&self) -> bool {
        !matches!(self.short, Short::Named(_)) && self.whole.is_none()
    }
}

pub(super) enum Short<'a> {
    Named(String),
    /// It would hide a method that tables have anyway.
    Reserved(String),
    /// It could be this key's as well.
    Ambiguous(String, &'a str),
    /// The whole name is no longer.
    None,
}

/// The names of a relation's keys, in their order.
pub(super) fn name_all<'a>(table: &str, keys: &'a [ForeignKey]) -> Vec<Names<'a>> {
    let wanted: Vec<Wanted> = keys.iter().map(|key| Wanted::of(table, &key.name)).collect();
    // Each name, and the keys that could have it.
    let mut claims: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, wanted) in wanted.iter().enumerate() {
        for name in wanted.all() {
            let claims = claims.entry(name).or_default();
            if !claims.contains(&place) {
                claims.push(place);
            }
        }
    }
    let other =
        |name: &str, place| claims[name].iter().find(|other| **other != place).map(|other| &keys[*other]);
    let is_free = |name: &str, place| !is_reserved(name) && other(name, place).is_none();
    let names = wanted.iter().enumerate().map(|(place, wanted)| {
        let whole = [&wanted.whole, &wanted.avoiding].into_iter().find(|name| is_free(name, place));
        // Of a whole name that isn't given as it is, the reason is the same as of a short one.
        let avoided = (whole != Some(&wanted.whole)).then_some(&wanted.whole);
        let short = match wanted.short.as_ref().or(avoided) {
            None => Short::None,
            Some(short) if is_reserved(short) => Short::Reserved(short.clone()),
            Some(short) => match other(short, place) {
                Some(other) => Short::Ambiguous(short.clone(), &other.name),
                None => Short::Named(short.clone()),
            },
        };
        Names { short, whole: whole.cloned() }
    });
    names.collect()
}

/// What a key could be called.
struct Wanted {
    short: Option<String>,
    whole: String,
    avoiding: String,
}

impl Wanted {
    fn of(table: &str, constraint: &str) -> Self {
        let whole = snake(constraint);
        Self { short: short(table, constraint).map(snake), avoiding: format!("{whole}{AVOIDING}"), whole }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.short.iter().chain([&self.whole, &self.avoiding]).map(String::as_str)
    }
}

/// A constraint's name without what PostgreSQL puts around the columns, where it has made the name, and without `_id`.
fn short<'a>(table: &str, constraint: &'a str) -> Option<&'a str> {
    let columns = constraint.strip_prefix(table)?.strip_prefix('_')?.strip_suffix(SUFFIX)?;
    let short = columns.strip_suffix(ID).unwrap_or(columns);
    [short, columns].into_iter().find(|name| !name.is_empty())
}

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// Where the columns of a key and those that it refers to are; none if a column isn't there.
pub(super) fn places(key: &ForeignKey, of: &Relation, target: &Relation) -> Option<Vec<(usize, usize)>> {
    if key.columns.is_empty() || key.columns.len() != key.target_columns.len() {
        return None;
    }
    let place = |relation: &Relation, name: &String| relation.columns.iter().position(|c| c.name == *name);
    let pairs = key.columns.iter().zip(&key.target_columns);
    pairs.map(|(from, to)| Some((place(of, from)?, place(target, to)?))).collect()
}

#[cfg(test)]
mod tests {
    use syn::{Item, TraitItem};

    use super::*;

    /// The methods of a table's keys: of each the short name, if it has one, and the whole one.
    fn names(table: &str, constraints: &[&str]) -> Vec<(Option<String>, Option<String>)> {
        let key = |name: &&str| ForeignKey { name: (*name).to_owned(), ..ForeignKey::default() };
        let keys: Vec<ForeignKey> = constraints.iter().map(key).collect();
        let short = |short| match short {
            Short::Named(name) => Some(name),
            Short::Reserved(_) | Short::Ambiguous(..) | Short::None => None,
        };
        name_all(table, &keys).into_iter().map(|names| (short(names.short), names.whole)).collect()
    }

    #[test]
    fn a_name_that_postgresql_made_has_a_short_one() {
        for (table, constraint, short, whole) in [
            ("interview", "interview_position_id_fkey", Some("position"), "interview_position_id_fkey"),
            ("interview", "interview_position_fkey", Some("position"), "interview_position_fkey"),
            ("interview", "interview_a_id_b_id_fkey", Some("a_id_b"), "interview_a_id_b_id_fkey"),
            ("interview", "interview_id_fkey", Some("id"), "interview_id_fkey"),
            ("interview", "interview__id_fkey", Some("_id"), "interview__id_fkey"),
            ("interview", "interview_type_fkey", Some("type"), "interview_type_fkey"),
            ("interview", "interview_self_id_fkey", Some("self_"), "interview_self_id_fkey"),
            ("Größe", "Größe_Maß_id_fkey", Some("maß"), "größe_maß_id_fkey"),
            ("a b", "a b_Type Of_fkey", Some("type_of"), "a_b_type_of_fkey"),
            // Neither a number that tells it from another constraint, nor anything that somebody wrote.
            ("interview", "interview_position_id_fkey1", None, "interview_position_id_fkey1"),
            ("interview", "fk_interview_position", None, "fk_interview_position"),
            ("interview", "interview_fkey", None, "interview_fkey"),
            ("interview", "interview__fkey", None, "interview__fkey"),
            ("interview", "rating_position_id_fkey", None, "rating_position_id_fkey"),
            ("interview", "!", None, "unnamed"),
            // Methods that tables have.
            ("t", "t_alias_id_fkey", None, "t_alias_id_fkey"),
            ("t", "into", None, "into_foreign_key"),
        ] {
            let expected = [(short.map(str::to_owned), Some(whole.to_owned()))];
            assert_eq!(names(table, &[constraint]), expected, "{constraint}");
        }
    }

    #[test]
    fn a_name_that_two_keys_could_have_is_given_to_neither() {
        let both =
            |short: Option<&str>, whole: Option<&str>| (short.map(str::to_owned), whole.map(str::to_owned));
        for (constraints, expected) in [
            (["t_a_id_fkey", "t_a_fkey"], [both(None, Some("t_a_id_fkey")), both(None, Some("t_a_fkey"))]),
            (["t_a_id_fkey", "a"], [both(None, Some("t_a_id_fkey")), both(None, Some("a_foreign_key"))]),
            (["t_a_fkey", "T_A_Fkey"], [both(Some("a"), None), both(None, None)]),
            (["a", "a_foreign_key"], [both(None, Some("a")), both(None, Some("a_foreign_key_foreign_key"))]),
        ] {
            assert_eq!(names("t", &constraints), expected);
            let [first, second] = constraints;
            let [one, other] = expected;
            assert_eq!(names("t", &[second, first]), [other, one], "in whichever order");
        }
    }

    #[test]
    fn no_method_of_a_table_is_hidden() {
        assert!(RESERVED.is_sorted());
        for source in [include_str!("../../../src/relation.rs"), include_str!("../../../src/rare/sample.rs")]
        {
            for item in syn::parse_file(source).unwrap().items {
                let Item::Trait(item) = item else { continue };
                if !["IntoRelation", "TypedRelation", "TypedTable", "TableSample"]
                    .iter()
                    .any(|name| item.ident == name)
                {
                    continue;
                }
                for item in item.items {
                    let TraitItem::Fn(function) = item else { continue };
                    assert!(is_reserved(&function.sig.ident.to_string()), "{}", function.sig.ident);
                }
            }
        }
    }
}
