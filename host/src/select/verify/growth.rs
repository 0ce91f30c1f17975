//! Which of PostgreSQL's own functions and operators can't be interrupted, and which make large values of small ones.
//!
//! Measured on PostgreSQL 15 under a statement timeout of 200 ms. What takes time in proportion to its operands, as `md5` and
//! `upper` do, ends within seconds at the largest values that there are (1 GB), and is not here.

use super::flow::Over;
use crate::catalog::{FunctionKind, Oid};

/// What a function makes of the sizes of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// At most about the largest of them.
    None,
    /// At most all of them together.
    Together,
    /// Of `replace`, where what is written instead is short: at most [`REPLACED`] times the first of them.
    Replaced,
    /// The product of two of them, or anything.
    Any,
}

/// How many bytes `replace` may write instead of one, where its result goes on to what can't be interrupted.
pub(super) const REPLACED: u8 = 4;

/// The aggregates that give one of their values.
const ONE_OF_ITS_VALUES: &[&str] = &[
    "any_value",
    "bit_and",
    "bit_or",
    "bit_xor",
    "max",
    "min",
    "mode",
    "percentile_disc",
    "range_intersect_agg",
];

/// The functions that put their arguments together.
const TOGETHER: &[&str] = &[
    "array_append",
    "array_cat",
    "array_prepend",
    "concat",
    "concat_ws",
    "json_build_array",
    "json_build_object",
    "json_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_insert",
    "jsonb_object",
    "jsonb_set",
    "jsonb_set_lax",
    "overlay",
    "tsquery_phrase",
];

/// The functions that write one argument as often as another says.
const ANY: &[&str] = &[
    "array_fill",
    "array_replace",
    "array_to_string",
    "format",
    "jsonb_path_query",
    "jsonb_path_query_array",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_tz",
    "jsonb_pretty",
    "lpad",
    "regexp_replace",
    "repeat",
    "rpad",
    "ts_headline",
];

/// What a function of `pg_catalog` makes of its arguments; `spreads_array`, where VARIADIC hands over an array of any length.
pub(super) fn of_function(name: &str, kind: FunctionKind, spreads_array: bool) -> Growth {
    match kind {
        FunctionKind::Aggregate | FunctionKind::OrderedSet { .. } => {
            if ONE_OF_ITS_VALUES.contains(&name) {
                Growth::None
            } else {
                Growth::Any
            }
        }
        FunctionKind::Window => Growth::None,
        FunctionKind::Function if ANY.contains(&name) => Growth::Any,
        FunctionKind::Function if name == "replace" => Growth::Replaced,
        // The text between the elements is written as often as there are some.
        FunctionKind::Function if name == "concat_ws" && spreads_array => Growth::Any,
        FunctionKind::Function if TOGETHER.contains(&name) => Growth::Together,
        FunctionKind::Function => Growth::None,
    }
}

/// The operands that decide how long an operator of `pg_catalog` takes that can't be interrupted, by its name and the type that
/// it takes on its left.
pub(super) fn of_operator(name: &str, left: Option<Oid>) -> Option<Over> {
    const ANYARRAY: Oid = 2277;
    const JSONB: Oid = 3802;
    const PATH: Oid = 602;
    const POLYGON: Oid = 604;
    const TEXTS: [Oid; 4] = [25, 1042, 19, 17];
    let left = left?;
    match name {
        // Each element of one is looked for among those of the other.
        "@>" | "<@" | "&&" if left == ANYARRAY => Some(Over::Arrays),
        "@>" | "<@" if left == JSONB => Some(Over::Both),
        "?|" | "?&" | "-" if left == JSONB => Some(Over::Arrays),
        // Each segment with each.
        "?#" | "<->" if left == PATH => Some(Over::Shapes),
        "&&" | "<->" | "@>" | "<@" | "~=" if left == POLYGON => Some(Over::Shapes),
        // The rest of the pattern at each place of the text.
        "~~" | "!~~" | "~~*" | "!~~*" if TEXTS.contains(&left) => Some(Over::First),
        _ => None,
    }
}

/// The arguments that decide how long a function of `pg_catalog` takes that can't be interrupted, by its name and how many it
/// has.
pub(super) fn of_call(name: &str, arguments: usize) -> Option<Over> {
    match name {
        // The whole of what is looked for at each place, at worst; marks of a letter are sorted by exchanging neighbours.
        "is_normalized" | "normalize" | "position" | "replace" | "split_part" | "string_to_array"
        | "string_to_table" | "strpos" => Some(Over::First),
        // Each character of one is looked for in the other.
        "btrim" | "ltrim" | "rtrim" if arguments == 2 => Some(Over::Both),
        "translate" | "ts_rank" | "ts_rank_cd" => Some(Over::Both),
        _ => None,
    }
}
