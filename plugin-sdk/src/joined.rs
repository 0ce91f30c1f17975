use std::{marker::PhantomData, panic::Location};

use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind};

use crate::{
    Expr, IntoLateral, IntoRelation, arena, operand::BooleanExpression, relation, relation::relations,
    select::joins::joins,
};

/// Relations that are joined, as one: `(a JOIN b ON …)` in parentheses, or with an alias. Made by [`joined`].
#[derive(Clone, Copy)]
#[must_use = "a join does nothing until it is in FROM"]
pub struct Joined {
    id: NodeId,
    not_send: PhantomData<*const ()>,
}

/// Begins a join that stands by itself: `(relation JOIN …)`. It has the joins of [`Select`](crate::Select), and goes
/// wherever a relation does, such as on the right side of another join.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// let (a, b, c) = (table("a"), table("b"), table("c"));
/// // FROM a LEFT JOIN (b JOIN c ON c.b_id = b.id) ON b.a_id = a.id
/// let query = select((a.col("id"), c.col("id").alias("c_id")))
///     .from(a)
///     .left_join(joined(b).join(c, c.col("b_id").eq(b.col("id"))), b.col("a_id").eq(a.col("id")));
/// ```
pub fn joined(relation: impl IntoRelation) -> Joined {
    Joined { id: relation.into_relation(), not_send: PhantomData }
}

joins!(Joined);

impl Joined {
    #[track_caller]
    fn joined(self, kind: JoinKind, right: NodeId, condition: JoinCondition) -> Self {
        Self { id: join(self.id, kind, right, condition), ..self }
    }

    /// `(a JOIN b …) AS alias`: one relation with the columns of both, in which those of USING and NATURAL come first and
    /// once. Outside, the aliases in it are not seen.
    ///
    /// # Panics
    /// If nothing is joined in it.
    #[track_caller]
    pub fn alias(self, alias: &str) -> JoinAlias {
        let name = |kind: &mut NodeKind| match kind {
            NodeKind::Join(join) if join.alias.is_none() => join.alias = Some(alias.to_owned()),
            _ => panic!("`{alias}` is the alias of a join: call a join before it"),
        };
        let id = arena::change_relation(self.id, name, Location::caller());
        JoinAlias { id, not_send: PhantomData }
    }
}

/// A join with an alias: `(a JOIN b …) AS alias`. Made by [`Joined::alias`].
#[derive(Clone, Copy)]
pub struct JoinAlias {
    id: NodeId,
    not_send: PhantomData<*const ()>,
}

impl JoinAlias {
    /// `(a JOIN b …) AS alias (x, y)`: other names for its columns, from the first.
    #[track_caller]
    pub fn column_aliases<const N: usize>(self, aliases: [&str; N]) -> Self {
        Self { id: relation::with_column_aliases(self.id, aliases, Location::caller()), ..self }
    }

    /// A column of the join: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        relation::column(self.id, name)
    }
}

relations!(Joined, JoinAlias);

/// The columns of `USING (columns) [AS alias]`. Made by [`using`]; an array of names is one too.
#[derive(Clone)]
pub struct Using {
    columns: Vec<String>,
    alias: Option<String>,
}

/// `USING (columns)`, which both sides of a join have. Of each of them the merged column is reached by an alias,
/// `using(["id"]).alias("u")`; `a.id` and `b.id` stay what they are, null where an outer join finds nothing.
pub fn using<const N: usize>(columns: [&str; N]) -> Using {
    Using { columns: columns.map(str::to_owned).into(), alias: None }
}

impl Using {
    /// `USING (columns) AS alias`: names the merged columns.
    pub fn alias(self, alias: &str) -> Self {
        Self { alias: Some(alias.to_owned()), ..self }
    }

    /// A merged column: `alias.name`. In an outer join it is of the side that has it.
    ///
    /// # Panics
    /// Without an alias.
    #[track_caller]
    pub fn col(&self, name: &str) -> Expr {
        let Some(alias) = &self.alias else {
            panic!("the columns of USING are named by an alias: call `.alias(…)` before `.col(…)`")
        };
        Expr::push(NodeKind::Column { relation: alias.clone(), name: name.to_owned() })
    }

    pub(crate) fn into_condition(self) -> JoinCondition {
        JoinCondition::Using { columns: self.columns, alias: self.alias }
    }
}

impl<const N: usize> From<[&str; N]> for Using {
    fn from(columns: [&str; N]) -> Self {
        using(columns)
    }
}

impl From<&Self> for Using {
    fn from(using: &Self) -> Self {
        using.clone()
    }
}

#[track_caller]
pub(crate) fn join(left: NodeId, kind: JoinKind, right: NodeId, condition: JoinCondition) -> NodeId {
    let join = Join { kind, left, right, condition, alias: None, columns: Vec::new() };
    arena::push(NodeKind::Join(join), Location::caller())
}
