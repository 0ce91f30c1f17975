//! A page of a query's rows: the query becomes a relation, of which the rows behind a cursor are taken in its own order.
//!
//! ```text
//! SELECT p.title AS title FROM position AS p ORDER BY p.title, p.id LIMIT $1
//! ```
//!
//! is, behind a cursor,
//!
//! ```text
//! SELECT page.title AS title, CAST(page.key_1 AS text) AS key_1, CAST(page.key_2 AS text) AS key_2
//! FROM (SELECT p.title AS title, p.title AS key_1, p.id AS key_2 FROM position AS p) AS page
//! WHERE ROW(page.key_1, page.key_2) > ROW($2, $3)
//! ORDER BY page.key_1, page.key_2 LIMIT $1 + 1
//! ```
//!
//! So the keys may be aggregates, window functions, or columns of a UNION, and mean over the whole what they mean without
//! pages; PostgreSQL pulls a plain query up into the one around it, where an index on the keys serves both the condition and
//! the order. The plugin has no part in this: it describes the whole list, and what is verified, granted and proven is what
//! is run. One more row than the page has tells whether another page follows.
//!
//! The keys leave as text, and come back as it, by the input functions of their types: exact for each type that can be
//! sorted, under the settings that every session of the host's statements has.

mod condition;
mod nullable;
mod tree;

use callslip_ir::{
    Cast, Description, Direction, Distinct, Item, Limit, NodeId, NodeKind, Operation, Order, Place,
    QualifiedName, Query, Select, SlotId, SlotType, Subquery, TypeName,
};

use condition::Key;
use tree::Tree;

use super::{Finding, Verified, structure};
use crate::Code;
use crate::catalog::Catalog;

/// The most keys that a page is ordered by.
const MOST_KEYS: usize = 16;
/// The relation that the whole list is.
const LIST: &str = "page";

/// The description of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What is run for it. Its last columns are the keys, as text.
    pub description: Description,
    /// How many keys there are.
    pub keys: usize,
    /// The slot of how many rows the page has.
    pub size: SlotId,
    /// The slots of the keys of the cursor, in their order; none without a cursor. Before them, and behind those of the list, is the
    /// slot of the 1 that is added to how many rows the page has.
    pub cursor: Vec<SlotId>,
}

impl Page {
    /// Which key of the cursor is the value of a slot, counted from 0.
    pub fn key_of(&self, slot: SlotId) -> Option<usize> {
        self.cursor.iter().position(|its| *its == slot)
    }
}

/// Makes a page of the list that was described and verified: the first one, or the one behind a cursor.
///
/// # Errors
/// Why there can be no pages of it.
pub fn page(
    description: &Description,
    verified: &Verified,
    catalog: &Catalog,
    behind_a_cursor: bool,
) -> Result<Page, Vec<Finding>> {
    let root = NodeId(description.nodes.len().saturating_sub(1) as u32);
    let refuse = |node: NodeId, message: &str, help: &str| {
        let finding = Finding::new(Code::InvalidStructure, message).with_help(help);
        vec![finding.at(structure::place(description, node).or_else(|| structure::place(description, root)))]
    };
    let from_it = "select from it with .alias(\"…\"), and page that";
    let kind = |node: NodeId| description.nodes.get(node.0 as usize).map(|node| &node.kind);
    let Some(NodeKind::Query(query)) = kind(root) else {
        return Err(refuse(root, "a page is of a query", from_it));
    };
    if query.order_by.is_empty() || query.order_by.len() > MOST_KEYS {
        let message =
            format!("a page is ordered by 1 to {MOST_KEYS} keys, and this by {}", query.order_by.len());
        return Err(refuse(root, &message, "order it by what tells each two rows apart"));
    }
    if let Some(offset) = query.offset {
        return Err(refuse(offset, "a page has no OFFSET", "the cursor says where it begins"));
    }
    let size = match &query.limit {
        Some(Limit { count, with_ties: false }) => match kind(*count) {
            Some(NodeKind::Parameter(slot)) => Some((*count, *slot)),
            _ => None,
        },
        _ => None,
    };
    let Some((size_node, size)) = size else {
        return Err(refuse(root, "the LIMIT of a page is no parameter", "page it with .keyset(…)"));
    };
    if let Some(using) = query.order_by.iter().find(|its| matches!(its.direction, Direction::Using(_))) {
        let message = "a page can't be ordered by an operator";
        return Err(refuse(using.expression, message, "order it by ascending or descending keys"));
    }
    if let Some(NodeKind::Select(Select { distinct: Distinct::On(_), .. })) = kind(query.body) {
        return Err(refuse(query.body, "a page can't be of a DISTINCT ON", from_it));
    }

    let mut list = List::new(description, root, verified);
    let mut keys = Vec::with_capacity(query.order_by.len());
    for (index, order) in query.order_by.iter().enumerate() {
        let nullable = nullable::is_nullable(description, verified, catalog, query.body, order.expression);
        let Some(column) = list.key(order.expression, index + 1) else {
            let help = "write output(\"…\"), or select from it with .alias(\"…\") and order that";
            return Err(refuse(
                order.expression,
                "a page of VALUES is ordered by names of its columns",
                help,
            ));
        };
        keys.push(Key {
            column,
            descending: order.direction == Direction::Descending,
            nulls: order.nulls,
            nullable,
            place: description.nodes[order.expression.0 as usize].place,
        });
    }
    Ok(list.page(query, &keys, (size_node, size), behind_a_cursor))
}

