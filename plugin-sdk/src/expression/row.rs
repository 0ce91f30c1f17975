use callslip_ir::{Join, NodeKind};

use crate::{Any, Expr, Expressions, IntoExpr, IntoRelation, SqlType, arena};

/// `ROW(values)`: values that are compared together, the first that differs deciding. A tuple of up to 12, an array or a `Vec`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
/// let after = row((b.col("published"), b.col("id"))).gt(row((Date::new("2011-07-15"), 2)));
/// let lent = row((b.col("id"), 1)).in_query(select((l.col("book_id"), l.col("reader_id"))).from(l));
/// ```
///
/// With a query of several columns it is compared by [`scalar`](crate::scalar()), and to any or all of its rows by
/// [`op_any`](crate::MembershipOperators::op_any) and [`op_all`](crate::MembershipOperators::op_all). As a value of its own it is a `record`, whose
/// fields are `f1`, `f2`, and so on.
#[track_caller]
pub fn row<V: RowValues>(values: V) -> Expr<V::Ty> {
    Expr::push(NodeKind::Row(values.into_expressions()))
}

/// `alias.*` as one value: a whole row of a relation, for functions that take one, such as `row_to_json`, and to tell
/// rows that an outer join left without a match: `whole_row(l).is_null()`.
///
/// # Panics
/// If the relation is a join without an alias.
#[track_caller]
pub fn whole_row(relation: impl IntoRelation) -> Expr {
    let relation = relation.into_relation();
    if let NodeKind::Join(Join { alias: None, .. }) = arena::kind(relation) {
        panic!("the whole row of a join is named by its alias: call `.alias(…)` before it");
    }
    Expr::push(NodeKind::WholeRow { relation: arena::alias(relation) })
}

/// The values of a [`row()`]: a tuple of up to 12, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the values of a row",
    label = "an expression or a tuple of up to 12 of them is wanted here",
    note = "longer rows are a `Vec`"
)]
pub trait RowValues: Expressions {
    /// The type of the row.
    type Ty: SqlType;
}

#[diagnostic::do_not_recommend]
impl<T: IntoExpr, const N: usize> RowValues for [T; N] {
    type Ty = Any;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr> RowValues for Vec<T> {
    type Ty = Any;
}
impl RowValues for () {
    type Ty = Any;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr> RowValues for T {
    type Ty = (T::Ty,);
}

macro_rules! row_values {
    () => {};
    ($first:ident $($type:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$first: IntoExpr, $($type: IntoExpr),*> RowValues for ($first, $($type,)*) {
            type Ty = ($first::Ty, $($type::Ty,)*);
        }
        row_values!($($type)*);
    };
}
row_values!(A B C D E F G H I J K L);
