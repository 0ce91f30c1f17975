use callslip_ir::{NodeId, Special, SpecialForm};

use super::Verifier;
use crate::Code;
use crate::catalog::Oid;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;

/// The fields of EXTRACT (documentation, section 9.9.1).
pub(in crate::select) const EXTRACT_FIELDS: &[&str] = &[
    "century",
    "day",
    "decade",
    "dow",
    "doy",
    "epoch",
    "hour",
    "isodow",
    "isoyear",
    "julian",
    "microseconds",
    "millennium",
    "milliseconds",
    "minute",
    "month",
    "quarter",
    "second",
    "timezone",
    "timezone_hour",
    "timezone_minute",
    "week",
    "year",
];

impl<'a> Verifier<'a> {
    pub(super) fn special(&mut self, node: NodeId, special: &'a Special, scope: &Scope<'_>) -> Operand {
        let operands = special.operands.as_slice();
        let (least, most) = arity(&special.form);
        if operands.len() < least || operands.len() > most {
            let message = format!("{:?} can't have {} operands", special.form, operands.len());
            self.report(node, Code::InvalidStructure, message);
            return Operand::Opaque;
        }
        match &special.form {
            SpecialForm::Between { .. } | SpecialForm::DistinctFrom { .. } => {
                self.common(operands, scope, true);
                self.known("bool")
            }
            SpecialForm::Coalesce | SpecialForm::Greatest | SpecialForm::Least => {
                self.common(operands, scope, false).map_or(Operand::Opaque, Operand::Known)
            }
            SpecialForm::NullIf => {
                let first = self.common(&operands[..1], scope, false);
                let second = self.expression(operands[1], scope);
                if second == Operand::Untyped {
                    self.settle(operands[1], first);
                } else {
                    self.coerced(operands[0], first.map_or(Operand::Opaque, Operand::Known), None);
                    self.coerced(operands[1], second, None);
                }
                first.map_or(Operand::Opaque, Operand::Known)
            }
            SpecialForm::Extract { field } => {
                if !EXTRACT_FIELDS.contains(&field.as_str()) {
                    let finding =
                        Finding::new(Code::UnknownFunction, format!("EXTRACT knows no field \"{field}\""));
                    let help = match nearest(field, EXTRACT_FIELDS.iter().copied()) {
                        Some(nearest) => format!("did you mean \"{nearest}\"?"),
                        None => format!("the fields are {}", EXTRACT_FIELDS.join(", ")),
                    };
                    self.find(node, finding.with_help(help));
                }
                self.argument(operands[0], scope);
                self.known("numeric")
            }
            SpecialForm::AtTimeZone => {
                let value = self.argument(operands[0], scope);
                self.argument(operands[1], scope);
                let with_zone = self.builtin("timestamptz");
                if value == with_zone { self.known("timestamp") } else { self.known("timestamptz") }
            }
            SpecialForm::Overlaps => {
                for &operand in operands {
                    self.argument(operand, scope);
                }
                self.known("bool")
            }
            SpecialForm::LikeEscape { .. } | SpecialForm::SimilarTo { .. } => {
                for &operand in operands {
                    self.argument(operand, scope);
                }
                self.known("bool")
            }
            SpecialForm::Grouping => {
                for &operand in operands {
                    self.value(operand, scope);
                }
                self.known("int4")
            }
            SpecialForm::CurrentDate => self.known("date"),
            SpecialForm::CurrentTime { precision }
            | SpecialForm::CurrentTimestamp { precision }
            | SpecialForm::LocalTime { precision }
            | SpecialForm::LocalTimestamp { precision } => {
                if precision.is_some_and(|digits| digits > 6) {
                    self.report(node, Code::InvalidStructure, "a time has at most 6 digits of a second");
                }
                self.known(match &special.form {
                    SpecialForm::CurrentTime { .. } => "timetz",
                    SpecialForm::LocalTime { .. } => "time",
                    SpecialForm::LocalTimestamp { .. } => "timestamp",
                    _ => "timestamptz",
                })
            }
        }
    }

    /// An argument of the function behind a special form, which PostgreSQL chooses by the argument's type.
    fn argument(&mut self, node: NodeId, scope: &Scope<'_>) -> Option<Oid> {
        let ty = self.value(node, scope);
        self.coerced(node, ty.map_or(Operand::Opaque, Operand::Known), None);
        ty
    }
}

/// The least and greatest number of operands of a special form.
fn arity(form: &SpecialForm) -> (usize, usize) {
    match form {
        SpecialForm::Between { .. } | SpecialForm::LikeEscape { .. } => (3, 3),
        SpecialForm::DistinctFrom { .. } | SpecialForm::NullIf | SpecialForm::AtTimeZone => (2, 2),
        SpecialForm::Coalesce | SpecialForm::Greatest | SpecialForm::Least | SpecialForm::Grouping => {
            (1, usize::MAX)
        }
        SpecialForm::Extract { .. } => (1, 1),
        SpecialForm::Overlaps => (4, 4),
        SpecialForm::SimilarTo { .. } => (2, 3),
        SpecialForm::CurrentDate
        | SpecialForm::CurrentTime { .. }
        | SpecialForm::CurrentTimestamp { .. }
        | SpecialForm::LocalTime { .. }
        | SpecialForm::LocalTimestamp { .. } => (0, 0),
    }
}
