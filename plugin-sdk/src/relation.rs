use std::{borrow::Borrow, marker::PhantomData, panic::Location};

use callslip_ir::{
    self as ir, Join, JoinCondition, JoinKind, Materialization, NodeId, NodeKind, QualifiedName, RelationName,
};

use crate::{
    Expr, Select,
    arena::{self, CteId},
    sealed::Sealed,
};

/// What FROM and the joins take: a [`Table`], a [`Cte`] or a [`Subquery`], or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation",
    label = "a table, a CTE or a subquery with an alias is wanted here",
    note = "a query becomes a relation with `.alias(\"name\")`"
)]
pub trait IntoRelation: Sealed {
    /// The relation's node.
    #[doc(hidden)]
    fn into_relation(self) -> NodeId;
}

macro_rules! relations {
    ($($type:ty),*) => { $(
        impl Sealed for $type {}
        impl IntoRelation for $type {
            fn into_relation(self) -> NodeId { self.id }
        }
        impl Sealed for &$type {}
        impl IntoRelation for &$type {
            fn into_relation(self) -> NodeId { self.id }
        }
    )* };
}
relations!(Table, Cte, Subquery);

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
    let relation = RelationName::Stored(name);
    let table = ir::Table { name: relation, alias, columns: Vec::new(), only: false, sample: None };
    Table { id: arena::push(NodeKind::Table(table), Location::caller()), not_send: PhantomData }
}

impl Table {
    /// The same table `AS alias`.
    #[track_caller]
    pub fn alias(self, alias: &str) -> Self {
        let mut kind = arena::kind(self.id);
        if let NodeKind::Table(table) = &mut kind {
            alias.clone_into(&mut table.alias);
        }
        Self { id: arena::push(kind, Location::caller()), ..self }
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
        let subquery = ir::Subquery { query, lateral: false, alias: alias.to_owned(), columns: Vec::new() };
        Self { id: arena::push(NodeKind::Subquery(subquery), Location::caller()), not_send: PhantomData }
    }

    /// `LATERAL (query) AS alias`: the query may use columns of the relations before it.
    #[track_caller]
    pub fn lateral(self) -> Self {
        let mut kind = arena::kind(self.id);
        if let NodeKind::Subquery(subquery) = &mut kind {
            subquery.lateral = true;
        }
        Self { id: arena::push(kind, Location::caller()), ..self }
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
/// declares it, together with the CTEs that it uses itself, each after those that it depends on. Two queries of
/// which neither is inside the other therefore declare it twice, and PostgreSQL evaluates it twice, unless a query
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
    let definition = arena::define_cte(name, query.into_query(), Location::caller());
    let id = arena::push_cte_table(definition, name, Location::caller());
    Cte { id, definition, not_send: PhantomData }
}

impl Cte {
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

    /// A column of its select list: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        column(self.id, name)
    }

    pub(crate) fn definition(&self) -> CteId {
        self.definition
    }
}

#[track_caller]
fn column(relation: NodeId, name: &str) -> Expr {
    let relation = match arena::kind(relation) {
        NodeKind::Table(table) => table.alias,
        NodeKind::Subquery(subquery) => subquery.alias,
        _ => unreachable!("a relation's handle names a relation"),
    };
    Expr::push(NodeKind::Column { relation, name: name.to_owned() })
}

#[track_caller]
pub(crate) fn join(left: NodeId, kind: JoinKind, right: NodeId, condition: JoinCondition) -> NodeId {
    let join = Join { kind, left, right, condition, alias: None, columns: Vec::new() };
    arena::push(NodeKind::Join(join), Location::caller())
}

#[track_caller]
pub(crate) fn lateral(subquery: impl Borrow<Subquery>) -> NodeId {
    subquery.borrow().lateral().id
}
