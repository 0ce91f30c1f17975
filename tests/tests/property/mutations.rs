//! That the comparison can fail: texts that are nearly the same, and descriptions that are nearly the printed one.

use callslip_ir::{Description, NodeKind};

use super::property::{Subject, same};
use super::tree::Tree;
use super::{choices, generate, parsed};

/// Pairs of texts of which the second is a mistake that a printer could make.
const MISTAKES: &[(&str, &str)] = &[
    ("SELECT a - (b - c)", "SELECT a - b - c"),
    ("SELECT a - b", "SELECT b - a"),
    ("SELECT -(a - b)", "SELECT -a - b"),
    ("SELECT (a AND b) OR c", "SELECT a AND (b OR c)"),
    ("SELECT NOT (a AND b)", "SELECT NOT a AND b"),
    ("SELECT a BETWEEN (b AND c) AND d", "SELECT a BETWEEN b AND (c AND d)"),
    ("SELECT a BETWEEN SYMMETRIC b AND c", "SELECT a BETWEEN b AND c"),
    ("SELECT a = ANY (COALESCE((SELECT b)))", "SELECT a = ANY ((SELECT b))"),
    ("SELECT a IN (b, c)", "SELECT a NOT IN (b, c)"),
    ("SELECT a.b", "SELECT \"a.b\""),
    ("SELECT a.\"B\"", "SELECT a.b"),
    ("SELECT pg_catalog.lower(a)", "SELECT lower(a)"),
    ("SELECT a OPERATOR(app.+) b", "SELECT a OPERATOR(pg_catalog.+) b"),
    ("SELECT CAST(a AS numeric(10, 2))", "SELECT CAST(a AS numeric(2, 10))"),
    ("SELECT CAST(a AS pg_catalog.int4[])", "SELECT CAST(a AS pg_catalog.int4)"),
    ("SELECT CAST(a + b AS text)", "SELECT a + CAST(b AS text)"),
    ("SELECT CAST(CAST(a AS text) AS varchar)", "SELECT a"),
    ("SELECT (a COLLATE \"C\") || b", "SELECT (a || b) COLLATE \"C\""),
    ("SELECT a[b][c]", "SELECT (a[b])[c]"),
    ("SELECT (a).b", "SELECT a.b"),
    ("SELECT a AS x, b AS y", "SELECT b AS x, a AS y"),
    ("SELECT 'a' AS \"x\"\"y\"", "SELECT 'a' AS \"xy\""),
    ("SELECT DISTINCT ON (a) b", "SELECT DISTINCT a, b"),
    ("SELECT count(DISTINCT a ORDER BY b)", "SELECT count(a ORDER BY b)"),
    ("SELECT count(*) FILTER (WHERE a)", "SELECT count(*)"),
    ("SELECT mode(b) WITHIN GROUP (ORDER BY a)", "SELECT mode(b ORDER BY a)"),
    ("SELECT f(VARIADIC a)", "SELECT f(a)"),
    ("SELECT f(a => b)", "SELECT f(b)"),
    (
        "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN c PRECEDING AND d FOLLOWING)",
        "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN d PRECEDING AND c FOLLOWING)",
    ),
    (
        "SELECT sum(a) OVER (ORDER BY b GROUPS c PRECEDING)",
        "SELECT sum(a) OVER (ORDER BY b ROWS c PRECEDING)",
    ),
    ("SELECT sum(a) OVER w FROM t WINDOW w AS ()", "SELECT sum(a) OVER (w) FROM t WINDOW w AS ()"),
    ("SELECT a FROM t GROUP BY (a, b)", "SELECT a FROM t GROUP BY ROW(a, b)"),
    ("SELECT a FROM t GROUP BY ROLLUP (a, (b, c))", "SELECT a FROM t GROUP BY ROLLUP (a, b, c)"),
    ("SELECT a FROM t GROUP BY DISTINCT a, b", "SELECT a FROM t GROUP BY a, b"),
    ("SELECT a FROM t JOIN (u JOIN v ON x) ON y", "SELECT a FROM t JOIN u ON x JOIN v ON y"),
    ("SELECT a FROM t LEFT JOIN u ON x", "SELECT a FROM t JOIN u ON x"),
    ("SELECT a FROM t JOIN u USING (x)", "SELECT a FROM t NATURAL JOIN u"),
    ("SELECT a FROM ONLY t", "SELECT a FROM t"),
    ("SELECT a FROM t, LATERAL (SELECT b) u", "SELECT a FROM t, (SELECT b) u"),
    ("SELECT a FROM f(b) WITH ORDINALITY AS x (c, d)", "SELECT a FROM f(b) AS x (c, d)"),
    ("SELECT a FROM t TABLESAMPLE system (b)", "SELECT a FROM t TABLESAMPLE bernoulli (b)"),
    ("(SELECT a EXCEPT SELECT b) EXCEPT SELECT c", "SELECT a EXCEPT (SELECT b EXCEPT SELECT c)"),
    ("SELECT a UNION (SELECT b ORDER BY c LIMIT d)", "SELECT a UNION SELECT b ORDER BY c LIMIT d"),
    ("SELECT a UNION ALL SELECT b", "SELECT a UNION SELECT b"),
    ("SELECT a ORDER BY b DESC NULLS LAST", "SELECT a ORDER BY b DESC"),
    ("SELECT a ORDER BY b USING OPERATOR(pg_catalog.<)", "SELECT a ORDER BY b"),
    ("SELECT a ORDER BY b FETCH FIRST (c) ROWS WITH TIES", "SELECT a ORDER BY b LIMIT c"),
    ("SELECT a LIMIT b OFFSET c", "SELECT a LIMIT c OFFSET b"),
    ("WITH x AS MATERIALIZED (SELECT a) SELECT b FROM x", "WITH x AS (SELECT a) SELECT b FROM x"),
    ("WITH RECURSIVE x AS (SELECT a) SELECT b FROM x", "WITH x AS (SELECT a) SELECT b FROM x"),
    (
        "WITH RECURSIVE x AS (SELECT a) SEARCH DEPTH FIRST BY a SET s SELECT b FROM x",
        "WITH RECURSIVE x AS (SELECT a) SEARCH BREADTH FIRST BY a SET s SELECT b FROM x",
    ),
];

