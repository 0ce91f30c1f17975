use std::marker::PhantomData;

use crate::{Columns, Expr, Expression, TypedTable, all};

/// A foreign key of a typed table, to rows of `T`: `i.position()`. What it is for is [`ForeignKey::eq`].
///
/// It is a small handle that may be copied and used any number of times.
#[must_use = "a foreign key does nothing until it is compared with the table that it refers to"]
pub struct ForeignKey<T> {
    of: Columns,
    /// The places of its columns and, beside each, of the column of `T` that it refers to.
    columns: &'static [(u32, u32)],
    target: PhantomData<*const T>,
}

impl<T> Clone for ForeignKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for ForeignKey<T> {}

impl<T: TypedTable> ForeignKey<T> {
    /// What the methods of typed tables are made of.
    #[doc(hidden)]
    pub fn new(of: Columns, columns: &'static [(u32, u32)]) -> Self {
        Self { of, columns, target: PhantomData }
    }

    /// `self = target`: each column of the key equals the one that it refers to, and all of them do. It is a condition like any
    /// other, of a join in either direction, of a filter, in EXISTS.
    ///
    /// ```
    /// # use callslip_sdk::prelude::*;
    /// # use callslip_test_tables::library::{Book, Shelf};
    /// let (b, s) = (Book::alias("b"), Shelf::alias("s"));
    /// // FROM shelf AS s LEFT JOIN book AS b ON b.shelf_id = s.id
    /// let shelved = select((s.name, b.title)).from(s).left_join(b, b.shelf().eq(s));
    /// ```
    #[track_caller]
    pub fn eq(self, target: T) -> Expr<bool> {
        equal(self.of, target.columns(), self.columns)
    }
}

/// Apart, since it is the same for every table.
#[track_caller]
fn equal(of: Columns, target: Columns, columns: &[(u32, u32)]) -> Expr<bool> {
    let mut equal = Vec::with_capacity(columns.len());
    for (from, to) in columns {
        equal.push(of.expression(*from).eq(target.expression(*to)));
    }
    all(equal)
}
