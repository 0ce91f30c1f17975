use std::{marker::PhantomData, panic::Location};

use callslip_ir::{self as ir, Materialization, NodeId, NodeKind, QualifiedName, RelationName};

use crate::{
    Columns, Expr, Select,
    arena::{self, CteId},
};

/// What FROM and the joins take: a typed table, a [`Table`], a [`Cte`], a [`Subquery`], a
/// [`TableFunction`](crate::TableFunction) or a [`Joined`](crate::Joined).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation",
    label = "a typed table, a `table(\"…\")`, a CTE or a subquery with an alias is wanted here",
    note = "a query becomes a relation with `.alias(\"name\")`, and a call of a function with `.in_from(\"name\")`",
    note = "a typed table is made by `Position::alias(\"p\")`, and is `Copy`: write it without `&`"
)]
pub trait IntoRelation {
    /// The relation's node.
    #[doc(hidden)]
    fn into_relation(self) -> NodeId;
}

macro_rules! relations {
    ($($type:ty),*) => { $(
        impl IntoRelation for $type {
            fn into_relation(self) -> NodeId { self.id }
        }
        impl IntoRelation for &$type {
            fn into_relation(self) -> NodeId { self.id }
        }
    )* };
}
relations!(Table, Cte, Subquery);
pub(crate) use relations;

/// A relation whose columns are fields: what [`macro@crate::schema`], [`macro@crate::cte`] and [`crate::subquery`] make.
pub trait TypedRelation: Copy {
    #[doc(hidden)]
    fn columns(self) -> Columns;
}

#[diagnostic::do_not_recommend]
impl<R: TypedRelation> IntoRelation for R {
    fn into_relation(self) -> NodeId {
        self.columns().relation()
    }
}

/// A table or view of the database whose columns are fields. [`macro@crate::schema`] makes one of each.
pub trait TypedTable: TypedRelation {
    /// Its schema, where that is not one that is searched.
    const SCHEMA: Option<&'static str>;
    /// Its name.
    const NAME: &'static str;
    #[doc(hidden)]
    const COLUMNS: &'static [&'static str];
    #[doc(hidden)]
    fn bind(columns: Columns) -> Self;

    /// The table `AS alias`. Each call is a relation of its own: a join of a table to itself needs two.
    #[track_caller]
    fn alias(alias: &str) -> Self {
        let name = QualifiedName { schema: Self::SCHEMA.map(str::to_owned), name: Self::NAME.to_owned() };
        let table = stored(name, alias);
        Self::bind(Columns::of(arena::push(NodeKind::Table(table), Location::caller()), Self::COLUMNS))
    }

    /// The table under its own name.
    #[track_caller]
    fn table() -> Self {
        Self::alias(Self::NAME)
    }

    /// `ONLY table AS alias`: without the tables that inherit from it.
    #[track_caller]
    fn only(self) -> Self {
        let table = only(self.columns().relation(), Location::caller());
        Self::bind(Columns::of(table, Self::COLUMNS))
    }
}

fn only(table: NodeId, written_at: &'static Location<'static>) -> NodeId {
    let only = |kind: &mut NodeKind| {
        if let NodeKind::Table(table) = kind {
            table.only = true;
        }
    };
    arena::change_relation(table, only, written_at)
}

/// A relation `AS alias (columns)`.
pub(crate) fn with_column_aliases<const N: usize>(
    relation: NodeId,
    aliases: [&str; N],
    written_at: &'static Location<'static>,
) -> NodeId {
    let rename = |kind: &mut NodeKind| {
        let columns = match kind {
            NodeKind::Table(table) => &mut table.columns,
            NodeKind::Subquery(subquery) => &mut subquery.columns,
            NodeKind::Functions(functions) => &mut functions.columns,
            NodeKind::Join(join) => &mut join.columns,
            _ => return,
        };
        *columns = aliases.map(str::to_owned).into();
    };
    arena::change_relation(relation, rename, written_at)
}

fn stored(name: QualifiedName, alias: &str) -> ir::Table {
    let name = RelationName::Stored(name);
    ir::Table { name, alias: alias.to_owned(), columns: Vec::new(), only: false, sample: None }
}

