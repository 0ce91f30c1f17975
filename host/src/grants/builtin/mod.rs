//! What of `pg_catalog` every plugin may use: lists of signatures, allowed and excluded, each under its reason.
//!
//! They are data (`*.txt` beside this file) about PostgreSQL 14 to 18. What none of them names is refused, so that neither a
//! new version of PostgreSQL nor an extension that puts its functions into `pg_catalog` brings anything in silence.
//! Signatures are compared by the ids of their types, which are the same in every database and snapshot.

mod list;

use std::sync::LazyLock;

use self::list::{List, Verdicts};
use crate::catalog::{Cast, Function, Oid, Operator, PG_CATALOG, Type, Volatility, builtin_type};

/// What a list says of something of `pg_catalog`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every plugin may use it; and what it depends on beside its arguments.
    Allowed(&'static str),
    /// No plugin may use it without a grant; and why.
    Excluded(&'static str),
}

impl Verdict {
    /// Whether every plugin may use it.
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

static ALLOWED_FUNCTIONS: LazyLock<Verdicts> =
    LazyLock::new(|| Verdicts::of(&List { text: include_str!("functions.txt"), read: list::signature }));
// Thousands, which are read only where a refusal is to be explained.
static EXCLUDED_FUNCTIONS: LazyLock<Verdicts> = LazyLock::new(|| {
    Verdicts::of(&List { text: include_str!("functions_excluded.txt"), read: list::signature })
});
static OPERATORS: LazyLock<Verdicts> =
    LazyLock::new(|| Verdicts::of(&List { text: include_str!("operators.txt"), read: list::signature }));
static CASTS: LazyLock<Verdicts> =
    LazyLock::new(|| Verdicts::of(&List { text: include_str!("casts.txt"), read: list::cast }));
static TYPES: LazyLock<Verdicts> =
    LazyLock::new(|| Verdicts::of(&List { text: include_str!("types.txt"), read: list::ty }));
static FUNCTION_NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| ALLOWED_FUNCTIONS.names());

/// The names of the functions that every plugin may call with some arguments, in order.
pub fn function_names() -> &'static [&'static str] {
    &FUNCTION_NAMES
}

/// What the lists say of a function, aggregate or window function; nothing of one that they don't name.
pub fn function(function: &Function) -> Option<Verdict> {
    if function.schema != PG_CATALOG {
        return None;
    }
    let find = |list: &Verdicts| list.find(&function.name, &function.arguments);
    find(&ALLOWED_FUNCTIONS).or_else(|| find(&EXCLUDED_FUNCTIONS))
}

/// What the list says of an operator; nothing of one that it does not name.
pub fn operator(operator: &Operator) -> Option<Verdict> {
    if operator.schema != PG_CATALOG {
        return None;
    }
    OPERATORS.find(&operator.name, &[operator.left.unwrap_or(NONE), operator.right])
}

/// What the list says of a cast; nothing of one that it does not name, as of a cast from or to a type that somebody made.
pub fn cast(cast: &Cast) -> Option<Verdict> {
    CASTS.find("", &[cast.source, cast.target])
}

/// What the list says of a type; nothing of one that it does not name, as of an array, for which its elements' type stands.
pub fn ty(ty: &Type) -> Option<Verdict> {
    if ty.schema != PG_CATALOG {
        return None;
    }
    TYPES.find(&ty.name, &[ty.oid])
}

/// Whether every plugin may call a function. One that its server calls volatile is not called, whatever the lists say.
pub(super) fn allows_function(function: &Function) -> bool {
    // Not the verdict on it, which reads the long list too.
    function.schema == PG_CATALOG
        && function.volatility != Volatility::Volatile
        && ALLOWED_FUNCTIONS.find(&function.name, &function.arguments).is_some_and(Verdict::is_allowed)
}

/// Whether every plugin may use an operator.
pub(super) fn allows_operator(its: &Operator) -> bool {
    operator(its).is_some_and(Verdict::is_allowed)
}

/// Whether a cast is one of PostgreSQL's own that the list knows. Those that it excludes give types that no plugin may name,
/// and no function takes that it may call: the grant of the type decides.
pub(super) fn has_cast(its: &Cast) -> bool {
    cast(its).is_some()
}

/// Whether every plugin may name a type.
pub(super) fn allows_type(its: &Type) -> bool {
    ty(its).is_some_and(Verdict::is_allowed)
}

/// What stands for the left operand of a prefix operator.
const NONE: Oid = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lists_is_read_and_stands_once() {
        let functions = [include_str!("functions.txt"), include_str!("functions_excluded.txt")].concat();
        let lists = [
            List { text: Box::leak(functions.into_boxed_str()), read: list::signature },
            List { text: include_str!("operators.txt"), read: list::signature },
            List { text: include_str!("casts.txt"), read: list::cast },
            List { text: include_str!("types.txt"), read: list::ty },
        ];
        for list in lists {
            let mut entries: Vec<_> = list.entries().map(|entry| (entry.line, entry.key)).collect();
            let wrong: Vec<_> = entries.iter().filter(|(_, key)| key.is_none()).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
            entries.sort_by(|a, b| a.1.cmp(&b.1));
            let twice: Vec<_> = entries.windows(2).filter(|pair| pair[0].1 == pair[1].1).collect();
            assert!(twice.is_empty(), "{twice:?}");
            assert!(entries.len() > 50);
        }
    }

    #[test]
    fn a_verdict_is_of_a_signature() {
        let of = |name: &str, arguments: &[Oid]| Function {
            schema: PG_CATALOG.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            ..Function::default()
        };
        const TIMESTAMP: Oid = 1114;
        const XID: Oid = 28;
        assert!(allows_function(&of("age", &[TIMESTAMP])));
        assert!(!allows_function(&of("age", &[XID])));
        assert!(!allows_function(&Function { volatility: Volatility::Volatile, ..of("age", &[TIMESTAMP]) }));
        assert!(!allows_function(&Function { schema: "public".into(), ..of("age", &[TIMESTAMP]) }));
        let Some(Verdict::Excluded(why)) = function(&of("age", &[XID])) else { panic!("it is excluded") };
        assert!(why.contains("transaction"), "{why}");
        assert_eq!(function(&of("no_such_function", &[])), None);
        assert!(function_names().is_sorted() && function_names().contains(&"age"));
    }
}
