//! What was not granted does not run: of everything that the verifier accepts, no function or operator behind what is printed is
//! somebody's that was not granted, whatever casts PostgreSQL finds.

use std::collections::BTreeSet;

use callslip::catalog::PG_CATALOG;
use callslip_ir::SpecialForm;

use super::expression::{Expression, Function, call, column, constant};
use super::oracle::Oracle;

/// Types with casts that run somebody's functions, without being asked or in assignments, and operators of that kind.
const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('happy');
    CREATE TYPE colour AS ENUM ('red');
    CREATE TYPE pair AS (a int4, b mood);
    CREATE DOMAIN d_mood AS mood;
    CREATE FUNCTION leak_text(mood) RETURNS text LANGUAGE sql AS 'SELECT ''leaked''';
    CREATE FUNCTION leak_int8(mood) RETURNS int8 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION leak_bool(colour) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE FUNCTION leak_mood(colour) RETURNS mood LANGUAGE sql AS 'SELECT ''happy''::mood';
    CREATE FUNCTION leak_box(pair) RETURNS box LANGUAGE sql AS 'SELECT NULL::box';
    CREATE FUNCTION leak_colour(int4) RETURNS colour LANGUAGE sql AS 'SELECT ''red''::colour';
    CREATE CAST (mood AS text) WITH FUNCTION leak_text(mood) AS IMPLICIT;
    CREATE CAST (mood AS int8) WITH FUNCTION leak_int8(mood) AS ASSIGNMENT;
    CREATE CAST (colour AS bool) WITH FUNCTION leak_bool(colour) AS IMPLICIT;
    CREATE CAST (colour AS mood) WITH FUNCTION leak_mood(colour) AS IMPLICIT;
    CREATE CAST (pair AS box) WITH FUNCTION leak_box(pair) AS IMPLICIT;
    CREATE CAST (int4 AS colour) WITH FUNCTION leak_colour(int4) AS IMPLICIT;
    CREATE FUNCTION leak_equal(mood, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE FUNCTION leak_plus(int4, text) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = leak_equal);
    CREATE OPERATOR + (LEFTARG = int4, RIGHTARG = text, FUNCTION = leak_plus);
    CREATE FUNCTION leak_checks(text) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE DOMAIN d_checked AS text CHECK (leak_checks(VALUE));
    CREATE FUNCTION upper(mood) RETURNS text LANGUAGE sql AS 'SELECT ''leaked''';
    CREATE FUNCTION abs(text) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
";

/// A cast that runs only where it is written; PostgreSQL writes some itself.
const WRITTEN: &str = "
    CREATE TYPE mood AS ENUM ('happy');
    CREATE DOMAIN d_mood AS mood;
    CREATE FUNCTION leak_text(mood) RETURNS text LANGUAGE sql AS $$SELECT 'leaked'$$;
    CREATE CAST (mood AS text) WITH FUNCTION leak_text(mood);
";

#[tokio::test]
async fn what_makes_a_text_of_anything_runs_no_cast_that_was_not_granted() {
    let oracle = Oracle::start(WRITTEN, &["text", "int4", "mood", "d_mood"]).await;
    for ty in ["mood", "d_mood"] {
        for operands in [vec![column("text"), column(ty)], vec![column(ty), column("text")]] {
            let concatenated = Expression::Operator("||".to_owned(), operands);
            let leaked = format!(
                "SELECT {} AS x FROM (SELECT 'a'::text AS text, 'happy'::mood AS mood, 'happy'::d_mood AS d_mood) t",
                concatenated.sql()
            );
            let row = oracle.client().await.query_one(&leaked, &[]).await.unwrap();
            assert!(row.get::<_, String>(0).contains("leaked"), "{leaked}");
            let findings = oracle.print(&concatenated.description(), "NULL").unwrap_err();
            assert!(findings.starts_with("CS0405") && findings.contains("leak_text"), "{findings}");
        }
    }
    let harmless = Expression::Operator("||".to_owned(), vec![column("text"), column("int4")]);
    oracle.print(&harmless.description(), "NULL").unwrap();
}

const TYPES: &[&str] = &[
    "bool",
    "int4",
    "int8",
    "text",
    "varchar",
    "box",
    "mood",
    "colour",
    "pair",
    "d_mood",
    "d_checked",
    "mood[]",
    "colour[]",
    "text[]",
    "int4[]",
];

