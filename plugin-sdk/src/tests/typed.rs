//! Typed relations: how they are joined once, and made of a query.

use super::written;
use crate::{arena, prelude::*};

mod tables {
    callslip_sdk::schema!("tests/schema.json");
}
use tables::{Interview, InterviewStatus, Position};

#[test]
fn handles_are_small() {
    let pos = Position::alias("p");
    assert_eq!((size_of_val(&pos.id), size_of_val(&pos.title), size_of::<Expr<String>>()), (4, 4, 4));
}

#[test]
fn a_join_that_is_there_is_shared() {
    let filter = |q: Select, pos: Position| {
        let (q, i) = q.join_once("i", |i: Interview| i.position_id.eq(pos.id));
        q.filter(i.status.eq(InterviewStatus::Started))
    };
    let optional = |q: Select, pos: Position| {
        let (q, i) = q.left_join_once("i", |i: Interview| i.position_id.eq(pos.id));
        q.filter(i.completed_at.is_null())
    };
    let other = |q: Select, pos: Position| q.join_once("o", |o: Interview| o.position_id.eq(pos.id)).0;
    let base = |pos: Position| select(pos.id).from(pos);
    let tree = |build: &dyn Fn(Position) -> Select| {
        arena::reset();
        let tree = written(build(Position::alias("p")));
        let from = tree.split_once(" from ").expect("FROM").1;
        from.split_once(" where ").map_or(from.to_owned(), |(from, _)| from.to_owned())
    };
    let inner = "(position:p Inner interview:i on (= i.position_id p.id))";
    let left = "(position:p Left interview:i on (= i.position_id p.id))";
    assert_eq!(tree(&|pos| filter(base(pos), pos)), inner);
    assert_eq!(tree(&|pos| filter(filter(base(pos), pos), pos)), inner);
    assert_eq!(tree(&|pos| optional(optional(base(pos), pos), pos)), left);
    assert_eq!(
        tree(&|pos| filter(optional(base(pos), pos), pos)),
        inner,
        "who joins wants no row without a match"
    );
    assert_eq!(tree(&|pos| optional(filter(base(pos), pos), pos)), inner);
    assert_eq!(
        tree(&|pos| filter(other(optional(base(pos), pos), pos), pos)),
        format!("({inner} Inner interview:o on (= o.position_id p.id))"),
        "wherever it stands among the joins"
    );
    // A query that was copied before is not changed.
    assert_eq!(
        tree(&|pos| {
            let before = optional(base(pos), pos);
            drop(filter(before.clone(), pos));
            before
        }),
        left
    );
}

#[test]
#[should_panic(expected = "`i` is joined already, at ")]
fn another_condition_is_another_join() {
    let pos = Position::alias("p");
    let (q, _) = select(pos.id).from(pos).join_once("i", |i: Interview| i.position_id.eq(pos.id));
    drop(q.join_once("i", |i: Interview| i.id.eq(pos.id)));
}

#[test]
#[should_panic(expected = "`p` is joined already, at ")]
fn another_table_is_another_join() {
    let i = Interview::alias("i");
    let (q, _) = select(i.id).from(i).join_once("p", |p: Position| p.id.eq(i.position_id));
    drop(q.join_once("p", |p: Interview| p.id.eq(i.position_id)));
}

#[test]
#[should_panic(expected = "`p` is in FROM already, at ")]
fn what_is_in_from_is_no_join() {
    let pos = Position::alias("p");
    drop(select(pos.id).from(pos).join_once("p", |p: Position| p.id.eq(1)));
}

#[test]
#[should_panic(expected = "`i` is joined already, at ")]
fn a_cte_of_the_same_name_may_be_another() {
    let pos = Position::alias("p");
    let with = |q: Select, status: InterviewStatus| {
        let other = Interview::alias("o");
        let ids = cte!("ids", { id: other.id }, |s| s.from(other).filter(other.status.eq(status)));
        q.join_once("i", |i: Interview| i.id.in_query(select(ids.id).from(ids))).0
    };
    let q = with(select(pos.id).from(pos), InterviewStatus::Started);
    drop(with(q, InterviewStatus::Completed));
}

#[test]
fn a_cte_of_the_same_name_may_be_the_same() {
    arena::reset();
    let pos = Position::alias("p");
    let with = |q: Select| {
        let other = Interview::alias("o");
        let ids = cte!("ids", { id: other.id }, |s| s.from(other).filter(other.position_id.eq(pos.id)));
        q.join_once("i", |i: Interview| i.id.in_query(select(ids.id).from(ids))).0
    };
    assert_eq!(written(with(with(select(pos.id).from(pos)))).matches("interview:i").count(), 1);
}

