use std::{marker::PhantomData, panic::Location};

use callslip_ir::NodeId;

use crate::{Expr, Expression, IntoExpr, SqlType, arena, sealed::Sealed};

/// The most columns that a relation has, in PostgreSQL and in a [`Column`]'s number.
const MAX_COLUMNS: u32 = 1 << COLUMN_BITS;
const COLUMN_BITS: u32 = 11;

/// A column of a typed relation, of type `T`: `pos.title`.
///
/// It is a handle of four bytes that may be copied and used any number of times. `Name` is nothing but a name, so that the
/// compiler's messages say which column they are about.
#[must_use = "a column does nothing until it is part of a query"]
pub struct Column<T, Name> {
    /// The relation's number and, in the low bits, the column's.
    number: u32,
    ty: PhantomData<*const (T, Name)>,
}

impl<T, Name> Clone for Column<T, Name> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, Name> Copy for Column<T, Name> {}

impl<T, Name> Sealed for Column<T, Name> {}
impl<T: SqlType, Name> IntoExpr for Column<T, Name> {
    type Ty = T;
    #[track_caller]
    fn into_expr(self) -> Expr<T> {
        let (relation, column) = (self.number >> COLUMN_BITS, self.number & (MAX_COLUMNS - 1));
        Expr::new(arena::push_column(relation, column as usize, Location::caller()))
    }
}
impl<T: SqlType, Name> Expression for Column<T, Name> {}

/// Where the columns of one typed relation come from; what the macros write holds it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Columns {
    relation: u32,
    not_send: PhantomData<*const ()>,
}

impl Columns {
    /// The columns of the relation of a node, which has these names.
    ///
    /// # Panics
    /// If there are more columns than PostgreSQL allows.
    pub fn of(relation: NodeId, names: &'static [&'static str]) -> Self {
        assert!(names.len() <= MAX_COLUMNS as usize, "a relation has at most 1,600 columns");
        let number = arena::add_relation(relation, names);
        assert!(number < 1 << (u32::BITS - COLUMN_BITS), "one plan uses too many relations");
        Self { relation: number, not_send: PhantomData }
    }

    /// The column at a place, from 0.
    pub fn column<T, Name>(self, place: u32) -> Column<T, Name> {
        Column { number: self.relation << COLUMN_BITS | place, ty: PhantomData }
    }

    /// The column at a place as an expression, whatever its type is.
    #[track_caller]
    pub(crate) fn expression(self, place: u32) -> Expr {
        Expr::new(arena::push_column(self.relation, place as usize, Location::caller()))
    }

    /// The relation's node.
    pub fn relation(self) -> NodeId {
        arena::relation(self.relation)
    }
}
