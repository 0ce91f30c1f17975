//! The joins that [`Select`](crate::Select) and [`Joined`](crate::Joined) have.

macro_rules! joins {
    ($type:ty) => {
        impl $type {
            /// `JOIN relation ON condition`: the rows that match.
            ///
            /// Like every join, it takes what stands before it as its left side: of a [`Select`](crate::Select) the last
            /// [`from`](crate::Select::from) and the joins after it. The right side may be relations that are
            /// [`joined`](crate::joined) themselves.
            ///
            /// # Panics
            /// On a [`Select`](crate::Select) without a `from`; so do the other joins.
            #[track_caller]
            pub fn join(self, relation: impl IntoRelation, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Inner, relation.into_relation(), on)
            }

            /// `INNER JOIN relation ON condition`: the same as `join`.
            #[track_caller]
            pub fn inner_join(self, relation: impl IntoRelation, on: impl BooleanExpression) -> Self {
                self.join(relation, on)
            }

            /// `LEFT JOIN relation ON condition`: every row of the left side, with nulls where nothing matches.
            #[track_caller]
            pub fn left_join(self, relation: impl IntoRelation, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Left, relation.into_relation(), on)
            }

            /// `RIGHT JOIN relation ON condition`: every row of `relation`, with nulls where nothing matches.
            #[track_caller]
            pub fn right_join(self, relation: impl IntoRelation, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Right, relation.into_relation(), on)
            }

            /// `FULL JOIN relation ON condition`: every row of both sides, with nulls where nothing matches.
            #[track_caller]
            pub fn full_join(self, relation: impl IntoRelation, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Full, relation.into_relation(), on)
            }

            /// `CROSS JOIN relation`: each row of one side with each of the other.
            #[track_caller]
            pub fn cross_join(self, relation: impl IntoRelation) -> Self {
                self.joined(JoinKind::Cross, relation.into_relation(), JoinCondition::None)
            }

            /// `JOIN relation USING (columns)`: on the equality of columns that both sides have, `["book_id"]` or what
            /// [`using`](crate::using) makes.
            #[track_caller]
            pub fn join_using(self, relation: impl IntoRelation, columns: impl Into<Using>) -> Self {
                self.joined(JoinKind::Inner, relation.into_relation(), columns.into().into_condition())
            }

            /// `LEFT JOIN relation USING (columns)`.
            #[track_caller]
            pub fn left_join_using(self, relation: impl IntoRelation, columns: impl Into<Using>) -> Self {
                self.joined(JoinKind::Left, relation.into_relation(), columns.into().into_condition())
            }

            /// `RIGHT JOIN relation USING (columns)`.
            #[track_caller]
            pub fn right_join_using(self, relation: impl IntoRelation, columns: impl Into<Using>) -> Self {
                self.joined(JoinKind::Right, relation.into_relation(), columns.into().into_condition())
            }

            /// `FULL JOIN relation USING (columns)`.
            #[track_caller]
            pub fn full_join_using(self, relation: impl IntoRelation, columns: impl Into<Using>) -> Self {
                self.joined(JoinKind::Full, relation.into_relation(), columns.into().into_condition())
            }

            /// `NATURAL JOIN relation`: on the equality of all columns whose names both sides have, and a cross join where
            /// they have none. A column that is added to a table later may change what it means.
            #[track_caller]
            pub fn natural_join(self, relation: impl IntoRelation) -> Self {
                self.joined(JoinKind::Inner, relation.into_relation(), JoinCondition::Natural)
            }

            /// `NATURAL LEFT JOIN relation`.
            #[track_caller]
            pub fn natural_left_join(self, relation: impl IntoRelation) -> Self {
                self.joined(JoinKind::Left, relation.into_relation(), JoinCondition::Natural)
            }

            /// `NATURAL RIGHT JOIN relation`.
            #[track_caller]
            pub fn natural_right_join(self, relation: impl IntoRelation) -> Self {
                self.joined(JoinKind::Right, relation.into_relation(), JoinCondition::Natural)
            }

            /// `NATURAL FULL JOIN relation`.
            #[track_caller]
            pub fn natural_full_join(self, relation: impl IntoRelation) -> Self {
                self.joined(JoinKind::Full, relation.into_relation(), JoinCondition::Natural)
            }

            /// `JOIN LATERAL (query) ON condition`: the query, or a function, may use columns of the left side.
            #[track_caller]
            pub fn join_lateral(self, relation: impl IntoLateral, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Inner, relation.into_lateral(), on)
            }

            /// `LEFT JOIN LATERAL (query) ON condition`. Where the query says it all, the condition is `true`.
            #[track_caller]
            pub fn left_join_lateral(self, relation: impl IntoLateral, on: impl BooleanExpression) -> Self {
                let on = JoinCondition::On(on.into_expr().id);
                self.joined(JoinKind::Left, relation.into_lateral(), on)
            }

            /// `CROSS JOIN LATERAL (query)`.
            #[track_caller]
            pub fn cross_join_lateral(self, relation: impl IntoLateral) -> Self {
                self.joined(JoinKind::Cross, relation.into_lateral(), JoinCondition::None)
            }
        }
    };
}

pub(crate) use joins;
