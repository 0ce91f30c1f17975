use callslip_ir::{
    BooleanOperator, Call, Case, Is, IsTest, NodeId, NodeKind, Over, Quantifier, Special, SpecialForm,
    Subexpression,
};
use sea_query::{ColumnName, ColumnRef, Expr, IntoIden, TableName};

use super::{Lowerer, fill, identifier, integer, type_name, unverified, word};
use crate::select::dialect::template;
use crate::select::verified::Resolution;
use crate::select::verify::EXTRACT_FIELDS;

impl<'a> Lowerer<'a> {
    pub(super) fn expression(&mut self, node: NodeId) -> Expr {
        let lowered = match self.kind(node) {
            NodeKind::Column { relation, name } => {
                let relation = TableName(None, relation.clone().into_iden());
                Expr::Column(ColumnRef::Column(ColumnName(Some(relation), name.clone().into_iden())))
            }
            NodeKind::OutputName(name) => identifier(name),
            NodeKind::Parameter(slot) => self.parameter(node, *slot),
            NodeKind::Null(_) => fill(template::NULL, [self.ty(node)]),
            NodeKind::Operation(operation) => {
                let operator = self.operator(node);
                match *operation.operands.as_slice() {
                    [operand] => fill(template::PREFIX, [operator, self.expression(operand)]),
                    [left, right] => {
                        let left = self.expression(left);
                        fill(template::INFIX, [left, operator, self.expression(right)])
                    }
                    _ => unverified(),
                }
            }
            NodeKind::Call(call) => match (self.resolution(node), call.arguments.as_slice()) {
                // A type's name, called like a function.
                (Resolution::Type(ty), [argument]) => {
                    fill(template::CAST, [self.expression(argument.value), type_name(ty)])
                }
                _ => self.call(node, call),
            },
            NodeKind::Cast(cast) => fill(template::CAST, [self.expression(cast.value), self.ty(node)]),
            NodeKind::Collate(collate) => {
                fill(template::COLLATE, [self.expression(collate.value), self.object(node)])
            }
            NodeKind::Case(case) => self.case(case),
            NodeKind::Boolean(boolean) => {
                let mut operands =
                    boolean.operands.iter().map(|&operand| self.expression(operand)).collect::<Vec<_>>();
                let template = match boolean.operator {
                    BooleanOperator::Not => template::NOT,
                    BooleanOperator::And => template::AND,
                    BooleanOperator::Or => template::OR,
                };
                if boolean.operator == BooleanOperator::Not {
                    fill(template, operands)
                } else {
                    self.balanced(template, &mut operands)
                }
            }
            NodeKind::Is(is) => self.is(is),
            NodeKind::Special(special) => self.special(special),
            NodeKind::Array(items) => {
                let items: Vec<Expr> = items.iter().map(|&item| self.expression(item)).collect();
                fill(template::ARRAY, items)
            }
            NodeKind::Subexpression(sub) => self.subexpression(node, sub),
            _ => unverified(),
        };
        let lowered = match self.verified.coercions.get(&node) {
            Some(ty) => fill(template::CAST, [lowered, type_name(ty)]),
            None => lowered,
        };
        self.placed(node, lowered)
    }

    /// Joins many conditions as a balanced tree, so that a thousand of them nest ten deep and not a thousand.
    fn balanced(&self, template: &'static str, operands: &mut Vec<Expr>) -> Expr {
        while operands.len() > 1 {
            let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
            let mut rest = operands.drain(..);
            while let Some(left) = rest.next() {
                pairs.push(match rest.next() {
                    Some(right) => fill(template, [left, right]),
                    None => left,
                });
            }
            drop(rest);
            *operands = pairs;
        }
        operands.pop().unwrap_or_else(unverified)
    }

