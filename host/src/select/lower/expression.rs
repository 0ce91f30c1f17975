use callslip_ir::{
    Access, AccessStep, Boolean, BooleanOperator, Case, Is, IsTest, NodeId, NodeKind, Operation, Quantifier,
    Special, SpecialForm, Subexpression,
};
use sea_query::{ColumnName, ColumnRef, Expr, IntoIden, TableName};

use super::{Lowerer, fill, identifier, integer, qualified, type_name, unverified, word};
use crate::catalog::PG_CATALOG;
use crate::select::dialect::template;
use crate::select::verify::EXTRACT_FIELDS;

impl<'a> Lowerer<'a> {
    // Each kind of node is lowered by a function of its own: what one holds on the stack at once, the deepest description
    // holds a hundred times.
    pub(super) fn expression(&mut self, node: NodeId) -> Expr {
        let operand = self.operand(node);
        match self.kind(node) {
            NodeKind::WholeRow { .. } => fill(template::WHOLE_ROW_LISTED, [operand]),
            _ => operand,
        }
    }

    /// An expression that is no item of a list: there a whole row stays one value.
    pub(super) fn operand(&mut self, node: NodeId) -> Expr {
        let lowered = match self.kind(node) {
            NodeKind::Operation(operation) => self.operation(node, operation),
            NodeKind::Call(call) => self.call(node, call),
            NodeKind::Cast(cast) => self.cast(node, cast.value),
            NodeKind::Collate(collate) => self.collate(node, collate.value),
            NodeKind::Case(case) => self.case(case),
            NodeKind::Boolean(boolean) => self.boolean(boolean),
            NodeKind::Is(is) => self.is(is),
            NodeKind::Special(special) => self.special(special),
            NodeKind::Array(items) => self.list(template::ARRAY, items),
            NodeKind::Row(items) => self.list(template::ROW, items),
            NodeKind::Access(access) => self.access(access),
            NodeKind::Subexpression(sub) => self.subexpression(node, sub),
            NodeKind::SqlJson(json) => self.sql_json(node, json),
            _ if self.verified.completed.single.contains(&node) => self.of_group(node),
            _ => self.leaf(node),
        };
        self.finished(node, lowered)
    }

    /// One of the values of a group, all of which are the same.
    fn of_group(&mut self, node: NodeId) -> Expr {
        let values = [qualified(PG_CATALOG, "array_agg"), self.leaf(node)];
        fill(template::INDEX, [fill(template::ACCESSED, [fill(template::CALL_LIST, values)]), integer(1)])
    }

    /// An expression that has no other below it.
    pub(super) fn leaf(&mut self, node: NodeId) -> Expr {
        match self.kind(node) {
            NodeKind::Column { relation, name } => {
                let relation = TableName(None, relation.clone().into_iden());
                Expr::Column(ColumnRef::Column(ColumnName(Some(relation), name.clone().into_iden())))
            }
            NodeKind::WholeRow { relation } => fill(template::WHOLE_ROW, [identifier(relation)]),
            NodeKind::OutputName(name) => identifier(name),
            NodeKind::Parameter(slot) => self.parameter(node, *slot),
            NodeKind::Null(_) => fill(template::NULL, [self.ty(node)]),
            _ => unverified(),
        }
    }

    fn finished(&self, node: NodeId, lowered: Expr) -> Expr {
        let lowered = match self.verified.coercions.get(&node) {
            Some(ty) => fill(template::CAST, [lowered, type_name(ty)]),
            None => lowered,
        };
        self.placed(node, lowered)
    }

    fn list(&mut self, template: &'static str, items: &[NodeId]) -> Expr {
        let items: Vec<Expr> = items.iter().map(|&item| self.expression(item)).collect();
        fill(template, items)
    }

    fn operation(&mut self, node: NodeId, operation: &Operation) -> Expr {
        let operands: Vec<Expr> = operation.operands.iter().map(|&operand| self.operand(operand)).collect();
        let operator = self.operator(node);
        match <[Expr; 2]>::try_from(operands) {
            Ok([left, right]) => fill(template::INFIX, [left, operator, right]),
            Err(operand) => fill(template::PREFIX, std::iter::once(operator).chain(operand)),
        }
    }

    fn cast(&mut self, node: NodeId, value: NodeId) -> Expr {
        let value = self.operand(value);
        fill(template::CAST, [value, self.ty(node)])
    }

    fn collate(&mut self, node: NodeId, value: NodeId) -> Expr {
        let value = self.operand(value);
        fill(template::COLLATE, [value, self.object(node)])
    }

    fn boolean(&mut self, boolean: &Boolean) -> Expr {
        let operands: Vec<Expr> = boolean.operands.iter().map(|&operand| self.operand(operand)).collect();
        match boolean.operator {
            BooleanOperator::Not => fill(template::NOT, operands),
            BooleanOperator::And => balanced(template::AND, operands),
            BooleanOperator::Or => balanced(template::OR, operands),
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

    /// A subscript or a field. Only what the chain begins with is in parentheses: PostgreSQL takes its subscripts together.
    fn access(&mut self, access: &'a Access) -> Expr {
        let value = self.operand(access.value);
        let value = match self.kind(access.value) {
            NodeKind::Access(inner) if !access.is_of_slice(inner) => value,
            _ => fill(template::ACCESSED, [value]),
        };
        match &access.step {
            AccessStep::Index(index) => fill(template::INDEX, [value, self.expression(*index)]),
            AccessStep::Slice { lower, upper } => {
                let template = match (lower, upper) {
                    (Some(_), Some(_)) => template::SLICE,
                    (Some(_), None) => template::SLICE_FROM,
                    (None, Some(_)) => template::SLICE_TO,
                    (None, None) => template::SLICE_ALL,
                };
                let bounds = lower.iter().chain(upper).map(|&bound| self.expression(bound));
                let operands: Vec<Expr> = std::iter::once(value).chain(bounds).collect();
                fill(template, operands)
            }
            AccessStep::Field(name) => fill(template::FIELD, [value, identifier(name)]),
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
            (IsTest::Json { item, unique_keys }, _) => return self.is_json(is, item, unique_keys),
        };
        fill(template, [self.operand(is.value)])
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
                let mut operands = vec![self.expression(*operand)];
                match items.as_slice() {
                    [only] => operands.push(self.not_a_query(*only)),
                    several => operands.extend(several.iter().map(|&item| self.expression(item))),
                }
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
                fill(template, [operand, self.operator(node), self.not_a_query(*array)])
            }
        }
    }

    /// An expression where SQL takes a query too. There `((SELECT …))` is the query, in however many parentheses, and
    /// would give all of its rows instead of the one value.
    fn not_a_query(&mut self, node: NodeId) -> Expr {
        let expression = self.expression(node);
        match self.kind(node) {
            NodeKind::Subexpression(Subexpression::Scalar(_)) => fill(template::COALESCE, [expression]),
            _ => expression,
        }
    }
}

/// Joins many conditions as a balanced tree, so that a thousand of them nest ten deep and not a thousand.
fn balanced(template: &'static str, mut operands: Vec<Expr>) -> Expr {
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => fill(template, [left, right]),
                None => left,
            });
        }
        operands = pairs;
    }
    operands.pop().unwrap_or_else(unverified)
}
