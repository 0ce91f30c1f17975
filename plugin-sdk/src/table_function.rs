use std::{marker::PhantomData, panic::Location};

use callslip_ir::{self as ir, Functions, NodeId, NodeKind};

use crate::{
    Any, Call, Expr, IntoExpr, IntoLateral, IntoRelation, SqlType, arena, relation, sql_type::ArrayType,
};

/// A function in FROM: `name(…) AS alias`. Made by [`Call::in_from`].
///
/// A function whose result is one value of type `T`, or a set of them, has one column, [`TableFunction::value`]; one that
/// gives rows has the columns that it declares, [`TableFunction::col`]. Its arguments may use columns of the relations before
/// it.
#[must_use = "a function does nothing until it is in FROM"]
pub struct TableFunction<T = Any> {
    id: NodeId,
    ty: PhantomData<*const T>,
}

impl<T> Clone for TableFunction<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TableFunction<T> {}

impl<T: SqlType> Call<T> {
    /// `name(…) AS alias`, for FROM and joins: the rows that a function gives.
    #[track_caller]
    pub fn in_from(self, alias: &str) -> TableFunction<T> {
        let call = self.into_expr().id;
        TableFunction::push(alias, vec![ir::TableFunction { call, columns: Vec::new() }])
    }
}

impl<T> TableFunction<T> {
    #[track_caller]
    pub(crate) fn push(alias: &str, calls: Vec<ir::TableFunction>) -> Self {
        let alias = alias.to_owned();
        let functions = Functions { calls, ordinality: false, lateral: false, alias, columns: Vec::new() };
        Self { id: arena::push(NodeKind::Functions(functions), Location::caller()), ty: PhantomData }
    }

    #[track_caller]
    fn change(self, change: impl FnOnce(&mut Functions)) -> Self {
        let change = |kind: &mut NodeKind| {
            if let NodeKind::Functions(functions) = kind {
                change(functions);
            }
        };
        Self { id: arena::change_relation(self.id, change, Location::caller()), ..self }
    }

    /// `name(…) WITH ORDINALITY`: numbers the rows from 1, in the column [`TableFunction::ordinality`].
    #[track_caller]
    pub fn with_ordinality(self) -> Self {
        self.change(|functions| functions.ordinality = true)
    }

    /// `LATERAL name(…)`, which a function is without the word too.
    #[track_caller]
    pub fn lateral(self) -> Self {
        self.change(|functions| functions.lateral = true)
    }

    /// `name(…) AS alias (a, b)`: other names for its columns, from the first.
    #[track_caller]
    pub fn column_aliases<const N: usize>(self, aliases: [&str; N]) -> Self {
        Self { id: relation::with_column_aliases(self.id, aliases, Location::caller()), ..self }
    }

    /// A column: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        relation::column(self.id, name)
    }

    /// The value of a function that gives single values. Its column has the alias of the function as its name, or what
    /// [`TableFunction::column_aliases`] calls it; where the function names its result itself, as
    /// `jsonb_array_elements` names it `value`, it is a [`TableFunction::col`].
    #[track_caller]
    pub fn value(self) -> Expr<T> {
        let name = match arena::kind(self.id) {
            NodeKind::Functions(Functions { columns, alias, .. }) => {
                columns.into_iter().next().unwrap_or(alias)
            }
            _ => arena::alias(self.id),
        };
        Expr::new(relation::column(self.id, &name).id)
    }

    /// The number of the row, with [`TableFunction::with_ordinality`]: `alias.ordinality`. What
    /// [`TableFunction::column_aliases`] gives another name is a [`TableFunction::col`].
    #[track_caller]
    pub fn ordinality(self) -> Expr<i64> {
        Expr::new(relation::column(self.id, "ordinality").id)
    }
}

impl<T> IntoRelation for TableFunction<T> {
    fn into_relation(self) -> NodeId {
        self.id
    }
}
impl<T> IntoRelation for &TableFunction<T> {
    fn into_relation(self) -> NodeId {
        self.id
    }
}
impl<T> IntoLateral for TableFunction<T> {
    #[track_caller]
    fn into_lateral(self) -> NodeId {
        self.lateral().id
    }
}
impl<T> IntoLateral for &TableFunction<T> {
    #[track_caller]
    fn into_lateral(self) -> NodeId {
        self.lateral().id
    }
}

/// `unnest(array)`: the elements of an array, a row each, with [`Call::in_from`].
#[track_caller]
pub fn unnest<A: IntoExpr>(array: A) -> Call<<A::Ty as ArrayType>::Element>
where
    A::Ty: ArrayType<Element: SqlType>,
{
    Call::new("unnest", vec![array.into_expr().id])
}
