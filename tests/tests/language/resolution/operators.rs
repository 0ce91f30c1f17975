use std::collections::BTreeSet;

use callslip::catalog::PG_CATALOG;

use super::agree;
use super::expression::{Expression, column};
use super::oracle::{Oracle, TYPES, oracle};

/// The operands of a pair: columns of every type, and a constant without one.
fn operands() -> Vec<Expression> {
    TYPES.iter().map(|ty| column(ty)).chain([Expression::Unknown]).collect()
}

fn names(oracle: &Oracle, infix: bool) -> BTreeSet<String> {
    let operators = oracle.catalog().contents().operators.iter();
    let wanted = operators.filter(|its| its.schema == PG_CATALOG && its.left.is_some() == infix);
    wanted.map(|its| its.name.clone()).collect()
}

#[tokio::test]
async fn every_operator_between_every_two_types() {
    let oracle = oracle();
    let operands = operands();
    let mut expressions = Vec::new();
    for name in names(oracle, true) {
        for left in &operands {
            for right in &operands {
                expressions.push(Expression::Operator(name.clone(), vec![left.clone(), right.clone()]));
            }
        }
    }
    agree(&expressions, 200_000, 1_000).await;
}

#[tokio::test]
async fn every_prefix_operator_before_every_type() {
    let oracle = oracle();
    let mut expressions = Vec::new();
    for name in names(oracle, false) {
        for operand in operands() {
            expressions.push(Expression::Operator(name.clone(), vec![operand]));
        }
    }
    agree(&expressions, 500, 50).await;
}
