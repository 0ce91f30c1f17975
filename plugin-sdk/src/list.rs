//! Lists of expressions: one, a tuple, an array or a `Vec`.

use callslip_ir::{self as ir, Direction, NodeId, Nulls};

use crate::{
    Expression, GroupingMember, IntoExpr, IntoGrouping, Order, Output, SqlType,
    operand::{Comparable, NumberExpression},
    sealed::Sealed,
};

/// An expression of the select list, with a name.
#[derive(Clone)]
#[must_use = "an item does nothing until it is in a select list"]
pub struct Item {
    pub(crate) expression: NodeId,
    pub(crate) alias: Option<String>,
}

/// An item of a select list: an expression, with an alias or without.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in a select list",
    label = "an expression, an `Arg`, or one of them with `.alias(\"name\")` is wanted here"
)]
pub trait IntoItem: Sealed {
    /// The item.
    #[track_caller]
    fn into_item(self) -> Item;
}

impl<T: IntoExpr> IntoItem for T {
    #[track_caller]
    fn into_item(self) -> Item {
        Item { expression: self.into_expr().id, alias: None }
    }
}

impl Sealed for Item {}
impl IntoItem for Item {
    fn into_item(self) -> Item {
        self
    }
}

/// An item of ORDER BY: an expression, with a direction or without.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in ORDER BY",
    label = "an expression, one with `.asc()` or `.desc()`, or an `output(…)` is wanted here"
)]
pub trait IntoOrder: Sealed {
    /// The item.
    #[track_caller]
    fn into_order(self) -> Order;
}

impl<T: Expression> IntoOrder for T {
    #[track_caller]
    fn into_order(self) -> Order {
        Order { expression: self.into_expr().id, direction: Direction::Ascending, nulls: Nulls::Unspecified }
    }
}

impl Sealed for Order {}
impl IntoOrder for Order {
    fn into_order(self) -> Order {
        self
    }
}

impl Sealed for Output {}
impl IntoOrder for Output {
    fn into_order(self) -> Order {
        self.asc()
    }
}

/// A select list: one item, a tuple of up to 24, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a select list",
    label = "an expression or a tuple of up to 24 of them is wanted here",
    note = "longer lists are a `Vec`"
)]
pub trait Items {
    #[doc(hidden)]
    #[track_caller]
    fn into_items(self) -> Vec<ir::Item>;
}

/// Expressions: one, a tuple of up to 24, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of expressions",
    label = "an expression or a tuple of up to 24 of them is wanted here",
    note = "longer lists are a `Vec`"
)]
pub trait Expressions {
    #[doc(hidden)]
    #[track_caller]
    fn into_expressions(self) -> Vec<NodeId>;
}

/// What GROUP BY takes: one item, a tuple of up to 24, an array or a `Vec`; or `()`, the one group of all rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of what to group by",
    label = "an expression, a grouping set or a tuple of up to 24 of them is wanted here",
    note = "longer lists are a `Vec`"
)]
pub trait Groupings {
    #[doc(hidden)]
    #[track_caller]
    fn into_groupings(self) -> Vec<NodeId>;
}

/// What ORDER BY takes: one item, a tuple of up to 24, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sort order",
    label = "an expression, one with `.asc()` or `.desc()`, or a tuple of up to 24 of them is wanted here"
)]
pub trait Orders {
    #[doc(hidden)]
    #[track_caller]
    fn into_orders(self) -> Vec<Order>;
}

fn item(item: Item) -> ir::Item {
    ir::Item { expression: item.expression, alias: item.alias }
}

