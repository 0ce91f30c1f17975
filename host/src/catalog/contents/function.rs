use serde::{Deserialize, Serialize};

use super::{Attribute, Oid};

/// A function, aggregate or window function (`pg_proc`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Its id in `pg_proc`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// The types of its input arguments. Of an ordered-set aggregate, the direct ones come first.
    pub arguments: Vec<Oid>,
    /// The names of its input arguments, as many as there are `arguments`, an empty one where an argument has none. Empty
    /// if none has one.
    pub argument_names: Vec<String>,
    /// How many of the last arguments may be left out.
    pub defaults: u16,
    /// The element type of its VARIADIC argument, which is the last of `arguments`.
    pub variadic: Option<Oid>,
    /// The type of its result.
    pub returns: Oid,
    /// What it declares of its result's columns: its OUT, INOUT and TABLE arguments in their order, as PostgreSQL names
    /// them. Empty if it has none, and then `returns` tells what there is to know. Of a single one `returns` is the type,
    /// and its name is empty where the function gives none.
    pub columns: Vec<Attribute>,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// `provolatile`.
    pub volatility: Volatility,
    /// Whether it runs with its owner's rights.
    pub security_definer: bool,
    /// Whether it gives null for a null, without being called (`proisstrict`).
    pub strict: bool,
    /// Whether it tells nothing of its arguments but by its result (`proleakproof`).
    pub leakproof: bool,
    /// `proparallel`.
    pub parallel: Parallel,
    /// The language that it is written in: `sql`, `internal`, `c`, `plpgsql`.
    pub language: String,
    /// The role that owns it; nothing of those of `pg_catalog`.
    pub owner: String,
    /// The extension that it is of.
    pub extension: Option<String>,
    /// `COMMENT ON`; nothing of those of `pg_catalog`.
    pub comment: Option<String>,
    /// Whether the login may not call it: it has no EXECUTE on it or no USAGE on its schema. One that a cast runs is here all
    /// the same, since PostgreSQL runs it for who can't name it; the others only where
    /// [everything](crate::catalog::Visibility::Everything) was reflected. No name leads to it.
    pub hidden: bool,
}

impl Function {
    /// The types in its signature.
    pub(in crate::catalog) fn types(&self) -> impl Iterator<Item = Oid> {
        let columns = self.columns.iter().map(|column| column.ty);
        self.arguments.iter().copied().chain([self.returns]).chain(self.variadic).chain(columns)
    }
}

/// What a [`Function`] is (`pg_proc.prokind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FunctionKind {
    /// A plain function.
    #[default]
    Function,
    /// An ordinary aggregate.
    Aggregate,
    /// An ordered-set or hypothetical-set aggregate (`aggkind` `o` or `h`).
    OrderedSet {
        /// How many of its arguments are direct ones (`aggnumdirectargs`).
        direct: u16,
    },
    /// A window function.
    Window,
}

/// `pg_proc.provolatile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// Depends on nothing but its arguments.
    #[default]
    Immutable,
    /// Gives the same result within a statement.
    Stable,
    /// May do anything.
    Volatile,
}

/// `pg_proc.proparallel`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parallel {
    /// It may run in a parallel worker.
    Safe,
    /// It may run in a parallel plan, outside of the workers.
    Restricted,
    /// It makes the whole plan a serial one.
    #[default]
    Unsafe,
}
