//! What is said of what does not resolve, and what to do about it.

use callslip_ir::SpecialForm;

use super::expression::{Expression, Function, call, column, constant};
use super::oracle::oracle;

#[test]
fn what_does_not_resolve_is_told_with_what_to_do() {
    let called = |function: Function| Expression::Function(function);
    let int4 = || column("int4");
    let cases = [
        (
            Expression::List(
                "COALESCE",
                SpecialForm::Coalesce,
                vec![int4(), Expression::Unknown, column("text")],
            ),
            "CS0315: COALESCE has values that have no type together: int4, text; cast some of them with .cast_as(\"…\")",
        ),
        (
            Expression::In(vec![Expression::Unknown, int4(), column("text")]),
            "CS0315: a constant without a type of its own is compared as int4 and as text here; say which type you mean \
             with .cast_as(\"…\")",
        ),
        (Expression::Cast(Box::new(int4()), "uuid".to_owned()), "CS0316: there is no cast from int4 to uuid"),
        (
            called(call("either_default", vec![int4()])),
            "CS0305: the call either_default(int4) is ambiguous; say which types you mean with .cast_as(\"…\"); there are \
             either_default(int4), either_default(int4, int4)",
        ),
        (
            called(call("alike", vec![Expression::Unknown, Expression::Unknown])),
            "CS0305: the function of alike(unknown, unknown) takes any type, and nothing tells which one it gets; say which \
             types you mean with .cast_as(\"…\")",
        ),
        (
            Expression::Operator("+".to_owned(), vec![Expression::Unknown, Expression::Unknown]),
            "CS0306: the operator unknown + unknown is ambiguous; say which types you mean with .cast_as(\"…\")",
        ),
        (
            called(Function { over: true, ..call("lower", vec![column("text")]) }),
            "CS0203: lower is no window function nor aggregate, so it can't have OVER",
        ),
        (
            called(Function { distinct: true, ..call("lower", vec![column("text")]) }),
            "CS0203: lower is no aggregate, so it can't have DISTINCT",
        ),
        (
            called(call("row_number", vec![])),
            "CS0203: row_number is a window function and needs OVER; give it a window with .over(…)",
        ),
        (
            called(call("mode", vec![int4()])),
            "CS0203: mode is an ordered-set aggregate and needs WITHIN GROUP; say what it sorts by with .within_group(…)",
        ),
        (
            called(Function { within_group: vec![int4()], ..call("sum", vec![]) }),
            "CS0203: sum is no ordered-set aggregate, so it can't have WITHIN GROUP",
        ),
        (
            called(Function {
                within_group: vec![int4()],
                ..call("rank", vec![constant("int4"), constant("int4")])
            }),
            "CS0203: rank has 2 arguments and 1 sort keys in WITHIN GROUP; it takes as many of both",
        ),
        (
            called(call("sum", vec![called(call("generate_series", vec![int4(), int4()]))])),
            "CS0203: a function that returns a set can't stand in a call of sum; join it as a relation, with LATERAL",
        ),
        (
            called(Function { variadic: true, ..call("concat", vec![int4()]) }),
            "CS0203: the VARIADIC argument of concat must be an array",
        ),
    ];
    for (expression, says) in cases {
        let said = oracle().print(&expression.description(), "NULL");
        assert_eq!(said.unwrap_err(), says, "{}", expression.sql());
    }
}
