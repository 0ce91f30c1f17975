use std::rc::Rc;

use callslip_ir::{Access, AccessStep, NodeId, NodeKind};

use super::Verifier;
use crate::Code;
use crate::catalog::{Attribute, CastContext, Function, Oid, PG_CATALOG, TypeKind};
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn};
use crate::select::signature::Operand;

/// The subscripts that an array can have (`MAXDIM`).
const MAX_SUBSCRIPTS: usize = 6;

/// PostgreSQL's own types of a fixed number of parts, and the type of a part.
const FIXED_ARRAYS: &[(&str, &str)] =
    &[("box", "point"), ("line", "float8"), ("lseg", "point"), ("name", "char"), ("point", "float8")];

impl<'a> Verifier<'a> {
    /// `(value)[i][l:u].field…`: PostgreSQL takes all subscripts between two fields together, and with them the
    /// dimensions of an array. So does this, for the whole chain that ends in the node, or begins with an element of a slice.
    pub(super) fn access(&mut self, node: NodeId, access: &'a Access, scope: &Scope<'_>) -> Operand {
        let mut steps = vec![(node, &access.step)];
        let (mut outer, mut base) = (access, access.value);
        while let NodeKind::Access(inner) = self.kind(base)
            && !outer.is_of_slice(inner)
        {
            steps.push((base, &inner.step));
            (outer, base) = (inner, inner.value);
        }
        steps.reverse();
        let mut operand = self.value(base, scope).map_or(Operand::Opaque, Operand::Known);
        let mut fields = self.fields.get(&base).cloned();
        let mut rest = steps.as_slice();
        while let Some(&(node, step)) = rest.first() {
            if let AccessStep::Field(name) = step {
                self.check_name(node, "name of a field", name);
                operand = self.field(node, name, operand, fields.take());
                rest = &rest[1..];
            } else {
                let is_field = |(_, step): &(NodeId, &AccessStep)| matches!(step, AccessStep::Field(_));
                let (subscripts, after) = rest.split_at(rest.iter().position(is_field).unwrap_or(rest.len()));
                operand = self.subscripts(subscripts, operand, scope);
                (fields, rest) = (None, after);
            }
        }
        operand
    }

