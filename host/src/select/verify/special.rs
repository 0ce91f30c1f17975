use callslip_ir::{NodeId, Special, SpecialForm};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use crate::Code;
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
            SpecialForm::Between { symmetric, negated } => {
                if let [value, low, high] = *operands
                    && !self.rows_between(node, [value, low, high], scope)
                {
                    self.between(node, [value, low, high], *symmetric, *negated, scope);
                }
                self.known("bool")
            }
            SpecialForm::DistinctFrom { .. } => {
                if let [left, right] = *operands
                    && !self.rows_distinct(node, [left, right], scope)
                {
                    self.equality(node, [left, right], scope);
                }
                self.known("bool")
            }
            SpecialForm::Coalesce | SpecialForm::Greatest | SpecialForm::Least => {
                let construct = match special.form {
                    SpecialForm::Coalesce => "COALESCE",
                    SpecialForm::Greatest => "GREATEST",
                    _ => "LEAST",
                };
                let sets = self.sets_met;
                let common = self.common(operands, scope, construct);
                if special.form == SpecialForm::Coalesce {
                    self.no_set_since(sets, node, construct);
                }
                common.map_or(Operand::Opaque, Operand::Known)
            }
            SpecialForm::NullIf => {
                let [left, right] = *operands else { return Operand::Opaque };
                self.equality(node, [left, right], scope).map_or(Operand::Opaque, Operand::Known)
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
                let value = (Some(operands[0]), self.expression(operands[0], scope));
                let found = self.special_function("extract", &[(None, Operand::Untyped), value]);
                found.map_or_else(|| self.known("numeric"), Operand::Known)
            }
            SpecialForm::AtTimeZone => {
                let [value, zone] = self.verified(operands, scope);
                let found = self.special_function("timezone", &[zone, value]);
                found.map_or(Operand::Opaque, Operand::Known)
            }
            SpecialForm::Overlaps => {
                let operands: [(Option<NodeId>, Operand); 4] = self.verified(operands, scope);
                self.special_function("overlaps", &operands);
                self.known("bool")
            }
            SpecialForm::LikeEscape { case_insensitive, negated } => {
                let operator = match (case_insensitive, negated) {
                    (false, false) => "~~",
                    (false, true) => "!~~",
                    (true, false) => "~~*",
                    (true, true) => "!~~*",
                };
                self.matches(node, operator, "like_escape", operands, scope);
                self.known("bool")
            }
            SpecialForm::SimilarTo { negated } => {
                let operator = if *negated { "!~" } else { "~" };
                self.matches(node, operator, "similar_to_escape", operands, scope);
                self.known("bool")
            }
            SpecialForm::Grouping => {
                let (around, findings) = (std::mem::take(&mut self.met), self.findings.len());
                for &operand in operands {
                    self.value(operand, scope);
                }
                let within = self.met;
                self.met = within.and(around);
                if self.findings.len() == findings {
                    self.aggregate(node, "GROUPING", within);
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

    /// The operands of a form that has that many.
    fn verified<const N: usize>(
        &mut self,
        operands: &[NodeId],
        scope: &Scope<'_>,
    ) -> [(Option<NodeId>, Operand); N] {
        std::array::from_fn(|index| match operands.get(index) {
            Some(&node) => (Some(node), self.expression(node, scope)),
            None => (None, Operand::Opaque),
        })
    }

    /// `value LIKE pattern ESCAPE c` and its like: an operator, whose pattern a function makes first.
    fn matches(
        &mut self,
        node: NodeId,
        operator: &'static str,
        function: &str,
        operands: &[NodeId],
        scope: &Scope<'_>,
    ) {
        let Some((&value, pattern)) = operands.split_first() else { return };
        let operand = self.expression(value, scope);
        let pattern: Vec<(Option<NodeId>, Operand)> =
            pattern.iter().map(|&node| (Some(node), self.expression(node, scope))).collect();
        let made = self.special_function(function, &pattern).map_or(Operand::Opaque, Operand::Known);
        let made = Compared { operator, at: At::Fixed(node), operand: made, taken_as: made };
        self.comparison(node, (At::Value(value), operand), &[made]);
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
