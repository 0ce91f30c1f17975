//! From what was verified to sea-query's structures: SELECT cores become `SelectStatement`s, everything else becomes
//! `Expr`s over the dialect's templates.

mod call;
mod expression;
mod filter;
mod json_table;
mod query;
mod relation;
mod sql_json;
mod window;
mod with;

use std::collections::HashMap;

use callslip_ir::{Description, NodeId, NodeKind, SlotId};
use sea_query::{ColumnName, ColumnRef, Expr, IntoIden, SchemaName, TableName, TypeRef, Value};

use super::ResolvedType;
use super::dialect::template;
use super::verified::{OutputColumn, Resolution, Verified};
use crate::catalog::PG_CATALOG;
use crate::grants::FilterValue;

/// A statement that is ready to be printed.
#[derive(Clone, Debug)]
pub struct Lowered {
    pub(super) query: Expr,
    /// The type of each parameter, as it is printed.
    pub(super) types: Vec<Expr>,
    pub(super) parameters: Vec<StatementParameter>,
    pub(super) columns: Vec<OutputColumn>,
    /// The values of row filters. Their slots come after those of the description.
    pub(super) values: Vec<FilterValue>,
    /// How many slots the description has.
    pub(super) slots: usize,
}

/// A parameter of a statement: a slot, and the type that it is bound as. A constant without a type of its own that
/// is used as two types is two parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatementParameter {
    /// The slot whose value is bound.
    pub slot: SlotId,
    /// The type that the value is cast to.
    pub ty: ResolvedType,
}

/// Lowers a verified description.
pub fn lower(description: &Description, verified: &Verified) -> Lowered {
    let mut lowerer = Lowerer {
        description,
        verified,
        parameters: Vec::new(),
        numbers: HashMap::new(),
        values: Vec::new(),
        own_slots: None,
    };
    let query = lowerer.query(NodeId(description.nodes.len() as u32 - 1));
    Lowered {
        query,
        types: lowerer.parameters.iter().map(|parameter| type_name(&parameter.ty)).collect(),
        parameters: lowerer.parameters,
        columns: verified.columns.clone(),
        values: lowerer.values,
        slots: description.slots.len(),
    }
}

struct Lowerer<'a> {
    description: &'a Description,
    verified: &'a Verified,
    parameters: Vec<StatementParameter>,
    numbers: HashMap<StatementParameter, u32>,
    /// The values of row filters, each once.
    values: Vec<FilterValue>,
    /// Of the condition of a filter, the slots of the statement that its own stand for.
    own_slots: Option<Vec<SlotId>>,
}

impl<'a> Lowerer<'a> {
    fn kind(&self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    fn resolution(&self, node: NodeId) -> &'a Resolution {
        &self.verified.resolutions[node.0 as usize]
    }

    /// The qualified name that a node's name was resolved to.
    fn object(&self, node: NodeId) -> Expr {
        match self.resolution(node) {
            Resolution::Object { schema, name } => qualified(schema, name),
            _ => unverified(),
        }
    }

    fn ty(&self, node: NodeId) -> Expr {
        match self.resolution(node) {
            Resolution::Type(ty) => type_name(ty),
            _ => unverified(),
        }
    }

    fn operator(&self, node: NodeId) -> Expr {
        match self.resolution(node) {
            Resolution::Object { schema, name } => operator(schema, name),
            _ => unverified(),
        }
    }

    fn parameter(&mut self, node: NodeId, slot: SlotId) -> Expr {
        match self.resolution(node) {
            Resolution::Type(ty) => match &self.own_slots {
                None => self.parameter_of(slot, ty.clone()),
                Some(own) => match own.get(slot.0 as usize) {
                    Some(&slot) => self.parameter_of(slot, ty.clone()),
                    None => unverified(),
                },
            },
            _ => unverified(),
        }
    }

    /// The slot of a value of a row filter.
    fn slot_of(&mut self, value: &FilterValue) -> SlotId {
        let at = self.values.iter().position(|its| its == value).unwrap_or_else(|| {
            self.values.push(value.clone());
            self.values.len() - 1
        });
        SlotId((self.description.slots.len() + at) as u32)
    }

    fn parameter_of(&mut self, slot: SlotId, ty: ResolvedType) -> Expr {
        let parameter = StatementParameter { slot, ty };
        let next = self.parameters.len() as u32;
        let number = *self.numbers.entry(parameter.clone()).or_insert(next);
        if number == next {
            self.parameters.push(parameter);
        }
        Expr::Value(Value::Unsigned(Some(number)))
    }

    /// Marks where a node's text stands, so that PostgreSQL's complaint about a position leads to a line of the
    /// author's.
    fn placed(&self, node: NodeId, expr: Expr) -> Expr {
        if self.own_slots.is_some() {
            // Nodes of a filter are none of the author's.
            return expr;
        }
        let start = Expr::Value(Value::BigUnsigned(Some(u64::from(node.0))));
        let end = Expr::Value(Value::BigUnsigned(None));
        fill(template::PLACED, [start, expr, end])
    }
}

/// What the dialect refuses to print: a construct that verification should have stopped. It ends in an error that
/// says so, and never in text.
fn unverified() -> Expr {
    Expr::Value(Value::Bool(None))
}

fn fill(template: &'static str, operands: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::CustomWithExpr(std::borrow::Cow::Borrowed(template), operands.into_iter().collect())
}

fn word(text: &'static str) -> Expr {
    Expr::Custom(std::borrow::Cow::Borrowed(text))
}

fn identifier(name: &str) -> Expr {
    Expr::Column(ColumnRef::Column(ColumnName(None, name.to_owned().into_iden())))
}

fn qualified(schema: &str, name: &str) -> Expr {
    let schema = TableName(None, schema.to_owned().into_iden());
    Expr::Column(ColumnRef::Column(ColumnName(Some(schema), name.to_owned().into_iden())))
}

/// A plugin's text as a literal, where SQL takes nothing else: the dialect quotes it.
fn literal(text: &str) -> Expr {
    Expr::Constant(Value::String(Some(text.to_owned())))
}

fn operator(schema: &str, name: &str) -> Expr {
    let schema = SchemaName(None, schema.to_owned().into_iden());
    Expr::TypeName(TypeRef(Some(schema), name.to_owned().into_iden()))
}

fn integer(number: i32) -> Expr {
    Expr::Constant(Value::Int(Some(number)))
}

/// The modifier of an interval that has every field (`INTERVAL_FULL_RANGE` of PostgreSQL's timestamp.h).
const INTERVAL_FULL_RANGE: i32 = 0x7FFF;

pub(super) fn type_name(ty: &ResolvedType) -> Expr {
    let name = qualified(&ty.schema, &ty.name);
    // `interval(3)` is of all fields, which is told first where the name of the type is not SQL's own word.
    let all_fields = (ty.schema == PG_CATALOG && ty.name == "interval" && ty.modifiers.len() == 1)
        .then_some(INTERVAL_FULL_RANGE);
    let modifiers = all_fields.iter().chain(&ty.modifiers).copied().map(integer);
    let modified = if ty.modifiers.is_empty() {
        name
    } else {
        fill(template::TYPE_MODIFIED, std::iter::once(name).chain(modifiers))
    };
    if ty.array { fill(template::TYPE_ARRAY, [modified]) } else { modified }
}

pub(super) use query::select_as_text;