/// The whole list, as it becomes a relation.
struct List<'a> {
    tree: Tree,
    /// Where the query was written.
    place: Option<Place>,
    body: NodeId,
    verified: &'a Verified,
    /// What is added to its select list.
    added: Vec<Item>,
}

impl<'a> List<'a> {
    fn new(description: &Description, root: NodeId, verified: &'a Verified) -> Self {
        let mut tree = Tree::of(description);
        let place = tree.place(root);
        let body = match tree.take(root) {
            NodeKind::Query(query) => query.body,
            _ => root,
        };
        Self { tree, place, body, verified, added: Vec::new() }
    }

    /// The column that has a key, by its number; none, if it can't have one.
    fn key(&mut self, expression: NodeId, number: usize) -> Option<String> {
        if let NodeKind::OutputName(name) = self.tree.kind(expression) {
            let name = name.clone();
            self.tree.take(expression);
            return Some(name);
        }
        let NodeKind::Select(_) = self.tree.kind(self.body) else { return None };
        let alias = self.free_name(number);
        self.added.push(Item { expression, alias: Some(alias.clone()) });
        Some(alias)
    }

    /// `key_1`, or a name like it that no column of the list has.
    fn free_name(&self, number: usize) -> String {
        let mut name = format!("key_{number}");
        while self.verified.columns.iter().any(|column| column.name == name) {
            name.push('_');
        }
        name
    }

    fn page(
        mut self,
        query: &Query,
        keys: &[Key],
        (size_node, size): (NodeId, SlotId),
        behind_a_cursor: bool,
    ) -> Page {
        // Whoever binds them binds this one first.
        let one = self.tree.slot(SlotType::Declared(TypeName::parse("pg_catalog.int8")));
        let mut body = self.body;
        if let NodeKind::Select(select) = self.tree.kind(body) {
            let (mut select, place) = (select.clone(), self.tree.place(body));
            self.tree.take(body);
            select.items.append(&mut self.added);
            body = self.tree.push(NodeKind::Select(select), place);
        }
        let place = self.place;
        // Names of WITH are seen in the list too, and PostgreSQL pulls up no query that has one.
        let list = Query { with: None, body, order_by: Vec::new(), limit: None, offset: None };
        let list = self.tree.push(NodeKind::Query(list), place);
        let relation = Subquery { query: list, lateral: false, alias: LIST.to_owned(), columns: Vec::new() };
        let from = self.tree.push(NodeKind::Subquery(relation), place);

        let mut items: Vec<Item> = Vec::with_capacity(self.verified.columns.len() + keys.len());
        for column in &self.verified.columns {
            let expression = column_of_list(&mut self.tree, &column.name, place);
            items.push(Item { expression, alias: Some(column.name.clone()) });
        }
        for (index, key) in keys.iter().enumerate() {
            let value = column_of_list(&mut self.tree, &key.column, key.place);
            let cast = Cast { value, ty: TypeName::parse("pg_catalog.text") };
            let expression = self.tree.push(NodeKind::Cast(cast), key.place);
            // Those that are sorted by the name of a column are added here alone.
            items.push(Item { expression, alias: Some(self.free_name(index + 1)) });
        }
        let cursor: Vec<SlotId> = match behind_a_cursor {
            true => keys.iter().map(|_| self.tree.slot(SlotType::Context)).collect(),
            false => Vec::new(),
        };
        let filter = behind_a_cursor.then(|| condition::behind(&mut self.tree, keys, &cursor, place));
        let select = Select {
            distinct: Distinct::All,
            items,
            from: vec![from],
            filter,
            group_by: Vec::new(),
            group_distinct: false,
            having: None,
            windows: Vec::new(),
        };
        let body = self.tree.push(NodeKind::Select(select), place);
        let mut order_by = Vec::with_capacity(keys.len());
        for key in keys {
            let expression = column_of_list(&mut self.tree, &key.column, key.place);
            let direction = if key.descending { Direction::Descending } else { Direction::Ascending };
            order_by.push(Order { expression, direction, nulls: key.nulls });
        }
        let one_node = self.tree.push(NodeKind::Parameter(one), place);
        let more = Operation {
            operator: QualifiedName::within("pg_catalog", "+"),
            operands: vec![size_node, one_node],
        };
        let count = self.tree.push(NodeKind::Operation(more), place);
        let limit = Some(Limit { count, with_ties: false });
        let query = Query { with: query.with.clone(), body, order_by, limit, offset: None };
        let description = self.tree.finish(query, place);
        Page { description, keys: keys.len(), size, cursor }
    }
}

/// A column of the list.
fn column_of_list(tree: &mut Tree, name: &str, place: Option<Place>) -> NodeId {
    tree.push(NodeKind::Column { relation: LIST.to_owned(), name: name.to_owned() }, place)
}
