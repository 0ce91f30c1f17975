//! Descriptions of the main constructs, and what a query reads and declares.

#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "relations are taken by value and by reference"
)]

use callslip_ir::{
    Binding, Bindings, Bound, Description, Distinct, Domain, IsTest, JoinCondition, JoinKind,
    Materialization, Node, NodeId, NodeKind, Over, ParameterMode, Presence, Range, RelationName,
    Reply as ReplyDeclaration, Rows, Scalar, SlotType, SpecialForm, Subexpression,
};

use crate::{arena, prelude::*, testing};

/// A description as an S-expression, so that a test shows a tree.
fn tree(description: &Description, bindings: &Bindings) -> String {
    let last = description.nodes.last().expect("a description has nodes");
    write(description, bindings, last)
}

fn write(d: &Description, b: &Bindings, node: &Node) -> String {
    let at = |id: &NodeId| write(d, b, &d.nodes[id.0 as usize]);
    let list = |ids: &[NodeId]| ids.iter().map(at).collect::<Vec<_>>().join(" ");
    let orders = |orders: &[callslip_ir::Order]| {
        let order = |o: &callslip_ir::Order| format!("{} {:?} {:?}", at(&o.expression), o.direction, o.nulls);
        orders.iter().map(order).collect::<Vec<_>>().join(", ")
    };
    let window = |w: &callslip_ir::Window| {
        let bound = |bound: &Bound| match bound {
            Bound::Preceding(n) => format!("{} preceding", at(n)),
            Bound::Following(n) => format!("{} following", at(n)),
            other => format!("{other:?}"),
        };
        let frame = w.frame.as_ref().map(|f| {
            format!(
                " {:?} {} .. {} {:?}",
                f.mode,
                bound(&f.start),
                f.end.as_ref().map_or_else(String::new, bound),
                f.exclude
            )
        });
        let base = w.base.as_deref().unwrap_or("");
        let (partition, order) = (list(&w.partition_by), orders(&w.order_by));
        format!("{base}[{partition} / {order}{}]", frame.unwrap_or_default())
    };
    match &node.kind {
        NodeKind::Query(q) => {
            let mut text = String::new();
            for cte in q.with.iter().flat_map(|with| &with.ctes) {
                let materialized = match cte.materialized {
                    Materialization::Unspecified => "",
                    Materialization::Materialized => " materialized",
                    Materialization::NotMaterialized => " not materialized",
                };
                text += &format!("with {}{materialized} ({}) ", cte.name, at(&cte.query));
            }
            text += &at(&q.body);
            if !q.order_by.is_empty() {
                text += &format!(" order by {}", orders(&q.order_by));
            }
            if let Some(limit) = &q.limit {
                text += &format!(" limit {}", at(&limit.count));
            }
            if let Some(offset) = &q.offset {
                text += &format!(" offset {}", at(offset));
            }
            text
        }
        NodeKind::Select(s) => {
            let mut text = String::from("select ");
            match &s.distinct {
                Distinct::All => {}
                Distinct::Rows => text += "distinct ",
                Distinct::On(on) => text += &format!("distinct on ({}) ", list(on)),
            }
            let item = |item: &callslip_ir::Item| match &item.alias {
                Some(alias) => format!("{}:{alias}", at(&item.expression)),
                None => at(&item.expression),
            };
            text += &s.items.iter().map(item).collect::<Vec<_>>().join(", ");
            if !s.from.is_empty() {
                text += &format!(" from {}", list(&s.from));
            }
            for (what, id) in [("where", &s.filter), ("having", &s.having)] {
                if let Some(id) = id {
                    text += &format!(" {what} {}", at(id));
                }
            }
            if !s.group_by.is_empty() {
                text += &format!(" group by {}", list(&s.group_by));
            }
            for named in &s.windows {
                text += &format!(" window {} {}", named.name, window(&named.window));
            }
            text
        }
        NodeKind::Table(t) => match &t.name {
            RelationName::Stored(name) => format!("{name}:{}", t.alias),
            RelationName::Cte(name) => format!("cte {name}:{}", t.alias),
        },
        NodeKind::Subquery(s) => {
            let lateral = if s.lateral { "lateral " } else { "" };
            format!("{lateral}({}):{}", at(&s.query), s.alias)
        }
        NodeKind::Join(j) => {
            let on = match &j.condition {
                JoinCondition::On(on) => format!(" on {}", at(on)),
                JoinCondition::None => String::new(),
                _ => unreachable!("the SDK has no other conditions"),
            };
            format!("({} {:?} {}{on})", at(&j.left), j.kind, at(&j.right))
        }
        NodeKind::Column { relation, name } => format!("{relation}.{name}"),
        NodeKind::OutputName(name) => name.clone(),
        NodeKind::Parameter(slot) => match &b[slot.0 as usize] {
            Binding::Parameter(name) => format!("${name}"),
            Binding::Claim(name) => format!("@{name}"),
            Binding::Constant(value) => match &d.slots[slot.0 as usize] {
                SlotType::Context => format!("{value:?}").replace("Some", ""),
                SlotType::Declared(ty) => format!("{}::{}", value.as_deref().unwrap_or("null"), ty.name.name),
            },
        },
        NodeKind::Null(ty) => format!("null::{ty}"),
        NodeKind::Operation(o) => format!("({} {})", o.operator, list(&o.operands)),
        NodeKind::Call(c) => {
            let argument = |a: &callslip_ir::Argument| {
                let name = a.name.as_ref().map(|name| format!("{name} => ")).unwrap_or_default();
                format!("{name}{}{}", if a.variadic { "variadic " } else { "" }, at(&a.value))
            };
            let mut text = format!("{}(", c.function);
            text += if c.star { "*" } else { "" };
            text += if c.distinct { "distinct " } else { "" };
            text += &c.arguments.iter().map(argument).collect::<Vec<_>>().join(", ");
            if !c.order_by.is_empty() {
                text += &format!(" order by {}", orders(&c.order_by));
            }
            text += ")";
            if !c.within_group.is_empty() {
                text += &format!(" within group ({})", orders(&c.within_group));
            }
            if let Some(filter) = &c.filter {
                text += &format!(" filter {}", at(filter));
            }
            match &c.over {
                Some(Over::Named(name)) => text += &format!(" over {name}"),
                Some(Over::Window(w)) => text += &format!(" over {}", window(w)),
                None => {}
            }
            text
        }
        NodeKind::Cast(c) => format!("{}::{}", at(&c.value), c.ty),
        NodeKind::Collate(c) => format!("{} collate {}", at(&c.value), c.collation),
        NodeKind::Case(c) => {
            let mut text = String::from("case");
            text += &c.operand.iter().map(|id| format!(" {}", at(id))).collect::<String>();
            for arm in &c.arms {
                text += &format!(" when {} then {}", at(&arm.when), at(&arm.then));
            }
            text + &c.otherwise.iter().map(|id| format!(" else {}", at(id))).collect::<String>()
        }
        NodeKind::Boolean(o) => format!("({:?} {})", o.operator, list(&o.operands)),
        NodeKind::Is(i) => format!("{} is {}{:?}", at(&i.value), if i.negated { "not " } else { "" }, i.test),
        NodeKind::Special(s) => format!("<{:?}>({})", s.form, list(&s.operands)),
        NodeKind::Subexpression(sub) => match sub {
            Subexpression::Scalar(query) => format!("scalar({})", at(query)),
            Subexpression::Exists(query) => format!("exists({})", at(query)),
            Subexpression::In { operand, query, negated } => {
                format!("{}{} in ({})", at(operand), if *negated { " not" } else { "" }, at(query))
            }
            Subexpression::InList { operand, items, negated } => {
                format!("{}{} in [{}]", at(operand), if *negated { " not" } else { "" }, list(items))
            }
            _ => unreachable!("the SDK has no others"),
        },
        _ => unreachable!("the SDK has no others"),
    }
}

