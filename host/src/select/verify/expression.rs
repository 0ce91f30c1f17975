use callslip_ir::{BooleanOperator, Case, Cast, IsTest, NodeId, NodeKind, SlotType};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG};
use crate::nearest::nearest;
use crate::select::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::select::signature::Operand;
use crate::select::verified::Resolution;
use crate::select::{Finding, types};

impl<'a> Verifier<'a> {
    /// Verifies an expression and infers its type.
    pub(super) fn expression(&mut self, node: NodeId, scope: &Scope<'_>) -> Operand {
        let operand = self.operand(node, scope);
        self.flow.typed(self.context.catalog, node, operand);
        operand
    }

    fn operand(&mut self, node: NodeId, scope: &Scope<'_>) -> Operand {
        if self.has_enough() {
            return Operand::Opaque;
        }
        match self.kind(node) {
            NodeKind::Column { relation, name } => self.column(node, relation, name, scope),
            NodeKind::Parameter(slot) => match &self.description.slots[slot.0 as usize] {
                SlotType::Declared(written) => match self.ty(node, written) {
                    Some(ty) => {
                        let oid = ty.oid;
                        self.resolve(node, Resolution::Type(ty));
                        Operand::Known(oid)
                    }
                    None => Operand::Opaque,
                },
                SlotType::Context => {
                    self.resolve(node, Resolution::Untyped);
                    Operand::Untyped
                }
            },
            NodeKind::Null(written) => match self.ty(node, written) {
                Some(ty) => {
                    let oid = ty.oid;
                    self.resolve(node, Resolution::Type(ty));
                    Operand::Known(oid)
                }
                None => Operand::Opaque,
            },
            NodeKind::Operation(operation) => {
                if !matches!(operation.operands.len(), 1 | 2) {
                    self.report(node, Code::InvalidStructure, "an operator has one or two operands");
                }
                if let &[left, right] = operation.operands.as_slice()
                    && self.row_comparison(node, &operation.operator, left, right, scope)
                {
                    return self.known("bool");
                }
                let operands: Vec<(At, Operand)> = operation
                    .operands
                    .iter()
                    .map(|&operand| (At::Value(operand), self.expression(operand, scope)))
                    .collect();
                let result = self.operator(node, &operation.operator, &operands);
                result.map_or(Operand::Opaque, Operand::Known)
            }
            NodeKind::Call(call) => self.call(node, call, scope),
            NodeKind::Cast(cast) => self.cast(node, cast, scope),
            NodeKind::Collate(collate) => {
                let ty = self.value(collate.value, scope);
                self.collation(node, &collate.collation);
                ty.map_or(Operand::Opaque, Operand::Known)
            }
            NodeKind::Case(case) => self.case(node, case, scope),
            NodeKind::Boolean(boolean) => {
                let expected = match boolean.operator {
                    BooleanOperator::Not => boolean.operands.len() == 1,
                    BooleanOperator::And | BooleanOperator::Or => !boolean.operands.is_empty(),
                };
                if !expected {
                    self.report(
                        node,
                        Code::InvalidStructure,
                        "AND, OR or NOT with a wrong number of operands",
                    );
                }
                for &operand in &boolean.operands {
                    self.condition(operand, scope);
                }
                self.known("bool")
            }
            NodeKind::Is(is) => {
                match is.test {
                    IsTest::Null => _ = self.value(is.value, scope),
                    IsTest::True | IsTest::False | IsTest::Unknown => self.condition(is.value, scope),
                    IsTest::Json { .. } => self.is_json(node, is.value, scope),
                }
                self.known("bool")
            }
            NodeKind::Special(special) => self.special(node, special, scope),
            NodeKind::Subexpression(sub) => self.subexpression(node, sub, scope),
            NodeKind::Array(items) => self.array(node, items, scope),
            NodeKind::Row(items) => self.row(node, items, scope),
            NodeKind::WholeRow { relation } => self.whole_row(node, relation, scope),
            NodeKind::Access(access) => self.access(node, access, scope),
            NodeKind::SqlJson(json) => self.sql_json(node, json, scope),
            NodeKind::OutputName(_) => {
                self.report(
                    node,
                    Code::InvalidStructure,
                    "an output name stands only as an item of ORDER BY",
                );
                Operand::Opaque
            }
            NodeKind::GroupingSet(_) => {
                self.misplaced(node, "an expression");
                Operand::Opaque
            }
            NodeKind::Query(_)
            | NodeKind::Select(_)
            | NodeKind::SetOperation(_)
            | NodeKind::Values(_)
            | NodeKind::Table(_)
            | NodeKind::Subquery(_)
            | NodeKind::Functions(_)
            | NodeKind::Join(_)
            | NodeKind::JsonTable(_)
            | NodeKind::JsonTableColumn(_) => {
                self.misplaced(node, "an expression");
                Operand::Opaque
            }
        }
    }

