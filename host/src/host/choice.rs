//! Which schemas the claims of a caller choose, and what was made for each choice.

use std::collections::BTreeMap;

use crate::Code;
use crate::catalog::{ChosenSchemas, Schemas};
use crate::plugin::{ArgumentError, Inputs};

/// What the claims of a caller choose, by logical schema: one of the schemas that are allowed, or why none.
#[derive(Debug)]
pub(super) struct Choice(BTreeMap<String, Result<String, ArgumentError>>);

/// What of the things that were made for choices is for this one.
#[derive(Debug)]
pub(super) enum Picked<T> {
    /// It was made.
    Found(T),
    /// Nothing was made for it yet.
    NotMade,
    /// The claims that it depends on are missing or wrong.
    Refused(Vec<ArgumentError>),
}

impl Choice {
    /// Reads the claims that choose schemas. That one is missing matters only to what depends on it.
    pub fn of(schemas: &Schemas, claims: &Inputs) -> Self {
        let choose = |(logical, claim, allowed): (&str, &str, &[String])| {
            let error = |code, message| ArgumentError { code, parameter: Some(claim.to_owned()), message };
            let real = match claims.text(claim) {
                None => Err(error(Code::MissingClaim, format!("claim `{claim}` is missing"))),
                // It is not said which others there are: these are other callers'.
                Some(text) => match text.filter(|text| allowed.contains(text)) {
                    Some(real) => Ok(real),
                    None => {
                        let message = format!("claim `{claim}` does not name a schema that it may name");
                        Err(error(Code::InvalidClaim, message))
                    }
                },
            };
            (logical.to_owned(), real)
        };
        Self(schemas.chosen().map(choose).collect())
    }

    /// The schema that is chosen for a logical one that a claim chooses, or why none is.
    pub fn real(&self, logical: &str) -> Option<Result<&str, &ArgumentError>> {
        self.0.get(logical).map(|chosen| chosen.as_ref().map(String::as_str))
    }

    /// Whether all of these schemas are chosen.
    pub fn is_of(&self, schemas: &ChosenSchemas) -> bool {
        let chosen = |logical: &str| self.0.get(logical).and_then(|chosen| chosen.as_ref().ok());
        schemas.iter().all(|(logical, real)| chosen(logical).is_some_and(|chosen| chosen == real))
    }

    /// Of what was made for choices the one that is for this. What was made is all of one tree: whatever depends on a
    /// schema was made for each choice of it that is there.
    pub fn pick<'t, T>(&self, made: impl Iterator<Item = (&'t ChosenSchemas, T)>) -> Picked<T> {
        let mut refused: Option<Vec<&str>> = None;
        for (schemas, made) in made {
            let chosen = |logical: &str| self.0.get(logical).and_then(|chosen| chosen.as_ref().ok());
            if schemas.iter().any(|(logical, real)| chosen(logical).is_some_and(|chosen| chosen != real)) {
                continue;
            }
            let wanted: Vec<&str> =
                schemas.iter().map(|(logical, _)| logical).filter(|its| chosen(its).is_none()).collect();
            if wanted.is_empty() {
                return Picked::Found(made);
            }
            // What is under one branch of the tree and not under the other may not be needed.
            refused = Some(match refused {
                None => wanted,
                Some(others) => others.into_iter().filter(|other| wanted.contains(other)).collect(),
            });
        }
        match refused {
            None => Picked::NotMade,
            Some(logical) => {
                let errors = self.0.iter().filter(|(name, _)| logical.contains(&name.as_str()));
                Picked::Refused(errors.filter_map(|(_, chosen)| chosen.as_ref().err().cloned()).collect())
            }
        }
    }
}
