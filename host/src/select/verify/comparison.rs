use callslip_ir::{NodeId, QualifiedName};

use super::Verifier;
use super::coerce::At;
use crate::Code;
use crate::catalog::{CastContext, Oid, Operator, PG_CATALOG};
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::{self, Chosen, Operand};

/// What a value is compared with, where SQL has no place for the operator's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    /// `=`, `<=` or another one of `pg_catalog`.
    pub operator: &'static str,
    pub at: At,
    pub operand: Operand,
    /// What PostgreSQL takes the operand for when it looks for the operator.
    pub taken_as: Operand,
}

impl Compared {
    pub(super) fn new(operator: &'static str, node: NodeId, operand: Operand) -> Self {
        Self { operator, at: At::Value(node), operand, taken_as: operand }
    }
}

/// The bit of a query among those around it; a description is not as deep as there are bits.
pub(super) fn level(scope: &Scope<'_>) -> u128 {
    1_u128.checked_shl(scope.chain().count() as u32).unwrap_or_default()
}

impl Verifier<'_> {
    /// Remembers of which of the queries around it a column is.
    pub(super) fn meet_column(&mut self, relation: &str, scope: &Scope<'_>) {
        let has = |scope: &&Scope<'_>| scope.relations.iter().any(|its| &*its.alias == relation);
        self.met.columns |= scope.chain().find(has).map_or(0, level);
    }

    /// Verifies an expression, and tells whether it holds a column of the query around it, and not only of those further out.
    fn with_columns(&mut self, node: NodeId, scope: &Scope<'_>) -> (Operand, bool) {
        let before = std::mem::take(&mut self.met);
        let operand = self.expression(node, scope);
        let met = self.met.columns & level(scope) != 0;
        self.met = self.met.and(before);
        (operand, met)
    }

    /// Resolves the operators that PostgreSQL looks for by itself, between the value and each that it is compared with. They
    /// are of `pg_catalog`, which is all that a statement searches, and get operands of the very types that they take, so
    /// that no cast is left to choose. Gives the types that the value is converted to.
    pub(super) fn comparison(
        &mut self,
        node: NodeId,
        (at, operand): (At, Operand),
        others: &[Compared],
    ) -> Vec<Option<Oid>> {
        let mut found: Vec<(Chosen<'_, Operator>, &Compared)> = Vec::with_capacity(others.len());
        for other in others {
            // A long list is of few types, and what is chosen for one is chosen again.
            let again =
                |before: &&Compared| (before.operator, before.taken_as) == (other.operator, other.taken_as);
            if let Some((chosen, _)) = found.last().filter(|(_, before)| again(before)) {
                found.push((chosen.clone(), other));
                continue;
            }
            let name = QualifiedName { schema: Some(PG_CATALOG.to_owned()), name: other.operator.to_owned() };
            let operands = [(at, operand), (other.at, other.taken_as)];
            found.extend(self.choose_operator(node, &name, &operands).map(|chosen| (chosen, other)));
        }
        let types: Vec<Option<Oid>> = found.iter().map(|(chosen, _)| chosen.arguments[0]).collect();
        // Where the operators take it as several types it stays as it is, and PostgreSQL converts it for each.
        let together = match types.first() {
            Some(&first) if types.iter().all(|ty| *ty == first) => first,
            _ => None,
        };
        if operand == Operand::Untyped && together.is_none() && !found.is_empty() {
            self.several_types(at.node(), &types);
        }
        let left = at.printed(operand, together);
        let mut before = None;
        for (chosen, other) in &found {
            let own = self.reachable(other, chosen.arguments[1]);
            let right = other.at.printed(other.taken_as, own);
            let again = before.replace((chosen.item.oid, right)) == Some((chosen.item.oid, right));
            if left != Operand::Untyped && !again {
                self.stays(node, chosen.item, &[left, right]);
            }
            self.argument(other.at, other.operand, chosen.declared[1], own);
            if together.is_none() {
                self.coerced(at.node(), operand, chosen.arguments[0]);
            }
        }
        if let (Some(ty), Some((chosen, _))) = (together, found.first()) {
            self.argument(at, operand, chosen.declared[0], Some(ty));
        }
        types
    }

    /// PostgreSQL would read a constant anew for each type that it is compared as; here it is one value, of one type.
    fn several_types(&mut self, node: NodeId, types: &[Option<Oid>]) {
        let mut names: Vec<String> = Vec::new();
        for oid in types.iter().flatten() {
            let name = self.shown_type(*oid);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let message =
            format!("a constant without a type of its own is compared as {} here", names.join(" and as "));
        let finding = Finding::new(Code::NoCommonType, message);
        self.find(node, finding.with_help("say which type you mean with .cast_as(\"…\")"));
    }

    /// The type that an operand is converted to: that which the operator takes, or the one on the way to it, where PostgreSQL
    /// goes in two steps and there is no single one.
    fn reachable(&self, other: &Compared, ty: Option<Oid>) -> Option<Oid> {
        match (other.operand, other.taken_as, ty) {
            (Operand::Known(from), Operand::Known(step), Some(to))
                if from != step
                    && signature::pathway(self.context.catalog, from, to, CastContext::Implicit)
                        .is_none() =>
            {
                Some(step)
            }
            _ => ty,
        }
    }

    /// `value IN (items)`: PostgreSQL brings those that hold no column of the query, if there are several, to one type with
    /// the value, and compares with an array of them; with each other one it compares by itself.
    pub(super) fn in_list(&mut self, node: NodeId, value: NodeId, items: &[NodeId], scope: &Scope<'_>) {
        let before = self.sets_met;
        let operand = self.expression(value, scope);
        let of_value = self.sets_met != before;
        let mut others = Vec::with_capacity(items.len());
        let mut together = vec![operand];
        // Of each item, whether it is compared by itself, and whether it returns a set.
        let mut traits = Vec::with_capacity(items.len());
        for &item in items {
            let before = self.sets_met;
            let (its, has_columns) = self.with_columns(item, scope);
            others.push(Compared::new("=", item, its));
            traits.push((has_columns, self.sets_met != before));
            if !has_columns {
                together.push(its);
            }
        }
        let catalog = self.context.catalog;
        let common = if together.len() > 2 { signature::common_type(catalog, &together) } else { None };
        let has_array = |oid: &Oid| catalog.type_by_oid(*oid).is_some_and(|ty| ty.array.is_some());
        let common = common.filter(has_array);
        let mut has_set = false;
        for (other, (has_columns, is_set)) in others.iter_mut().zip(traits) {
            match common {
                Some(common) if !has_columns => other.taken_as = Operand::Known(common),
                _ => has_set |= is_set || of_value,
            }
        }
        if has_set {
            self.no_set_since(before, node, "IN");
        }
        self.comparison(node, (At::Value(value), operand), &others);
    }

    /// `a BETWEEN b AND c`, which PostgreSQL takes as comparisons of `a` with each of the others.
    pub(super) fn between(
        &mut self,
        node: NodeId,
        operands: [NodeId; 3],
        symmetric: bool,
        negated: bool,
        scope: &Scope<'_>,
    ) {
        let sets = self.sets_met;
        let [value, low, high] = operands.map(|operand| (operand, self.expression(operand, scope)));
        self.no_set_since(sets, node, "BETWEEN");
        let (first, second) = if negated { ("<", ">") } else { (">=", "<=") };
        let mut others = vec![Compared::new(first, low.0, low.1), Compared::new(second, high.0, high.1)];
        if symmetric {
            others.extend([Compared::new(first, high.0, high.1), Compared::new(second, low.0, low.1)]);
        }
        self.comparison(node, (At::Value(value.0), value.1), &others);
    }

    /// `a IS DISTINCT FROM b` and `NULLIF(a, b)`, which look for `=`; the type that `a` is converted to.
    pub(super) fn equality(&mut self, node: NodeId, operands: [NodeId; 2], scope: &Scope<'_>) -> Option<Oid> {
        let [left, right] = operands.map(|operand| (operand, self.expression(operand, scope)));
        let other = Compared::new("=", right.0, right.1);
        self.comparison(node, (At::Value(left.0), left.1), &[other]).first().copied().flatten()
    }
}