/// What LATERAL takes: a query with an alias, or a function in FROM.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand behind LATERAL",
    label = "a query with `.alias(\"name\")`, a `subquery!` or a call with `.in_from(\"name\")` is wanted here"
)]
pub trait IntoLateral {
    #[doc(hidden)]
    #[track_caller]
    fn into_lateral(self) -> NodeId;
}
impl IntoLateral for Subquery {
    #[track_caller]
    fn into_lateral(self) -> NodeId {
        self.lateral().id
    }
}
impl IntoLateral for &Subquery {
    #[track_caller]
    fn into_lateral(self) -> NodeId {
        self.lateral().id
    }
}

/// What [`Select::with`] takes: a common table expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a common table expression",
    label = "a `cte(…)` or a `cte!(…)` is wanted here"
)]
pub trait IntoCte {
    #[doc(hidden)]
    fn into_cte(self) -> Cte;
}
impl IntoCte for Cte {
    fn into_cte(self) -> Cte {
        self
    }
}
impl IntoCte for &Cte {
    fn into_cte(self) -> Cte {
        *self
    }
}

/// A table or view of the database, under an alias.
///
/// A join of a table to itself needs two aliases: each is a relation of its own.
#[derive(Clone, Copy)]
pub struct Table {
    id: NodeId,
    not_send: PhantomData<*const ()>,
}

/// A table or view: `table("position")`, or `table("audit.event")` in a schema. Its alias is its name until
/// [`Table::alias`] gives another.
#[track_caller]
pub fn table(name: &str) -> Table {
    let name = QualifiedName::parse(name);
    let alias = name.name.clone();
    let table = stored(name, &alias);
    Table { id: arena::push(NodeKind::Table(table), Location::caller()), not_send: PhantomData }
}

impl Table {
    /// The same table `AS alias`.
    #[track_caller]
    pub fn alias(self, alias: &str) -> Self {
        let rename = |kind: &mut NodeKind| {
            if let NodeKind::Table(table) = kind {
                alias.clone_into(&mut table.alias);
            }
        };
        Self { id: arena::change_relation(self.id, rename, Location::caller()), ..self }
    }

    pub(crate) fn with_node(self, change: impl FnOnce(NodeId) -> NodeId) -> Self {
        Self { id: change(self.id), ..self }
    }

    /// `ONLY table`: without the tables that inherit from it.
    #[track_caller]
    pub fn only(self) -> Self {
        Self { id: only(self.id, Location::caller()), ..self }
    }

    /// `table AS alias (a, b)`: other names for its columns, from the first.
    #[track_caller]
    pub fn column_aliases<const N: usize>(self, aliases: [&str; N]) -> Self {
        Self { id: with_column_aliases(self.id, aliases, Location::caller()), ..self }
    }

    /// A column: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        column(self.id, name)
    }
}

/// A query in FROM: `(query) AS alias`. Made by [`Select::alias`].
#[derive(Clone, Copy)]
pub struct Subquery {
    id: NodeId,
    not_send: PhantomData<*const ()>,
}

impl Subquery {
    #[track_caller]
    pub(crate) fn new(query: NodeId, alias: &str) -> Self {
        Self::with_columns(query, alias, &[])
    }

    #[track_caller]
    pub(crate) fn with_columns(query: NodeId, alias: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let subquery = ir::Subquery { query, lateral: false, alias: alias.to_owned(), columns };
        Self { id: arena::push(NodeKind::Subquery(subquery), Location::caller()), not_send: PhantomData }
    }

    /// `LATERAL (query) AS alias`: the query may use columns of the relations before it.
    #[track_caller]
    pub fn lateral(self) -> Self {
        let lateral = |kind: &mut NodeKind| {
            if let NodeKind::Subquery(subquery) = kind {
                subquery.lateral = true;
            }
        };
        Self { id: arena::change_relation(self.id, lateral, Location::caller()), ..self }
    }

