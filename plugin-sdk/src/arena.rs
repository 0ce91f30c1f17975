//! Where the expressions of a plan live while it runs.
//!
//! A handle such as [`crate::Expr`] is an index into the list here, so that it can be copied and used twice. The
//! finished query is copied out as a tree: each use of a handle becomes nodes of its own.

mod cte;

use std::{cell::RefCell, collections::BTreeSet, panic::Location};

use callslip_ir::{
    Binding, Bindings, Description, Join, JoinCondition, Node, NodeId, NodeKind, Place, SlotId, SlotType,
};

use cte::CteDefinition;
pub(crate) use cte::{
    CteId, change_relation, complete_cte, cycle_cte, define_cte, materialize_cte, push_cte_table, push_query,
    rename_cte, search_cte,
};

/// The most nodes that one statement may have.
pub(crate) const MAX_NODES: usize = 100_000;

struct Slot {
    ty: SlotType,
    binding: Binding,
}

struct Arena {
    nodes: Vec<Node>,
    files: Vec<&'static str>,
    slots: Vec<Slot>,
    /// The slots of constants, sorted by value and type.
    constants: Vec<SlotId>,
    ctes: Vec<CteDefinition>,
    completed_ctes: usize,
    /// The nodes that name a CTE, and which; in the order of the nodes.
    cte_tables: Vec<(NodeId, CteId)>,
    /// The queries for which the author declared CTEs; in the order of the nodes.
    declarations: Vec<(NodeId, Vec<CteId>)>,
    /// The relations with typed columns, and the names of these.
    relations: Vec<(NodeId, &'static [&'static str])>,
}

thread_local! {
    static ARENA: RefCell<Arena> = const { RefCell::new(Arena::new()) };
}

fn with<R>(f: impl FnOnce(&mut Arena) -> R) -> R {
    ARENA.with(|arena| f(&mut arena.borrow_mut()))
}

/// Forgets everything. Handles from before must not be used again.
pub(crate) fn reset() {
    with(|arena| *arena = Arena::new());
}

/// Adds a node.
pub(crate) fn push(kind: NodeKind, written_at: &'static Location<'static>) -> NodeId {
    with(|arena| arena.push(kind, written_at))
}

/// Adds a node in the place of another, written where that was.
pub(crate) fn push_like(original: NodeId, kind: NodeKind) -> NodeId {
    with(|arena| {
        let id = NodeId(arena.nodes.len() as u32);
        let place = arena.nodes[original.0 as usize].place;
        arena.nodes.push(Node { kind, place });
        id
    })
}

/// A copy of a node.
pub(crate) fn kind(id: NodeId) -> NodeKind {
    with(|arena| arena.nodes[id.0 as usize].kind.clone())
}

/// The slot of a parameter or claim.
pub(crate) fn slot(ty: SlotType, binding: Binding) -> SlotId {
    with(|arena| arena.add_slot(ty, binding))
}

/// What is bound to a slot.
pub(crate) fn binding(slot: SlotId) -> Binding {
    with(|arena| arena.slots[slot.0 as usize].binding.clone())
}

/// The slot of a constant, one for all uses of the same value as the same type. So `GROUP BY x + 1` is the same
/// expression as `SELECT x + 1`.
pub(crate) fn constant_slot(ty: SlotType, value: &str) -> SlotId {
    with(|arena| {
        let found = arena.constants.binary_search_by(|slot| {
            constant_key(&arena.slots[slot.0 as usize]).cmp(&(value, type_key(&ty)))
        });
        match found {
            Ok(at) => arena.constants[at],
            Err(at) => {
                let slot = arena.add_slot(ty, Binding::Constant(Some(value.to_owned())));
                arena.constants.insert(at, slot);
                slot
            }
        }
    })
}

/// Adds a relation with typed columns, and gives its number.
pub(crate) fn add_relation(relation: NodeId, columns: &'static [&'static str]) -> u32 {
    with(|arena| {
        arena.relations.push((relation, columns));
        arena.relations.len() as u32 - 1
    })
}

/// The node of a relation by its number.
pub(crate) fn relation(number: u32) -> NodeId {
    with(|arena| arena.relations[number as usize].0)
}

/// Adds a node for a column of a relation, both by their numbers.
pub(crate) fn push_column(relation: u32, column: usize, written_at: &'static Location<'static>) -> NodeId {
    with(|arena| {
        let (node, columns) = arena.relations[relation as usize];
        let relation = arena.alias(node).to_owned();
        arena.push(NodeKind::Column { relation, name: columns[column].to_owned() }, written_at)
    })
}

