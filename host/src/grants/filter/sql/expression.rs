use callslip_ir::{
    Argument, Boolean, BooleanOperator, Call, Case, CaseArm, Cast, Collate, Is, IsTest, NodeId, NodeKind,
    QualifiedName, Quantifier, SlotType, Special, SpecialForm, Subexpression, TypeName,
};
use sqlparser::ast::{
    BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, InTarget, UnaryOperator, Value,
};

use super::operator::is_atom;
use super::types::type_name;
use super::{FilterValue, Problem, Writer, qualified, unsupported};

impl Writer<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<NodeId, Problem> {
        self.within(|writer| writer.written(expression))
    }

    fn written(&mut self, expression: &Expr) -> Result<NodeId, Problem> {
        match expression {
            Expr::Nested(inner) => self.expression(inner),
            Expr::Identifier(column) => self.bare_column(column),
            Expr::CompoundIdentifier(names) => self.column(names),
            Expr::Value(value) => self.literal(&value.value),
            Expr::TypedString(typed) if !typed.uses_odbc_syntax => {
                let value = self.text(&typed.value.value)?;
                self.cast(value, type_name(&typed.data_type)?)
            }
            Expr::Interval(interval) if interval.leading_field.is_none() => match &*interval.value {
                Expr::Value(text) => {
                    let value = self.text(&text.value)?;
                    self.cast(value, TypeName::parse("pg_catalog.interval"))
                }
                _ => Err(unsupported("this interval", expression)),
            },
            Expr::BinaryOp { op: BinaryOperator::And, .. } => self.chain(expression, &BinaryOperator::And),
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => self.chain(expression, &BinaryOperator::Or),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let operand = self.expression(expr)?;
                Ok(self.not(operand))
            }
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::IsNull(value) => self.is(value, IsTest::Null, false),
            Expr::IsNotNull(value) => self.is(value, IsTest::Null, true),
            Expr::IsTrue(value) => self.is(value, IsTest::True, false),
            Expr::IsNotTrue(value) => self.is(value, IsTest::True, true),
            Expr::IsFalse(value) => self.is(value, IsTest::False, false),
            Expr::IsNotFalse(value) => self.is(value, IsTest::False, true),
            Expr::IsUnknown(value) => self.is(value, IsTest::Unknown, false),
            Expr::IsNotUnknown(value) => self.is(value, IsTest::Unknown, true),
            Expr::IsDistinctFrom(left, right) => {
                self.special(SpecialForm::DistinctFrom { negated: false }, &[left, right])
            }
            Expr::IsNotDistinctFrom(left, right) => {
                self.special(SpecialForm::DistinctFrom { negated: true }, &[left, right])
            }
            Expr::Between { expr, negated, low, high } => {
                self.special(SpecialForm::Between { symmetric: false, negated: *negated }, &[expr, low, high])
            }
            Expr::In { expr, target, negated, global: false } => {
                self.is_in(expression, expr, target, *negated)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(*negated, false, expr, pattern, escape_char.as_deref())
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(*negated, true, expr, pattern, escape_char.as_deref())
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                let form = SpecialForm::SimilarTo { negated: *negated };
                let operands: Vec<&Expr> =
                    [&**expr, &**pattern].into_iter().chain(escape_char.as_deref()).collect();
                self.special(form, &operands)
            }
            Expr::AnyOp { left, compare_op, right, .. } => {
                self.quantified(left, compare_op, Quantifier::Any, right)
            }
            Expr::AllOp { left, compare_op, right } => {
                self.quantified(left, compare_op, Quantifier::All, right)
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => {
                let value = self.expression(expr)?;
                self.cast(value, type_name(data_type)?)
            }
            Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, format: None } => {
                if !is_atom(expr) {
                    return Err(unsupported("a cast of this, without parentheses around it,", expr));
                }
                let value = self.expression(expr)?;
                self.cast(value, type_name(data_type)?)
            }
            Expr::Collate { expr, collation } if is_atom(expr) => {
                let value = self.expression(expr)?;
                Ok(self.add(NodeKind::Collate(Collate { value, collation: qualified(collation)? })))
            }
            Expr::AtTimeZone { timestamp, time_zone } if is_atom(timestamp) && is_atom(time_zone) => {
                self.special(SpecialForm::AtTimeZone, &[timestamp, time_zone])
            }
            Expr::Extract { field, expr, .. } => {
                let field = field.to_string().trim_matches('\'').to_ascii_lowercase();
                let value = self.expression(expr)?;
                Ok(self.add(NodeKind::Special(Special {
                    form: SpecialForm::Extract { field },
                    operands: vec![value],
                })))
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call_of(QualifiedName::new("ceil"), &[expr])
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call_of(QualifiedName::new("floor"), &[expr])
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|its| self.expression(its)).transpose()?;
                let mut arms = Vec::with_capacity(conditions.len());
                for arm in conditions {
                    let when = self.expression(&arm.condition)?;
                    arms.push(CaseArm { when, then: self.expression(&arm.result)? });
                }
                let otherwise = else_result.as_ref().map(|its| self.expression(its)).transpose()?;
                Ok(self.add(NodeKind::Case(Case { operand, arms, otherwise })))
            }
            Expr::Exists { subquery, negated } => {
                let query = self.subquery(subquery, true)?;
                let exists = self.add(NodeKind::Subexpression(Subexpression::Exists(query)));
                Ok(if *negated { self.not(exists) } else { exists })
            }
            Expr::Subquery(query) => {
                let query = self.subquery(query, false)?;
                Ok(self.add(NodeKind::Subexpression(Subexpression::Scalar(query))))
            }
            Expr::Tuple(items) => {
                let items = self.all(items)?;
                Ok(self.add(NodeKind::Row(items)))
            }
            Expr::Array(array) if array.named => {
                let items = self.all(&array.elem)?;
                Ok(self.add(NodeKind::Array(items)))
            }
            Expr::Function(function) => self.function(function),
            other => Err(unsupported("this", other)),
        }
    }

    fn all<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) -> Result<Vec<NodeId>, Problem> {
        expressions.into_iter().map(|its| self.expression(its)).collect()
    }

    fn not(&mut self, operand: NodeId) -> NodeId {
        self.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::Not, operands: vec![operand] }))
    }

    /// `a AND b AND c`, which the parser nests to the left.
    fn chain(&mut self, expression: &Expr, by: &BinaryOperator) -> Result<NodeId, Problem> {
        let mut conditions = Vec::new();
        let mut rest = expression;
        while let Expr::BinaryOp { left, op, right } = rest
            && op == by
        {
            conditions.push(&**right);
            rest = left;
        }
        conditions.push(rest);
        conditions.reverse();
        let operands = self.all(conditions)?;
        let operator = match by {
            BinaryOperator::And => BooleanOperator::And,
            _ => BooleanOperator::Or,
        };
        Ok(self.add(NodeKind::Boolean(Boolean { operator, operands })))
    }

    fn literal(&mut self, value: &Value) -> Result<NodeId, Problem> {
        match value {
            Value::Number(digits, false) => {
                let ty = match (digits.parse::<i32>(), digits.parse::<i64>()) {
                    (Ok(_), _) => "int4",
                    (_, Ok(_)) => "int8",
                    _ => "numeric",
                };
                Ok(self.constant(Some(digits), Some(ty)))
            }
            Value::Boolean(value) => {
                Ok(self.constant(Some(if *value { "true" } else { "false" }), Some("bool")))
            }
            Value::Null => Ok(self.constant(None, None)),
            other => self.text(other),
        }
    }

    /// A text in quotes, whose type its surroundings tell.
    fn text(&mut self, value: &Value) -> Result<NodeId, Problem> {
        match value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
                Ok(self.constant(Some(text), None))
            }
            Value::DollarQuotedString(text) => Ok(self.constant(Some(&text.value), None)),
            other => Err(unsupported("this literal", other)),
        }
    }

    fn cast(&mut self, value: NodeId, ty: TypeName) -> Result<NodeId, Problem> {
        Ok(self.add(NodeKind::Cast(Cast { value, ty })))
    }

    fn is(&mut self, value: &Expr, test: IsTest, negated: bool) -> Result<NodeId, Problem> {
        let value = self.operand(value)?;
        Ok(self.add(NodeKind::Is(Is { value, test, negated })))
    }

    fn special(&mut self, form: SpecialForm, operands: &[&Expr]) -> Result<NodeId, Problem> {
        let operands = operands.iter().map(|its| self.operand(its)).collect::<Result<_, _>>()?;
        Ok(self.add(NodeKind::Special(Special { form, operands })))
    }

    fn like(
        &mut self,
        negated: bool,
        case_insensitive: bool,
        value: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
    ) -> Result<NodeId, Problem> {
        if let Some(escape) = escape {
            let form = SpecialForm::LikeEscape { case_insensitive, negated };
            return self.special(form, &[value, pattern, escape]);
        }
        let operator = match (negated, case_insensitive) {
            (false, false) => "~~",
            (true, false) => "!~~",
            (false, true) => "~~*",
            (true, true) => "!~~*",
        };
        let operands = vec![self.operand(value)?, self.operand(pattern)?];
        Ok(self.operation(QualifiedName::new(operator), operands))
    }

    fn is_in(
        &mut self,
        whole: &Expr,
        value: &Expr,
        target: &InTarget,
        negated: bool,
    ) -> Result<NodeId, Problem> {
        let operand = self.operand(value)?;
        let sub = match target {
            InTarget::List(items) => {
                let items = self.all(items)?;
                Subexpression::InList { operand, items, negated }
            }
            InTarget::Subquery(query) => {
                let query = self.subquery(query, false)?;
                Subexpression::In { operand, query, negated }
            }
            InTarget::Unnest(_) | InTarget::Table { .. } => return Err(unsupported("this", whole)),
        };
        Ok(self.add(NodeKind::Subexpression(sub)))
    }

    fn function(&mut self, function: &Function) -> Result<NodeId, Problem> {
        let refuse = || unsupported("this call", function);
        let Function { name, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } =
            function;
        let is_bare = !uses_odbc_syntax
            && *parameters == FunctionArguments::None
            && within_group.is_empty()
            && filter.is_none()
            && null_treatment.is_none()
            && over.is_none();
        if !is_bare {
            return Err(refuse());
        }
        let name = qualified(name)?;
        let unqualified = name.schema.is_none().then_some(name.name.as_str());
        let list = match args {
            FunctionArguments::None => {
                let form = match unqualified {
                    Some("current_date") => SpecialForm::CurrentDate,
                    Some("current_time") => SpecialForm::CurrentTime { precision: None },
                    Some("current_timestamp") => SpecialForm::CurrentTimestamp { precision: None },
                    Some("localtime") => SpecialForm::LocalTime { precision: None },
                    Some("localtimestamp") => SpecialForm::LocalTimestamp { precision: None },
                    _ => return Err(refuse()),
                };
                return Ok(self.add(NodeKind::Special(Special { form, operands: Vec::new() })));
            }
            FunctionArguments::List(list)
                if list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                list
            }
            _ => return Err(refuse()),
        };
        if let [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] = list.args.as_slice() {
            return Ok(self.call(name, Vec::new(), true));
        }
        let mut arguments = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => arguments.push(expression),
                _ => return Err(refuse()),
            }
        }
        let form = match unqualified {
            Some("claim") => return self.claim(function, &arguments),
            Some("coalesce") => SpecialForm::Coalesce,
            Some("nullif") => SpecialForm::NullIf,
            Some("greatest") => SpecialForm::Greatest,
            Some("least") => SpecialForm::Least,
            _ => return self.call_of(name, &arguments),
        };
        let operands = self.all(arguments)?;
        Ok(self.add(NodeKind::Special(Special { form, operands })))
    }

    fn call_of(&mut self, name: QualifiedName, arguments: &[&Expr]) -> Result<NodeId, Problem> {
        let arguments = self.all(arguments.iter().copied())?;
        Ok(self.call(name, arguments, false))
    }

    fn call(&mut self, function: QualifiedName, arguments: Vec<NodeId>, star: bool) -> NodeId {
        let argument = |value| Argument { name: None, variadic: false, value };
        self.add(NodeKind::Call(Call {
            function,
            arguments: arguments.into_iter().map(argument).collect(),
            star,
            distinct: false,
            order_by: Vec::new(),
            within_group: Vec::new(),
            filter: None,
            over: None,
        }))
    }

    /// `claim('name')`.
    fn claim(&mut self, written: &Function, arguments: &[&Expr]) -> Result<NodeId, Problem> {
        match arguments {
            [Expr::Value(value)] => match &value.value {
                Value::SingleQuotedString(name) if !name.is_empty() => {
                    Ok(self.value(FilterValue::Claim(name.clone()), SlotType::Context))
                }
                _ => Err(format!("a claim is named as in claim('company'), not as `{written}`")),
            },
            _ => Err(format!("a claim is named as in claim('company'), not as `{written}`")),
        }
    }
}
