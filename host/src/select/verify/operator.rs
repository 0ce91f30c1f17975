use callslip_ir::{NodeId, QualifiedName};

use super::Verifier;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG};
use crate::select::signature::{self, Candidate, Operand, Unresolved};
use crate::select::verified::Resolution;
use crate::select::{Finding, types};

impl Verifier<'_> {
    /// Resolves an operator and gives the types that it takes and gives.
    pub(super) fn operator(
        &mut self,
        node: NodeId,
        written: &QualifiedName,
        operands: &[Operand],
    ) -> Option<(Vec<Option<Oid>>, Option<Oid>)> {
        let catalog = self.context.catalog;
        let schemas: Vec<&str> = match &written.schema {
            Some(schema) => vec![schema.as_str()],
            None => {
                std::iter::once(PG_CATALOG).chain(self.context.schemas.iter().map(String::as_str)).collect()
            }
        };
        let mut failure = None;
        for schema in schemas {
            let candidates: Vec<Candidate<'_, crate::catalog::Operator>> = catalog
                .operators(schema, &written.name)
                .filter(|operator| operator.left.is_some() == (operands.len() == 2))
                .map(|operator| Candidate {
                    item: operator,
                    arguments: operator.left.into_iter().chain([operator.right]).collect(),
                    result: operator.result,
                    spread: false,
                })
                .collect();
            if candidates.is_empty() {
                continue;
            }
            let first = candidates[0].item;
            let all_granted = candidates.iter().all(|candidate| self.context.grants.operator(candidate.item));
            let (item, found) = match signature::choose(catalog, candidates, operands, true) {
                Ok(chosen) => {
                    for (&operand, &ty) in operands.iter().zip(&chosen.arguments) {
                        self.coerced(node, operand, ty);
                    }
                    (chosen.item, Some((chosen.arguments, chosen.result)))
                }
                Err(Unresolved::Opaque) => {
                    self.coerced(node, Operand::Opaque, None);
                    (first, None)
                }
                Err(unresolved) => {
                    failure.get_or_insert(unresolved);
                    continue;
                }
            };
            if !all_granted {
                let plugin = self.context.plugin;
                let name = format!("{schema}.{}", written.name);
                let message = format!("the operator {name} was not granted to the plugin {plugin}");
                let help = format!("add \"{name}\" to operators in [plugins.{plugin}.grants]");
                self.find(node, Finding::new(Code::OperatorNotGranted, message).with_help(help));
                return None;
            }
            self.resolve(node, Resolution::Object { schema: item.schema.clone(), name: item.name.clone() });
            return found;
        }
        let shown: Vec<String> = operands.iter().map(|operand| self.display(*operand)).collect();
        let written = written.to_string();
        let expression = match shown.as_slice() {
            [left, right] => format!("{left} {written} {right}"),
            other => format!("{written} {}", other.join(" ")),
        };
        let finding = match failure {
            Some(Unresolved::Ambiguous) => {
                Finding::new(Code::UnknownOperator, format!("the operator {expression} is ambiguous"))
                    .with_help("say which types you mean with .cast_as(\"…\")")
            }
            _ => {
                let finding =
                    Finding::new(Code::UnknownOperator, format!("there is no operator {expression}"));
                match self.operator_help(operands) {
                    Some(help) => finding.with_help(help),
                    None => finding,
                }
            }
        };
        self.find(node, finding);
        None
    }

    fn operator_help(&self, operands: &[Operand]) -> Option<String> {
        let &[Operand::Known(left), Operand::Known(right)] = operands else { return None };
        let catalog = self.context.catalog;
        let is_text = |oid: Oid| catalog.type_by_oid(oid).is_some_and(|ty| ty.category == 'S');
        let (wanted, other) = if is_text(right) { (left, "the text") } else { (right, "the left side") };
        let wanted = types::display(catalog, wanted);
        (left != right)
            .then(|| format!("cast {other} with .cast_as(\"{wanted}\"), or the other side to its type"))
    }

    pub(super) fn display(&self, operand: Operand) -> String {
        match operand {
            Operand::Known(oid) => types::display(self.context.catalog, oid),
            Operand::Untyped => "unknown".to_owned(),
            Operand::Opaque => "?".to_owned(),
        }
    }
}
