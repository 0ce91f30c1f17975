use callslip_ir::{NodeId, NodeKind, QualifiedName};

use super::Verifier;
use super::coerce::At;
use crate::Code;
use crate::catalog::{NameKind, Oid, Operator, PG_CATALOG};
use crate::select::Finding;
use crate::select::signature::{self, Chosen, Operand, Unresolved};
use crate::select::verified::Resolution;

impl<'a> Verifier<'a> {
    /// Resolves an operator that is written, brings its operands to the types that it takes, and gives that of its result.
    pub(super) fn operator(
        &mut self,
        node: NodeId,
        written: &QualifiedName,
        operands: &[(At, Operand)],
    ) -> Option<Oid> {
        let chosen = self.choose_operator(node, written, operands)?;
        self.resolve(
            node,
            Resolution::Object { schema: chosen.item.schema.clone(), name: chosen.item.name.clone() },
        );
        let printed: Vec<Operand> = operands
            .iter()
            .zip(&chosen.arguments)
            .map(|((at, operand), ty)| at.printed(*operand, *ty))
            .collect();
        self.stays(node, chosen.item, &printed);
        for (index, &(at, operand)) in operands.iter().enumerate() {
            self.argument(at, operand, chosen.declared[index], chosen.arguments[index]);
            if chosen.item.schema == PG_CATALOG && chosen.item.name == "||" {
                self.text_cast_granted(at.node(), operand, chosen.declared[index]);
            }
        }
        chosen.result
    }

    /// The operator that PostgreSQL would choose, if it was granted.
    pub(super) fn choose_operator(
        &mut self,
        node: NodeId,
        written: &QualifiedName,
        operands: &[(At, Operand)],
    ) -> Option<Chosen<'a, Operator>> {
        let catalog = self.context.catalog;
        let schemas = self.context.path.all(catalog, NameKind::Operator, written);
        let candidates = signature::of_operator(catalog, &schemas, &written.name, operands.len());
        let types: Vec<Operand> = operands.iter().map(|(_, operand)| *operand).collect();
        match signature::choose(catalog, candidates, &types, true) {
            Ok(chosen) if self.context.grants.operator(chosen.item) => {
                let nodes: Vec<NodeId> = operands.iter().map(|(at, _)| at.node()).collect();
                let lists = operands.iter().filter_map(|(at, _)| match at {
                    At::Elements(list) => Some(*list),
                    _ => None,
                });
                let times = lists.map(|list| self.times_of(list)).max().unwrap_or(1);
                self.operator_used(node, chosen.item, nodes, times);
                self.runs(node, chosen.item.function);
                Some(chosen)
            }
            Ok(chosen) => {
                self.operator_not_granted(node, chosen.item);
                None
            }
            Err(Unresolved::Opaque) => {
                self.runs(node, None);
                for (at, operand) in operands {
                    self.coerced(at.node(), *operand, None);
                    if let (Operand::Opaque, "||", Some(text)) =
                        (*operand, written.name.as_str(), self.builtin("text"))
                    {
                        self.cast_granted(at.node(), *operand, text);
                    }
                }
                let nodes = operands.iter().map(|(at, _)| at.node()).collect();
                self.nearest_operator(node, &schemas, &written.name, nodes);
                None
            }
            Err(unresolved) => {
                self.unresolved_operator(node, written, &types, &unresolved);
                None
            }
        }
    }

    /// How many values are written in a list that each is compared with.
    fn times_of(&self, list: NodeId) -> usize {
        match self.kind(list) {
            NodeKind::Array(items) => items.len().max(1),
            _ => 1,
        }
    }

    /// An operator of which only the name is known, since an operand's type is not: PostgreSQL makes it one of those of the
    /// schema that is printed.
    fn nearest_operator(&mut self, node: NodeId, schemas: &[&str], name: &str, operands: Vec<NodeId>) {
        let catalog = self.context.catalog;
        let mut all = schemas.iter().flat_map(|schema| catalog.operators(schema, name));
        let Some(first) = all.next() else { return };
        let ungranted = catalog.operators(&first.schema, name).find(|its| !self.context.grants.operator(its));
        match ungranted {
            // What is wrong already may be all that keeps the operand's type from being known.
            Some(operator) if self.findings.is_empty() => self.operators_not_granted(node, operator),
            Some(_) => {}
            None => {
                // Whichever it becomes, it may be the one that can't be interrupted.
                for operator in catalog.operators(&first.schema, name) {
                    self.operator_used(node, operator, operands.clone(), 1);
                }
                self.resolve(
                    node,
                    Resolution::Object { schema: first.schema.clone(), name: first.name.clone() },
                );
            }
        }
    }

    /// Makes sure that PostgreSQL finds the operator that was chosen, with the operands as they are printed.
    pub(super) fn stays(&mut self, node: NodeId, chosen: &Operator, printed: &[Operand]) {
        let catalog = self.context.catalog;
        if printed.contains(&Operand::Opaque) {
            return;
        }
        let candidates =
            signature::of_operator(catalog, &[chosen.schema.as_str()], &chosen.name, printed.len());
        let again = signature::choose(catalog, candidates, printed, true);
        if !again.is_ok_and(|again| again.item.oid == chosen.oid) {
            let written = QualifiedName::new(chosen.name.as_str());
            self.unresolved_operator(node, &written, printed, &Unresolved::Ambiguous);
        }
    }

    fn unresolved_operator(
        &mut self,
        node: NodeId,
        written: &QualifiedName,
        operands: &[Operand],
        unresolved: &Unresolved,
    ) {
        let shown: Vec<String> = operands.iter().map(|operand| self.display(*operand)).collect();
        let written = match written.schema.as_deref() {
            Some(PG_CATALOG) => written.name.clone(),
            _ => written.to_string(),
        };
        let expression = match shown.as_slice() {
            [left, right] => format!("{left} {written} {right}"),
            other => format!("{written} {}", other.join(" ")),
        };
        let (message, help) = match unresolved {
            Unresolved::Ambiguous => (
                format!("the operator {expression} is ambiguous"),
                Some("say which types you mean with .cast_as(\"…\")".to_owned()),
            ),
            Unresolved::Undetermined => (
                format!("the operator {expression} takes any type, and nothing tells which one it gets"),
                Some("say which types you mean with .cast_as(\"…\")".to_owned()),
            ),
            Unresolved::NoMatch | Unresolved::Opaque => {
                (format!("there is no operator {expression}"), self.operator_help(operands))
            }
        };
        let finding = Finding::new(Code::UnknownOperator, message);
        self.find(
            node,
            match help {
                Some(help) => finding.with_help(help),
                None => finding,
            },
        );
    }

    fn operator_help(&self, operands: &[Operand]) -> Option<String> {
        let &[Operand::Known(left), Operand::Known(right)] = operands else { return None };
        let catalog = self.context.catalog;
        let is_text = |oid: Oid| catalog.type_by_oid(oid).is_some_and(|ty| ty.category == 'S');
        let (wanted, other) = if is_text(right) { (left, "the text") } else { (right, "the left side") };
        let wanted = self.shown_type(wanted);
        (left != right)
            .then(|| format!("cast {other} with .cast_as(\"{wanted}\"), or the other side to its type"))
    }

    pub(super) fn display(&self, operand: Operand) -> String {
        match operand {
            Operand::Known(oid) => self.shown_type(oid),
            Operand::Untyped => "unknown".to_owned(),
            Operand::Opaque => "?".to_owned(),
        }
    }
}