    fn cast(&mut self, node: NodeId, cast: &'a Cast, scope: &Scope<'_>) -> Operand {
        let to = self.ty(node, &cast.ty);
        self.cast_to(cast.value, to.as_ref().map(|ty| ty.oid), scope);
        let Some(ty) = to else { return Operand::Opaque };
        let oid = ty.oid;
        self.resolve(node, Resolution::Type(ty));
        Operand::Known(oid)
    }

    /// A value that is cast to a type, if that is known. PostgreSQL casts each element of `ARRAY[…]` and each value of `ROW(…)`.
    pub(super) fn cast_to(&mut self, value: NodeId, target: Option<Oid>, scope: &Scope<'_>) {
        match self.kind(value) {
            NodeKind::Array(items) => self.array_cast(value, items, target, scope),
            NodeKind::Row(items) => self.row_cast(value, items, target, scope),
            _ => {
                let from = self.expression(value, scope);
                let Some(target) = target else { return };
                if from == Operand::Untyped {
                    self.settle(value, Some(target));
                }
                self.record_granted(value, from, target);
                self.cast_used(value, from, target);
                self.cast_written(value, from, target);
            }
        }
    }

    /// A type of `pg_catalog`.
    pub(super) fn builtin(&self, name: &str) -> Option<Oid> {
        self.context.catalog.ty(PG_CATALOG, name).map(|ty| ty.oid)
    }

    pub(super) fn known(&self, name: &str) -> Operand {
        self.builtin(name).map_or(Operand::Opaque, Operand::Known)
    }

    /// Gives a constant that has no type of its own the type that its surroundings want.
    pub(super) fn settle(&mut self, node: NodeId, ty: Option<Oid>) {
        let Some(oid) = ty else { return };
        if self.resolutions[node.0 as usize] != Resolution::Untyped {
            return;
        }
        // As the declared type of a slot a domain would check the value before it is compared.
        let oid = self.context.catalog.base_type(oid);
        let Some(ty) = types::of_oid(self.context.catalog, oid) else { return };
        let element = self.context.catalog.ty(&ty.schema, &ty.name);
        if element.is_some_and(|element| self.context.grants.ty(element)) {
            self.resolve(node, Resolution::Type(ty));
            self.flow.typed(self.context.catalog, node, Operand::Known(oid));
        }
    }

    fn column(&mut self, node: NodeId, relation: &str, name: &str, scope: &Scope<'_>) -> Operand {
        let Some(found) = self.relation_in_reach(node, relation, scope) else { return Operand::Opaque };
        let Some(columns) = &found.columns else { return Operand::Opaque };
        // PostgreSQL would take it for this one, whatever else has its name.
        if let Some(hidden) = found.hidden.iter().find(|its| its.ungranted.contains(name)) {
            self.column_not_granted(node, hidden, name);
            return Operand::Opaque;
        }
        let named = |column: &&ScopeColumn| column.name.as_deref() == Some(name);
        let mut matches = columns.iter().filter(named);
        match (matches.next(), matches.next()) {
            (Some(column), None) => {
                self.read.extend(column.origin);
                self.flow.column(node, column.source);
                self.is_of(node, column);
                column.ty.map_or(Operand::Opaque, Operand::Known)
            }
            (Some(_), Some(_)) => {
                let message = format!("{} has more than one column named \"{name}\"", found.of);
                self.report(node, Code::DuplicateColumn, message);
                Operand::Opaque
            }
            (None, _) => {
                let message = if found.of == found.alias {
                    format!("{} has no column \"{name}\"", found.of)
                } else {
                    format!("{} (alias \"{relation}\") has no column \"{name}\"", found.of)
                };
                let names: Vec<&str> = columns.iter().filter_map(|column| column.name.as_deref()).collect();
                let help = match (nearest(name, names.iter().copied()), names.first()) {
                    // Of a function in FROM the SDK takes the alias for the name of the value.
                    (_, Some(first)) if name == relation => {
                        format!("its columns are {}: write .col(\"{first}\")", names.join(", "))
                    }
                    (Some(nearest), _) => format!("did you mean \"{nearest}\"?"),
                    (None, None) => "it has none that may be read".to_owned(),
                    (None, _) => format!("its columns are {}", names.join(", ")),
                };
                self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
                Operand::Opaque
            }
        }
    }

