//! The casts that are printed change no plan: what an index served it still serves, and what was one expression still is.

use callslip_ir::SpecialForm;

use super::expression::{Expression, Function, call, column, constant};
use super::oracle::Oracle;

const SCHEMA: &str = "
    CREATE DOMAIN d_int AS int4;
    CREATE DOMAIN d_text AS text;
    CREATE DOMAIN d_varchar AS varchar(20);
";

const TYPES: &[&str] = &[
    "int2",
    "int4",
    "int8",
    "numeric",
    "text",
    "varchar",
    "bpchar",
    "name",
    "date",
    "timestamptz",
    "d_int",
    "d_text",
    "d_varchar",
];

/// The plan without its costs.
async fn plan(client: &tokio_postgres::Client, sql: &str) -> Vec<String> {
    let rows = client.query(&format!("EXPLAIN (COSTS OFF, VERBOSE) {sql}"), &[]).await;
    rows.unwrap_or_else(|error| panic!("{error:?}: {sql}")).iter().map(|row| row.get(0)).collect()
}

fn compared(operator: &str, left: Expression, right: Expression) -> Expression {
    Expression::Operator(operator.to_owned(), vec![left, right])
}

#[tokio::test]
async fn an_index_serves_what_it_serves_in_plain_sql() {
    let oracle = Oracle::start(SCHEMA, TYPES).await;
    let client = oracle.client().await;
    let mut statements = String::from("SET enable_seqscan = off; SET enable_bitmapscan = off;");
    for ty in TYPES {
        statements.push_str(&format!("CREATE INDEX ON t (\"{ty}\");"));
    }
    statements.push_str("CREATE INDEX ON t (lower(\"varchar\")); CREATE INDEX ON t ((\"varchar\" || 'x'));");
    client.batch_execute(&statements).await.unwrap();

    let (mut same, mut by_index) = (0, 0);
    let lower = Expression::Function(call("lower", vec![column("varchar")]));
    let keys: Vec<Expression> = TYPES.iter().map(|ty| column(ty)).chain([lower]).collect();
    for key in keys {
        // An array of names becomes one of texts as a whole in plain SQL, which the plan shows otherwise.
        for ty in TYPES.iter().filter(|ty| !["date", "timestamptz", "name"].contains(ty)) {
            for shape in 0..6 {
                let value = || constant(ty);
                let condition = match shape {
                    0 => compared("=", key.clone(), value()),
                    1 => compared("<", value(), key.clone()),
                    2 => Expression::In(vec![key.clone(), value()]),
                    3 => Expression::In(vec![key.clone(), value(), value()]),
                    4 => Expression::Between {
                        symmetric: false,
                        negated: false,
                        operands: vec![key.clone(), value(), value()],
                    },
                    _ => Expression::AnyArray(
                        "=".to_owned(),
                        Box::new(key.clone()),
                        Box::new(constant(&format!("{ty}[]"))),
                    ),
                };
                let literal = if shape == 5 { "'{1}'" } else { "'1'" };
                let Ok(printed) = oracle.print(&condition.condition(), literal) else { continue };
                let sql = condition.sql().replace("CAST(NULL AS", &format!("CAST({literal} AS"));
                let plain =
                    plan(&client, &format!("SELECT t.int8 AS x FROM public.t AS t WHERE {sql}")).await;
                let found = plan(&client, &printed).await;
                assert_eq!(found, plain, "{printed}");
                same += 1;
                by_index += usize::from(plain.iter().any(|line| line.contains("Index Cond")));
            }
        }
    }
    assert!(same >= 240 && by_index >= 200, "{same} plans, {by_index} by an index");
}

#[tokio::test]
async fn an_expression_that_is_grouped_or_sorted_by_is_one() {
    let oracle = Oracle::start(SCHEMA, TYPES).await;
    let client = oracle.client().await;
    let varchar = || column("varchar");
    let expressions = [
        varchar(),
        column("d_int"),
        Expression::Function(call("lower", vec![varchar()])),
        compared("||", varchar(), column("name")),
        compared("+", column("int4"), column("numeric")),
        Expression::List("COALESCE", SpecialForm::Coalesce, vec![column("int2"), column("int8")]),
        Expression::Case(
            None,
            vec![(compared("=", varchar(), column("name")), column("int2"))],
            Some(Box::new(column("numeric"))),
        ),
        Expression::List("NULLIF", SpecialForm::NullIf, vec![column("d_int"), column("numeric")]),
    ];
    for expression in &expressions {
        for (grouped, distinct, group_by) in [(true, "", "GROUP BY"), (false, "DISTINCT", "")] {
            let printed = oracle.print(&expression.sorted(grouped), "NULL").unwrap();
            let sql = expression.sql();
            let key = if grouped { sql.as_str() } else { "" };
            let plain =
                format!("SELECT {distinct} {sql} AS x FROM public.t AS t {group_by} {key} ORDER BY {sql}");
            assert_eq!(plan(&client, &printed).await, plan(&client, &plain).await, "{printed}");
        }
    }
    // What DISTINCT sorts by stands among the arguments.
    let arguments = vec![varchar(), column("d_text")];
    let distinct = Function { distinct: true, order_by: vec![varchar()], ..call("string_agg", arguments) };
    let printed = oracle.print(&Expression::Function(distinct).description(), "NULL").unwrap();
    assert!(!plan(&client, &printed).await.is_empty());
}
