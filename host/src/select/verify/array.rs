use callslip_ir::{NodeId, NodeKind};

use super::Verifier;
use crate::Code;
use crate::catalog::{Oid, TypeKind};
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;

impl<'a> Verifier<'a> {
    /// `ARRAY[…]`.
    pub(super) fn array(&mut self, node: NodeId, items: &'a [NodeId], scope: &Scope<'_>) -> Operand {
        if items.is_empty() {
            let finding = Finding::new(Code::InvalidStructure, "an empty array has no type");
            self.find(node, finding.with_help("give it one: empty_array::<i32>(), or .cast_as(\"int4[]\")"));
            return Operand::Opaque;
        }
        let element = self.common(items, scope, "ARRAY");
        self.of_one_size(node, items, element);
        element.and_then(|element| self.array_of(element)).map_or(Operand::Opaque, Operand::Known)
    }

    /// `CAST(ARRAY[…] AS type[])`: each element is cast, so that there may be none.
    pub(super) fn array_cast(
        &mut self,
        node: NodeId,
        items: &'a [NodeId],
        target: Option<Oid>,
        scope: &Scope<'_>,
    ) {
        let catalog = self.context.catalog;
        let target = target.map(|target| (target, catalog.type_by_oid(catalog.base_type(target))));
        let Some((array, TypeKind::Array { element })) =
            target.map(|(oid, ty)| (oid, ty.map_or(&TypeKind::Base, |ty| &ty.kind)))
        else {
            let from = self.array(node, items, scope);
            return target.into_iter().for_each(|(target, _)| self.cast_granted(node, from, target));
        };
        self.of_one_size(node, items, Some(*element));
        for &item in items {
            // The rows of an array of several dimensions are cast like it.
            match self.kind(item) {
                NodeKind::Array(inner) => self.array_cast(item, inner, Some(array), scope),
                _ => self.cast_to(item, Some(*element), scope),
            }
        }
    }

    /// Arrays in an array have to be of one size, and what has to be tells what it is.
    fn of_one_size(&mut self, node: NodeId, items: &[NodeId], element: Option<Oid>) {
        let is_array = |oid| {
            let ty = self.context.catalog.type_by_oid(self.context.catalog.base_type(oid));
            ty.is_none_or(|ty| matches!(ty.kind, TypeKind::Array { .. }))
        };
        let is_nested = items.iter().any(|its| matches!(self.kind(*its), NodeKind::Array(_)));
        if is_nested || element.is_none_or(is_array) {
            self.leaky.insert(node);
        }
    }

    /// The type of arrays of a type. Arrays of arrays are arrays of more dimensions, of the same type.
    pub(super) fn array_of(&self, element: Oid) -> Option<Oid> {
        let catalog = self.context.catalog;
        let ty = catalog.type_by_oid(element)?;
        match ty.kind {
            TypeKind::Array { .. } => Some(element),
            _ => ty.array,
        }
    }
}