#[test]
#[should_panic(expected = "before a RIGHT or FULL JOIN")]
fn what_an_outer_join_may_leave_out_is_not_shared() {
    let (pos, other) = (Position::alias("p"), Position::alias("o"));
    let (q, i) = select(pos.id).from(pos).join_once("i", |i: Interview| i.position_id.eq(pos.id));
    let q = q.right_join(other, other.id.eq(i.position_id));
    drop(q.join_once("i", |i: Interview| i.position_id.eq(pos.id)));
}

#[test]
#[should_panic(expected = "before `p`, which its condition can't mean there")]
fn a_condition_on_what_is_joined_later_is_another() {
    let (outer, other) = (Position::alias("p"), Interview::alias("o"));
    let q = select(other.id).from(other);
    let (q, _) = q.join_once("i", |i: Interview| i.position_id.eq(outer.id));
    let inner = Position::alias("p");
    let q = q.join(inner, inner.id.eq(other.position_id));
    drop(q.join_once("i", |i: Interview| i.position_id.eq(inner.id)));
}

#[test]
fn comparing_what_is_shared_does_not_explode() {
    let pos = Position::alias("p");
    let mut sum = pos.id.add(1);
    for _ in 0..100 {
        sum = sum.add(sum);
    }
    let (q, _) = select(pos.id).from(pos).join_once("i", |i: Interview| i.position_id.eq(sum));
    let mut sum = pos.id.add(1);
    for _ in 0..100 {
        sum = sum.add(sum);
    }
    drop(q.join_once("i", |i: Interview| i.position_id.eq(sum)));
}

#[test]
fn a_field_may_have_any_name() {
    arena::reset();
    let pos = Position::alias("p");
    let odd = cte!("odd", { r#type: pos.title, str: pos.id, columns: pos.kind }, |s| s.from(pos));
    let query = select((odd.r#type, odd.str, odd.alias("again").columns)).from(odd).from(odd.alias("again"));
    assert_eq!(
        written(query),
        "with odd (select p.title:type, p.id:str, p.kind:columns from position:p) select odd.type, odd.str, again.columns \
         from cte odd:odd cte odd:again"
    );
}

#[test]
fn a_query_s_columns_are_fields() {
    arena::reset();
    let i = Interview::alias("i");
    let ranked =
        cte!("ranked", { position: i.position_id, place: row_number().over(window()) }, |s| s.from(i));
    let twice = ranked.materialized().alias("again");
    let query = select((ranked.position, ranked.place.add(1), twice.place))
        .from(ranked)
        .join(twice, twice.place.eq(ranked.place))
        .filter(ranked.place.le(3));
    assert_eq!(
        written(query),
        "with ranked materialized (select i.position_id:position, row_number() over [ / ]:place from \
         interview:i) select ranked.position, (+ ranked.place 1::int4), again.place from (cte ranked:ranked Inner cte \
         ranked:again on (= again.place ranked.place)) where (<= ranked.place 3::int4)"
    );

    arena::reset();
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    let newest =
        subquery!("newest", { at: max(i.completed_at) }, |s| s.from(i).filter(i.position_id.eq(pos.id)));
    let query =
        select((pos.id, newest.at)).from(pos).left_join_lateral(newest, true).filter(newest.at.is_null());
    assert_eq!(
        written(query),
        "select p.id, newest.at from (position:p Left lateral (select max(i.completed_at):at from interview:i where (= \
         i.position_id p.id)):newest on true::bool) where newest.at is Null"
    );
}

#[test]
fn spans_of_time_and_parts_of_json() {
    arena::reset();
    let i = Interview::alias("i");
    let doc = table("t").col("doc").cast::<Json>();
    for (tree, expected) in [
        (
            written(select(i.completed_at.ge(now() - days(7)))),
            "(>= i.completed_at (- now() 7 day::interval))",
        ),
        (written(select(hours(i.position_id))), "(* i.position_id 1 hour::interval)"),
        (written(select(years(dec("0.1")))), "(* 0.1::numeric 1 year::interval)"),
        (written(select(days(2).mul(dec("1.5")))), "(* 2 day::interval 1.5::numeric)"),
        (written(select(i.id.concat("-").concat(i.status))), r#"(|| (|| i.id ("-")) i.status)"#),
        (
            written(select(doc.get("a").get_text(0).cast::<Numeric>().ge(dec("3.50")))),
            r#"(>= (->> (-> t.doc::pg_catalog.jsonb ("a")) 0::int4)::pg_catalog.numeric 3.50::numeric)"#,
        ),
    ] {
        assert_eq!(
            tree.strip_prefix("select ").map(|tree| tree.split(" from ").next().unwrap()),
            Some(expected)
        );
    }
}
