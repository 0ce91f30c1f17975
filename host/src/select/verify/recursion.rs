use callslip_ir::{
    Cte, Description, Join, JoinCondition, JoinKind, NodeId, NodeKind, Query, RelationName, SetOperation,
    SetOperator,
};

/// Where a recursive CTE refers to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In its recursive term, where it may.
    RecursiveTerm,
    /// Elsewhere: how a message goes on.
    Wrong(&'static str),
}

impl Place {
    /// Of several reasons why a place is wrong the outermost is told.
    fn within(self, wrong: &'static str) -> Self {
        match self {
            Self::RecursiveTerm => Self::Wrong(wrong),
            wrong => wrong,
        }
    }
}

/// The relations in the query of a CTE that name it, by the rules of PostgreSQL's `checkWellFormedRecursion`.
pub(super) fn self_references(description: &Description, cte: &Cte) -> Vec<(NodeId, Place)> {
    let mut walk = Walk { description, name: &cte.name, found: Vec::new() };
    let kind = |node: NodeId| &description.nodes[node.0 as usize].kind;
    match kind(cte.query) {
        NodeKind::Query(query) => {
            let terms = match kind(query.body) {
                NodeKind::SetOperation(operation) if operation.operator == SetOperator::Union => {
                    Some(operation)
                }
                _ => None,
            };
            walk.query(query, Place::Wrong("outside of its recursive term"), terms);
        }
        _ => walk.node(cte.query, Place::Wrong("outside of a query")),
    }
    walk.found
}

struct Walk<'a> {
    description: &'a Description,
    name: &'a str,
    found: Vec<(NodeId, Place)>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: NodeId, place: Place) {
        let kind: &'a NodeKind = &self.description.nodes[node.0 as usize].kind;
        match kind {
            NodeKind::Query(query) => return self.query(query, place, None),
            NodeKind::SetOperation(operation) => return self.set_operation(operation, place),
            NodeKind::Join(join) => return self.join(join, place),
            NodeKind::Table(table) => {
                if matches!(&table.name, RelationName::Cte(name) if name == self.name) {
                    self.found.push((node, place));
                }
            }
            _ => {}
        }
        let place = match kind {
            NodeKind::Subexpression(_) => place.within("in a subquery"),
            _ => place,
        };
        for child in kind.children() {
            self.node(child, place);
        }
    }

    /// `terms` are those of the CTE itself, if this is its query and it has the form.
    fn query(&mut self, query: &'a Query, place: Place, terms: Option<&SetOperation>) {
        let ctes = query.with.as_ref().map_or(&[][..], |with| &with.ctes);
        let hides = |cte: &Cte| cte.name == self.name;
        // A CTE of the same name is meant from where it is declared on.
        let seen = match ctes.iter().position(hides) {
            Some(_) if query.with.as_ref().is_some_and(|with| with.recursive) => return,
            Some(hiding) => &ctes[..=hiding],
            None => ctes,
        };
        let hidden = seen.last().is_some_and(hides);
        for cte in seen {
            self.node(cte.query, place);
        }
        if hidden {
            return;
        }
        match terms {
            Some(terms) => {
                self.node(terms.left, Place::Wrong("in its non-recursive term"));
                self.node(terms.right, Place::RecursiveTerm);
            }
            None => self.node(query.body, place),
        }
        let orders = query.order_by.iter().map(|order| order.expression);
        for node in orders.chain(query.limit.iter().map(|limit| limit.count)).chain(query.offset) {
            self.node(node, place);
        }
    }

    fn set_operation(&mut self, operation: &SetOperation, place: Place) {
        let (left, right) = match (operation.operator, operation.all) {
            (SetOperator::Union, _) | (SetOperator::Intersect, false) => (place, place),
            (SetOperator::Intersect, true) => {
                let place = place.within("in INTERSECT ALL");
                (place, place)
            }
            (SetOperator::Except, all) => {
                let right = place.within("on the right of EXCEPT");
                (if all { place.within("in EXCEPT ALL") } else { place }, right)
            }
        };
        self.node(operation.left, left);
        self.node(operation.right, right);
    }

    fn join(&mut self, join: &'a Join, place: Place) {
        const NULLABLE: &str = "on the side of an outer join that may be null";
        let left = match join.kind {
            JoinKind::Right | JoinKind::Full => place.within(NULLABLE),
            JoinKind::Inner | JoinKind::Left | JoinKind::Cross => place,
        };
        let right = match join.kind {
            JoinKind::Left | JoinKind::Full => place.within(NULLABLE),
            JoinKind::Inner | JoinKind::Right | JoinKind::Cross => place,
        };
        self.node(join.left, left);
        self.node(join.right, right);
        if let JoinCondition::On(condition) = join.condition {
            self.node(condition, place);
        }
    }
}
