use std::collections::HashMap;
use std::rc::Rc;

use callslip_ir::NodeId;

use super::Verifier;
use super::growth;
use crate::catalog::{Catalog, Function, Oid, Operator, PG_CATALOG, TypeKind};
use crate::grants::MissingGrant;
use crate::select::scope::{ScopeColumn, Source};
use crate::select::signature::Operand;

/// What verification learns of where values come from and what is done with them that can't be interrupted.
#[derive(Debug)]
pub(super) struct Flow {
    of_nodes: Vec<NodeFlow>,
    /// The columns of whole rows.
    rows: HashMap<NodeId, Rc<[ScopeColumn]>>,
    /// The formats of `format`, with the calls.
    pub formats: Vec<(NodeId, NodeId)>,
    /// The functions that are called.
    functions: HashMap<NodeId, Oid>,
    /// What can't be interrupted.
    pub uses: Vec<Use>,
}

#[derive(Clone, Copy, Debug, Default)]
struct NodeFlow {
    /// Where a column comes from.
    source: Source,
    /// Whether its type tells its size.
    is_fixed: bool,
    is_array: bool,
}

/// An operation that PostgreSQL can't interrupt.
#[derive(Debug)]
pub(super) struct Use {
    pub node: NodeId,
    /// What it is, for messages.
    pub what: String,
    pub over: Over,
    pub operands: Vec<NodeId>,
    /// How many times it is done, with one value of a list after the other.
    pub times: usize,
    /// How a configuration allows it whatever it is over, where it can.
    pub grant: Option<String>,
}

/// What decides how long an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// All operands: it is the product of their sizes.
    Both,
    /// The same, and one of them is an array that may have many elements where the other is stored.
    Arrays,
    /// The same, and each step takes as long as many of the others.
    Shapes,
    /// The first operand, with its square at worst, and the second one.
    First,
    /// The value of a cast, which is read character by character.
    Cast,
}

impl Flow {
    pub fn new(nodes: usize) -> Self {
        Self {
            of_nodes: vec![NodeFlow::default(); nodes],
            rows: HashMap::new(),
            formats: Vec::new(),
            functions: HashMap::new(),
            uses: Vec::new(),
        }
    }

    pub fn is_fixed(&self, node: NodeId) -> bool {
        self.of_nodes[node.0 as usize].is_fixed
    }

    pub fn is_array(&self, node: NodeId) -> bool {
        self.of_nodes[node.0 as usize].is_array
    }

    pub fn source(&self, node: NodeId) -> Source {
        self.of_nodes[node.0 as usize].source
    }

    pub fn row(&self, node: NodeId) -> &[ScopeColumn] {
        self.rows.get(&node).map_or(&[], |columns| columns)
    }

    pub fn function(&self, node: NodeId) -> Option<Oid> {
        self.functions.get(&node).copied()
    }

    /// A value whose type is known.
    pub fn typed(&mut self, catalog: &Catalog, node: NodeId, operand: Operand) {
        if let Operand::Known(oid) = operand {
            let its = &mut self.of_nodes[node.0 as usize];
            its.is_fixed = is_fixed(catalog, oid);
            its.is_array = catalog.element_type(oid) != oid;
        }
    }

    pub fn column(&mut self, node: NodeId, source: Source) {
        self.of_nodes[node.0 as usize].source = source;
    }

    pub fn whole_row(&mut self, node: NodeId, columns: Rc<[ScopeColumn]>) {
        self.rows.insert(node, columns);
    }
}

impl Verifier<'_> {
    /// Remembers an operator that can't be interrupted, unless it was granted by itself.
    pub(super) fn operator_used(
        &mut self,
        node: NodeId,
        operator: &Operator,
        operands: Vec<NodeId>,
        times: usize,
    ) {
        if operator.schema != PG_CATALOG {
            return;
        }
        let Some(over) = growth::of_operator(&operator.name, operator.left) else { return };
        if self.context.grants.names_operator(operator) {
            return;
        }
        let missing = MissingGrant::operator(self.context.catalog, self.context.path, operator).exactly();
        let grant = Some(MissingGrant::help(self.context.plugin, &[missing]));
        let what = format!("the operator {}", operator.name);
        self.flow.uses.push(Use { node, what, over, operands, times, grant });
    }

    /// Remembers a call, and that it can't be interrupted, unless its function was granted by itself.
    pub(super) fn function_used(&mut self, node: NodeId, function: &Function, operands: &[NodeId]) {
        self.flow.functions.insert(node, function.oid);
        if function.schema != PG_CATALOG {
            return;
        }
        if let ("format", Some(&format)) = (function.name.as_str(), operands.first())
            && !self.context.grants.names_function(function)
        {
            self.flow.formats.push((node, format));
        }
        let Some(over) = growth::of_call(&function.name, operands.len()) else { return };
        if self.context.grants.names_function(function) {
            return;
        }
        let missing = MissingGrant::function(self.context.catalog, self.context.path, function).exactly();
        let grant = Some(MissingGrant::help(self.context.plugin, &[missing]));
        let what = format!("the function {}", function.name);
        self.flow.uses.push(Use { node, what, over, operands: operands.to_vec(), times: 1, grant });
    }

    /// Remembers that a text is read as JSON.
    pub(super) fn cast_used(&mut self, value: NodeId, from: Operand, to: Oid) {
        const JSON: [Oid; 2] = [114, 3802];
        const TEXTS: [Oid; 3] = [25, 1043, 1042];
        let catalog = self.context.catalog;
        let Operand::Known(from) = from else { return };
        let (from, to) = (catalog.base_type(from), catalog.base_type(to));
        if !TEXTS.contains(&from) || !JSON.contains(&to) {
            return;
        }
        let what = format!("a cast to {}", self.shown_type(to));
        self.flow.uses.push(Use {
            node: value,
            what,
            over: Over::Cast,
            operands: vec![value],
            times: 1,
            grant: None,
        });
    }
}

/// Whether all values of a type are small: numbers, dates, enums, and what is made of a few of them.
fn is_fixed(catalog: &Catalog, oid: Oid) -> bool {
    /// The types of `pg_catalog` whose values can be of any size: `bytea`, `text`, `json`, `xml`, `path`, `polygon`, `bpchar`,
    /// `varchar`, `bit`, `varbit`, `tsvector`, `tsquery`, `jsonb`, `jsonpath`. A `numeric` has 64 KB at most.
    const OF_ANY_SIZE: &[Oid] = &[17, 25, 114, 142, 602, 604, 1042, 1043, 1560, 1562, 3614, 3615, 3802, 4072];
    let Some(ty) = catalog.type_by_oid(catalog.base_type(oid)) else { return false };
    match &ty.kind {
        TypeKind::Base => ty.schema == PG_CATALOG && !OF_ANY_SIZE.contains(&ty.oid),
        TypeKind::Enum { .. } => true,
        TypeKind::Range { .. } => ty.schema == PG_CATALOG,
        _ => false,
    }
}