    fn subscripts(
        &mut self,
        steps: &[(NodeId, &'a AccessStep)],
        container: Operand,
        scope: &Scope<'_>,
    ) -> Operand {
        let Some(&(node, _)) = steps.first() else { return container };
        let catalog = self.context.catalog;
        let slice = steps.iter().find(|(_, step)| matches!(step, AccessStep::Slice { .. }));
        let found = match container {
            Operand::Known(oid) => catalog.type_by_oid(catalog.base_type(oid)),
            Operand::Untyped | Operand::Opaque => None,
        };
        let builtin = found.filter(|ty| ty.schema == PG_CATALOG).map_or("", |ty| ty.name.as_str());
        let (result, no_slices) = match found.map(|ty| (ty.oid, &ty.kind)) {
            Some((array, TypeKind::Array { .. })) if slice.is_some() => (Some(array), false),
            Some((_, TypeKind::Array { element })) => (Some(*element), false),
            Some((jsonb, _)) if builtin == "jsonb" => {
                self.jsonb_subscripts(steps, scope);
                (Some(jsonb), true)
            }
            Some(_) => match FIXED_ARRAYS.iter().find(|(name, _)| *name == builtin) {
                Some((_, part)) => (self.builtin(part), true),
                None => {
                    let shown = self.display(container);
                    let finding = Finding::new(Code::UnknownOperator, format!("{shown} has no subscripts"));
                    let help = match builtin {
                        "json" => "jsonb has: cast it with .cast_as(\"jsonb\"), or use .get(…)",
                        _ => "arrays and jsonb have",
                    };
                    self.find(node, finding.with_help(help));
                    (None, false)
                }
            },
            None => (None, false),
        };
        if let (true, Some((node, _))) = (no_slices, slice) {
            let shown = self.display(container);
            self.report(*node, Code::UnknownOperator, format!("{shown} has no slices"));
        }
        if builtin != "jsonb" {
            if steps.len() > MAX_SUBSCRIPTS {
                let message = format!("{} subscripts; an array has at most {MAX_SUBSCRIPTS}", steps.len());
                self.report(node, Code::InvalidStructure, message);
            }
            for &subscript in steps.iter().flat_map(|(_, step)| nodes_of(step)) {
                match found {
                    Some(_) => self.number_subscript(subscript, scope),
                    // Of what is not known it may be the name of a field.
                    None => _ = self.value(subscript, scope),
                }
            }
        }
        result.map_or(Operand::Opaque, Operand::Known)
    }

    /// A subscript of an array: what can be assigned to an `int4`.
    fn number_subscript(&mut self, node: NodeId, scope: &Scope<'_>) {
        let int4 = self.builtin("int4");
        match self.expression(node, scope) {
            Operand::Untyped => self.settle(node, int4),
            Operand::Known(oid) if !self.assignable(oid, int4) => {
                let message = format!(
                    "a subscript is a whole number, and this is {}",
                    self.display(Operand::Known(oid))
                );
                self.report(node, Code::UnknownOperator, message);
            }
            operand => {
                if let Some(int4) = int4 {
                    self.cast_granted(node, operand, int4);
                }
            }
        }
    }

    /// Subscripts of a jsonb: the name of a field or the number of an element.
    fn jsonb_subscripts(&mut self, steps: &[(NodeId, &'a AccessStep)], scope: &Scope<'_>) {
        const TAKEN: &[&str] = &["text", "varchar", "bpchar", "name", "int4", "int2"];
        let catalog = self.context.catalog;
        for &node in steps.iter().flat_map(|(_, step)| nodes_of(step)) {
            let Operand::Known(oid) = self.expression(node, scope) else {
                let text = self.builtin("text");
                self.settle(node, text);
                continue;
            };
            let base = catalog.type_by_oid(catalog.base_type(oid));
            if !base.is_some_and(|ty| ty.schema == PG_CATALOG && TAKEN.contains(&ty.name.as_str())) {
                let shown = self.shown_type(oid);
                let message = format!("a subscript of a jsonb is a text or an int4, and this is {shown}");
                let finding = Finding::new(Code::UnknownOperator, message);
                self.find(node, finding.with_help("cast it with .cast_as(\"text\") or .cast_as(\"int4\")"));
            }
        }
    }

    /// Whether a value of one type can be assigned to another without a cast being written.
    fn assignable(&self, from: Oid, to: Option<Oid>) -> bool {
        let catalog = self.context.catalog;
        let from = catalog.base_type(from);
        let cast = to.and_then(|to| catalog.cast(from, to));
        Some(from) == to || cast.is_some_and(|cast| cast.context != CastContext::Explicit)
    }

    /// Keeps the columns that a function declares of its result, which is a record otherwise.
    pub(super) fn result_fields(&mut self, node: NodeId, function: &Function) {
        let catalog = self.context.catalog;
        // Of a single column the function's result is the column's value.
        if function.columns.len() > 1 {
            let is_pseudo =
                |oid: &Oid| catalog.type_by_oid(*oid).is_some_and(|ty| ty.kind == TypeKind::Pseudo);
            let column = |its: &Attribute| {
                ScopeColumn::made(Some(its.name.as_str().into()), Some(its.ty).filter(|oid| !is_pseudo(oid)))
            };
            self.fields.insert(node, function.columns.iter().map(column).collect());
        }
    }

    /// The attributes of a composite type.
    pub(super) fn attributes(&self, composite: Operand) -> Option<Rc<[ScopeColumn]>> {
        let Operand::Known(oid) = composite else { return None };
        let catalog = self.context.catalog;
        let TypeKind::Composite { attributes } = &catalog.type_by_oid(catalog.base_type(oid))?.kind else {
            return None;
        };
        let column = |its: &Attribute| ScopeColumn::made(Some(its.name.as_str().into()), Some(its.ty));
        Some(attributes.iter().map(column).collect())
    }

    fn field(
        &mut self,
        node: NodeId,
        name: &str,
        composite: Operand,
        fields: Option<Rc<[ScopeColumn]>>,
    ) -> Operand {
        let Some(fields) = fields.or_else(|| self.attributes(composite)) else {
            let (message, help) = match composite {
                Operand::Known(_) => (
                    format!("{} has no fields", self.display(composite)),
                    "a composite type has, and a row whose columns are known",
                ),
                // PostgreSQL would call a function of that name, if the value has no such field: `(x).pg_sleep`.
                _ if self.findings.is_empty() => (
                    format!("it can't be told whether this value has a field \"{name}\""),
                    "cast it to its type with .cast_as(\"…\")",
                ),
                // What could not be resolved is a finding already.
                _ => return Operand::Opaque,
            };
            self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
            return Operand::Opaque;
        };
        if let Some(field) = fields.iter().find(|field| field.name.as_deref() == Some(name)) {
            return field.ty.map_or(Operand::Opaque, Operand::Known);
        }
        let message = format!("{} has no field \"{name}\"", self.display(composite));
        let names: Vec<&str> = fields.iter().filter_map(|field| field.name.as_deref()).collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None => format!("its fields are {}", names.join(", ")),
        };
        self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
        Operand::Opaque
    }
}

fn nodes_of(step: &AccessStep) -> impl Iterator<Item = &NodeId> {
    let (first, second) = match step {
        AccessStep::Index(index) => (Some(index), None),
        AccessStep::Slice { lower, upper } => (lower.as_ref(), upper.as_ref()),
        AccessStep::Field(_) => (None, None),
    };
    first.into_iter().chain(second)
}
