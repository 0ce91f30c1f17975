use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind};

use super::Select;
use crate::{IntoRelation, TypedTable, arena, operand::BooleanExpression};

impl Select {
    /// `JOIN table AS alias ON condition`, once: shares the join that is there, or adds it. So functions that know nothing of
    /// each other, such as a filter and a permission check, each ask for the join that they need, and the query has it
    /// once.
    ///
    /// What is shared is the same table under the same alias with the same condition. A left join of it becomes an
    /// inner one, since whoever asks for an inner join wants no row without a match. One that is added is joined, as
    /// [`Select::join`] does, to the last [`Select::from`].
    ///
    /// ```
    /// # use callslip_sdk::prelude::*;
    /// # mod tables { callslip_sdk::schema!("tests/schema.json"); }
    /// # use tables::{Interview, InterviewStatus, Position};
    /// fn recent(q: Select, pos: Position) -> Select {
    ///     let (q, i) = q.join_once("i", |i: Interview| i.position_id.eq(pos.id));
    ///     q.filter(i.completed_at.ge(now() - days(7)))
    /// }
    /// fn started(q: Select, pos: Position) -> Select {
    ///     let (q, i) = q.join_once("i", |i: Interview| i.position_id.eq(pos.id));
    ///     q.filter(i.status.eq(InterviewStatus::Started))
    /// }
    /// let pos = Position::alias("p");
    /// let one_join = started(recent(select(pos.id).from(pos), pos), pos);
    /// ```
    ///
    /// # Panics
    /// If the alias is taken by anything else, if a RIGHT or FULL JOIN follows the join that is there, or if there is no `from`
    /// before it.
    #[track_caller]
    pub fn join_once<T: TypedTable, C: BooleanExpression>(
        self,
        alias: &str,
        on: impl FnOnce(T) -> C,
    ) -> (Self, T) {
        self.joined_once(JoinKind::Inner, alias, on)
    }

    /// `LEFT JOIN table AS alias ON condition`, once: like [`Select::join_once`]. An inner join that is there is shared,
    /// and stays one.
    ///
    /// # Panics
    /// Like [`Select::join_once`].
    #[track_caller]
    pub fn left_join_once<T: TypedTable, C: BooleanExpression>(
        self,
        alias: &str,
        on: impl FnOnce(T) -> C,
    ) -> (Self, T) {
        self.joined_once(JoinKind::Left, alias, on)
    }

    #[track_caller]
    fn joined_once<T: TypedTable, C: BooleanExpression>(
        mut self,
        kind: JoinKind,
        alias: &str,
        on: impl FnOnce(T) -> C,
    ) -> (Self, T) {
        let table = T::alias(alias);
        let wanted = Join {
            kind,
            left: NodeId(0),
            right: table.into_relation(),
            condition: JoinCondition::On(on(table).into_expr().id),
            alias: None,
            columns: Vec::new(),
        };
        let from = &mut self.core("a join").select.from;
        let all: Vec<String> = from.iter().flat_map(|relation| arena::aliases(*relation)).collect();
        for relation in from {
            if let Some(shared) = share(*relation, &wanted, alias, &all) {
                *relation = shared;
                return (self, table);
            }
        }
        (self.joined(kind, wanted.right, wanted.condition), table)
    }
}

/// The joins of `relation` in which the wanted one is shared; none if the alias is free there.
#[track_caller]
fn share(relation: NodeId, wanted: &Join, alias: &str, all: &[String]) -> Option<NodeId> {
    let names_it = |relation| arena::aliases(relation).iter().any(|its| its == alias);
    let join = match arena::kind(relation) {
        // An alias of the whole hides what is in it.
        NodeKind::Join(join) if join.alias.is_none() => join,
        _ if names_it(relation) => taken(alias, relation),
        _ => return None,
    };
    let right = arena::kind(join.right);
    if matches!(&right, NodeKind::Join(_)) && names_it(join.right) {
        taken(alias, join.right);
    }
    if matches!(&join.condition, JoinCondition::Using { alias: Some(its), .. } if its == alias) {
        taken(alias, relation);
    }
    if matches!(&right, NodeKind::Join(_)) || arena::alias(join.right) != alias {
        let left = share(join.left, wanted, alias, all)?;
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            panic!(
                "`{alias}` is joined already, at {}, before a RIGHT or FULL JOIN, which adds rows without it; join it \
                 under another alias",
                arena::place(relation)
            );
        }
        return Some(if left == join.left {
            relation
        } else {
            arena::push_like(relation, NodeKind::Join(Join { left, ..join }))
        });
    }
    let kind = match (join.kind, wanted.kind) {
        (JoinKind::Inner, _) | (JoinKind::Left, JoinKind::Inner) => Some(JoinKind::Inner),
        (JoinKind::Left, JoinKind::Left) => Some(JoinKind::Left),
        _ => None,
    };
    let same = arena::same(join.right, wanted.right)
        && matches!((&join.condition, &wanted.condition),
            (JoinCondition::On(is), JoinCondition::On(wanted)) if arena::same(*is, *wanted));
    if let JoinCondition::On(condition) = wanted.condition {
        // Of a relation that comes later, the same words in the join that is there mean one of a query around this one.
        let before = arena::aliases(join.left);
        let is_later = |name: &String| name != alias && all.contains(name) && !before.contains(name);
        if let Some(later) = arena::aliases_in(condition).iter().find(|name| is_later(name)) {
            panic!(
                "`{alias}` is joined already, at {}, before `{later}`, which its condition can't mean there; join it under \
                 another alias",
                arena::place(relation)
            );
        }
    }
    match kind {
        Some(kind) if same && kind == join.kind => Some(relation),
        Some(kind) if same => Some(arena::push_like(relation, NodeKind::Join(Join { kind, ..join }))),
        _ => panic!(
            "`{alias}` is joined already, at {}, as another table or on another condition; join it under another alias",
            arena::place(relation)
        ),
    }
}

#[track_caller]
fn taken(alias: &str, relation: NodeId) -> ! {
    panic!("`{alias}` is in FROM already, at {}; join it under another alias", arena::place(relation))
}