    /// `(query) AS alias (a, b)`: other names for its columns, from the first.
    #[track_caller]
    pub fn column_aliases<const N: usize>(self, aliases: [&str; N]) -> Self {
        Self { id: with_column_aliases(self.id, aliases, Location::caller()), ..self }
    }

    /// A column of its select list: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        column(self.id, name)
    }
}

/// A common table expression: `WITH name AS (query)`.
///
/// **Where it is declared.** Whoever puts it in FROM or a join need not declare it: the outermost query that does so
/// declares it, together with the CTEs that it uses itself, each after those that it depends on. A UNION declares those of
/// both its sides. Two other queries of which neither is inside the other therefore declare it twice, and PostgreSQL evaluates it twice, unless a query
/// around both declares it with [`Select::with`].
#[derive(Clone, Copy)]
pub struct Cte {
    id: NodeId,
    definition: CteId,
    not_send: PhantomData<*const ()>,
}

/// A common table expression. Its alias is its name until [`Cte::alias`] gives another.
#[track_caller]
pub fn cte(name: &str, query: Select) -> Cte {
    Cte::new(arena::define_cte(name, Some(query.into_query()), Location::caller()), name)
}

/// A recursive common table expression: `WITH RECURSIVE name AS (non-recursive term UNION [ALL] recursive term)`. The closure is
/// given the CTE, which the recursive term has in FROM or a join, once.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// let (s, c) = (table("shelf").alias("s"), table("shelf").alias("c"));
/// let tree = cte_recursive("tree", |tree| {
///     select((s.col("id"), constant(0).alias("depth")))
///         .from(s)
///         .filter(s.col("parent_id").is_null())
///         .union_all(
///             select((c.col("id"), tree.col("depth") + 1))
///                 .from(c)
///                 .join(tree, c.col("parent_id").eq(tree.col("id"))),
///         )
/// });
/// let shelves = select((tree.col("id"), tree.col("depth"))).from(tree);
/// ```
///
/// The types of its columns are those of the non-recursive term. With typed columns it is the macro of the same name;
/// [`rare`](crate::rare) has SEARCH and CYCLE.
#[track_caller]
pub fn cte_recursive(name: &str, query: impl FnOnce(Cte) -> Select) -> Cte {
    let cte = Cte::new(arena::define_cte(name, None, Location::caller()), name);
    arena::complete_cte(cte.definition, query(cte).into_query());
    cte
}

impl Cte {
    #[track_caller]
    fn new(definition: CteId, name: &str) -> Self {
        let id = arena::push_cte_table(definition, name, Location::caller());
        Self { id, definition, not_send: PhantomData }
    }

    /// `name (columns) AS (query)`: new names for the columns of its query, from the first.
    pub fn columns<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        arena::rename_cte(self.definition, names.into_iter().map(str::to_owned).collect());
        self
    }

    /// `AS MATERIALIZED (query)`: evaluated once, apart from the query that uses it.
    pub fn materialized(self) -> Self {
        arena::materialize_cte(self.definition, Materialization::Materialized);
        self
    }

    /// `AS NOT MATERIALIZED (query)`: folded into the query that uses it.
    pub fn not_materialized(self) -> Self {
        arena::materialize_cte(self.definition, Materialization::NotMaterialized);
        self
    }

    /// The same CTE `AS alias`, to join it more than once.
    #[track_caller]
    pub fn alias(self, alias: &str) -> Self {
        Self { id: arena::push_cte_table(self.definition, alias, Location::caller()), ..self }
    }

    /// `cte AS alias (a, b)`: other names for its columns here, from the first.
    #[track_caller]
    pub fn column_aliases<const N: usize>(self, aliases: [&str; N]) -> Self {
        Self { id: with_column_aliases(self.id, aliases, Location::caller()), ..self }
    }

    /// A column of its select list: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        column(self.id, name)
    }

    pub(crate) fn definition(self) -> CteId {
        self.definition
    }
}

#[track_caller]
pub(crate) fn column(relation: NodeId, name: &str) -> Expr {
    let relation = arena::alias(relation);
    Expr::push(NodeKind::Column { relation, name: name.to_owned() })
}
