use serde::Deserialize;

use super::{builtin, written};
use crate::catalog::{Function, PG_CATALOG};

/// The `[plugins.NAME.grants]` of a configuration, and the `[plugins.NAME.queries.QUERY.grants]`.
///
/// A name without a schema is looked for in the schemas that the configuration searches. The names of logical schemas are
/// those that plugins know: what is granted of one is granted of the schema that it stands for, and of no other. A name is
/// taken as it is written, without folding its case; only its first dot parts schema and name. One that has quotes, parentheses,
/// commas, dots or an asterisk of its own is written in double quotes, as SQL does: `"\"odd (name)\""`. Several grants of one
/// thing add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantSettings {
    /// Relations that may be read.
    ///
    /// `position`, `audit.event`: all of its columns, also those that it gets later. `candidate(id, name)`: these columns, as
    /// SQL's `GRANT SELECT (id, name)`, and its rows may be counted; `candidate()`: only that.
    ///
    /// `reporting.*`, `public.report_*`: every relation of the schema whose name is like that, where `*` stands for any number
    /// of characters; the schema itself is never a pattern. It is resolved anew whenever the host sees the database change, so
    /// that a new table under it is granted then. It covers no foreign table: reading one opens a connection to another
    /// server, and takes a grant of that table by its own name.
    ///
    /// A granted view shows what its owner lets it show of tables, and they need no grant: that is what views are for. What a
    /// view runs is vetted all the same, see [`Grants::refused_reading`](super::Grants::refused_reading).
    pub relations: Vec<String>,
    /// Functions that may be called beside the built-in ones ([`builtin`]): `app.score`,
    /// with every signature of that name; `app.score(int4, text)`, with this one; `pg_catalog.random`. A function is granted
    /// with all that it does and reads.
    pub functions: Vec<String>,
    /// Operators that may be used beside the built-in ones: `public.%`, `public.<->(int4, int4)`, and of a prefix operator
    /// `public.!(NONE, int4)`.
    pub operators: Vec<String>,
    /// Casts that may run their functions beside the built-in ones; the functions need no grant by themselves then: `app.color AS text`.
    pub casts: Vec<String>,
    /// Types that may be named, in casts above all, beside the built-in ones ([`builtin`]):
    /// `app.color`. The enums and base types of the columns that were granted, and of the elements of their arrays, need no
    /// grant. Their domains, composites and ranges do: a cast to a domain runs the functions in its checks, and the others may
    /// hold one.
    pub types: Vec<String>,
}

impl GrantSettings {
    /// These and others.
    #[cfg(feature = "host")]
    pub(crate) fn and(mut self, others: &Self) -> Self {
        let Self { relations, functions, operators, casts, types } = others;
        self.relations.extend_from_slice(relations);
        self.functions.extend_from_slice(functions);
        self.operators.extend_from_slice(operators);
        self.casts.extend_from_slice(casts);
        self.types.extend_from_slice(types);
        self
    }

    /// Each grant by itself.
    #[cfg(feature = "host")]
    pub(crate) fn each(&self) -> Vec<Self> {
        let Self { relations, functions, operators, casts, types } = self;
        let one = |name: &String| vec![name.clone()];
        let relations = relations.iter().map(|name| Self { relations: one(name), ..Self::default() });
        let functions = functions.iter().map(|name| Self { functions: one(name), ..Self::default() });
        let operators = operators.iter().map(|name| Self { operators: one(name), ..Self::default() });
        let casts = casts.iter().map(|name| Self { casts: one(name), ..Self::default() });
        let types = types.iter().map(|name| Self { types: one(name), ..Self::default() });
        relations.chain(functions).chain(operators).chain(casts).chain(types).collect()
    }

    /// Whether a plugin with these grants may call the function of `pg_catalog`: it is built in, or named here.
    pub fn may_call(&self, function: &Function) -> bool {
        let named = |its: &String| {
            written::function(its).is_ok_and(|its| {
                let schema = its.name.schema.as_deref();
                its.name.name == function.name && schema.is_none_or(|schema| schema == PG_CATALOG)
            })
        };
        builtin::allows_function(function) || self.functions.iter().any(named)
    }
}
