//! Which function or operator a call means, by PostgreSQL's own rules (documentation, chapter 10, "Type
//! Conversion").

mod candidate;
mod choose;
mod coercion;
mod polymorphic;

pub(super) use candidate::{by_position, of_function, of_operator};
pub(super) use choose::{choose, exact};
pub(super) use coercion::{Pathway, castable, common_type, pathway};

use crate::catalog::Oid;

/// What is known of an operand's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// Its type.
    Known(Oid),
    /// A literal or constant without a type of its own (`unknown`).
    Untyped,
    /// Some type that was not inferred; PostgreSQL will say at Describe whether it fits.
    Opaque,
}

/// A signature that a call may mean.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a, T> {
    pub item: &'a T,
    /// The declared types of the arguments, one for each that is passed.
    pub arguments: Vec<Oid>,
    pub result: Oid,
    /// Whether some of the arguments came from spreading a VARIADIC one; a signature without is preferred.
    pub spread: bool,
    /// The place of its schema on the search path.
    pub path: usize,
    /// Whether another one of its schema takes the same arguments, so that a call that means it is ambiguous.
    pub tied: bool,
}

/// The signature that was chosen, with polymorphic types filled in.
#[derive(Clone, Debug)]
pub(super) struct Chosen<'a, T> {
    pub item: &'a T,
    /// The types of the arguments as they are declared.
    pub declared: Vec<Oid>,
    /// The types that the arguments are converted to; an operand's own where it is taken as it is, and none where that
    /// can't be told.
    pub arguments: Vec<Option<Oid>>,
    pub result: Option<Oid>,
    /// Whether the last of them were spread over a VARIADIC one.
    pub spread: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// None of the candidates takes these types.
    NoMatch,
    /// Several take them equally well.
    Ambiguous,
    /// One takes them, but nothing tells what a polymorphic type of it stands for.
    Undetermined,
    /// A type is not known, so that nothing can be said.
    Opaque,
}