/// The alias of a relation that has one.
pub(crate) fn alias(relation: NodeId) -> String {
    with(|arena| arena.alias(relation).to_owned())
}

/// The aliases that a relation brings into scope: its own, or without one those in the join that it is.
pub(crate) fn aliases(relation: NodeId) -> Vec<String> {
    with(|arena| {
        let (mut aliases, mut relations) = (Vec::new(), vec![relation]);
        while let Some(relation) = relations.pop() {
            match &arena.nodes[relation.0 as usize].kind {
                NodeKind::Join(join) if join.alias.is_none() => {
                    relations.extend([join.right, join.left]);
                    if let JoinCondition::Using { alias: Some(alias), .. } = &join.condition {
                        aliases.push(alias.clone());
                    }
                }
                _ => aliases.push(arena.alias(relation).to_owned()),
            }
        }
        aliases
    })
}

/// Where a node was written, for messages.
pub(crate) fn place(id: NodeId) -> String {
    with(|arena| match arena.nodes[id.0 as usize].place {
        Some(place) => format!("{}:{}", arena.files[place.file as usize], place.line),
        None => "?".to_owned(),
    })
}

/// Whether two expressions are the same, wherever they were written.
pub(crate) fn same(left: NodeId, right: NodeId) -> bool {
    with(|arena| {
        // An expression that is used twice is compared once.
        let (mut pairs, mut compared) = (vec![(left, right)], BTreeSet::new());
        while let Some((left, right)) = pairs.pop() {
            if left == right || !compared.insert((left, right)) {
                continue;
            }
            // A node holds only the names of the CTEs that it uses.
            let (left_ctes, right_ctes) = (arena.ctes_of(left), arena.ctes_of(right));
            if left_ctes.len() != right_ctes.len() {
                return false;
            }
            for (left, right) in left_ctes.iter().zip(&right_ctes) {
                let (left, right) = (arena.cte(*left), arena.cte(*right));
                if !left.like(right) {
                    return false;
                }
                pairs.extend(left.children().into_iter().zip(right.children()));
            }
            let (left, right) = (&arena.nodes[left.0 as usize].kind, &arena.nodes[right.0 as usize].kind);
            let (lefts, rights) = (left.children(), right.children());
            let childless = |kind: &NodeKind| kind.clone().map_children(|_| NodeId(0));
            if lefts.len() != rights.len() || childless(left) != childless(right) {
                return false;
            }
            pairs.extend(lefts.into_iter().zip(rights));
        }
        true
    })
}

/// The aliases that the columns of an expression name.
pub(crate) fn aliases_in(expression: NodeId) -> BTreeSet<String> {
    with(|arena| {
        let (mut aliases, mut nodes, mut seen) = (BTreeSet::new(), vec![expression], BTreeSet::new());
        while let Some(node) = nodes.pop() {
            if !seen.insert(node) {
                continue;
            }
            nodes.extend(arena.ctes_of(node).iter().flat_map(|cte| arena.cte(*cte).children()));
            let kind = &arena.nodes[node.0 as usize].kind;
            nodes.extend(kind.children());
            if let NodeKind::Column { relation, .. } | NodeKind::WholeRow { relation } = kind {
                aliases.insert(relation.clone());
            }
        }
        aliases
    })
}

/// Copies out the statement whose query is `root`.
///
/// # Panics
/// If it has more than [`MAX_NODES`] nodes, or one query sees two CTEs of one name.
pub(crate) fn describe(root: NodeId) -> (Description, Bindings) {
    with(|arena| Copy::new(arena, root).run())
}

impl Arena {
    const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            files: Vec::new(),
            slots: Vec::new(),
            constants: Vec::new(),
            ctes: Vec::new(),
            completed_ctes: 0,
            cte_tables: Vec::new(),
            declarations: Vec::new(),
            relations: Vec::new(),
        }
    }

    fn push(&mut self, kind: NodeKind, written_at: &'static Location<'static>) -> NodeId {
        let name = written_at.file();
        let file = self.files.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.files.push(name);
            self.files.len() - 1
        });
        let place = Place { file: file as u32, line: written_at.line(), column: written_at.column() };
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { kind, place: Some(place) });
        id
    }

    fn alias(&self, relation: NodeId) -> &str {
        match &self.nodes[relation.0 as usize].kind {
            NodeKind::Table(table) => &table.alias,
            NodeKind::Subquery(subquery) => &subquery.alias,
            NodeKind::Functions(functions) => &functions.alias,
            NodeKind::JsonTable(table) => &table.alias,
            NodeKind::Join(Join { alias: Some(alias), .. }) => alias,
            _ => unreachable!("a handle with columns names a relation with an alias"),
        }
    }

    fn add_slot(&mut self, ty: SlotType, binding: Binding) -> SlotId {
        let id = SlotId(self.slots.len() as u32);
        self.slots.push(Slot { ty, binding });
        id
    }
}

