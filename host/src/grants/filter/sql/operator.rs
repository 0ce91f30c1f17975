use callslip_ir::{NodeId, NodeKind, Operation, QualifiedName, Quantifier, Subexpression};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::{Problem, Writer, name, unsupported};

/// Whether an expression can stand as an operand without parentheses. Operators of which PostgreSQL's grammar and the parser's
/// may think differently need them, so that a filter never means something else than what its author reads.
fn is_plain(operand: &Expr) -> bool {
    match operand {
        Expr::BinaryOp { left, op, right } => is_arithmetic(op) && is_plain(left) && is_plain(right),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => is_atom(expr),
        other => is_atom(other),
    }
}

/// Whether an expression has no operator that is not within something.
pub(super) fn is_atom(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Interval(_)
        | Expr::Function(_)
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::Tuple(_)
        | Expr::Array(_)
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. } => true,
        Expr::Cast { expr, .. } => is_atom(expr),
        _ => false,
    }
}

fn is_arithmetic(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(operator, Plus | Minus | Multiply | Divide | Modulo)
}

fn needs_parentheses(operand: &Expr) -> Problem {
    format!("put parentheses around `{operand}`, so that it is clear what belongs together")
}

impl Writer<'_> {
    /// An operand of an operator or of a predicate.
    pub(super) fn operand(&mut self, operand: &Expr) -> Result<NodeId, Problem> {
        match is_plain(operand) {
            true => self.expression(operand),
            false => Err(needs_parentheses(operand)),
        }
    }

    pub(super) fn binary(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<NodeId, Problem> {
        let operator = operator_name(operator)?;
        let left = self.operand(left)?;
        let right = self.operand(right)?;
        Ok(self.operation(operator, vec![left, right]))
    }

    pub(super) fn operation(&mut self, operator: QualifiedName, operands: Vec<NodeId>) -> NodeId {
        self.add(NodeKind::Operation(Operation { operator, operands }))
    }

    pub(super) fn unary(&mut self, operator: UnaryOperator, operand: &Expr) -> Result<NodeId, Problem> {
        let named = match operator {
            UnaryOperator::Minus => "-",
            UnaryOperator::Plus => "+",
            UnaryOperator::BitwiseNot => "~",
            UnaryOperator::PGAbs => "@",
            other => return Err(unsupported("this operator", &other)),
        };
        if !is_atom(operand) {
            return Err(needs_parentheses(operand));
        }
        let operand = self.expression(operand)?;
        Ok(self.operation(QualifiedName::new(named), vec![operand]))
    }

    /// `left operator ANY|ALL (…)`, of an array or a query.
    pub(super) fn quantified(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        quantifier: Quantifier,
        right: &Expr,
    ) -> Result<NodeId, Problem> {
        let operator = operator_name(operator)?;
        let operand = self.operand(left)?;
        let mut right = right;
        while let Expr::Nested(inner) = right {
            right = inner;
        }
        let sub = match right {
            Expr::Subquery(query) => {
                let query = self.subquery(query, false)?;
                Subexpression::Quantified { operand, operator, quantifier, query }
            }
            array => {
                let array = self.expression(array)?;
                Subexpression::QuantifiedArray { operand, operator, quantifier, array }
            }
        };
        Ok(self.add(NodeKind::Subexpression(sub)))
    }
}

/// The name of an operator, as PostgreSQL has it.
fn operator_name(operator: &BinaryOperator) -> Result<QualifiedName, Problem> {
    use BinaryOperator as B;
    match operator {
        // PostgreSQL's own reader makes this one of the other.
        B::NotEq => Ok(QualifiedName::new("<>")),
        B::PGCustomBinaryOperator(parts) => match parts.as_slice() {
            [schema, name] => Ok(QualifiedName::within(schema, name)),
            [name] => Ok(QualifiedName::new(name)),
            _ => Err(unsupported("this operator", operator)),
        },
        B::And | B::Or | B::Xor | B::Overlaps | B::Is | B::IsNot | B::Assignment => {
            Err(unsupported("this operator", operator))
        }
        known => {
            let written = known.to_string();
            let is_operator = written.bytes().all(|b| b"+-*/<>=~!@#%^&|`?".contains(&b));
            match is_operator && !written.is_empty() {
                true => Ok(QualifiedName::new(written)),
                false => Err(unsupported("this operator", operator)),
            }
        }
    }
}

/// The alias of a table, or its own name.
pub(super) fn alias_of(alias: Option<&sqlparser::ast::TableAlias>, own: &str) -> Result<String, Problem> {
    match alias {
        None => Ok(own.to_owned()),
        Some(alias) if alias.columns.is_empty() && alias.at.is_none() => Ok(name(&alias.name)),
        Some(alias) => Err(unsupported("an alias with columns", alias)),
    }
}
