mod cast;
mod collation;
mod column;
mod constraint;
mod function;
mod index;
mod name;
mod operator;
mod partition;
mod relation;
mod row_security;
mod schema;
mod ty;
mod view;

use std::collections::BTreeMap;

pub use cast::{Cast, CastContext};
pub use collation::Collation;
pub use column::{Column, ColumnPrivileges, Generated, Identity};
pub use constraint::{Check, Exclusion, ForeignKey, ReferentialAction, UniqueKey};
pub use function::{Function, FunctionKind, Parallel, Volatility};
pub use index::Index;
pub use name::{ObjectName, Signature};
pub use operator::Operator;
pub use partition::{PartitionOf, Partitioning};
pub use relation::{Persistence, Relation, RelationKind};
pub use row_security::{Policy, PolicyCommand, RowSecurity};
pub use schema::{Extension, Schema};
pub use ty::{Attribute, DomainRules, Type, TypeKind};
pub use view::View;

/// A PostgreSQL object id. It names an object in one database, while that object lives.
pub type Oid = u32;

/// Everything that was reflected, as plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// `server_version_num`, as in 150018 for 15.18.
    pub server_version: u32,
    /// The settings of the server and the database that change what a statement means or gives, by name. Which ones:
    ///
    /// | name | what it decides |
    /// |---|---|
    /// | `server_encoding` | which characters there can be |
    /// | `lc_collate`, `lc_ctype`, `locale_provider`, `locale`, `icu_rules` | how text is ordered and its case changed where no collation is named: what the database was made with; the provider is `libc`, `icu` or `builtin`, and the last two are there where it is not `libc` |
    /// | `max_identifier_length` | where a longer name is cut off |
    /// | `array_nulls`, `timezone_abbreviations`, `xmloption` | how the text of an array, a time and an XML value is read |
    /// | `transform_null_equals` | whether `= NULL` is `IS NULL` |
    /// | `default_text_search_config` | how text is searched where no configuration is named |
    /// | `lc_monetary`, `lc_numeric`, `lc_time` | what `money` and `to_char` give |
    /// | `default_transaction_isolation` | what a statement sees of others' changes |
    /// | `row_security` | whether policies take rows away, or what they would take from is an error |
    /// | `gin_fuzzy_search_limit` | whether a search by an index gives all rows |
    ///
    /// Each has the value that new sessions of the login in this database begin with: of the configuration, the database, the
    /// role and the connection's own options. What the host itself sets for all that it runs (`TimeZone`, `DateStyle`,
    /// `IntervalStyle`, `search_path` and their like) is not here: it is the same everywhere, whatever the database says.
    /// What can have only one value in PostgreSQL 14 and later, such as `integer_datetimes`, is not here either.
    pub settings: BTreeMap<String, String>,
    /// Whether some of the functions of `pg_catalog` are left out, as a snapshot does with those that no plugin may call.
    pub partial: bool,
    /// The schemas, by name; none of PostgreSQL's own.
    pub schemas: Vec<Schema>,
    /// The extensions that are installed, by name.
    pub extensions: Vec<Extension>,
    /// The relations that a query can read: tables, views, materialized views, foreign and partitioned tables.
    /// None of `pg_catalog` or `information_schema`.
    pub relations: Vec<Relation>,
    /// The types of `pg_catalog` and of every other schema, the row types of `relations`, the arrays of all these, and
    /// whatever else something here is of. The row types of other relations only where something here is of them.
    pub types: Vec<Type>,
    /// The functions, aggregates and window functions; no procedures.
    pub functions: Vec<Function>,
    /// The operators.
    pub operators: Vec<Operator>,
    /// The casts.
    pub casts: Vec<Cast>,
    /// The collations.
    pub collations: Vec<Collation>,
}

impl Contents {
    /// The schemas of everything in it, many times over.
    pub fn schema_names(&self) -> impl Iterator<Item = &str> {
        let schemas = self.schemas.iter().map(|its| &its.name);
        let relations = self.relations.iter().map(|its| &its.schema);
        let types = self.types.iter().map(|its| &its.schema);
        let functions = self.functions.iter().map(|its| &its.schema);
        let operators = self.operators.iter().map(|its| &its.schema);
        let collations = self.collations.iter().map(|its| &its.schema);
        let all = schemas.chain(relations).chain(types).chain(functions).chain(operators).chain(collations);
        all.map(String::as_str)
    }
}
