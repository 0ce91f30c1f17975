use serde::{Deserialize, Serialize};

/// A PostgreSQL object id. It names an object in one database, while that object lives.
pub type Oid = u32;

/// Everything that was reflected, as plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// `server_version_num`, as in 150018 for 15.18.
    pub server_version: u32,
    /// Whether some of the functions of `pg_catalog` are left out, as a snapshot does with those that no plugin may call.
    pub partial: bool,
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

/// A table or what can be read like one.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Its id in `pg_class`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns in their order, without dropped and system columns, and without those that the login may not read.
    pub columns: Vec<Column>,
    /// How many of its columns the login may not read. They stand among `columns` wherever PostgreSQL counts them, as in a
    /// list of column aliases or a whole row; the attributes of the row type tell where.
    pub hidden_columns: usize,
    /// The composite type of its rows (`pg_class.reltype`), which has its schema and its name.
    pub row_type: Option<Oid>,
    /// Its primary key, unique constraints, and unique indexes of columns; not those of expressions, nor constraints that
    /// may be violated for a while (DEFERRABLE) or that compare by overlap (WITHOUT OVERLAPS).
    pub unique_keys: Vec<UniqueKey>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// What a [`Relation`] is (`pg_class.relkind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table (`r`).
    Table,
    /// A partitioned table (`p`).
    PartitionedTable,
    /// A view (`v`).
    View,
    /// A materialized view (`m`).
    MaterializedView,
    /// A foreign table (`f`).
    ForeignTable,
}

/// A column of a [`Relation`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier (`pg_attribute.atttypmod`), -1 for none.
    pub type_modifier: i32,
    /// Whether it may be null.
    pub nullable: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// A primary key, unique constraint or unique index.
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueKey {
    /// The constraint's or index's name.
    pub name: String,
    /// Whether it is the primary key.
    pub primary: bool,
    /// Whether only those rows are unique by it that its index is of (`CREATE UNIQUE INDEX … WHERE …`).
    pub partial: bool,
    /// The names of its columns, in its order.
    pub columns: Vec<String>,
}

/// A foreign key. It tells how relations belong together; it may be NOT VALID, so it promises nothing about the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The relation that it refers to.
    pub target: Oid,
    /// The names of the columns that it refers to, in the order of `columns`.
    pub target_columns: Vec<String>,
}

/// A type (`pg_type`).
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Its id in `pg_type`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name: `int4`, `_int4`, `interview_status`.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// `typcategory`.
    pub category: char,
    /// `typispreferred`.
    pub preferred: bool,
    /// The type of its arrays (`typarray`).
    pub array: Option<Oid>,
}

/// What a [`Type`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A base type.
    Base,
    /// A true array: one that another type names as its array type.
    Array {
        /// The type of its elements.
        element: Oid,
    },
    /// An enum.
    Enum {
        /// Its labels, in their sort order.
        labels: Vec<String>,
    },
    /// A domain.
    Domain {
        /// The type that it is over.
        base: Oid,
    },
    /// A composite type.
    Composite {
        /// Its attributes in their order, without dropped ones. Those of a relation's row type are all its columns, since a
        /// row has them all: also those that the login may not read.
        attributes: Vec<Attribute>,
    },
    /// A range.
    Range {
        /// The type of its bounds.
        subtype: Oid,
    },
    /// A multirange.
    Multirange {
        /// The range type that it is made of.
        range: Oid,
    },
    /// A pseudo-type, such as `anyelement`.
    Pseudo,
}

impl TypeKind {
    /// The types that one of this kind is made of.
    pub(super) fn made_of(&self) -> Vec<Oid> {
        match self {
            Self::Array { element: other }
            | Self::Domain { base: other }
            | Self::Range { subtype: other }
            | Self::Multirange { range: other } => vec![*other],
            Self::Composite { attributes } => attributes.iter().map(|attribute| attribute.ty).collect(),
            Self::Base | Self::Enum { .. } | Self::Pseudo => Vec::new(),
        }
    }
}

/// An attribute of a composite type, or a column of a function's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier (`pg_attribute.atttypmod`), -1 for none.
    pub type_modifier: i32,
}

/// A function, aggregate or window function (`pg_proc`).
#[derive(Clone, Debug, PartialEq)]
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
}

impl Function {
    /// The types in its signature.
    pub(super) fn types(&self) -> impl Iterator<Item = Oid> {
        let columns = self.columns.iter().map(|column| column.ty);
        self.arguments.iter().copied().chain([self.returns]).chain(self.variadic).chain(columns)
    }
}

/// What a [`Function`] is (`pg_proc.prokind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// A plain function.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// Depends on nothing but its arguments.
    Immutable,
    /// Gives the same result within a statement.
    Stable,
    /// May do anything.
    Volatile,
}

/// An operator (`pg_operator`).
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Its id in `pg_operator`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name: `=`, `||`.
    pub name: String,
    /// The type of its left operand; none for a prefix operator.
    pub left: Option<Oid>,
    /// The type of its right operand.
    pub right: Oid,
    /// The type of its result.
    pub result: Oid,
    /// The function behind it; none where a snapshot left it out.
    pub function: Option<Oid>,
}

/// A cast (`pg_cast`).
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    /// The type that it takes.
    pub source: Oid,
    /// The type that it gives.
    pub target: Oid,
    /// The function behind it; none where it is binary-coercible or goes through text.
    pub function: Option<Oid>,
    /// Where PostgreSQL applies it.
    pub context: CastContext,
    /// Whether the two types have the same representation (`castmethod` `b`).
    pub binary: bool,
}

/// Where PostgreSQL applies a [`Cast`] (`pg_cast.castcontext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastContext {
    /// Anywhere.
    Implicit,
    /// In assignments and where it is written.
    Assignment,
    /// Only where it is written.
    Explicit,
}

/// A collation.
#[derive(Clone, Debug, PartialEq)]
pub struct Collation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}