fn constant_key(slot: &Slot) -> (&str, TypeKey<'_>) {
    let value = match &slot.binding {
        Binding::Constant(Some(value)) => value,
        _ => "",
    };
    (value, type_key(&slot.ty))
}

/// What tells types apart.
type TypeKey<'a> = (Option<&'a str>, &'a str, bool, &'a [i32]);

fn type_key(ty: &SlotType) -> TypeKey<'_> {
    match ty {
        SlotType::Declared(ty) => (ty.name.schema.as_deref(), &ty.name.name, ty.array, &ty.modifiers),
        SlotType::Context => (None, "", false, &[]),
    }
}

/// A node whose children are being copied.
struct Frame {
    original: NodeId,
    kind: NodeKind,
    place: Option<Place>,
    children: std::vec::IntoIter<NodeId>,
    copied: Vec<NodeId>,
    /// How many CTEs are in scope around it.
    scope: usize,
}

struct Copy<'a> {
    arena: &'a Arena,
    root: NodeId,
    description: Description,
    bindings: Bindings,
    slots: Vec<Option<SlotId>>,
    files: Vec<Option<u32>>,
    scope: Vec<CteId>,
}

impl<'a> Copy<'a> {
    fn new(arena: &'a Arena, root: NodeId) -> Self {
        Self {
            arena,
            root,
            description: Description { slots: Vec::new(), files: Vec::new(), nodes: Vec::new() },
            bindings: Vec::new(),
            slots: vec![None; arena.slots.len()],
            files: vec![None; arena.files.len()],
            scope: Vec::new(),
        }
    }

    fn run(mut self) -> (Description, Bindings) {
        let mut stack = vec![self.enter(self.root)];
        while let Some(frame) = stack.last_mut() {
            if let Some(child) = frame.children.next() {
                assert!(child < frame.original, "an expression of another plan was used in this one");
                let child = self.enter(child);
                stack.push(child);
            } else if let Some(done) = stack.pop() {
                let id = self.leave(done);
                if let Some(parent) = stack.last_mut() {
                    parent.copied.push(id);
                }
            }
        }
        (self.description, self.bindings)
    }

    fn enter(&mut self, id: NodeId) -> Frame {
        let node = &self.arena.nodes[id.0 as usize];
        let scope = self.scope.len();
        let mut kind = node.kind.clone();
        match &mut kind {
            NodeKind::Query(query) => {
                let declared = self.arena.declared_by(id, &self.scope);
                query.with = self.arena.declare(&declared, &mut self.scope);
            }
            NodeKind::Parameter(slot) => *slot = self.slot(*slot),
            _ => {}
        }
        let place = node.place.map(|place| Place { file: self.file(place.file), ..place });
        Frame { original: id, children: kind.children().into_iter(), kind, place, copied: Vec::new(), scope }
    }

    fn leave(&mut self, frame: Frame) -> NodeId {
        if self.description.nodes.len() >= MAX_NODES {
            self.too_many_nodes();
        }
        self.scope.truncate(frame.scope);
        let mut copied = frame.copied.into_iter();
        // Both walk the children in one order, so there is a copy for each.
        let kind = frame.kind.map_children(|original| copied.next().unwrap_or(original));
        let id = NodeId(self.description.nodes.len() as u32);
        self.description.nodes.push(Node { kind, place: frame.place });
        id
    }

    fn too_many_nodes(&self) -> ! {
        let place = self.arena.nodes[self.root.0 as usize].place;
        let file = place.map_or("?", |place| self.arena.files[place.file as usize]);
        let line = place.map_or(0, |place| place.line);
        panic!(
            "the query of {file}:{line} has more than {MAX_NODES} nodes; an expression that is used many times is \
             copied each time"
        )
    }

    fn slot(&mut self, slot: SlotId) -> SlotId {
        let at = slot.0 as usize;
        *self.slots[at].get_or_insert_with(|| {
            let Slot { ty, binding } = &self.arena.slots[at];
            let id = SlotId(self.bindings.len() as u32);
            self.description.slots.push(ty.clone());
            self.bindings.push(binding.clone());
            id
        })
    }

    fn file(&mut self, file: u32) -> u32 {
        let at = file as usize;
        *self.files[at].get_or_insert_with(|| {
            let id = self.description.files.len() as u32;
            self.description.files.push(self.arena.files[at].to_owned());
            id
        })
    }
}