#[tokio::test]
async fn nothing_runs_that_was_not_granted() {
    let oracle = Oracle::start(SCHEMA, TYPES).await;
    let contents = oracle.catalog().contents();
    let of_public = |schema: &str| schema != PG_CATALOG && schema != "information_schema";
    let functions = contents.functions.iter().filter(|its| of_public(&its.schema)).map(|its| its.oid);
    let operators = contents.operators.iter().filter(|its| of_public(&its.schema)).map(|its| its.oid);
    let theirs: BTreeSet<String> = functions.chain(operators).map(|oid| oid.to_string()).collect();

    let mut expressions = Vec::new();
    let operands: Vec<Expression> = TYPES.iter().map(|ty| column(ty)).chain([Expression::Unknown]).collect();
    let boxed = |expression: &Expression| Box::new(expression.clone());
    for left in &operands {
        for name in [
            "upper",
            "length",
            "abs",
            "concat",
            "count",
            "max",
            "array_agg",
            "to_json",
            "box",
            "text",
            "mood",
            "d_checked",
            "unnest",
            "cardinality",
        ] {
            expressions.push(Expression::Function(call(name, vec![left.clone()])));
        }
        expressions.extend(TYPES.iter().map(|ty| Expression::Cast(boxed(left), (*ty).to_owned())));
        expressions.push(Expression::Case(None, vec![(left.clone(), column("int4"))], None));
        for right in &operands {
            let both = vec![left.clone(), right.clone()];
            for operator in ["=", "<>", "<", "+", "-", "||", "&&", "@>", "~", "~~", "->"] {
                expressions.push(Expression::Operator(operator.to_owned(), both.clone()));
                expressions.push(Expression::AnyArray(operator.to_owned(), boxed(left), boxed(right)));
            }
            for name in [
                "strpos",
                "concat",
                "array_append",
                "array_position",
                "array_cat",
                "string_agg",
                "starts_with",
                "mod",
                "nth_value",
                "lag",
            ] {
                let over = ["nth_value", "lag"].contains(&name);
                expressions.push(Expression::Function(Function { over, ..call(name, both.clone()) }));
            }
            for third in [column("int4"), column("text"), constant("mood"), right.clone()] {
                let all = vec![left.clone(), right.clone(), third.clone()];
                expressions.push(Expression::In(all.clone()));
                expressions.push(Expression::Between {
                    symmetric: true,
                    negated: false,
                    operands: all.clone(),
                });
                expressions.push(Expression::Case(
                    Some(boxed(left)),
                    vec![(right.clone(), third.clone())],
                    Some(boxed(right)),
                ));
                expressions.push(Expression::List("COALESCE", SpecialForm::Coalesce, all.clone()));
                expressions.push(Expression::Array(all));
            }
            expressions.push(Expression::InQuery(boxed(left), boxed(right)));
            expressions.push(Expression::AnyQuery("=".to_owned(), boxed(left), boxed(right)));
            expressions.push(Expression::Distinct(both.clone()));
            expressions.push(Expression::List("NULLIF", SpecialForm::NullIf, both.clone()));
            expressions.push(Expression::List("GREATEST", SpecialForm::Greatest, both.clone()));
            expressions.push(Expression::Like(vec![left.clone(), right.clone(), constant("text")]));
            expressions.push(Expression::Similar(both.clone()));
            expressions.push(Expression::Function(Function {
                within_group: vec![right.clone()],
                ..call(
                    "rank",
                    vec![match left {
                        Expression::Column(ty) => constant(ty),
                        other => other.clone(),
                    }],
                )
            }));
        }
    }
    let verdicts = oracle.ask(&expressions).await;
    let leaks = |ids: &str| ids.split(&[' ', ';']).any(|id| theirs.contains(id));
    let (mut stopped, mut accepted) = (0, 0);
    for verdict in &verdicts {
        match &verdict.ids {
            Some(Ok(ids)) => {
                accepted += 1;
                assert!(!leaks(ids), "{verdict:?}");
            }
            Some(Err(_)) => {}
            None => stopped += usize::from(verdict.plain.as_ref().is_ok_and(|ids| leaks(ids))),
        }
    }
    eprintln!("{} expressions, {accepted} accepted, {stopped} stopped", verdicts.len());
    assert!(
        stopped >= 300 && accepted >= 500,
        "{stopped} of {} stopped, {accepted} accepted",
        verdicts.len()
    );
}