macro_rules! lists {
    ($list:ident $method:ident $element:ident $convert:ident -> $node:ty, |$value:ident| $finish:expr) => {
        impl<T: $element> $list for T {
            #[track_caller]
            fn $method(self) -> Vec<$node> {
                let $value = self.$convert();
                vec![$finish]
            }
        }
        impl<T: $element, const N: usize> $list for [T; N] {
            #[track_caller]
            fn $method(self) -> Vec<$node> {
                let mut list = Vec::with_capacity(N);
                for element in self {
                    let $value = element.$convert();
                    list.push($finish);
                }
                list
            }
        }
        impl<T: $element> $list for Vec<T> {
            #[track_caller]
            fn $method(self) -> Vec<$node> {
                let mut list = Vec::with_capacity(self.len());
                for element in self {
                    let $value = element.$convert();
                    list.push($finish);
                }
                list
            }
        }
        lists!(@tuples $list $method $element $convert $node, |$value| $finish;
            A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l,
            M m, N n, O o, P p, Q q, R r, S s, T t, U u, V v, W w, X x,);
    };
    // A tuple of these elements, then of all but the last.
    (@tuples $list:ident $method:ident $element:ident $convert:ident $node:ty, |$value:ident| $finish:expr;) => {};
    (@tuples $list:ident $method:ident $element:ident $convert:ident $node:ty, |$value:ident| $finish:expr;
        $first:ident $first_name:ident, $($type:ident $name:ident,)*
    ) => {
        impl<$first: $element, $($type: $element),*> $list for ($first, $($type,)*) {
            #[track_caller]
            fn $method(self) -> Vec<$node> {
                let ($first_name, $($name,)*) = self;
                vec![
                    { let $value = $first_name.$convert(); $finish },
                    $({ let $value = $name.$convert(); $finish },)*
                ]
            }
        }
        lists!(@tuples $list $method $element $convert $node, |$value| $finish; $($type $name,)*);
    };
}

lists!(Items into_items IntoItem into_item -> ir::Item, |value| item(value));
lists!(Expressions into_expressions IntoExpr into_expr -> NodeId, |value| value.id);
lists!(Groupings into_groupings IntoGrouping into_grouping -> NodeId, |value| value);
lists!(Orders into_orders IntoOrder into_order -> Order, |value| value);

impl Expressions for () {
    fn into_expressions(self) -> Vec<NodeId> {
        Vec::new()
    }
}

impl Groupings for () {
    #[track_caller]
    fn into_groupings(self) -> Vec<NodeId> {
        vec![self.into_member()]
    }
}

/// Expressions of one type, of which one is the result: a tuple of up to 12, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not expressions of one type",
    label = "a tuple of up to 12 expressions that compare with the first is wanted here",
    note = "`.cast::<…>()` makes another type of an expression"
)]
pub trait Alternatives: Expressions {
    /// The type of the result: that of the first.
    type Ty: SqlType;
}

#[diagnostic::do_not_recommend]
impl<T: IntoExpr, const N: usize> Alternatives for [T; N] {
    type Ty = T::Ty;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr> Alternatives for Vec<T> {
    type Ty = T::Ty;
}

macro_rules! alternatives {
    ($first:ident) => {};
    ($first:ident $($type:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$first: IntoExpr, $($type: IntoExpr),+> Alternatives for ($first, $($type),+)
        where
            $($first: Comparable<$type>),+
        {
            type Ty = $first::Ty;
        }
        alternatives!($($type)+);
    };
}
alternatives!(A B C D E F G H I J K L);

/// What LIMIT and OFFSET take: a number, or `None`, which changes nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of rows",
    label = "a number, an `Arg` of one, or an `Option` of them is wanted here"
)]
pub trait RowCount: Sealed {
    #[doc(hidden)]
    #[track_caller]
    fn into_row_count(self) -> Option<NodeId>;
}

#[diagnostic::do_not_recommend]
impl<T: NumberExpression> RowCount for T {
    #[track_caller]
    fn into_row_count(self) -> Option<NodeId> {
        Some(self.into_expr().id)
    }
}

#[diagnostic::do_not_recommend]
impl<T: NumberExpression> RowCount for Option<T> {
    #[track_caller]
    #[expect(clippy::manual_map, reason = "a closure would hide the author's line")]
    fn into_row_count(self) -> Option<NodeId> {
        match self {
            Some(count) => Some(count.into_expr().id),
            None => None,
        }
    }
}
