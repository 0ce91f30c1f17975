//! What a query is made of, but for its relations and expressions. Each test has the name of a row of the table of what a
//! query builder gets wrong, `facts/select-language.md`, or says which rule of SQL's it is about.
//!
//! The table's row "locking, INTO" has no test: a description has no node for either, as it has none for anything that writes.

mod clauses;
mod ctes;
mod grouping;
mod set_operations;
mod windows;

use crate::support::library;

/// What the host refuses by rules of PostgreSQL's, PostgreSQL refuses: the host says it with the author's line and what to do.
#[tokio::test]
async fn what_the_tests_here_refuse_postgresql_refuses_too() {
    let client = library().client().await;
    let shelf = "SELECT id FROM shelf";
    let recursive = |body: &str| format!("WITH RECURSIVE r AS ({body}) SELECT * FROM r");
    let over = |window: &str| {
        format!(
            "SELECT count(*) OVER ({window}) FROM book
             WINDOW p AS (PARTITION BY genre ORDER BY id), f AS (ORDER BY id ROWS CURRENT ROW)"
        )
    };
    let refused = [
        "SELECT id, title FROM book UNION SELECT 1".to_owned(),
        "SELECT id FROM book EXCEPT SELECT title FROM book".to_owned(),
        "SELECT title AS t FROM book UNION SELECT title FROM book ORDER BY upper(t)".to_owned(),
        "VALUES (1), (2, 3)".to_owned(),
        "SELECT genre FROM book INTERSECT VALUES ('novel')".to_owned(),
        recursive("SELECT id + 1 FROM r"),
        recursive(&format!("{shelf} INTERSECT SELECT id + 1 FROM r")),
        recursive(&format!("SELECT id + 1 FROM r UNION ALL {shelf}")),
        recursive(&format!("{shelf} UNION ALL (SELECT id FROM r UNION ALL SELECT id FROM r)")),
        recursive(&format!("{shelf} UNION ALL SELECT s.id FROM shelf s LEFT JOIN r ON r.id = s.id")),
        recursive(&format!("{shelf} UNION ALL SELECT r.id FROM r RIGHT JOIN shelf s ON r.id = s.id")),
        recursive(&format!("{shelf} UNION ALL SELECT id FROM shelf WHERE id IN (SELECT id FROM r)")),
        recursive(&format!("{shelf} UNION ALL ({shelf} EXCEPT SELECT id FROM r)")),
        recursive(&format!("{shelf} UNION ALL (SELECT id FROM r EXCEPT ALL {shelf})")),
        recursive(&format!("{shelf} UNION ALL ({shelf} INTERSECT ALL SELECT id FROM r)")),
        recursive(&format!("{shelf} UNION ALL SELECT id + 1 FROM r LIMIT 5")),
        recursive(&format!("{shelf} UNION ALL SELECT id::int8 FROM r")),
        "WITH r AS (SELECT 1 AS id) SEARCH DEPTH FIRST BY id SET x SELECT * FROM r".to_owned(),
        "SELECT count(*) FROM book GROUP BY ROLLUP (id, CUBE (id))".to_owned(),
        "SELECT count(*) FROM book GROUP BY CUBE (id, ())".to_owned(),
        format!("SELECT count(*) FROM book GROUP BY CUBE (id{})", ", id".repeat(12)),
        over("f"),
        over("p PARTITION BY id"),
        over("p ORDER BY id"),
        over("ORDER BY id ROWS BETWEEN UNBOUNDED FOLLOWING AND 1 FOLLOWING"),
        over("ORDER BY id ROWS BETWEEN 1 PRECEDING AND UNBOUNDED PRECEDING"),
        over("ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING"),
        over("ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING"),
        over("ORDER BY id ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW"),
        over("GROUPS CURRENT ROW"),
        over("ORDER BY id, pages RANGE 1 PRECEDING"),
        over("ORDER BY id ROWS pages PRECEDING"),
        "SELECT count(*) OVER a FROM book WINDOW a AS (z), z AS (PARTITION BY genre)".to_owned(),
        "SELECT DISTINCT ON (genre, id) genre, id FROM book ORDER BY pages".to_owned(),
        "SELECT DISTINCT ON (genre, id) genre, id FROM book ORDER BY genre, pages".to_owned(),
        "SELECT DISTINCT ON (genre, id) genre, id FROM book ORDER BY genre, pages, id".to_owned(),
        "SELECT id FROM book FETCH FIRST 3 ROWS WITH TIES".to_owned(),
        "SELECT id FROM book ORDER BY id LIMIT pages".to_owned(),
    ];
    for sql in refused {
        assert!(client.prepare(&sql).await.is_err(), "PostgreSQL takes it: {sql}");
    }
}
