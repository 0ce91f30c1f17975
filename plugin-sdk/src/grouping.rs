//! What GROUP BY takes beside expressions.

use std::panic::Location;

use callslip_ir::{self as ir, GroupingSetKind, NodeId, NodeKind, SpecialForm};

use crate::{Expr, Expressions, IntoExpr, arena, expression::special, sealed::Sealed};

/// `ROLLUP (…)`, `CUBE (…)` or `GROUPING SETS (…)`: an item of GROUP BY that makes several grouping sets.
#[derive(Clone, Copy)]
#[must_use = "a grouping set does nothing until it is part of GROUP BY"]
pub struct GroupingSet(NodeId);

/// `ROLLUP (a, b)`: by `a` and `b`, by `a`, and all rows together. Members in a tuple of their own stay together:
/// `rollup((a, (b, c)))`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let i = table("interview").alias("i");
/// let totals = select((i.col("position_id"), i.col("status"), count_all()))
///     .from(i)
///     .group_by(rollup((i.col("position_id"), i.col("status"))));
/// ```
#[track_caller]
pub fn rollup(members: impl GroupingMembers) -> GroupingSet {
    GroupingSet::new(GroupingSetKind::Rollup, members.into_members())
}

/// `CUBE (a, b)`: by `a` and `b`, by `a`, by `b`, and all rows together. Members in a tuple of their own stay together.
#[track_caller]
pub fn cube(members: impl GroupingMembers) -> GroupingSet {
    GroupingSet::new(GroupingSetKind::Cube, members.into_members())
}

/// `GROUPING SETS ((a, b), a, ())`: by each of these: an expression, a tuple of them, `()` for all rows together, or
/// another grouping set.
#[track_caller]
pub fn grouping_sets(members: impl GroupingMembers) -> GroupingSet {
    GroupingSet::new(GroupingSetKind::Sets, members.into_members())
}

/// `GROUPING(a, b)`: which of these items of GROUP BY the row is not grouped by, a bit for each, the last one the lowest.
#[track_caller]
pub fn grouping(items: impl Expressions) -> Expr<i32> {
    special(SpecialForm::Grouping, items.into_expressions())
}

impl GroupingSet {
    #[track_caller]
    fn new(kind: GroupingSetKind, items: Vec<NodeId>) -> Self {
        let set = ir::GroupingSet { kind, items };
        Self(arena::push(NodeKind::GroupingSet(set), Location::caller()))
    }
}

#[track_caller]
fn together(items: Vec<NodeId>) -> NodeId {
    arena::push(NodeKind::Row(items), Location::caller())
}

/// An item of GROUP BY: an expression or a [`GroupingSet`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in GROUP BY",
    label = "an expression, a `rollup(…)`, a `cube(…)` or a `grouping_sets(…)` is wanted here"
)]
pub trait IntoGrouping: Sealed {
    #[doc(hidden)]
    #[track_caller]
    fn into_grouping(self) -> NodeId;
}

#[diagnostic::do_not_recommend]
impl<T: IntoExpr> IntoGrouping for T {
    #[track_caller]
    fn into_grouping(self) -> NodeId {
        self.into_expr().id
    }
}

impl Sealed for GroupingSet {}
impl IntoGrouping for GroupingSet {
    fn into_grouping(self) -> NodeId {
        self.0
    }
}

/// A member of a [`GroupingSet`]: an expression, a tuple of up to 8 that stay together, `()`, or another set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a member of a grouping set",
    label = "an expression, a tuple of expressions, `()` or a grouping set is wanted here"
)]
pub trait GroupingMember {
    #[doc(hidden)]
    #[track_caller]
    fn into_member(self) -> NodeId;
}

#[diagnostic::do_not_recommend]
impl<T: IntoGrouping> GroupingMember for T {
    #[track_caller]
    fn into_member(self) -> NodeId {
        self.into_grouping()
    }
}

impl GroupingMember for () {
    #[track_caller]
    fn into_member(self) -> NodeId {
        together(Vec::new())
    }
}

/// The members of a [`GroupingSet`]: one expression, a tuple of up to 8 members, an array or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the members of a grouping set",
    label = "an expression or a tuple of up to 8 members is wanted here, each an expression, a tuple, `()` or a set",
    note = "longer lists are a `Vec`"
)]
pub trait GroupingMembers {
    #[doc(hidden)]
    #[track_caller]
    fn into_members(self) -> Vec<NodeId>;
}

#[diagnostic::do_not_recommend]
impl<T: IntoGrouping> GroupingMembers for T {
    #[track_caller]
    fn into_members(self) -> Vec<NodeId> {
        vec![self.into_grouping()]
    }
}

impl<T: GroupingMember, const N: usize> GroupingMembers for [T; N] {
    #[track_caller]
    fn into_members(self) -> Vec<NodeId> {
        let mut members = Vec::with_capacity(N);
        for member in self {
            members.push(member.into_member());
        }
        members
    }
}

impl<T: GroupingMember> GroupingMembers for Vec<T> {
    #[track_caller]
    fn into_members(self) -> Vec<NodeId> {
        let mut members = Vec::with_capacity(self.len());
        for member in self {
            members.push(member.into_member());
        }
        members
    }
}

macro_rules! tuples {
    () => {};
    ($first:ident $first_name:ident, $($type:ident $name:ident,)*) => {
        impl<$first: IntoExpr, $($type: IntoExpr),*> GroupingMember for ($first, $($type,)*) {
            #[track_caller]
            fn into_member(self) -> NodeId {
                together(self.into_expressions())
            }
        }

        impl<$first: GroupingMember, $($type: GroupingMember),*> GroupingMembers for ($first, $($type,)*) {
            #[track_caller]
            fn into_members(self) -> Vec<NodeId> {
                let ($first_name, $($name,)*) = self;
                vec![$first_name.into_member(), $($name.into_member()),*]
            }
        }

        tuples!($($type $name,)*);
    };
}
tuples!(A a, B b, C c, D d, E e, F f, G g, H h,);
