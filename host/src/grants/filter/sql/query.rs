use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind, RelationName, Table};
use sqlparser::ast::{
    GroupByExpr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableFactor,
    TableWithJoins,
};

use super::operator::alias_of;
use super::scope::Frame;
use super::{Problem, Writer, qualified, unsupported};

impl Writer<'_> {
    /// A query within a filter: `SELECT … FROM … WHERE …`. Of EXISTS nobody reads the select list, which may be `*`.
    pub(super) fn subquery(&mut self, query: &Query, of_exists: bool) -> Result<NodeId, Problem> {
        self.within(|writer| {
            let select = plain(query)?;
            writer.frames.push(Frame::default());
            let written = writer.select_of(select, of_exists);
            writer.frames.pop();
            let body = written?;
            Ok(writer.query(body))
        })
    }

    fn select_of(&mut self, select: &Select, of_exists: bool) -> Result<NodeId, Problem> {
        let mut from = Vec::with_capacity(select.from.len());
        for tables in &select.from {
            from.push(self.tables(tables)?);
        }
        let filter = match &select.selection {
            Some(condition) => Some(self.expression(condition)?),
            None => None,
        };
        let mut items = Vec::with_capacity(select.projection.len());
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
                    items.push(self.expression(expression)?);
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) if of_exists => {}
                other => return Err(unsupported("this select list", other)),
            }
        }
        match items.is_empty() {
            true if of_exists => Ok(self.select_one(from, filter)),
            true => Err("a query in it has no select list".to_owned()),
            false => Ok(self.select(items, from, filter)),
        }
    }

    fn tables(&mut self, tables: &TableWithJoins) -> Result<NodeId, Problem> {
        let mut left = self.table(&tables.relation)?;
        for join in &tables.joins {
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                    (JoinKind::Inner, constraint)
                }
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                    (JoinKind::Left, constraint)
                }
                JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                    (JoinKind::Right, constraint)
                }
                JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
                JoinOperator::CrossJoin(constraint @ JoinConstraint::None) => (JoinKind::Cross, constraint),
                _ => return Err(unsupported("this join", join)),
            };
            let right = self.table(&join.relation)?;
            let condition = match constraint {
                JoinConstraint::On(condition) if kind != JoinKind::Cross => {
                    JoinCondition::On(self.expression(condition)?)
                }
                JoinConstraint::None if kind == JoinKind::Cross => JoinCondition::None,
                _ => return Err(format!("a join in a filter has a condition with ON: `{join}`")),
            };
            left = self.add(NodeKind::Join(Join {
                kind,
                left,
                right,
                condition,
                alias: None,
                columns: Vec::new(),
            }));
        }
        Ok(left)
    }

    fn table(&mut self, factor: &TableFactor) -> Result<NodeId, Problem> {
        let TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_directives,
            inheritance: None,
        } = factor
        else {
            return Err(unsupported("only plain tables stand in its FROM: this", factor));
        };
        if !(with_hints.is_empty() && partitions.is_empty() && index_directives.is_empty()) {
            return Err(unsupported("only plain tables stand in its FROM: this", factor));
        }
        let name = qualified(name)?;
        let alias = alias_of(alias.as_ref(), &name.name)?;
        let columns = (self.columns)(&name);
        if let Some(frame) = self.frames.last_mut() {
            frame.add(&alias, columns)?;
        }
        let name = RelationName::Stored(name);
        Ok(self.add(NodeKind::Table(Table { name, alias, columns: Vec::new(), only: false, sample: None })))
    }
}

/// The SELECT of a query that has nothing else.
fn plain(query: &Query) -> Result<&Select, Problem> {
    let refuse = || unsupported("more than SELECT … FROM … WHERE …", query);
    let bare = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty();
    let select = match &*query.body {
        SetExpr::Select(select) if bare => &**select,
        SetExpr::Query(inner) if bare => return plain(inner),
        _ => return Err(refuse()),
    };
    let is_ungrouped = match &select.group_by {
        GroupByExpr::Expressions(items, modifiers) => items.is_empty() && modifiers.is_empty(),
        GroupByExpr::All(_) => false,
    };
    let is_plain = is_ungrouped
        && select.optimizer_hints.is_empty()
        && select.distinct.is_none()
        && select.select_modifiers.is_none()
        && select.top.is_none()
        && select.exclude.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.having.is_none()
        && select.named_window.is_empty()
        && select.qualify.is_none()
        && select.value_table_mode.is_none();
    if is_plain { Ok(select) } else { Err(refuse()) }
}
