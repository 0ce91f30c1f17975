use callslip_ir::{Description, JoinKind, NodeId, NodeKind, RelationName};

use crate::catalog::{Catalog, RelationKind};
use crate::select::structure;
use crate::select::verified::{Resolution, Verified};

/// Whether a key may be null, as far as is known: only of a column that is NOT NULL, of a stored relation on which no outer join
/// puts nulls, it is certain that it may not.
pub(super) fn is_nullable(
    description: &Description,
    verified: &Verified,
    catalog: &Catalog,
    body: NodeId,
    key: NodeId,
) -> bool {
    let kind = |node: NodeId| &description.nodes[node.0 as usize].kind;
    let NodeKind::Select(select) = kind(body) else { return true };
    if select.group_by.iter().any(|item| matches!(kind(*item), NodeKind::GroupingSet(_))) {
        return true;
    }
    let key = match kind(key) {
        NodeKind::OutputName(name) => {
            let named = |item: &&callslip_ir::Item| structure::item_name(description, item) == Some(name);
            match select.items.iter().find(named) {
                Some(item) => item.expression,
                None => return true,
            }
        }
        _ => key,
    };
    let NodeKind::Column { relation, name } = kind(key) else { return true };
    let mut open: Vec<(NodeId, bool)> = select.from.iter().map(|from| (*from, false)).collect();
    while let Some((node, has_nulls)) = open.pop() {
        match kind(node) {
            NodeKind::Join(join) if join.alias.is_none() => {
                let (left, right) = match join.kind {
                    JoinKind::Inner | JoinKind::Cross => (false, false),
                    JoinKind::Left => (false, true),
                    JoinKind::Right => (true, false),
                    JoinKind::Full => (true, true),
                };
                open.extend([(join.left, has_nulls || left), (join.right, has_nulls || right)]);
            }
            NodeKind::Table(table) if table.alias == *relation => {
                let stored = match &verified.resolutions[node.0 as usize] {
                    Resolution::Object { schema, name } => Some((schema, name)),
                    Resolution::Sampled { relation: (schema, name), .. } => Some((schema, name)),
                    _ => None,
                };
                let is_plain = table.columns.is_empty() && matches!(table.name, RelationName::Stored(_));
                let stored = stored.filter(|_| is_plain && !has_nulls);
                let relation = stored.and_then(|(schema, name)| catalog.relation(schema, name));
                // Of a foreign table PostgreSQL takes NOT NULL for granted, and nothing holds its rows to it.
                let relation = relation.filter(|its| its.kind != RelationKind::ForeignTable);
                let column = relation.and_then(|its| its.columns.iter().find(|column| column.name == *name));
                return column.is_none_or(|column| column.nullable);
            }
            _ => {}
        }
    }
    true
}
