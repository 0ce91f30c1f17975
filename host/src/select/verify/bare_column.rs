use callslip_ir::{Access, AccessStep, Boolean, BooleanOperator, Description, NodeId, NodeKind};

use crate::select::verified::Resolution;

/// A column by its relation's alias and its name.
pub(super) type ColumnName<'a> = (&'a str, &'a str);

/// A column, which PostgreSQL makes of the field of a whole row too: `(b.*).title`.
pub(super) fn column(description: &Description, node: NodeId) -> Option<ColumnName<'_>> {
    let kind = |node: NodeId| &description.nodes[node.0 as usize].kind;
    match kind(node) {
        NodeKind::Column { relation, name } => Some((relation, name)),
        NodeKind::Access(Access { value, step: AccessStep::Field(name) }) => match kind(*value) {
            NodeKind::WholeRow { relation } => Some((relation, name)),
            _ => None,
        },
        _ => None,
    }
}

/// The column that an expression is, under casts, which may do nothing.
pub(super) fn bare_column<'a>(
    description: &'a Description,
    resolutions: &[Resolution],
    mut node: NodeId,
) -> Option<ColumnName<'a>> {
    while let Some(inner) = beneath(description, resolutions, node) {
        node = inner;
    }
    column(description, node)
}

/// The column that an expression is, under casts and COLLATE, which leaves a column's values what they are.
pub(super) fn collated_column<'a>(
    description: &'a Description,
    resolutions: &[Resolution],
    mut node: NodeId,
) -> Option<ColumnName<'a>> {
    loop {
        node = match &description.nodes[node.0 as usize].kind {
            NodeKind::Collate(collate) => collate.value,
            _ => match beneath(description, resolutions, node) {
                Some(inner) => inner,
                None => return column(description, node),
            },
        };
    }
}

/// The value of a cast, or of what else is printed as no more than its operand.
fn beneath(description: &Description, resolutions: &[Resolution], node: NodeId) -> Option<NodeId> {
    match &description.nodes[node.0 as usize].kind {
        NodeKind::Cast(cast) => Some(cast.value),
        // A call that is a cast.
        NodeKind::Call(call) if matches!(resolutions[node.0 as usize], Resolution::Type(_)) => {
            call.arguments.first().map(|argument| argument.value)
        }
        NodeKind::Boolean(Boolean { operator: BooleanOperator::And | BooleanOperator::Or, operands }) => {
            match operands.as_slice() {
                [operand] => Some(*operand),
                _ => None,
            }
        }
        _ => None,
    }
}
