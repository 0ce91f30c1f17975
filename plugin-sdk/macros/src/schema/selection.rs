use std::collections::HashSet;

use callslip_ir::snapshot::is_plain;
use syn::{Error, Result};

use super::{
    arguments::Wanted,
    snapshot::{Relation, Snapshot},
};

/// How many relations are listed where none is near.
const LISTED: usize = 12;

/// A relation of a snapshot.
#[derive(Clone, Copy)]
pub(super) struct Selected<'a> {
    pub schema: &'a str,
    pub name: &'a str,
    pub relation: &'a Relation,
}

impl Selected<'_> {
    /// Whether it is found without its schema.
    pub(super) fn is_found(self, snapshot: &Snapshot) -> bool {
        snapshot.finds(self.schema, |schema| schema.relations.contains_key(self.name))
    }

    /// As `only` names it.
    fn written(self, snapshot: &Snapshot) -> String {
        written((!self.is_found(snapshot)).then_some(self.schema), self.name)
    }
}

/// Every relation, in order, or only what is wanted.
///
/// # Errors
/// What is wanted and isn't there, or is wanted twice.
pub(super) fn relations<'a>(snapshot: &'a Snapshot, only: Option<&[Wanted]>) -> Result<Vec<Selected<'a>>> {
    let mut all = Vec::new();
    for (schema, entry) in &snapshot.schemas {
        for (name, relation) in &entry.relations {
            all.push(Selected { schema, name, relation });
        }
    }
    let Some(only) = only else { return Ok(all) };
    let (mut selected, mut known) = (Vec::new(), HashSet::new());
    let mut errors: Option<Error> = None;
    for wanted in only {
        let found = all.iter().find(|relation| {
            relation.name == wanted.name
                && match &wanted.schema {
                    Some(schema) => relation.schema == schema,
                    None => relation.is_found(snapshot),
                }
        });
        let message = match found {
            Some(relation) if known.insert((relation.schema, relation.name)) => {
                selected.push(*relation);
                continue;
            }
            Some(relation) => format!("`{}` is there twice", relation.written(snapshot)),
            None => unknown(snapshot, wanted, &all),
        };
        let error = Error::new(wanted.span, message);
        match &mut errors {
            Some(errors) => errors.combine(error),
            None => errors = Some(error),
        }
    }
    errors.map_or(Ok(selected), Err)
}

fn unknown(snapshot: &Snapshot, wanted: &Wanted, all: &[Selected<'_>]) -> String {
    let lower = wanted.name.to_lowercase();
    let nearest = all
        .iter()
        .map(|relation| (strsim::damerau_levenshtein(&lower, &relation.name.to_lowercase()), relation))
        .filter(|(distance, _)| *distance <= 1 + lower.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance);
    let advice = match nearest {
        Some((_, relation)) => format!("did you mean `{}`?", relation.written(snapshot)),
        None => {
            let mut listed: Vec<_> = all.iter().take(LISTED).map(|r| r.written(snapshot)).collect();
            if all.len() > LISTED {
                listed.push("…".to_owned());
            }
            format!("it has {}", listed.join(", "))
        }
    };
    format!("the snapshot has no relation `{}`; {advice}", written(wanted.schema.as_deref(), &wanted.name))
}

fn written(schema: Option<&str>, name: &str) -> String {
    let part = |name: &str| if is_plain(name) { name.to_owned() } else { format!("{name:?}") };
    match schema {
        Some(schema) => format!("{}.{}", part(schema), part(name)),
        None => part(name),
    }
}
