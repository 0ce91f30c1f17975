use callslip_ir::{Binding, Domain, Scalar};

use super::claim;
use super::{ProveError, Prover};
use crate::Code;
use crate::catalog::{Catalog, SearchPath, TypeKind};
use crate::grants::FilterValue;
use crate::loan::{LoanError, Proving};
use crate::nearest::nearest;
use crate::plugin::{self, PlannedStatement};
use crate::printable::printable;
use crate::select::{self, Finding, Printed, ResolvedType};

/// The values of a type, where the host can tell a value of it by itself: of a built-in type, or an enum.
pub(super) fn domain(catalog: &Catalog, ty: &ResolvedType) -> Option<Domain> {
    if ty.takes_any_text() {
        return Some(Domain::Scalar(Scalar::Text));
    }
    if ty.array || !ty.modifiers.is_empty() {
        return None;
    }
    match claim::value_type(catalog, ty).domain {
        Domain::Named(_) => None,
        domain => Some(domain),
    }
}

impl Prover<'_> {
    /// A constant is a string until PostgreSQL reads it as its type. Here it does so once, and not at each call.
    pub(super) async fn check_constants(
        &self,
        planned: &PlannedStatement,
        printed: &Printed,
        verified: &select::Verified,
        path: &SearchPath,
        proving: Option<&Proving<'_>>,
    ) -> Result<(), ProveError> {
        let mut findings = Vec::new();
        for parameter in &printed.parameters {
            let (text, of_filter) = match planned.bindings.get(parameter.slot.0 as usize) {
                Some(Binding::Constant(Some(text))) => (text, false),
                Some(_) => continue,
                None => match printed.filter_value(parameter.slot) {
                    Some(FilterValue::Constant(Some(text))) => (text, true),
                    _ => continue,
                },
            };
            if let Some(Err(wrong)) = verified.rules.get(&parameter.slot).map(|rule| rule.check(text)) {
                let message = format!("the constant \"{}\" {wrong}", printable(text, 63));
                let place = select::place_of_slot(&planned.description, parameter.slot);
                findings.push(Finding::new(Code::InvalidConstant, message).at(place));
                continue;
            }
            let domain = domain(&self.basis.catalog, &parameter.ty);
            let is_value = |text: &str| domain.as_ref().is_some_and(|its| plugin::is_surely_value(its, text));
            let found = match self.basis.catalog.type_by_oid(parameter.ty.oid).map(|ty| &ty.kind) {
                Some(TypeKind::Enum { labels }) if labels.contains(text) => None,
                Some(TypeKind::Enum { labels }) => {
                    let message = format!("the enum {} has no label \"{text}\"", parameter.ty.shown(path));
                    let labels = || labels.iter().map(String::as_str);
                    let help = match nearest(text, labels()) {
                        Some(nearest) => format!("did you mean \"{nearest}\"?"),
                        None => format!("its labels are {}", labels().collect::<Vec<_>>().join(", ")),
                    };
                    Some(Finding::new(Code::InvalidConstant, message).with_help(help))
                }
                _ if is_value(text) => None,
                _ => match proving {
                    None => None,
                    Some(proving) => match proving
                        .evaluate(&select::print_constant(&parameter.ty), text)
                        .await
                    {
                        Ok(()) => None,
                        Err(LoanError::Failed(postgres)) => {
                            let message =
                                format!("the constant \"{text}\" is no {}", parameter.ty.shown(path));
                            Some(Finding::new(Code::InvalidConstant, message).with_help(postgres.message()))
                        }
                        Err(error) => return Err(ProveError::Loan(error)),
                    },
                },
            };
            findings.extend(found.map(|finding| match of_filter {
                true => {
                    let message = format!("a row filter can't be used: {}", finding.message);
                    Finding { code: Code::UnusableFilter, message, ..finding }
                }
                false => finding.at(select::place_of_slot(&planned.description, parameter.slot)),
            }));
        }
        if findings.is_empty() { Ok(()) } else { Err(ProveError::Findings(findings)) }
    }
}
