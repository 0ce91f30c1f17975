//! Set operations, grouping sets, and the CTEs that go with them.

use callslip_ir::{Direction, NodeKind};

use super::written;
use crate::{arena, prelude::*, rare};

fn of(name: &str) -> Select {
    let t = table(name);
    select(t.col("a")).from(t)
}

#[test]
fn a_set_operation_keeps_what_its_sides_have() {
    arena::reset();
    assert_eq!(
        written(
            of("t")
                .order_by(output("a"))
                .limit(1)
                .union(of("u"))
                .except_all(of("v"))
                .order_by(output("a"))
                .offset(2)
        ),
        "((select t.a from t:t order by a Ascending Unspecified limit 1::int4 Union select u.a from u:u) Except all \
         select v.a from v:v) order by a Ascending Unspecified offset 2::int4"
    );
    assert_eq!(
        written(select(of("t").intersect(of("u")).scalar()).filter(exists(of("t").intersect_all(of("u"))))),
        "select scalar((select t.a from t:t Intersect select u.a from u:u)) \
         where exists((select t.a from t:t Intersect all select u.a from u:u))"
    );
}

#[test]
fn a_set_operation_declares_the_ctes_of_both_sides() {
    arena::reset();
    let c = cte("c", of("t"));
    let from = || select(c.col("a")).from(c);
    assert_eq!(
        written(from().union_all(from().except(from())).with(c)),
        "with c (select t.a from t:t) (select c.a from cte c:c Union all (select c.a from cte c:c Except select c.a \
         from cte c:c))"
    );
}

#[test]
fn a_recursive_cte_sees_itself_and_what_its_sides_use() {
    arena::reset();
    // One that it uses, and one that uses it, which only its recursive term can declare.
    let r = cte_recursive("r", |r| {
        let base = cte("base", of("t"));
        let last = cte("last", select(r.col("a")).from(r));
        select(base.col("a")).from(base).union(select(last.col("a") + 1).from(last))
    });
    assert_eq!(
        written(select(r.col("a")).from(r)),
        "recursive with base (select t.a from t:t) with r ((select base.a from cte base:base Union \
         with last (select r.a from cte r:r) select (+ last.a 1::int4) from cte last:last)) select r.a from cte r:r"
    );
}

#[test]
fn recursive_ctes_may_be_the_same() {
    arena::reset();
    let r = |limit: i32| {
        cte_recursive("r", |r| of("t").union(select(r.col("a")).from(r).filter(r.col("a").lt(limit))))
    };
    let column = |r: Cte| select(r.col("a")).from(r).into_query();
    let (one, same, other, searched) = (r(1), r(1), r(2), r(1));
    let _ = rare::search_breadth_first(searched, searched.col("a"), "ordering");
    let of_one = column(one);
    assert!(arena::same(of_one, column(same)));
    assert!(!arena::same(of_one, column(other)));
    assert!(!arena::same(of_one, column(searched)));
}

#[test]
#[should_panic(expected = "the recursive CTE `r` of plugin-sdk/src/tests/bodies.rs:")]
fn a_recursive_cte_is_used_only_when_it_is_finished() {
    arena::reset();
    let _ = cte_recursive("r", |r| {
        let _ = arena::describe(select(r.col("a")).from(r).into_query());
        of("t")
    });
}

#[test]
fn grouping_sets_and_what_stays_together() {
    arena::reset();
    let t = table("t");
    let (a, b) = (t.col("a"), t.col("b"));
    let query = select(grouping((a, b))).from(t).group_by((a, rollup((a, (a, b))))).group_by_distinct(());
    assert_eq!(written(query), "select <Grouping>(t.a t.b) from t:t group by t.a Rollup(t.a (t.a t.b)) ()");
    assert_eq!(
        written(select(1).group_by(grouping_sets((a, (), cube([a, b]), (a, b))))),
        "select 1::int4 group by Sets(t.a () Cube(t.a t.b) (t.a t.b))"
    );
}

#[test]
fn ties_and_operators() {
    arena::reset();
    let a = table("t").col("a");
    let order = (rare::order_using(a.desc().nulls_first(), "~>~"), rare::order_using(output("a"), "s.<"));
    let query = select(a).order_by(order).limit(1).limit_with_ties(2).limit_with_ties(None::<i32>);
    let (description, _) = arena::describe(query.into_query());
    let Some(NodeKind::Query(query)) = description.nodes.last().map(|node| &node.kind) else {
        panic!("a query")
    };
    assert!(query.limit.as_ref().is_some_and(|limit| limit.with_ties));
    let operators: Vec<String> = query
        .order_by
        .iter()
        .map(|order| match &order.direction {
            Direction::Using(operator) => operator.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(operators, ["~>~", "s.<"]);
}

#[test]
fn what_belongs_to_a_select_is_told_where_the_union_is() {
    arena::reset();
    let t = table("t");
    let union = || of("t").union(of("u"));
    type Clause = fn(Select, Table) -> Select;
    let clauses: [(&str, Clause); 7] = [
        ("FROM", |q, t| q.from(t)),
        ("a join", |q, t| q.cross_join(t)),
        ("WHERE", |q, t| q.filter(t.col("a").is_null())),
        ("GROUP BY", |q, t| q.group_by(t.col("a"))),
        ("HAVING", |q, t| q.having(t.col("a").is_null())),
        ("DISTINCT", |q, _| q.distinct()),
        ("WINDOW", |q, _| q.window("w", window())),
    ];
    for (clause, add) in clauses {
        let refusal = std::panic::catch_unwind(|| add(union(), t)).err().expect("it panics");
        let message = refusal.downcast_ref::<String>().expect("a message");
        let expected =
            format!("{clause} belongs to a SELECT, and this is the UNION of plugin-sdk/src/tests/bodies.rs:");
        assert!(message.starts_with(&expected), "{message}");
    }
    // What adds nothing is no clause.
    let _ = union().filter(None::<Expr>);
}
