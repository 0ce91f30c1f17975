use callslip_ir::{NodeId, NodeKind, QualifiedName, Subexpression};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use super::row::columns_of;
use crate::Code;
use crate::catalog::{Oid, TypeKind};
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn};
use crate::select::signature::Operand;

impl<'a> Verifier<'a> {
    pub(super) fn subexpression(
        &mut self,
        node: NodeId,
        sub: &'a Subexpression,
        scope: &Scope<'_>,
    ) -> Operand {
        match sub {
            Subexpression::Exists(query) => {
                self.query(*query, scope);
                self.known("bool")
            }
            Subexpression::Scalar(query) => {
                self.single(*query, scope).map_or(Operand::Opaque, Operand::Known)
            }
            Subexpression::Array(query) => {
                let element = self.single(*query, scope);
                let array = element.and_then(|element| self.array_of(element));
                array.map_or(Operand::Opaque, Operand::Known)
            }
            Subexpression::In { operand, query, .. } => {
                let columns = self.query(*query, scope);
                if let NodeKind::Row(items) = self.kind(*operand) {
                    let row = self.row_of(node, items, scope);
                    self.compare_rows_by(node, row, &[("=", columns_of(*query, &columns))]);
                } else {
                    let column = self.single_column(*query, &columns).map_or(Operand::Opaque, Operand::Known);
                    let left = self.expression(*operand, scope);
                    let compared =
                        Compared { operator: "=", at: At::Fixed(*query), operand: column, taken_as: column };
                    self.comparison(node, (At::Value(*operand), left), &[compared]);
                }
                self.known("bool")
            }
            Subexpression::InList { operand, items, .. } => {
                if items.is_empty() {
                    self.report(node, Code::InvalidStructure, "IN with an empty list");
                }
                match self.kind(*operand) {
                    NodeKind::Row(row) => self.row_in_list(node, row, items, scope),
                    _ => self.in_list(node, *operand, items, scope),
                }
                self.known("bool")
            }
            Subexpression::Quantified { operand, operator, query, .. } => {
                let columns = self.query(*query, scope);
                if let NodeKind::Row(items) = self.kind(*operand) {
                    let row = self.row_of(node, items, scope);
                    self.compare_rows(node, operator, &row, &columns_of(*query, &columns));
                } else {
                    let column = self.single_column(*query, &columns).map_or(Operand::Opaque, Operand::Known);
                    let left = self.expression(*operand, scope);
                    let operands = [(At::Value(*operand), left), (At::Fixed(*query), column)];
                    let result = self.operator(node, operator, &operands);
                    self.is_condition(node, operator, result);
                }
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
                let result = self.operator(node, operator, &operands);
                self.is_condition(node, operator, result);
                self.known("bool")
            }
        }
    }

    /// ANY, ALL and rows want an operator whose result is a condition.
    pub(super) fn is_condition(&mut self, node: NodeId, operator: &QualifiedName, result: Option<Oid>) {
        if result.is_some() && result != self.builtin("bool") {
            let message = format!("an operator that gives a bool is wanted here, and {operator} does not");
            self.report(node, Code::UnknownOperator, message);
        }
    }

    /// A query that must have one column; its type.
    fn single(&mut self, query: NodeId, scope: &Scope<'_>) -> Option<Oid> {
        let columns = self.query(query, scope);
        self.single_column(query, &columns)
    }

    fn single_column(&mut self, query: NodeId, columns: &[ScopeColumn]) -> Option<Oid> {
        match columns {
            [column] => column.ty,
            [] => None,
            several => {
                let message =
                    format!("a subquery used as a value has one column, and this has {}", several.len());
                let help = "several are compared with a row((…)) on the left side";
                self.find(query, Finding::new(Code::InvalidStructure, message).with_help(help));
                None
            }
        }
    }
}