/// What is no SELECT, or more than one.
const REFUSED: &[&str] = &[
    "",
    "SELECT a; SELECT b",
    "DELETE FROM t",
    "SELECT a INTO u FROM t",
    "SELECT a FROM t FOR UPDATE",
    "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x",
    "SELECT a FROM (SELECT b FROM u FOR SHARE) t",
    "SELECT 1",
    "SELECT $1",
    "SELECT CAST($2 AS pg_catalog.int4)",
    "SELECT CAST($1 AS pg_catalog.int8)",
    "SELECT * FROM t)",
];

fn read(sql: &str) -> Result<Tree, String> {
    let parameter = parsed::Parameter { slot: 0, ty: " as \"pg_catalog\".\"int4\"[]".to_owned() };
    parsed::statement(sql, &[parameter]).map(|(tree, _)| tree)
}

#[test]
fn a_mistake_in_the_text_is_a_difference() {
    for (right, wrong) in MISTAKES {
        let (right_tree, wrong_tree) = (read(right).unwrap(), read(wrong).unwrap());
        assert_eq!(Tree::difference(&right_tree, &right_tree), Ok(()), "{right}");
        assert!(Tree::difference(&right_tree, &wrong_tree).is_err(), "{right} is taken for {wrong}");
    }
    // What may be added on the way may not be left out.
    let (with, without) = (read("SELECT CAST(a AS text)").unwrap(), read("SELECT a").unwrap());
    assert_eq!(Tree::difference(&without, &with), Ok(()));
    assert!(Tree::difference(&with, &without).is_err());
}

#[test]
fn what_is_no_single_select_is_refused() {
    assert!(read("SELECT CAST($1 AS pg_catalog.int4)").is_ok());
    for sql in REFUSED {
        assert!(read(sql).is_err(), "{sql} is read as {}", read(sql).unwrap());
    }
}

/// For each node, the same description but for one thing.
fn mistaken(description: &Description) -> Vec<Description> {
    let mut found = Vec::new();
    for (index, node) in description.nodes.iter().enumerate() {
        let kind = match node.kind.clone() {
            NodeKind::Operation(mut its) if its.operands.len() == 2 => {
                its.operands.swap(0, 1);
                NodeKind::Operation(its)
            }
            NodeKind::Is(mut its) => {
                its.negated = !its.negated;
                NodeKind::Is(its)
            }
            NodeKind::Special(mut its) if its.operands.len() > 1 => {
                its.operands.reverse();
                NodeKind::Special(its)
            }
            NodeKind::Case(mut its) => {
                let arm = &mut its.arms[0];
                std::mem::swap(&mut arm.when, &mut arm.then);
                NodeKind::Case(its)
            }
            NodeKind::Column { relation, name } => NodeKind::Column { relation, name: format!("{name}x") },
            NodeKind::Select(mut its) => {
                its.group_distinct = !its.group_distinct;
                NodeKind::Select(its)
            }
            NodeKind::Query(mut its) => {
                its.order_by.reverse();
                its.offset = None;
                NodeKind::Query(its)
            }
            _ => continue,
        };
        let mut other = description.clone();
        other.nodes[index].kind = kind;
        found.push(other);
    }
    found
}

/// A mistake in a description is one unless the tree of the description stays the same.
pub fn a_mistake_in_the_description_is_a_difference(subject: &Subject, seeds: std::ops::Range<u64>) {
    let (mut mistakes, mut missed) = (0, Vec::new());
    for seed in seeds {
        let description = generate::description(&choices::bytes_of(seed, 200));
        let Ok(printed) = subject.print(&description) else { continue };
        for other in mistaken(&description) {
            let differs = super::described::statement(&other) != super::described::statement(&description);
            mistakes += usize::from(differs);
            if differs && same(&other, &printed).is_ok() {
                missed.push((seed, printed.sql.clone()));
            }
        }
    }
    assert!(mistakes > 1_000, "only {mistakes} mistakes were tried");
    assert!(missed.is_empty(), "{missed:#?}");
}