/// The tree of a query, whose description keeps the rules of the format.
fn written(query: Select) -> String {
    let (description, bindings) = arena::describe(query.into_query());
    check(&description, &bindings);
    tree(&description, &bindings)
}

/// Each node refers to earlier ones, is used once, and has a place; the last one is the query.
fn check(description: &Description, bindings: &Bindings) {
    let mut uses = vec![0; description.nodes.len()];
    for (at, node) in description.nodes.iter().enumerate() {
        for child in node.kind.children() {
            assert!((child.0 as usize) < at);
            uses[child.0 as usize] += 1;
        }
        let place = node.place.expect("every node has a place");
        assert!(
            description.files[place.file as usize].ends_with("tests.rs"),
            "{:?} {:?}",
            node,
            description.files
        );
    }
    assert_eq!(uses.pop(), Some(0));
    assert!(uses.iter().all(|uses| *uses == 1));
    assert_eq!(description.slots.len(), bindings.len());
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
    for (expr, tree) in [
        (a.eq(b), "(= t.a t.b)"),
        (a.ne(1), "(<> t.a 1::int4)"),
        (a.lt(1_i64), "(< t.a 1::int8)"),
        (a.le(1_i16), "(<= t.a 1::int2)"),
        (a.gt(1.5), "(> t.a 1.5::float8)"),
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
        (a.cast("numeric(10,2)"), "t.a::numeric(10,2)"),
        (a.collate("C"), "t.a collate C"),
        (null("int4[]"), "null::int4[]"),
        (all([a.eq(1), b.eq(2)]), "(And (= t.a 1::int4) (= t.b 2::int4))"),
        (any([Some(a.eq(1)), None]), "(= t.a 1::int4)"),
        (any(Vec::<Expr>::new()), "false::bool"),
        (all(Vec::<Expr>::new()), "true::bool"),
        (
            case().when(a, 1).when(b, 2).otherwise(3),
            "case when t.a then 1::int4 when t.b then 2::int4 else 3::int4",
        ),
        (case_of(a).when(1, "x") + 1, r#"(+ case t.a when 1::int4 then ("x") 1::int4)"#),
        (coalesce((a, 0)), "<Coalesce>(t.a 0::int4)"),
        (nullif(a, ""), r#"<NullIf>(t.a (""))"#),
        (greatest([a, b]), "<Greatest>(t.a t.b)"),
        (least(vec![a, b]), "<Least>(t.a t.b)"),
        (extract("year", a), r#"<Extract { field: "year" }>(t.a)"#),
        (current_date(), "<CurrentDate>()"),
        (a.eq(Numeric::new("3.50")), "(= t.a 3.50::numeric)"),
        (a.eq(Bytes::new([1, 171])), r"(= t.a \x01ab::bytea)"),
    ] {
        // The arena still holds what was written above.
        assert_eq!(written(select(expr)), format!("select {tree}"));
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
    for (call, tree) in [
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
            "percentile_cont(0.5::float8) within group (t.a Ascending First)",
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
    ] {
        assert_eq!(written(select(call)), format!("select {tree}"));
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
    let query = select(table("t").col("x").eq(1) + 2);
    let (description, _) = arena::describe(query.into_query());
    for node in &description.nodes {
        let place = node.place.expect("a place");
        assert_eq!((description.files[place.file as usize].as_str(), place.line), (file!(), line + 1));
    }
}

#[derive(Params)]
struct Funnel {
    /// The company whose positions to count.
    company: Arg<i32>,
    /// Only positions that are still open.
    #[param(default = true)]
    open: bool,
    since: Option<Arg<Timestamptz>>,
    #[param(default = 50, range = 1..=500)]
    limit: Arg<u32>,
}

#[derive(Claims)]
struct Who {
    user: Arg<i64>,
    reviewer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, SqlEnum)]
#[sql(type = "interview_status")]
enum Status {
    Invited,
    Completed,
    #[sql(rename = "gone")]
    Withdrawn,
}

#[derive(SqlEnum)]
enum Shade {
    DarkBlue,
    Red,
}

/// What a query sees, as strings, so that a test can look at it.
#[derive(Params)]
struct Everything {
    status: Status,
    #[param(default = Shade::Red)]
    shade: Shade,
    bound: Arg<Status>,
    maybe: Option<Status>,
    flag: Option<bool>,
    text: String,
    #[param(rename = "other", default = 7, range = ..=9)]
    number: i16,
    #[param(default = ["a", "b"])]
    tags: Vec<String>,
    when: Option<Date>,
    #[param(default = None)]
    nothing: Arg<Nullable<Vec<u8>>>,
    json: Json,
    big: Arg<u64>,
}

/// The first line.
///
/// The second paragraph.
#[query(example(company = 1), example(company = 2, open = false, since = "2026-01-01", claims(user = 3)))]
fn funnel(p: Funnel, who: Who) -> Result<Select> {
    if !who.reviewer {
        return Err(Failure::forbidden("only reviewers may").parameter("reviewer"));
    }
    let t = table("t");
    Ok(select(t.col("a"))
        .from(t)
        .filter(t.col("company").eq(p.company))
        .filter(p.open.then(|| t.col("closed").is_null()))
        .filter(p.since.map(|since| t.col("since").ge(since)))
        .filter(t.col("user").eq(who.user))
        .limit(p.limit))
}

#[query(name = "renamed")]
fn everything(p: Everything) -> Select {
    let maybe = p.maybe.map_or("-", |status| SqlEnum::label(&status));
    let seen = [
        SqlEnum::label(&p.status).to_owned(),
        SqlEnum::label(&p.shade).to_owned(),
        maybe.to_owned(),
        format!("{:?}", p.flag),
        p.text,
        p.number.to_string(),
        p.tags.join("+"),
        p.when.map_or_else(String::new, |date| date.as_str().to_owned()),
        p.json.as_str().to_owned(),
    ];
    select((
        constant(seen.join("|")),
        p.bound,
        p.nothing,
        p.big,
        constant(Status::Completed),
        constant(Shade::DarkBlue),
    ))
}

#[derive(Reply)]
struct Page {
    rows: Select,
    total: One,
}

#[query]
fn page(who: Who) -> Page {
    let t = table("t");
    let rows = select(t.col("a")).from(t).filter(t.col("user").eq(who.user));
    Page { total: select(count_all()).from(rows.clone().alias("r")).one(), rows }
}

crate::export_plugin!(funnel, everything, page);

fn planned(parameters: &[(&str, &str)], claims: &[(&str, &str)]) -> Result<String> {
    let plan = testing::plan_for(&PLUGIN, "funnel", parameters, claims)?;
    Ok(tree(&plan[0].shape, &plan[0].bindings))
}

#[test]
fn a_plan_branches_on_what_is_seen() {
    let reviewer = [("reviewer", "true")];
    let both = planned(&[("open", "true"), ("since", "present")], &reviewer).unwrap();
    assert_eq!(
        both,
        "select t.a from t:t where (And (= t.company $company) t.closed is Null (>= t.since $since) \
         (= t.user @user)) limit $limit"
    );
    let neither = planned(&[("open", "false")], &reviewer).unwrap();
    assert_eq!(
        neither,
        "select t.a from t:t where (And (= t.company $company) (= t.user @user)) limit $limit"
    );
    // The default stands in for a choice, and a bound parameter needs none.
    assert!(planned(&[], &reviewer).unwrap().contains("closed"));
}

#[test]
fn refusals_name_the_parameter() {
    let refused = |parameters: &[(&str, &str)], claims: &[(&str, &str)]| {
        let failure = planned(parameters, claims).unwrap_err();
        (failure.code(), failure.parameter_name().map(str::to_owned))
    };
    assert_eq!(refused(&[], &[("reviewer", "false")]), ("forbidden", Some("reviewer".to_owned())));
    assert_eq!(refused(&[], &[]), ("invalid", Some("reviewer".to_owned())));
    assert_eq!(
        refused(&[("open", "perhaps")], &[("reviewer", "true")]),
        ("invalid", Some("open".to_owned()))
    );
    assert_eq!(refused(&[("user", "present")], &[]), ("invalid", Some("user".to_owned())));
    assert_eq!(testing::plan(&PLUGIN, "nothing", &[]).unwrap_err().code(), "not-found");
}

#[test]
fn values_are_read_from_their_choices() {
    let choices = [
        ("status", "gone"),
        ("flag", "false"),
        ("text", r#""a \"b\"""#),
        ("when", r#""2026-01-31""#),
        ("json", r#"{"a": 1}"#),
    ];
    let first = |choices: &[(&str, &str)]| -> Result<String> {
        let plan = testing::plan(&PLUGIN, "renamed", choices)?;
        let Binding::Constant(Some(seen)) = &plan[0].bindings[0] else { panic!("a constant") };
        Ok(seen.clone())
    };
    assert_eq!(first(&choices).unwrap(), r#"gone|red|-|Some(false)|a "b"|7|a+b|2026-01-31|{"a": 1}"#);
    let more = [("other", "-3"), ("tags", r#"["x,y", "z"]"#), ("maybe", "invited"), ("shade", "dark_blue")];
    assert_eq!(
        first(&[&choices[..], &more].concat()).unwrap(),
        r#"gone|dark_blue|invited|Some(false)|a "b"|-3|x,y+z|2026-01-31|{"a": 1}"#
    );
    for wrong in [("other", "70000"), ("tags", "[1]"), ("maybe", "Gone"), ("number", "1")] {
        let failure = first(&[&choices[..], &[wrong]].concat()).unwrap_err();
        assert_eq!((failure.code(), failure.parameter_name()), ("invalid", Some(wrong.0)));
    }
}

#[test]
fn slots_have_the_types_of_their_parameters() {
    let choices = [("status", "gone"), ("text", "\"\""), ("json", "1")];
    let plan = testing::plan(&PLUGIN, "renamed", &choices).unwrap();
    let types = plan[0].shape.slots.iter().map(|slot| match slot {
        SlotType::Declared(ty) => ty.to_string(),
        SlotType::Context => "context".to_owned(),
    });
    let types: Vec<_> = types.collect();
    assert_eq!(
        types,
        [
            "context",
            "interview_status",
            "pg_catalog.int2[]",
            "pg_catalog.numeric",
            "interview_status",
            "context"
        ]
    );
}

#[test]
fn the_manifest_says_what_the_issue_wants() {
    let manifest = PLUGIN.manifest();
    assert!(manifest.sdk.starts_with("callslip-sdk "));
    let funnel = &manifest.queries[0];
    assert_eq!(
        (funnel.name.as_str(), funnel.doc.as_str()),
        ("funnel", "The first line.\n\nThe second paragraph.")
    );
    assert_eq!(funnel.reply, ReplyDeclaration::Single(Rows::Many));
    let scalar = |parameter: &callslip_ir::Parameter| match parameter.ty.domain {
        Domain::Scalar(scalar) => scalar,
        _ => panic!("a scalar"),
    };
    let [company, open, since, limit] = &funnel.parameters[..] else { panic!("four parameters") };
    assert_eq!(company.doc, "The company whose positions to count.");
    assert_eq!(
        (scalar(company), company.mode, &company.presence),
        (Scalar::Int4, ParameterMode::Bound, &Presence::Required)
    );
    assert_eq!(
        (scalar(open), open.mode, &open.presence),
        (Scalar::Bool, ParameterMode::Seen, &Presence::Default("true".to_owned()))
    );
    assert_eq!(
        (scalar(since), since.mode, &since.presence),
        (Scalar::Timestamptz, ParameterMode::Bound, &Presence::Optional)
    );
    assert_eq!(
        (scalar(limit), limit.mode, &limit.presence),
        (Scalar::Int8, ParameterMode::Bound, &Presence::Default("50".to_owned()))
    );
    assert_eq!(limit.range, Some(Range { min: Some("1".to_owned()), max: Some("500".to_owned()) }));
    assert_eq!(
        funnel.claims.iter().map(|claim| claim.name.as_str()).collect::<Vec<_>>(),
        ["user", "reviewer"]
    );
    let pair = |name: &str, json: &str| (name.to_owned(), json.to_owned());
    assert_eq!(funnel.examples[0].parameters, [pair("company", "1")]);
    assert_eq!(
        funnel.examples[1].parameters,
        [pair("company", "2"), pair("open", "false"), pair("since", "\"2026-01-01\"")]
    );
    assert_eq!(funnel.examples[1].claims, [pair("user", "3")]);
}

#[test]
fn the_manifest_has_every_kind_of_parameter() {
    let manifest = PLUGIN.manifest();
    let declared = &manifest.queries[1];
    assert_eq!(declared.name, "renamed");
    let find = |name: &str| declared.parameters.iter().find(|p| p.name == name).unwrap();
    let labels = |name: &str| match &find(name).ty.domain {
        Domain::Enum { labels, ty } => (labels.join(","), ty.as_ref().map(ToString::to_string)),
        Domain::Scalar(_) => panic!("an enum"),
    };
    assert_eq!(labels("status"), ("invited,completed,gone".to_owned(), Some("interview_status".to_owned())));
    assert_eq!(labels("shade"), ("dark_blue,red".to_owned(), None));
    for (name, mode, presence) in [
        ("status", ParameterMode::Seen, Presence::Required),
        ("shade", ParameterMode::Seen, Presence::Default("\"red\"".to_owned())),
        ("bound", ParameterMode::Bound, Presence::Required),
        ("maybe", ParameterMode::Seen, Presence::Optional),
        ("text", ParameterMode::Open, Presence::Required),
        ("other", ParameterMode::Open, Presence::Default("7".to_owned())),
        ("tags", ParameterMode::Open, Presence::Default(r#"["a","b"]"#.to_owned())),
        ("when", ParameterMode::Open, Presence::Optional),
        ("nothing", ParameterMode::Bound, Presence::Default("null".to_owned())),
    ] {
        assert_eq!((find(name).mode, &find(name).presence), (mode, &presence), "{name}");
    }
    let nothing = find("nothing");
    assert!(nothing.ty.array && nothing.ty.nullable);
    assert_eq!(nothing.range, Some(Range { min: Some("0".to_owned()), max: Some("255".to_owned()) }));
    assert_eq!(find("other").range, Some(Range { min: None, max: Some("9".to_owned()) }));
    assert_eq!(find("big").ty.type_name().to_string(), "pg_catalog.numeric");
}

#[test]
fn a_reply_has_its_statements_by_name() {
    let manifest = PLUGIN.manifest();
    let ReplyDeclaration::Named(replies) = &manifest.queries[2].reply else { panic!("several statements") };
    let replies: Vec<_> = replies.iter().map(|reply| (reply.name.as_str(), reply.rows)).collect();
    assert_eq!(replies, [("rows", Rows::Many), ("total", Rows::One)]);

    let plan = testing::plan_for(&PLUGIN, "page", &[], &[("reviewer", "true")]).unwrap();
    assert_eq!(plan.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["rows", "total"]);
    assert_eq!(
        tree(&plan[1].shape, &plan[1].bindings),
        "select count(*) from (select t.a from t:t where (= t.user @user)):r"
    );
}