    fn call(&mut self, node: NodeId, call: &'a Call) -> Expr {
        let function = self.object(node);
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let mut value = self.expression(argument.value);
            if let Some(name) = &argument.name {
                value = fill(template::ARGUMENT_NAMED, [identifier(name), value]);
            }
            if argument.variadic {
                value = fill(template::ARGUMENT_VARIADIC, [value]);
            }
            arguments.push(value);
        }
        let arguments = fill(template::LIST, arguments);
        let orders: Vec<Expr> = call.order_by.iter().map(|order| self.order(order)).collect();
        let mut lowered = match (call.star, call.distinct, orders.is_empty()) {
            (true, _, _) => fill(template::CALL_STAR, [function]),
            (false, false, true) => fill(template::CALL_LIST, [function, arguments]),
            (false, true, true) => fill(template::CALL_DISTINCT, [function, arguments]),
            (false, false, false) => {
                fill(template::CALL_ORDERED, [function, arguments, fill(template::LIST, orders)])
            }
            (false, true, false) => {
                fill(template::CALL_DISTINCT_ORDERED, [function, arguments, fill(template::LIST, orders)])
            }
        };
        if !call.within_group.is_empty() {
            let orders: Vec<Expr> = call.within_group.iter().map(|order| self.order(order)).collect();
            lowered = fill(template::WITHIN_GROUP, [lowered, fill(template::LIST, orders)]);
        }
        if let Some(condition) = call.filter {
            lowered = fill(template::FILTER, [lowered, self.expression(condition)]);
        }
        match &call.over {
            None => lowered,
            Some(Over::Named(name)) => fill(template::OVER_NAMED, [lowered, identifier(name)]),
            Some(Over::Window(window)) => fill(template::OVER, [lowered, self.window(window)]),
        }
    }

    fn case(&mut self, case: &'a Case) -> Expr {
        let operand = case.operand.map(|operand| self.expression(operand));
        let arms: Vec<Expr> = case
            .arms
            .iter()
            .map(|arm| {
                let when = self.expression(arm.when);
                fill(template::WHEN, [when, self.expression(arm.then)])
            })
            .collect();
        let arms = fill(template::SEQUENCE, arms);
        let otherwise = case.otherwise.map(|otherwise| self.expression(otherwise));
        match (operand, otherwise) {
            (None, None) => fill(template::CASE, [arms]),
            (Some(operand), None) => fill(template::CASE_OF, [operand, arms]),
            (None, Some(otherwise)) => fill(template::CASE_ELSE, [arms, otherwise]),
            (Some(operand), Some(otherwise)) => fill(template::CASE_OF_ELSE, [operand, arms, otherwise]),
        }
    }

    fn is(&mut self, is: &Is) -> Expr {
        let template = match (is.test, is.negated) {
            (IsTest::Null, false) => template::IS_NULL,
            (IsTest::Null, true) => template::IS_NOT_NULL,
            (IsTest::True, false) => template::IS_TRUE,
            (IsTest::True, true) => template::IS_NOT_TRUE,
            (IsTest::False, false) => template::IS_FALSE,
            (IsTest::False, true) => template::IS_NOT_FALSE,
            (IsTest::Unknown, false) => template::IS_UNKNOWN,
            (IsTest::Unknown, true) => template::IS_NOT_UNKNOWN,
            (IsTest::Json { .. }, _) => return unverified(),
        };
        fill(template, [self.expression(is.value)])
    }

    fn special(&mut self, special: &'a Special) -> Expr {
        let mut operands: Vec<Expr> =
            special.operands.iter().map(|&operand| self.expression(operand)).collect();
        let timed = |plain: &'static str, precise: &'static str, precision: Option<u8>| match precision {
            None => word(plain),
            Some(digits) => fill(precise, [integer(i32::from(digits))]),
        };
        let template = match &special.form {
            SpecialForm::Between { symmetric: false, negated: false } => template::BETWEEN,
            SpecialForm::Between { symmetric: false, negated: true } => template::NOT_BETWEEN,
            SpecialForm::Between { symmetric: true, negated: false } => template::BETWEEN_SYMMETRIC,
            SpecialForm::Between { symmetric: true, negated: true } => template::NOT_BETWEEN_SYMMETRIC,
            SpecialForm::DistinctFrom { negated: false } => template::DISTINCT_FROM,
            SpecialForm::DistinctFrom { negated: true } => template::NOT_DISTINCT_FROM,
            SpecialForm::Coalesce => template::COALESCE,
            SpecialForm::NullIf => template::NULLIF,
            SpecialForm::Greatest => template::GREATEST,
            SpecialForm::Least => template::LEAST,
            SpecialForm::Grouping => template::GROUPING,
            SpecialForm::Extract { field } => {
                // The host's own spelling of the field is printed, not the plugin's.
                let Some(field) = EXTRACT_FIELDS.iter().find(|its| *its == field) else {
                    return unverified();
                };
                operands.insert(0, word(field));
                template::EXTRACT
            }
            SpecialForm::AtTimeZone => template::AT_TIME_ZONE,
            SpecialForm::Overlaps => template::OVERLAPS,
            SpecialForm::LikeEscape { case_insensitive: false, negated: false } => template::LIKE_ESCAPE,
            SpecialForm::LikeEscape { case_insensitive: false, negated: true } => template::NOT_LIKE_ESCAPE,
            SpecialForm::LikeEscape { case_insensitive: true, negated: false } => template::ILIKE_ESCAPE,
            SpecialForm::LikeEscape { case_insensitive: true, negated: true } => template::NOT_ILIKE_ESCAPE,
            SpecialForm::SimilarTo { negated } => match (operands.len(), negated) {
                (2, false) => template::SIMILAR,
                (2, true) => template::NOT_SIMILAR,
                (_, false) => template::SIMILAR_ESCAPE,
                (_, true) => template::NOT_SIMILAR_ESCAPE,
            },
            SpecialForm::CurrentDate => return word(template::CURRENT_DATE),
            SpecialForm::CurrentTime { precision } => {
                return timed(template::CURRENT_TIME, template::CURRENT_TIME_OF, *precision);
            }
            SpecialForm::CurrentTimestamp { precision } => {
                return timed(template::CURRENT_TIMESTAMP, template::CURRENT_TIMESTAMP_OF, *precision);
            }
            SpecialForm::LocalTime { precision } => {
                return timed(template::LOCALTIME, template::LOCALTIME_OF, *precision);
            }
            SpecialForm::LocalTimestamp { precision } => {
                return timed(template::LOCALTIMESTAMP, template::LOCALTIMESTAMP_OF, *precision);
            }
        };
        fill(template, operands)
    }

    fn subexpression(&mut self, node: NodeId, sub: &'a Subexpression) -> Expr {
        match sub {
            Subexpression::Scalar(query) => fill(template::SCALAR, [self.query(*query)]),
            Subexpression::Exists(query) => fill(template::EXISTS, [self.query(*query)]),
            Subexpression::Array(query) => fill(template::ARRAY_OF, [self.query(*query)]),
            Subexpression::In { operand, query, negated } => {
                let operand = self.expression(*operand);
                let template = if *negated { template::NOT_IN_QUERY } else { template::IN_QUERY };
                fill(template, [operand, self.query(*query)])
            }
            Subexpression::InList { operand, items, negated } => {
                let template = if *negated { template::NOT_IN_LIST } else { template::IN_LIST };
                let operands = std::iter::once(operand).chain(items);
                let operands: Vec<Expr> = operands.map(|&operand| self.expression(operand)).collect();
                fill(template, operands)
            }
            Subexpression::Quantified { operand, quantifier, query, .. } => {
                let template = match quantifier {
                    Quantifier::Any => template::ANY_QUERY,
                    Quantifier::All => template::ALL_QUERY,
                };
                let operand = self.expression(*operand);
                fill(template, [operand, self.operator(node), self.query(*query)])
            }
            Subexpression::QuantifiedArray { operand, quantifier, array, .. } => {
                let template = match quantifier {
                    Quantifier::Any => template::ANY_ARRAY,
                    Quantifier::All => template::ALL_ARRAY,
                };
                let operand = self.expression(*operand);
                fill(template, [operand, self.operator(node), self.expression(*array)])
            }
        }
    }
}
