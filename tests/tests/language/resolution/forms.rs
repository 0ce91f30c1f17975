use callslip_ir::SpecialForm;

use super::agree;
use super::expression::{Expression, column, constant};
use super::oracle::TYPES;

/// Columns, constants with a type, and one without.
fn operands() -> Vec<Expression> {
    const FEW: &[&str] = &["int4", "int8", "numeric", "text", "varchar", "d_int", "d_text", "date"];
    let columns = TYPES.iter().map(|ty| column(ty));
    columns.chain(FEW.iter().map(|ty| constant(ty))).chain([Expression::Unknown]).collect()
}

/// Types of which three or four are put together.
fn few() -> Vec<Expression> {
    const FEW: &[&str] = &["int4", "int8", "numeric", "text", "varchar", "bpchar", "name", "date"];
    const OTHER: &[&str] = &["d_int", "d_varchar", "mood", "int4[]", "d_ints"];
    let columns = FEW.iter().chain(OTHER).map(|ty| column(ty));
    columns.chain([constant("int4"), constant("d_text"), Expression::Unknown]).collect()
}

fn boxed(expression: &Expression) -> Box<Expression> {
    Box::new(expression.clone())
}

#[tokio::test]
async fn what_two_values_are_compared_or_brought_together_by() {
    let mut expressions = Vec::new();
    for left in operands() {
        for right in operands() {
            let both = vec![left.clone(), right.clone()];
            // A null that is compared so is no comparison.
            if !both.iter().any(|operand| matches!(operand, Expression::Unknown)) {
                expressions.push(Expression::Distinct(both.clone()));
            }
            expressions.push(Expression::In(both.clone()));
            expressions.push(Expression::InQuery(boxed(&left), boxed(&right)));
            expressions.push(Expression::AnyArray("=".to_owned(), boxed(&left), boxed(&right)));
            // PostgreSQL takes a cast of ARRAY as one of its elements, which then has a collation that it does not use.
            if !matches!(&right, Expression::Column(ty) if ty == "bpchar") {
                let array = Box::new(Expression::Array(vec![right.clone()]));
                expressions.push(Expression::AnyArray("<>".to_owned(), boxed(&left), array));
            }
            expressions.push(Expression::AnyQuery("<".to_owned(), boxed(&left), boxed(&right)));
            expressions.push(Expression::List("NULLIF", SpecialForm::NullIf, both.clone()));
            expressions.push(Expression::List("COALESCE", SpecialForm::Coalesce, both.clone()));
            expressions.push(Expression::List("GREATEST", SpecialForm::Greatest, both.clone()));
            expressions.push(Expression::Case(
                None,
                vec![(column("bool"), left.clone())],
                Some(boxed(&right)),
            ));
            expressions.push(Expression::Case(
                Some(boxed(&left)),
                vec![(right.clone(), column("int4"))],
                None,
            ));
            expressions.push(Expression::AtTimeZone(both.clone()));
            expressions.push(Expression::Like(vec![left.clone(), right.clone(), constant("text")]));
            expressions.push(Expression::Similar(both.clone()));
            expressions.push(Expression::Overlaps(vec![
                left.clone(),
                right.clone(),
                left.clone(),
                right.clone(),
            ]));
        }
        expressions.push(Expression::Extract(boxed(&left)));
        for ty in TYPES {
            expressions.push(Expression::Cast(boxed(&left), (*ty).to_owned()));
        }
    }
    agree(&expressions, 55_000, 5_000).await;
}

#[tokio::test]
async fn what_three_values_are_compared_or_brought_together_by() {
    let mut expressions = Vec::new();
    for a in few() {
        for b in few() {
            for c in few() {
                let all = vec![a.clone(), b.clone(), c.clone()];
                for (symmetric, negated) in [(false, false), (true, true)] {
                    expressions.push(Expression::Between { symmetric, negated, operands: all.clone() });
                }
                expressions.push(Expression::In(all.clone()));
                expressions.push(Expression::List("COALESCE", SpecialForm::Coalesce, all.clone()));
                let arms = vec![(b.clone(), a.clone()), (c.clone(), b.clone())];
                expressions.push(Expression::Case(Some(boxed(&a)), arms, Some(boxed(&c))));
                // The type that comes out of it chooses an operator.
                let least = Expression::List("LEAST", SpecialForm::Least, vec![a.clone(), b.clone()]);
                expressions.push(Expression::Operator("=".to_owned(), vec![least, c.clone()]));
                let null_if = Expression::List("NULLIF", SpecialForm::NullIf, vec![a.clone(), b.clone()]);
                expressions.push(Expression::Operator("<".to_owned(), vec![c.clone(), null_if]));
            }
        }
    }
    agree(&expressions, 25_000, 2_500).await;
}

/// Of the items of IN PostgreSQL brings those together that hold no column.
#[tokio::test]
async fn lists_of_columns_and_constants() {
    let items: Vec<Expression> = ["int4", "numeric", "text", "d_int", "d_text"]
        .into_iter()
        .flat_map(|ty| [column(ty), constant(ty)])
        .chain([Expression::Unknown])
        .collect();
    let mut expressions = Vec::new();
    for value in items.iter().chain(&[column("int8"), column("varchar"), column("name"), column("bpchar")]) {
        for a in &items {
            for b in &items {
                for c in &items {
                    expressions.push(Expression::In(vec![value.clone(), a.clone(), b.clone(), c.clone()]));
                }
            }
        }
    }
    agree(&expressions, 15_000, 1_500).await;
}
