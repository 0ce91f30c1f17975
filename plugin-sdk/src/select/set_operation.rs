use std::panic::Location;

use callslip_ir::{NodeKind, SetOperation, SetOperator};

use super::{Body, Select};
use crate::arena;

/// # Set operations
///
/// Each side is any query, with an ORDER BY, a LIMIT and CTEs of its own, and may be a set operation itself. Both have as
/// many columns, of types that go together. The names are those of the left side.
impl Select {
    /// `self UNION other`: the rows of both, none twice.
    ///
    /// ```
    /// # use callslip_sdk::prelude::*;
    /// # let (c, i) = (table("candidate").alias("c"), table("interviewer").alias("i"));
    /// let people = select(c.col("name")).from(c).union(select(i.col("name")).from(i)).order_by(output("name"));
    /// ```
    #[track_caller]
    pub fn union(self, other: Self) -> Self {
        self.set_operation(SetOperator::Union, false, other)
    }

    /// `self UNION ALL other`: the rows of both.
    #[track_caller]
    pub fn union_all(self, other: Self) -> Self {
        self.set_operation(SetOperator::Union, true, other)
    }

    /// `self INTERSECT other`: the rows that both have, none twice.
    #[track_caller]
    pub fn intersect(self, other: Self) -> Self {
        self.set_operation(SetOperator::Intersect, false, other)
    }

    /// `self INTERSECT ALL other`: the rows that both have, each as often as in that which has it less often.
    #[track_caller]
    pub fn intersect_all(self, other: Self) -> Self {
        self.set_operation(SetOperator::Intersect, true, other)
    }

    /// `self EXCEPT other`: the rows that the other side does not have, none twice.
    #[track_caller]
    pub fn except(self, other: Self) -> Self {
        self.set_operation(SetOperator::Except, false, other)
    }

    /// `self EXCEPT ALL other`: the rows less those of the other side, each as often as is left.
    #[track_caller]
    pub fn except_all(self, other: Self) -> Self {
        self.set_operation(SetOperator::Except, true, other)
    }

    #[track_caller]
    fn set_operation(self, operator: SetOperator, all: bool, other: Self) -> Self {
        let word = match operator {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        };
        let (left, right) = (self.into_query(), other.into_query());
        let operation = SetOperation { operator, all, left, right };
        Self::finished(NodeKind::SetOperation(operation), word, Location::caller())
    }

    /// A query with a body that is no SELECT, whose word in SQL is for messages.
    pub(crate) fn finished(
        body: NodeKind,
        word: &'static str,
        written_at: &'static Location<'static>,
    ) -> Self {
        Self::of(Body::Finished(arena::push(body, written_at), word), written_at)
    }
}
