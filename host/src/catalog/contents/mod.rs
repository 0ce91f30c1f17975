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
    /// The settings of the server and the database that change what a statement means or gives, by name: `server_encoding`,
    /// `lc_collate`.
    pub settings: BTreeMap<String, String>,
    /// Whether some of the functions of `pg_catalog` are left out, as a snapshot does with those that no plugin may call.
    pub partial: bool,
    /// The schemas, by name; none of PostgreSQL's own.
    pub schemas: Vec<Schema>,
    /// The extensions, by name.
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
