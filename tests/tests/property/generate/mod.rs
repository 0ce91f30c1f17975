//! Makes well-typed descriptions over the fixture: whatever comes out, PostgreSQL accepts.

mod call;
mod expression;
mod grouping;
mod json;
mod predicate;
mod query;
mod recursive;
mod relation;
mod scope;
mod types;
mod window;

use callslip_ir::{Description, Node, NodeId, NodeKind, QualifiedName, SlotId, SlotType, TypeName};

use super::choices::Choices;
use scope::{Place, Relation, Scope};
use types::Ty;

/// The nodes from which on nothing but leaves is added.
const ENOUGH_NODES: usize = 300;
/// How deep expressions, relations and queries nest together.
const FUEL: usize = 7;

/// The description that bytes stand for; fewer bytes make a smaller one.
pub fn description(bytes: &[u8]) -> Description {
    let mut generator = Generator {
        choices: Choices::new(bytes),
        slots: Vec::new(),
        nodes: Vec::new(),
        ctes: Vec::new(),
        declared: Vec::new(),
        newer: false,
    };
    generator.newer = generator.choices.chance(10);
    generator.query(None, &Scope::default(), FUEL);
    Description { slots: generator.slots, files: Vec::new(), nodes: generator.nodes }
}

struct Generator<'a> {
    choices: Choices<'a>,
    slots: Vec<SlotType>,
    nodes: Vec<Node>,
    /// The CTEs in scope, the nearest last.
    ctes: Vec<NamedColumns>,
    /// The slots that have a type, which are used again.
    declared: Vec<(SlotId, Ty)>,
    /// Whether it may be of constructs that the PostgreSQL of the tests is too old for.
    newer: bool,
}

/// A CTE that relations can name.
#[derive(Clone)]
struct NamedColumns {
    name: String,
    columns: Vec<(String, Ty)>,
    /// Whether it has no other columns.
    complete: bool,
}

impl Generator<'_> {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn is_enough(&self) -> bool {
        self.nodes.len() > ENOUGH_NODES
    }

    /// A name that is hard to quote, and none of those that are taken.
    fn name(&mut self, taken: &[&str]) -> String {
        const NAMES: &[&str] = &[
            "a",
            "b",
            "c",
            "id",
            "name",
            "select",
            "A",
            "Größe 💥",
            "a\"b",
            "\"",
            "\"\"",
            "$1",
            "-- x",
            "/* y */",
            "*/",
            "a.b",
            "it's",
            " ",
            "\\",
            "{0}",
            "{1..}",
            "CAST(NULL AS int4)",
            "U&\"x\"",
            "E'\\x'",
            "null",
            "\t\n",
            "sixty-three bytes, the longest that PostgreSQL keeps of any name",
        ];
        const LONGEST: usize = 63;
        let base = self.choices.of(NAMES);
        let mut name = base[..base.len().min(LONGEST)].to_owned();
        let mut number = 1;
        while taken.contains(&name.as_str()) {
            number += 1;
            let suffix = number.to_string();
            let kept = base.len().min(LONGEST - suffix.len());
            name = format!("{}{suffix}", base.get(..kept).unwrap_or("x"));
        }
        name
    }

    /// Names for columns, all different.
    fn names(&mut self, count: usize) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for _ in 0..count {
            let taken: Vec<&str> = names.iter().map(String::as_str).collect();
            let name = self.name(&taken);
            names.push(name);
        }
        names
    }

    fn type_name(&mut self, ty: Ty) -> TypeName {
        TypeName::parse(self.choices.of(ty.spellings()))
    }

    /// A node that needs no other: a column, a parameter, a null.
    fn leaf(&mut self, ty: Ty, place: Place<'_>) -> NodeId {
        let columns = place.scope.columns(ty);
        match self.choices.below(6) {
            0..=3 if !columns.is_empty() => {
                let index = self.choices.below(columns.len());
                let (relation, name) = columns[index];
                let (relation, name) = (relation.to_owned(), name.to_owned());
                self.add(NodeKind::Column { relation, name })
            }
            4 => {
                let ty = self.type_name(ty);
                self.add(NodeKind::Null(ty))
            }
            _ => self.parameter(ty),
        }
    }

    /// A parameter that has a type of its own.
    fn parameter(&mut self, ty: Ty) -> NodeId {
        let known: Vec<SlotId> =
            self.declared.iter().filter(|(_, its)| *its == ty).map(|(slot, _)| *slot).collect();
        let slot = if !known.is_empty() && self.choices.chance(50) {
            self.choices.of(&known)
        } else {
            let declared = match ty.modified() {
                Some(modified) if self.choices.chance(20) => modified,
                _ => self.type_name(ty),
            };
            self.slots.push(SlotType::Declared(declared));
            let slot = SlotId(self.slots.len() as u32 - 1);
            self.declared.push((slot, ty));
            slot
        };
        self.add(NodeKind::Parameter(slot))
    }

    /// A parameter whose type its surroundings tell. Two uses of one slot are two parameters where they tell differently.
    fn context(&mut self) -> NodeId {
        let known: Vec<u32> = (0..self.slots.len() as u32)
            .filter(|slot| matches!(self.slots[*slot as usize], SlotType::Context))
            .collect();
        let slot = if !known.is_empty() && self.choices.chance(50) {
            self.choices.of(&known)
        } else {
            self.slots.push(SlotType::Context);
            self.slots.len() as u32 - 1
        };
        self.add(NodeKind::Parameter(SlotId(slot)))
    }

    /// The same expression once more.
    fn copy(&mut self, node: NodeId) -> NodeId {
        let kind = self.nodes[node.0 as usize].kind.clone().map_children(|child| self.copy(child));
        self.add(kind)
    }

    /// A value that no column is in, for LIMIT and the like.
    fn count(&mut self) -> NodeId {
        let scope = Scope::default();
        match self.choices.below(3) {
            0 => self.context(),
            1 => self.parameter(Ty::Int8),
            _ => self.expression(Ty::Int8, Place::columns(&scope, 1)),
        }
    }
}

fn qualified(name: &str) -> QualifiedName {
    QualifiedName::parse(name)
}
