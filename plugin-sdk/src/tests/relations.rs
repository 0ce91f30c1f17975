//! What stands in FROM, and the description that it becomes.

use super::written;
use crate::{
    arena,
    prelude::*,
    rare::{TableSample, bernoulli, column, record, rows_from, sampling_method, system},
};

mod tables {
    crate::schema!("tests/schema.json");
}
use tables::{Interview, Position};

/// Asserts what stands in FROM of `SELECT item FROM relation`.
macro_rules! assert_from {
    ($(($item:expr, $relation:expr, $tree:expr $(,)?)),+ $(,)?) => { $(
        assert_eq!(written(select($item).from($relation)).split_once(" from ").unwrap().1, $tree);
    )+ };
}

#[test]
fn tables() {
    arena::reset();
    let (t, p) = (table("s.t").alias("x"), Position::alias("p"));
    let renamed = t.column_aliases(["a", "b"]);
    assert_from! {
        (t.col("a"), t.only(), "only s.t:x"),
        (renamed.col("a"), renamed, "s.t:x(a, b)"),
        (renamed.col("a"), renamed.alias("y"), "s.t:y(a, b)"),
        (t.col("a"), t.tablesample(system(10)), "s.t:x sample system(10::int4)"),
        (
            p.id,
            p.only().tablesample(bernoulli(2.5).repeatable(7)),
            "only position:p sample bernoulli(2.5::numeric) repeatable 7::int4",
        ),
        (t.col("a"), t.tablesample(sampling_method("ext.rows", (1, 2))), "s.t:x sample ext.rows(1::int4 2::int4)"),
    }
    // Each is another relation; what it was made of stays as it was.
    assert_from!((t.col("a"), t, "s.t:x"));
}

#[test]
fn functions() {
    arena::reset();
    let t = table("t");
    let n = call("generate_series", (1, 3)).in_from("n");
    let named = n.with_ordinality().column_aliases(["value", "place"]);
    let pairs = || record(call("pairs", t.col("a")), [("a", "int4"), ("b", "numeric(8,2)")]);
    let texts = record(call("texts", ()), [column("c", "text").collate("C")]);
    assert_from! {
        (n.value(), n, "rows generate_series(1::int4, 3::int4):n"),
        (n.ordinality(), &n.with_ordinality(), "rows generate_series(1::int4, 3::int4) ordinality:n"),
        (named.value(), named.lateral(), "lateral rows generate_series(1::int4, 3::int4) ordinality:n(value, place)"),
        (t.col("a"), unnest(t.col("b")).in_from("b"), "rows unnest(t.b):b"),
        (t.col("a"), pairs().in_from("p"), "rows pairs(t.a)(a int4, b numeric(8,2)):p"),
        (
            t.col("a"),
            rows_from("r", (unnest(t.col("b")), pairs(), texts)),
            "rows unnest(t.b) pairs(t.a)(a int4, b numeric(8,2)) texts()(c text collate C):r",
        ),
        (t.col("a"), rows_from("r", vec![call("f", ()), call("g", ())]), "rows f() g():r"),
    }
    assert_eq!(
        written(select((n.value(), named.value(), named.col("place")))),
        "select n.n, n.value, n.place"
    );
    // The values of an array have the type of its elements.
    let numbers: Expr<i32> = unnest(t.col("a").cast::<Vec<i32>>()).in_from("u").value();
    assert_eq!(written(select(numbers + 1)), "select (+ u.u 1::int4)");
}

