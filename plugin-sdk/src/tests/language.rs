//! What an author writes, and the description that it becomes.

#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "relations are taken by value and by reference"
)]

use callslip_ir::{Binding, IsTest, JoinKind, NodeKind, SlotType, SpecialForm};

use super::written;
use crate::{arena, prelude::*};

/// Asserts what tree each expression becomes.
macro_rules! assert_trees {
    ($(($expr:expr, $tree:expr $(,)?)),+ $(,)?) => { $(
        // The arena holds what was written before, too.
        assert_eq!(written(select($expr)), format!("select {}", $tree));
    )+ };
}

#[test]
fn handles_are_small() {
    assert_eq!(size_of::<Expr>(), 4);
    assert_eq!(size_of::<Arg<i32>>(), 4);
    assert_eq!(size_of::<Table>(), 4);
}

#[test]
fn operators() {
    let t = table("t");
    let (a, b) = (t.col("a"), t.col("b"));
    assert_trees! {
        (a.eq(b), "(= t.a t.b)"),
        (a.ne(1), "(<> t.a 1::int4)"),
        (a.lt(1_i64), "(< t.a 1::int8)"),
        (a.le(1_i16), "(<= t.a 1::int2)"),
        (a.gt(1.5), "(> t.a 1.5::numeric)"),
        (a.gt(7.0), "(> t.a 7.0::numeric)"),
        (a.gt(7.5_f32), "(> t.a 7.5::float4)"),
        (a.gt(f64::NAN), "(> t.a NaN::numeric)"),
        (a.gt(f64::NEG_INFINITY), "(> t.a -inf::numeric)"),
        (a.ge("x"), r#"(>= t.a ("x"))"#),
        (a + b * 2, "(+ t.a (* t.b 2::int4))"),
        ((a - b) / 2 % 3, "(% (/ (- t.a t.b) 2::int4) 3::int4)"),
        (-a, "(- t.a)"),
        (!a.and(b), "(Not (And t.a t.b))"),
        (a.or(b.not()), "(Or t.a (Not t.b))"),
        (
            a.add(1).sub(2).mul(3).div(4).rem(5).neg(),
            "(- (% (/ (* (- (+ t.a 1::int4) 2::int4) 3::int4) 4::int4) 5::int4))",
        ),
        (a.like("a%"), r#"(~~ t.a ("a%"))"#),
        (a.ilike("a%"), r#"(~~* t.a ("a%"))"#),
        (a.not_like("a%"), r#"(!~~ t.a ("a%"))"#),
        (a.not_ilike("a%"), r#"(!~~* t.a ("a%"))"#),
        (a.concat(b), "(|| t.a t.b)"),
        (a.op("@>", b), "(@> t.a t.b)"),
        (a.op("ext.<->", b), "(ext.<-> t.a t.b)"),
        (a.between(1, 2), "<Between { symmetric: false, negated: false }>(t.a 1::int4 2::int4)"),
        (a.not_between(1, 2), "<Between { symmetric: false, negated: true }>(t.a 1::int4 2::int4)"),
        (a.between_symmetric(1, 2), "<Between { symmetric: true, negated: false }>(t.a 1::int4 2::int4)"),
        (a.not_between_symmetric(1, 2), "<Between { symmetric: true, negated: true }>(t.a 1::int4 2::int4)"),
        (a.is_null(), "t.a is Null"),
        (a.is_not_null(), "t.a is not Null"),
        (a.is_true(), "t.a is True"),
        (a.is_not_true(), "t.a is not True"),
        (a.is_false(), "t.a is False"),
        (a.is_not_false(), "t.a is not False"),
        (a.is_unknown(), "t.a is Unknown"),
        (a.is_not_unknown(), "t.a is not Unknown"),
        (a.is_distinct_from(b), "<DistinctFrom { negated: false }>(t.a t.b)"),
        (a.is_not_distinct_from(b), "<DistinctFrom { negated: true }>(t.a t.b)"),
        (a.in_list([1, 2]), "t.a in [1::int4 2::int4]"),
        (a.not_in_list(vec![b]), "t.a not in [t.b]"),
        (a.in_list(Vec::<i32>::new()), "false::bool"),
        (a.not_in_list(Vec::<i32>::new()), "true::bool"),
        (a.cast_as("numeric(10,2)"), "t.a::numeric(10,2)"),
        (a.collate("C"), "t.a collate C"),
        (null("int4[]"), "null::int4[]"),
        (all([a.eq(1), b.eq(2)]), "(And (= t.a 1::int4) (= t.b 2::int4))"),
        (any([Some(a.eq(1)), None]), "(= t.a 1::int4)"),
        (any(Vec::<Expr<bool>>::new()), "false::bool"),
        (all(Vec::<Expr<bool>>::new()), "true::bool"),
        (
            case().when(a, 1).when(b, 2).otherwise(3),
            "case when t.a then 1::int4 when t.b then 2::int4 else 3::int4",
        ),
        (case_of(a).when(1, 2) + 1, "(+ case t.a when 1::int4 then 2::int4 1::int4)"),
        (coalesce((a, 0)), "<Coalesce>(t.a 0::int4)"),
        (nullif(a, ""), r#"<NullIf>(t.a (""))"#),
        (greatest([a, b]), "<Greatest>(t.a t.b)"),
        (least(vec![a, b]), "<Least>(t.a t.b)"),
        (extract("year", a), r#"<Extract { field: "year" }>(t.a)"#),
        (current_date(), "<CurrentDate>()"),
        (a.eq(Numeric::new("3.50")), "(= t.a 3.50::numeric)"),
        (a.eq(Bytes::new([1, 171])), r"(= t.a \x01ab::bytea)"),
    }
}

#[test]
fn tests_are_named_as_in_sql() {
    // `written` prints the IR's own names; this pins what they mean.
    arena::reset();
    let (description, _) = arena::describe(select(table("t").col("a").is_not_true()).into_query());
    let is = description.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Is(is) => Some((is.test, is.negated)),
        _ => None,
    });
    assert_eq!(is, Some((IsTest::True, true)));
    let special = SpecialForm::DistinctFrom { negated: true };
    let (description, _) = arena::describe(select(table("t").col("a").is_not_distinct_from(1)).into_query());
    assert!(description.nodes.iter().any(|n| matches!(&n.kind, NodeKind::Special(s) if s.form == special)));
}

#[test]
fn calls() {
    let t = table("t");
    let a = t.col("a");
    let w = || window().partition_by(a).order_by((a.desc().nulls_last(), a)).rows(preceding(2), CURRENT_ROW);
    assert_trees! {
        (count_all(), "count(*)"),
        (count_distinct(a), "count(distinct t.a)"),
        (sum(a).filter(a.gt(0)).filter(None::<Expr>), "sum(t.a) filter (> t.a 0::int4)"),
        (sum(a).filter(a.gt(0)).filter(a.lt(9)), "sum(t.a) filter (And (> t.a 0::int4) (< t.a 9::int4))"),
        (
            string_agg(a, ", ").order_by(a.asc()),
            r#"string_agg(t.a, (", ") order by t.a Ascending Unspecified)"#,
        ),
        (
            percentile_cont(0.5).within_group(a.asc().nulls_first()),
            "percentile_cont(0.5::numeric) within group (t.a Ascending First)",
        ),
        (
            row_number().over(w()),
            "row_number() over [t.a / t.a Descending Last, t.a Ascending Unspecified Rows 2::int4 preceding .. \
             CurrentRow NoOthers]",
        ),
        (
            avg(a).over(window().groups(UNBOUNDED_PRECEDING, following(1)).exclude(Exclude::Ties)),
            "avg(t.a) over [ /  Groups UnboundedPreceding .. 1::int4 following Ties]",
        ),
        (
            avg(a).over(window().base("w").range(CURRENT_ROW, UNBOUNDED_FOLLOWING)),
            "avg(t.a) over w[ /  Range CurrentRow .. UnboundedFollowing NoOthers]",
        ),
        (rank().over("w"), "rank() over w"),
        (call("app.f", (a, 1)).named("b", 2), "app.f(t.a, 1::int4, b => 2::int4)"),
        (call("concat", (a, a)).variadic(), "concat(t.a, variadic t.a)"),
        (call("pi", ()), "pi()"),
        (date_trunc("month", a), r#"date_trunc(("month"), t.a)"#),
        (substring(a, 1, 2), "substring(t.a, 1::int4, 2::int4)"),
    }
}

#[test]
fn a_call_that_is_changed_stays_as_it_was_elsewhere() {
    arena::reset();
    let all = count(table("t").col("a"));
    let some = all.filter(table("t").col("b"));
    assert_eq!(written(select((all, some))), "select count(t.a), count(t.a) filter t.b");
}

#[test]
fn a_whole_select() {
    arena::reset();
    let (a, b) = (table("a"), table("s.b").alias("x"));
    let query = select((a.col("id"), count_all().alias("n"), 1))
        .from(&a)
        .left_join(b, b.col("id").eq(a.col("id")))
        .from(table("c"))
        .cross_join(table("d"))
        .filter(a.col("id").gt(1))
        .filter(None::<Expr>)
        .filter(Some(b.col("ok")))
        .group_by((a.col("id"), b.col("id")))
        .having(count_all().gt(1))
        .window("w", window().order_by(a.col("id")))
        .order_by((output("n").desc().nulls_last(), a.col("id")))
        .order_by(b.col("id").asc())
        .limit(10)
        .offset(Some(5_i64))
        .distinct();
    assert_eq!(
        written(query),
        "select distinct a.id, count(*):n, 1::int4 from (a:a Left s.b:x on (= x.id a.id)) (c:c Cross d:d) \
         where (And (> a.id 1::int4) x.ok) having (> count(*) 1::int4) group by a.id x.id \
         window w [ / a.id Ascending Unspecified] \
         order by n Descending Last, a.id Ascending Unspecified, x.id Ascending Unspecified \
         limit 10::int4 offset 5::int8"
    );
}

#[test]
fn every_join() {
    arena::reset();
    let (a, b) = (table("a"), table("b"));
    let on = a.col("id").eq(b.col("id"));
    let sub = select(b.col("n")).from(b).filter(on).alias("l");
    let base = || select(a.col("id")).from(a);
    for (query, kind) in [
        (base().join(b, on), JoinKind::Inner),
        (base().inner_join(b, on), JoinKind::Inner),
        (base().left_join(b, on), JoinKind::Left),
        (base().right_join(b, on), JoinKind::Right),
        (base().full_join(b, on), JoinKind::Full),
    ] {
        assert_eq!(written(query), format!("select a.id from (a:a {kind:?} b:b on (= a.id b.id))"));
    }
    let lateral = "lateral (select b.n from b:b where (= a.id b.id)):l";
    for (query, join) in [
        (base().join_lateral(sub, true), format!("Inner {lateral} on true::bool")),
        (base().left_join_lateral(&sub, true), format!("Left {lateral} on true::bool")),
        (base().cross_join_lateral(sub), format!("Cross {lateral}")),
        (base().cross_join(sub.lateral()), format!("Cross {lateral}")),
    ] {
        assert_eq!(written(query), format!("select a.id from (a:a {join})"));
    }
}

#[test]
fn subqueries() {
    arena::reset();
    let (a, b) = (table("a"), table("b"));
    let sub = || select(b.col("id")).from(b);
    assert_eq!(
        written(select((a.col("id").in_query(sub()), a.col("id").not_in_query(sub())))),
        "select a.id in (select b.id from b:b), a.id not in (select b.id from b:b)"
    );
    assert_eq!(
        written(select((exists(sub()), not_exists(sub()), scalar(sub())))),
        "select exists(select b.id from b:b), (Not exists(select b.id from b:b)), scalar(select b.id from b:b)"
    );
    let x = sub().alias("x");
    assert_eq!(
        written(select(x.col("id")).from(&x).distinct_on((x.col("id"), 1))),
        "select distinct on (x.id 1::int4) x.id from (select b.id from b:b):x"
    );
}

#[test]
fn ctes_are_declared_where_they_are_used_in_the_order_of_dependency() {
    arena::reset();
    let t = table("t");
    let one = cte("one", select(t.col("a")).from(t));
    let two = cte("two", select(one.col("a")).from(one)).materialized();
    let again = two.alias("again");
    assert_eq!(
        written(select(two.col("a")).from(two).join(again, again.col("a").eq(two.col("a")))),
        "with one (select t.a from t:t) with two materialized (select one.a from cte one:one) \
         select two.a from (cte two:two Inner cte two:again on (= again.a two.a))"
    );
}

#[test]
fn a_cte_is_declared_by_the_outermost_query_that_uses_it() {
    arena::reset();
    let t = table("t");
    let r = cte("r", select(t.col("a")).from(t)).not_materialized();
    let sub = || select(r.col("a")).from(r);
    let with = "with r not materialized (select t.a from t:t)";
    let inner = "select r.a from cte r:r";
    assert_eq!(written(select(exists(sub())).from(r)), format!("{with} select exists({inner}) from cte r:r"));
    assert_eq!(
        written(select((scalar(sub()), scalar(sub()))).from(t)),
        format!("select scalar({with} {inner}), scalar({with} {inner}) from t:t")
    );
    assert_eq!(
        written(select((scalar(sub()), scalar(sub()))).from(t).with(&r)),
        format!("{with} select scalar({inner}), scalar({inner}) from t:t")
    );
}

#[test]
#[should_panic(expected = "two CTEs that are called `r`")]
fn two_ctes_of_one_name_are_refused() {
    arena::reset();
    let t = table("t");
    let (one, two) = (cte("r", select(t.col("a")).from(t)), cte("r", select(t.col("b")).from(t)));
    let two = two.alias("s");
    let _ = written(select(one.col("a")).from(one).cross_join(two));
}

#[test]
#[should_panic(expected = "call `.from(…)` before it")]
fn a_join_needs_a_left_side() {
    let t = table("t");
    let _ = select(t.col("a")).cross_join(t);
}

#[test]
fn equal_constants_share_a_slot() {
    arena::reset();
    let x = table("t").col("x");
    let query = select((x + 1, x + 1_i64, x.eq("1"), x.eq("1"))).group_by(x + 1);
    let (description, bindings) = arena::describe(query.into_query());
    assert_eq!(description.slots.len(), 3);
    assert_eq!(bindings, vec![Binding::Constant(Some("1".to_owned())); 3]);
    assert_eq!(description.slots[2], SlotType::Context);
}

#[test]
fn an_expression_used_twice_is_copied() {
    arena::reset();
    let x = table("t").col("x");
    let twice = x.add(x);
    assert_eq!(written(select(twice.mul(twice))), "select (* (+ t.x t.x) (+ t.x t.x))");
}

#[test]
#[should_panic(expected = "more than 100000 nodes")]
fn sharing_does_not_explode() {
    arena::reset();
    let mut x = table("t").col("x");
    for _ in 0..64 {
        x = x.add(x);
    }
    let _ = arena::describe(select(x).into_query());
}

#[test]
#[should_panic(expected = "an expression of another plan")]
fn a_handle_from_before_a_plan_is_refused() {
    let stale = table("t").col("x");
    arena::reset();
    let _ = arena::describe(select(stale).into_query());
}

#[test]
fn depth_is_no_danger() {
    arena::reset();
    let mut x = table("t").col("x");
    for _ in 0..30_000 {
        x = x.add(1);
    }
    let (description, _) = arena::describe(select(x).into_query());
    assert_eq!(description.nodes.len(), 60_003);
}

#[test]
fn places_are_the_authors() {
    arena::reset();
    let line = line!();
    let query = select(table("t").col("x") * 1 + 2);
    let (description, _) = arena::describe(query.into_query());
    for node in &description.nodes {
        let place = node.place.expect("a place");
        assert_eq!((description.files[place.file as usize].as_str(), place.line), (file!(), line + 1));
    }
}
