use callslip::Code;
use callslip::loan::BoundStatement;
use callslip_tests::rows;

use crate::support::{BACKEND, Database, assert_clean, bound, one};

#[tokio::test]
async fn a_statement_is_described_and_not_run() {
    let database = Database::start().await;
    database
        .execute(
            "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (m mood, n numeric(5, 2), a int[])",
        )
        .await;
    let pool = database.pool(1);
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT t.m AS m, t.n AS n, t.a AS a, pg_catalog.pg_sleep(CAST($2 AS float8)) AS s \
               FROM public.t AS t WHERE t.m = CAST($1 AS public.mood)";
    let proving = loan.prove().await.unwrap();
    let described = proving.describe(sql).await.unwrap();
    let mood: u32 = database.owner.query_one("SELECT 'mood'::regtype::oid", &[]).await.unwrap().get(0);
    assert_eq!(described.parameters, [mood, 701]);
    let columns: Vec<_> =
        described.columns.iter().map(|c| (c.name.as_str(), c.type_oid, c.type_name.as_str())).collect();
    assert_eq!(
        columns,
        [("m", mood, "mood"), ("n", 1700, "numeric"), ("a", 1007, "_int4"), ("s", 2278, "void")]
    );

    let error = proving.describe("SELECT 'é', t.nn FROM public.t AS t").await.unwrap_err();
    let said = error.postgres().unwrap();
    assert_eq!((said.sqlstate(), said.position()), ("42703", Some(13)));
    assert_eq!(said.hint(), Some("Perhaps you meant to reference the column \"t.n\"."));
    assert_eq!(error.to_string(), "PostgreSQL failed the statement: SQLSTATE 42703");
    assert_eq!(proving.describe("SELECT 1; SELECT 2").await.unwrap_err().sqlstate(), Some("42601"));
    proving.end().await.unwrap();
    let before = pool.status();
    drop(loan);
    assert_eq!((before.size, before.available, pool.status().available), (1, 0, 1));
}

#[tokio::test]
async fn values_are_bound_as_text_and_nulls_as_null() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT CAST($1 AS int4) + 1 AS n, CAST($2 AS text) AS t, CAST($3 AS int4[]) AS a";
    let mut statement = bound(&loan, sql, &["41", "x", "{1,2}"]).await;
    statement.values[1] = None;
    let row = rows(loan.run(vec![statement.clone()]).await.unwrap()).await.unwrap().remove(0).remove(0);
    assert_eq!((row.get::<_, i32>(0), row.get::<_, Option<&str>>(1)), (42, None));
    assert_eq!(row.get::<_, Vec<i32>>(2), [1, 2]);

    let attempt = async |change: &dyn Fn(&mut BoundStatement)| {
        let mut statement = statement.clone();
        change(&mut statement);
        pool.loan().await.unwrap().run(vec![statement]).await.err().unwrap()
    };
    let nul = attempt(&|statement| statement.values[1] = Some("a\0b".into())).await;
    assert_eq!(
        (nul.to_string().as_str(), nul.code()),
        ("the value of parameter $2 has a NUL character", Code::InvalidParameter)
    );
    let count = attempt(&|statement| statement.values.truncate(2)).await;
    assert_eq!(count.to_string(), "2 values for a statement of 3 parameters");
    let bad = attempt(&|statement| statement.values[0] = Some("secret".into())).await;
    assert_eq!((bad.sqlstate(), bad.code()), (Some("22P02"), Code::StatementFailed));
    assert!(!bad.to_string().contains("secret") && bad.database_message().unwrap().contains("secret"));
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_plan_is_explained_for_any_values_and_leaves_nothing() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t (a int PRIMARY KEY, b text)").await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let loan = pool.loan().await.unwrap();
    let proving = loan.prove().await.unwrap();
    let sql = "/* a comment */ SELECT t.b AS b FROM public.t AS t WHERE t.a = CAST($1 AS int4) AND t.b = CAST($2 AS text)";
    for _ in 0..2 {
        let plan = proving.explain(sql, 2).await.unwrap();
        assert!(plan[0].starts_with("Index Scan using t_pkey on t"), "{plan:?}");
        assert!(plan.iter().any(|line| line.contains("Index Cond: (a = $1)")), "{plan:?}");
    }
    assert!(proving.explain("SELECT 1 AS n", 0).await.unwrap()[0].starts_with("Result"));
    for bad in [
        "SELECT",
        "SELECT nothing FROM nowhere",
        "SELECT 1; DROP TABLE t",
        "DELETE FROM public.t",
        "VALUES (",
    ] {
        let _ = proving.explain(bad, 0).await;
    }
    assert_eq!(proving.explain("SELECT x", 0).await.unwrap_err().sqlstate(), Some("42703"));
    proving.end().await.unwrap();
    drop(loan);
    let left = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements AS s WHERE s.name LIKE 'callslip%'";
    assert_eq!(one::<i64>(&pool, left).await, 0);
    assert_eq!(
        one::<String>(&pool, "SELECT pg_catalog.current_setting('plan_cache_mode') AS v").await,
        "auto"
    );
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
    assert_clean(&pool).await;
}
