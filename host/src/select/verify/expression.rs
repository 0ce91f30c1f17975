use callslip_ir::{Access, BooleanOperator, Case, IsTest, NodeId, NodeKind, SlotType, Subexpression};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG, TypeKind};
use crate::nearest::nearest;
use crate::select::scope::{Scope, ScopeColumn};
use crate::select::signature::Operand;
use crate::select::verified::Resolution;
use crate::select::{Finding, types};

impl<'a> Verifier<'a> {
    /// Verifies an expression and infers its type.
    pub(super) fn expression(&mut self, node: NodeId, scope: &Scope<'_>) -> Operand {
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
                let operands: Vec<(At, Operand)> = operation
                    .operands
                    .iter()
                    .map(|&operand| (At::Value(operand), self.expression(operand, scope)))
                    .collect();
                let result = self.operator(node, &operation.operator, &operands);
                result.map_or(Operand::Opaque, Operand::Known)
            }
            NodeKind::Call(call) => self.call(node, call, scope),
            NodeKind::Cast(cast) => {
                let from = self.expression(cast.value, scope);
                let Some(ty) = self.ty(node, &cast.ty) else { return Operand::Opaque };
                let oid = ty.oid;
                if from == Operand::Untyped {
                    self.settle(cast.value, Some(oid));
                }
                self.cast_granted(node, from, oid);
                self.resolve(node, Resolution::Type(ty));
                Operand::Known(oid)
            }
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
                    IsTest::Json { .. } => self.not_supported(node, "IS JSON"),
                }
                self.known("bool")
            }
            NodeKind::Special(special) => self.special(node, special, scope),
            NodeKind::Subexpression(sub) => self.subexpression(node, sub, scope),
            NodeKind::Array(items) => {
                let Some(element) = self.common(items, scope, "ARRAY") else { return Operand::Opaque };
                let array = self.context.catalog.type_by_oid(element).and_then(|ty| match ty.kind {
                    // An array of arrays has more dimensions.
                    TypeKind::Array { .. } => Some(element),
                    _ => ty.array,
                });
                if items.is_empty() {
                    self.report(
                        node,
                        Code::InvalidStructure,
                        "an empty array has no type: cast a constant \"{}\"",
                    );
                }
                array.map_or(Operand::Opaque, Operand::Known)
            }
            NodeKind::WholeRow { .. } => self.unsupported(node, "a whole row"),
            NodeKind::Row(_) => self.unsupported(node, "ROW(…)"),
            NodeKind::Access(Access { .. }) => self.unsupported(node, "a subscript or a field"),
            NodeKind::SqlJson(_) => self.unsupported(node, "SQL/JSON"),
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
            | NodeKind::Join(_) => {
                self.misplaced(node, "an expression");
                Operand::Opaque
            }
        }
    }

    fn unsupported(&mut self, node: NodeId, construct: &str) -> Operand {
        self.not_supported(node, construct);
        Operand::Opaque
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
        }
    }

    fn column(&mut self, node: NodeId, relation: &str, name: &str, scope: &Scope<'_>) -> Operand {
        let Some(found) = scope.relation(relation) else {
            self.unknown_alias(node, relation, scope);
            return Operand::Opaque;
        };
        self.meet_column(relation, scope);
        let Some(columns) = &found.columns else { return Operand::Opaque };
        let named = |column: &&ScopeColumn| column.name.as_deref() == Some(name);
        let mut matches = columns.iter().filter(named);
        match (matches.next(), matches.next()) {
            (Some(column), None) => column.ty.map_or(Operand::Opaque, Operand::Known),
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
                let help = match nearest(name, names.iter().copied()) {
                    Some(nearest) => format!("did you mean \"{nearest}\"?"),
                    None => format!("its columns are {}", names.join(", ")),
                };
                self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
                Operand::Opaque
            }
        }
    }

    fn unknown_alias(&mut self, node: NodeId, alias: &str, scope: &Scope<'_>) {
        let in_scope: Vec<(&str, &str)> = scope
            .chain()
            .flat_map(|scope| scope.relations)
            .map(|relation| (&*relation.alias, &*relation.of))
            .collect();
        let help = if let Some((its, _)) = in_scope.iter().find(|(_, of)| *of == alias) {
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
        let results: Vec<(NodeId, Operand)> =
            case.arms.iter().map(|arm| (arm.then, self.expression(arm.then, scope))).collect();
        // PostgreSQL looks at ELSE first; without it there is a null, of no type.
        let otherwise = match case.otherwise {
            Some(otherwise) => (otherwise, self.expression(otherwise, scope)),
            None => (node, Operand::Untyped),
        };
        let values: Vec<(NodeId, Operand)> = std::iter::once(otherwise).chain(results).collect();
        self.no_set_since(sets, node, "CASE");
        self.common_of(&values, "CASE").map_or(Operand::Opaque, Operand::Known)
    }

    fn subexpression(&mut self, node: NodeId, sub: &'a Subexpression, scope: &Scope<'_>) -> Operand {
        match sub {
            Subexpression::Exists(query) => {
                self.subquery(*query, scope);
                self.known("bool")
            }
            Subexpression::Scalar(query) => {
                self.single(*query, scope).map_or(Operand::Opaque, Operand::Known)
            }
            Subexpression::Array(query) => {
                let element = self.single(*query, scope);
                let array = element.and_then(|oid| self.context.catalog.type_by_oid(oid)?.array);
                array.map_or(Operand::Opaque, Operand::Known)
            }
            Subexpression::In { operand, query, .. } => {
                let column = self.single(*query, scope).map_or(Operand::Opaque, Operand::Known);
                let left = self.expression(*operand, scope);
                let compared =
                    Compared { operator: "=", at: At::Fixed(*query), operand: column, taken_as: column };
                self.comparison(node, (At::Value(*operand), left), &[compared]);
                self.known("bool")
            }
            Subexpression::InList { operand, items, .. } => {
                if items.is_empty() {
                    self.report(node, Code::InvalidStructure, "IN with an empty list");
                }
                self.in_list(node, *operand, items, scope);
                self.known("bool")
            }
            Subexpression::Quantified { operand, operator, query, .. } => {
                let column = self.single(*query, scope).map_or(Operand::Opaque, Operand::Known);
                let left = self.expression(*operand, scope);
                self.operator(node, operator, &[(At::Value(*operand), left), (At::Fixed(*query), column)]);
                self.known("bool")
            }
            Subexpression::QuantifiedArray { operand, operator, array, .. } => {
                let left = self.expression(*operand, scope);
                let right = self.expression(*array, scope);
                let catalog = self.context.catalog;
                let element = match right {
                    Operand::Known(oid) => {
                        match catalog.type_by_oid(catalog.base_type(oid)).map(|ty| &ty.kind) {
                            Some(TypeKind::Array { element }) => Operand::Known(*element),
                            _ => {
                                let found = self.display(right);
                                self.report(
                                    *array,
                                    Code::UnknownOperator,
                                    format!("ANY and ALL want an array, not {found}"),
                                );
                                Operand::Opaque
                            }
                        }
                    }
                    other => other,
                };
                let operands = [(At::Value(*operand), left), (At::Elements(*array), element)];
                self.operator(node, operator, &operands);
                self.known("bool")
            }
        }
    }

    /// A query within an expression, whose sets are its own.
    fn subquery(&mut self, query: NodeId, scope: &Scope<'_>) -> Vec<ScopeColumn> {
        let sets = self.sets_met;
        let columns = self.query(query, scope);
        self.sets_met = sets;
        columns
    }

    /// A query that must have one column; its type.
    fn single(&mut self, query: NodeId, scope: &Scope<'_>) -> Option<Oid> {
        let columns = self.subquery(query, scope);
        match columns.as_slice() {
            [column] => column.ty,
            [] => None,
            several => {
                let message =
                    format!("a subquery used as a value has one column, and this has {}", several.len());
                self.report(query, Code::InvalidStructure, message);
                None
            }
        }
    }
}