    /// Remembers of which relation a column is, if it is of a stored one.
    fn is_of(&mut self, node: NodeId, column: &ScopeColumn) {
        match (column.table, column.origin) {
            (Some(table), Some(origin)) => _ = self.instances.insert(node, (table, Some(origin.column))),
            (None, Some(_)) => _ = self.unfiltered.insert(node),
            _ => {}
        }
    }

    /// The relation of which a column or the whole row is named here. None is a finding.
    pub(super) fn relation_in_reach<'s>(
        &mut self,
        node: NodeId,
        alias: &str,
        scope: &Scope<'s>,
    ) -> Option<&'s ScopeRelation> {
        let Some(found) = scope.relation(alias) else {
            self.unknown_alias(node, alias, scope);
            return None;
        };
        if let Some(why) = found.out_of_reach {
            self.report(node, Code::UnknownAlias, format!("\"{alias}\" can't be referred to here: {why}"));
            return None;
        }
        self.meet_column(alias, scope);
        Some(found)
    }

    fn unknown_alias(&mut self, node: NodeId, alias: &str, scope: &Scope<'_>) {
        let in_scope: Vec<(&str, &str)> = scope
            .chain()
            .flat_map(|scope| scope.relations)
            .map(|relation| (&*relation.alias, &*relation.of))
            .collect();
        let help = if self.unseen.iter().any(|unseen| **unseen == *alias) {
            "a subquery in FROM sees what stands before it with .lateral() or a join that ends in _lateral"
                .to_owned()
        } else if let Some((its, _)) = in_scope.iter().find(|(_, of)| *of == alias) {
            format!("here {alias} is named \"{its}\"")
        } else if let Some(nearest) = nearest(alias, in_scope.iter().map(|(alias, _)| *alias)) {
            format!("did you mean \"{nearest}\"? Or is a .from() or a join missing?")
        } else {
            "is a .from() or a join missing?".to_owned()
        };
        let message = format!("no relation with the alias \"{alias}\" is in scope here");
        self.find(node, Finding::new(Code::UnknownAlias, message).with_help(help));
    }

    fn case(&mut self, node: NodeId, case: &'a Case, scope: &Scope<'_>) -> Operand {
        if case.arms.is_empty() {
            self.report(node, Code::InvalidStructure, "CASE without WHEN");
        }
        let sets = self.sets_met;
        match case.operand {
            Some(operand) => {
                let mut value = self.expression(operand, scope);
                if let (Operand::Untyped, Some(text)) = (value, self.builtin("text")) {
                    // PostgreSQL takes it for text before it looks at the arms.
                    self.coerce(operand, value, text);
                    value = Operand::Known(text);
                }
                let arms: Vec<Compared> = case
                    .arms
                    .iter()
                    .map(|arm| Compared::new("=", arm.when, self.expression(arm.when, scope)))
                    .collect();
                self.comparison(node, (At::Value(operand), value), &arms);
            }
            None => {
                for arm in &case.arms {
                    self.condition(arm.when, scope);
                }
            }
        }
        let mut values: Vec<(NodeId, Operand)> =
            case.arms.iter().map(|arm| (arm.then, self.expression(arm.then, scope))).collect();
        // PostgreSQL looks at ELSE first; without it there is a null, of no type.
        let otherwise = case
            .otherwise
            .map_or((node, Operand::Untyped), |otherwise| (otherwise, self.expression(otherwise, scope)));
        values.insert(0, otherwise);
        self.no_set_since(sets, node, "CASE");
        self.common_of(&values, "CASE").map_or(Operand::Opaque, Operand::Known)
    }
}