#[test]
fn lists_of_values() {
    arena::reset();
    let t = table("t");
    let v = values([(t.col("a"), "x"), (t.col("b"), "y")]).alias("v", ["a", "b"]);
    let typed = values!("w", (number, r#type), [(1, "x"), (t.col("c"), null("text")),]);
    assert_from! {
        (v.col("a"), v, r#"(values (t.a ("x")) (t.b ("y"))):v(a, b)"#),
        (typed.number + 1, typed.lateral(), r#"lateral (values (1::int4 ("x")) (t.c null::text)):w(number, type)"#),
        (values!("one", (x), [(1)]).x, values!("one", (x), [(1), (2)]), "(values (1::int4) (2::int4)):one(x)"),
    }
    let _: Expr<bool> = typed.number.eq(1).and(typed.r#type.eq("x"));
}

#[test]
fn joins() {
    arena::reset();
    let (a, b, c) = (table("a"), table("b"), table("c"));
    let base = || select(a.col("id")).from(a);
    let u = using(["id", "n"]).alias("u");
    for (query, join) in [
        (base().join_using(b, ["id"]), "Inner b:b using id"),
        (base().left_join_using(b, using(["id"])), "Left b:b using id"),
        (base().right_join_using(b, u.clone()), "Right b:b using id n:u"),
        (base().full_join_using(b, &u), "Full b:b using id n:u"),
        (base().natural_join(b), "Inner b:b natural"),
        (base().natural_left_join(b), "Left b:b natural"),
        (base().natural_right_join(b), "Right b:b natural"),
        (base().natural_full_join(b), "Full b:b natural"),
        (base().left_join(joined(b).cross_join(c), true), "Left (b:b Cross c:c) on true::bool"),
        (base().cross_join(joined(b).natural_join(c).alias("j")), "Cross (b:b Inner c:c natural):j"),
        (
            base().join_lateral(call("f", a.col("id")).in_from("f"), true),
            "Inner lateral rows f(a.id):f on true::bool",
        ),
    ] {
        assert_eq!(written(query), format!("select a.id from (a:a {join})"));
    }
    assert_eq!(written(select(u.col("n"))), "select u.n");
    let j = joined(joined(a).join_using(b, ["id"]).alias("i")).cross_join(c).alias("j").column_aliases(["x"]);
    assert_from!((j.col("x"), j, "((a:a Inner b:b using id):i Cross c:c):j(x)"));
}

#[test]
#[should_panic(expected = "`j` is the alias of a join: call a join before it")]
fn an_alias_of_a_join_needs_a_join() {
    let _ = joined(table("a")).alias("j");
}

#[test]
#[should_panic(expected = "the whole row of a join is named by its alias")]
fn the_whole_row_of_a_join_has_an_alias() {
    arena::reset();
    _ = whole_row(joined(table("a")).cross_join(table("b")));
}

#[test]
#[should_panic(expected = "call `.alias(…)` before `.col(…)`")]
fn columns_of_using_need_an_alias() {
    let _ = using(["id"]).col("id");
}

#[test]
fn ctes_within_joins_are_declared() {
    arena::reset();
    let t = table("t");
    let cte = |name: &str| cte(name, select(t.col("a")).from(t));
    let (one, two, three) = (cte("one"), cte("two"), cte("three").column_aliases(["z"]));
    let inner = joined(two).cross_join(joined(t).join(three, three.col("z").eq(1)).alias("j"));
    assert_eq!(
        written(select(one.col("a")).from(one).left_join(inner, true)),
        "with one (select t.a from t:t) with two (select t.a from t:t) with three (select t.a from t:t) select one.a from \
         (cte one:one Left (cte two:two Cross (t:t Inner cte three:three(z) on (= three.z 1::int4)):j) on true::bool)"
    );
}

#[test]
fn a_join_is_shared_beside_joins_within_joins() {
    arena::reset();
    let (pos, t) = (Position::alias("p"), table("t"));
    let wanted = |q: Select| q.join_once("i", |i: Interview| i.position_id.eq(pos.id)).0;
    let base = || select(pos.id).from(pos).left_join(joined(t).natural_join(table("u")), true);
    let once = "((position:p Left (t:t Inner u:u natural) on true::bool) Inner interview:i on (= i.position_id p.id))";
    assert_eq!(written(wanted(wanted(base()))), format!("select p.id from {once}"));
    // What an alias hides is free outside of it.
    let i = Interview::alias("i");
    let hidden = select(pos.id).from(pos).cross_join(joined(i).natural_join(t).alias("j"));
    assert_eq!(
        written(wanted(hidden)),
        "select p.id from ((position:p Cross (interview:i Inner t:t natural):j) Inner interview:i on (= i.position_id p.id))"
    );
}

#[test]
#[should_panic(expected = "`i` is in FROM already, at ")]
fn an_alias_within_a_nested_join_is_taken() {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    let query = select(pos.id).from(pos).cross_join(joined(table("t")).natural_join(i));
    drop(query.join_once("i", |i: Interview| i.position_id.eq(pos.id)));
}

#[test]
#[should_panic(expected = "`u` is in FROM already")]
fn an_alias_of_using_is_taken() {
    let pos = Position::alias("p");
    let query = select(pos.id).from(pos).join_using(table("t"), using(["id"]).alias("u"));
    drop(query.join_once("u", |i: Interview| i.position_id.eq(pos.id)));
}
