//! What stands in FROM. Each test has the name of a row of the table of what a query builder gets wrong,
//! `facts/select-language.md`, or says which rule of SQL's it is about.

mod foreign_keys;
mod functions;
mod joins;
mod lateral;
mod tables;

use crate::support::library;

/// What the host refuses by rules of PostgreSQL's, PostgreSQL refuses: the host says it with the author's line and what to do.
#[tokio::test]
async fn what_the_tests_here_refuse_postgresql_refuses_too() {
    let client = library().client().await;
    for (from, says) in [
        ("shelf AS s (a, b, c, d)", "3 columns available but 4 columns specified"),
        ("book TABLESAMPLE bernouli (1)", "tablesample method bernouli does not exist"),
        ("book TABLESAMPLE system (1, 2)", "tablesample method system requires 1 argument, not 2"),
        ("shelf s, book TABLESAMPLE system (s.id)", "invalid reference to FROM-clause entry"),
        ("(SELECT 1) AS q (a, b)", "1 columns available but 2 columns specified"),
        ("count(1) AS n", "aggregate functions are not allowed in functions in FROM"),
        ("rank() OVER () AS n", "syntax error"),
        ("pairs(1) AS p", "a column definition list is required"),
        ("overdue() AS o (a int4)", "a column definition list is redundant"),
        ("generate_series(1, 2) AS n (a int4)", "a column definition list is only allowed"),
        ("pairs(1) AS p (a int4, a int4)", "specified more than once"),
        ("generate_series(1, b.id) AS n, book b", "missing FROM-clause entry"),
        ("book b JOIN loan l USING (books_id)", "does not exist in left table"),
        ("book b JOIN loan l USING (id, id)", "appears more than once in USING clause"),
        ("book b JOIN loan l ON true JOIN shelf s USING (id)", "appears more than once in left table"),
        ("book b NATURAL JOIN (loan l JOIN shelf s ON true)", "appears more than once in right table"),
        // `types integer and text cannot be matched`; later versions say that there is no operator `integer = text`.
        ("book b JOIN (SELECT title AS id FROM book) t USING (id)", "integer"),
        ("(SELECT '1'::json AS d) a JOIN (SELECT '1'::json AS d) b USING (d)", "operator does not exist"),
        ("book b JOIN loan l USING (id) AS b", "specified more than once"),
        ("book b JOIN loan l ON b.id = l.id AS j", "syntax error"),
        ("(book b JOIN loan l USING (id)) AS j (x) WHERE b.id = 1", "invalid reference to FROM-clause entry"),
        ("(book b JOIN loan l USING (id) AS u) AS j WHERE u.id = 1", "missing FROM-clause entry"),
        ("(book b JOIN loan l ON true) AS j WHERE j.id = 1", "is ambiguous"),
        ("book b RIGHT JOIN LATERAL (SELECT b.id) AS o ON true", "invalid reference to FROM-clause entry"),
        ("book b FULL JOIN generate_series(1, b.id) AS n ON true", "invalid reference to FROM-clause entry"),
        ("book b CROSS JOIN (SELECT b.id) AS o", "invalid reference to FROM-clause entry"),
        ("book b, (book b CROSS JOIN LATERAL (SELECT b.id) AS o) AS j", "is ambiguous"),
    ] {
        let sql = format!("SELECT 1 FROM {from}");
        let refusal = match client.prepare(&sql).await {
            Ok(_) => panic!("{sql}"),
            Err(error) => error.as_db_error().map(ToString::to_string).unwrap_or_default(),
        };
        assert!(refusal.contains(says), "{sql}: {refusal}");
    }
}
