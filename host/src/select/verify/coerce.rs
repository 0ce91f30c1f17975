use callslip_ir::NodeId;

use super::Verifier;
use crate::Code;
use crate::catalog::{Oid, TypeKind};
use crate::select::scope::Scope;
use crate::select::signature::{self, Operand};
use crate::select::{Finding, types};

/// Where an operand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// It is the value of this node.
    Value(NodeId),
    /// It is each element of the array that this node gives.
    Elements(NodeId),
    /// No cast of it can be printed, since it is the column of this subquery or made by PostgreSQL within this node.
    Fixed(NodeId),
}

impl At {
    pub(super) fn node(self) -> NodeId {
        match self {
            Self::Value(node) | Self::Elements(node) | Self::Fixed(node) => node,
        }
    }

    /// The type that it has in the printed SQL, if it is to be converted to this one.
    pub(super) fn printed(self, operand: Operand, ty: Option<Oid>) -> Operand {
        match ty {
            Some(ty) if !matches!(self, Self::Fixed(_)) => Operand::Known(ty),
            _ => operand,
        }
    }
}

impl Verifier<'_> {
    /// Brings a value to the type that its surroundings take, as PostgreSQL would by itself: an untyped constant is of
    /// that type, and anything else is cast to it where it is printed, so that nothing is left to choose.
    pub(super) fn coerce(&mut self, node: NodeId, from: Operand, to: Oid) {
        if from == Operand::Known(to) {
            return;
        }
        let catalog = self.context.catalog;
        self.coerced(node, from, Some(to));
        self.record_granted(node, from, to);
        // A constant's slot is of the type below a domain, see `settle`.
        let settled = match from {
            Operand::Known(_) => false,
            Operand::Untyped => {
                self.settle(node, Some(to));
                catalog.base_type(to) == to
            }
            Operand::Opaque => return,
        };
        // PostgreSQL takes a row as `record` without a cast.
        let is_pseudo = |oid: Oid| catalog.type_by_oid(oid).is_none_or(|ty| ty.kind == TypeKind::Pseudo);
        if settled || is_pseudo(catalog.element_type(to)) {
            return;
        }
        if let Some(ty) = types::of_oid(catalog, to) {
            self.coercions.insert(node, ty);
        }
    }

    /// [`Verifier::coerce`] for an operand that need not be a value of its own.
    pub(super) fn coerce_at(&mut self, at: At, from: Operand, to: Oid) {
        match at {
            At::Value(node) => self.coerce(node, from, to),
            At::Fixed(node) => self.coerced(node, from, Some(to)),
            At::Elements(node) => {
                let array = |oid: Oid| self.context.catalog.type_by_oid(oid).and_then(|ty| ty.array);
                let from_array = match from {
                    Operand::Known(element) => array(element).map_or(Operand::Opaque, Operand::Known),
                    other => other,
                };
                match array(to) {
                    Some(array) => self.coerce(node, from_array, array),
                    None => {
                        let ty = self.shown_type(to);
                        self.report(node, Code::UnknownType, format!("there are no arrays of {ty}"));
                    }
                }
            }
        }
    }

    /// Brings an argument to the type that a signature takes.
    pub(super) fn argument(&mut self, at: At, operand: Operand, declared: Oid, ty: Option<Oid>) {
        let Some(ty) = ty else {
            if operand == Operand::Opaque {
                self.coerced(at.node(), operand, None);
            }
            return;
        };
        // What a polymorphic type stands for nobody granted with the function; the checks of a domain run functions.
        let catalog = self.context.catalog;
        let domain = catalog.type_by_oid(ty).filter(|ty| matches!(ty.kind, TypeKind::Domain { .. }));
        if operand != Operand::Known(ty)
            && declared != ty
            && let Some(domain) = domain.filter(|domain| !self.context.grants.ty(domain))
        {
            self.type_not_granted(at.node(), domain);
        }
        self.coerce_at(at, operand, ty);
    }

    /// The type that several expressions have together, to which each of them is brought: of CASE, COALESCE, ARRAY and
    /// their like, which `construct` names for a message.
    pub(super) fn common(&mut self, nodes: &[NodeId], scope: &Scope<'_>, construct: &str) -> Option<Oid> {
        let operands: Vec<(NodeId, Operand)> =
            nodes.iter().map(|&node| (node, self.expression(node, scope))).collect();
        self.common_of(&operands, construct)
    }

    /// [`Verifier::common`] of expressions that were verified before.
    pub(super) fn common_of(&mut self, operands: &[(NodeId, Operand)], construct: &str) -> Option<Oid> {
        let types: Vec<Operand> = operands.iter().map(|(_, operand)| *operand).collect();
        let Some(common) = self.common_type(operands, construct) else {
            for &(node, operand) in operands {
                // PostgreSQL may still find a common type, if one is not known here.
                if types.contains(&Operand::Opaque) {
                    self.coerced(node, operand, None);
                }
            }
            return None;
        };
        for &(node, operand) in operands {
            self.coerce(node, operand, common);
        }
        Some(common)
    }

    /// The common type of expressions, without bringing them to it: for columns of queries, where PostgreSQL converts the
    /// rows. A finding, if they are known and have none.
    pub(super) fn common_type(&mut self, operands: &[(NodeId, Operand)], construct: &str) -> Option<Oid> {
        let catalog = self.context.catalog;
        let types: Vec<Operand> = operands.iter().map(|(_, operand)| *operand).collect();
        let common = signature::common_type(catalog, &types);
        if common.is_none() && !types.is_empty() && !types.contains(&Operand::Opaque) {
            // One that doesn't go together with those before it, found by halving.
            let (mut together, mut end) = (0, types.len());
            while end - together > 1 {
                let half = usize::midpoint(together, end);
                match signature::common_type(catalog, &types[..half]) {
                    Some(_) => together = half,
                    None => end = half,
                }
            }
            let mut shown: Vec<String> = Vec::new();
            for operand in types[..end].iter().filter(|operand| **operand != Operand::Untyped) {
                let name = self.display(*operand);
                if !shown.contains(&name) {
                    shown.push(name);
                }
            }
            let message = format!("{construct} has values that have no type together: {}", shown.join(", "));
            let finding = Finding::new(Code::NoCommonType, message);
            self.find(operands[end - 1].0, finding.with_help("cast some of them with .cast_as(\"…\")"));
        }
        common
    }
}
