//! Typed tables: what `schema!` makes, and how their columns are used.

use std::mem::size_of_val;

use callslip_ir::{self as ir, NodeKind, RelationName};
use callslip_sdk::{Statement, prelude::*, testing};
use callslip_test_tables::{
    Candidate, Interview, InterviewStatus, Position, PositionKind, SNAPSHOT, audit,
    hostile::{self, Mood},
};

#[derive(Params)]
struct Search {
    tags: Arg<Vec<String>>,
    company: Arg<i64>,
    status: InterviewStatus,
    kind: Arg<PositionKind>,
    since: Option<Arg<Timestamptz>>,
}

/// Everything that compiles: each comparison here is one that the compiler has to allow.
#[query]
fn search(p: Search) -> Select {
    let (pos, i, c, e) =
        (Position::alias("p"), Interview::table(), Candidate::alias("c"), audit::Event::alias("e"));
    let (earlier, untyped) = (Interview::alias("earlier"), table("company"));
    select((pos.title, pos.kind, i.status, count_all().alias("n")))
        .from(pos)
        .join(i, i.position_id.eq(pos.id))
        .left_join(c, c.id.eq(i.candidate_id))
        .cross_join(e)
        .cross_join(untyped)
        // Integers of any width, and a numeric.
        .filter(i.id.gt(pos.id))
        .filter(pos.company_id.eq(p.company))
        .filter(pos.salary.ge(i.id))
        .filter(pos.salary.ge(dec("3.50")))
        // Enums: as a constant, seen, bound, in an array, in another schema.
        .filter(i.status.ne(InterviewStatus::Invited))
        .filter(i.status.eq(p.status))
        .filter(i.status.in_list([InterviewStatus::Started, InterviewStatus::Completed]))
        .filter(i.status.eq_any(i.history))
        .filter(pos.kind.eq(p.kind))
        .filter(e.level.eq(audit::Level::Alarm))
        .filter(e.interview_status.eq(i.status))
        // Texts, of which a domain is one, and arrays of them.
        .filter(c.email.like("%@example.org").or(c.email.is_null()))
        .filter(c.name.eq_any(p.tags))
        .filter(c.tags.eq(p.tags))
        .filter(c.profile.get_text("score").cast::<Numeric>().ge(3))
        // Times.
        .filter(i.completed_at.ge(now().sub(days(7))))
        .filter(i.completed_at.ge(pos.opened_on))
        .filter(p.since.map(|since| i.completed_at.ge(since)))
        // A condition, and an untyped column, which goes with everything.
        .filter(pos.remote)
        .filter(untyped.col("name").eq(pos.title))
        .filter(not_exists(select(1).from(earlier).filter(earlier.completed_at.lt(i.completed_at))))
        .group_by((pos.id, i.id))
        .order_by((pos.title, i.completed_at.desc()))
}

/// Another plugin's query on the same crate of tables.
#[query]
fn titles() -> Select {
    let pos = Position::alias("p");
    select((pos.title, pos.kind)).from(pos).filter(pos.closed_at.is_null())
}

#[query]
fn columns() -> Select {
    let (c, f, m) =
        (hostile::Columns::table(), hostile::FirstName_2::alias("f"), hostile::str_2::Column::alias("m"));
    select((c.column, c.columns, c.__columns_2, f.title, f.title_3, f.title_4, f.title_2, f._2fa, m.own))
        .from(c)
        .cross_join(f)
        .cross_join(m)
}

export_plugin!(search, titles, columns);

fn plan(query: &str) -> Statement {
    let choices = [("status", "completed"), ("since", "present")];
    let choices = if query == "search" { &choices[..] } else { &[] };
    testing::plan(&PLUGIN, query, choices).expect("the query is planned").remove(0)
}

fn nodes(statement: &Statement) -> impl Iterator<Item = &NodeKind> {
    statement.shape.nodes.iter().map(|node| &node.kind)
}

/// The tables as they are written in SQL.
fn tables(statement: &Statement) -> Vec<String> {
    let table = |kind: &NodeKind| match kind {
        NodeKind::Table(ir::Table { name: RelationName::Stored(name), alias, .. }) => {
            Some(format!("{name} {alias}"))
        }
        _ => None,
    };
    nodes(statement).filter_map(table).collect()
}

/// The columns as they are written in SQL.
fn columns_of(statement: &Statement) -> Vec<String> {
    let column = |kind: &NodeKind| match kind {
        NodeKind::Column { relation, name } => Some(format!("{relation}.{name}")),
        _ => None,
    };
    nodes(statement).filter_map(column).collect()
}

/// That a column has this type.
fn has<T, Name>(_: Column<T, Name>) {}

#[test]
fn handles_have_four_bytes() {
    let (pos, i) = (Position::alias("p"), Interview::table());
    assert_eq!(size_of_val(&pos.title), 4);
    assert_eq!(size_of_val(&i.history), 4);
    assert_eq!(size_of_val(&pos.title.eq("a")), 4);
    assert_eq!(size_of_val(&i.status.eq_any(i.history)), 4);
}

#[test]
fn a_table_is_named_as_the_database_names_it() {
    let plan = plan("search");
    assert_eq!(
        tables(&plan),
        [
            "position p",
            "interview interview",
            "candidate c",
            "audit.event e",
            "company company",
            "interview earlier"
        ]
    );
    let columns = columns_of(&plan);
    for column in ["p.title", "interview.position_id", "earlier.completed_at", "e.level", "c.email"] {
        assert!(columns.iter().any(|found| found == column), "{column}: {columns:?}");
    }
}

#[test]
fn an_enum_is_bound_as_its_type() {
    let plan = plan("search");
    let types: Vec<String> = plan.shape.slots.iter().map(|slot| format!("{slot:?}")).collect();
    for ty in ["interview_status", "position_kind"] {
        assert!(types.iter().any(|found| found.contains(ty)), "{ty}: {types:?}");
    }
    assert_eq!((InterviewStatus::TYPE, audit::Level::TYPE), (Some("interview_status"), Some("audit.level")));
    assert_eq!(InterviewStatus::LABELS, ["invited", "started", "completed"]);
    assert_eq!(PositionKind::from_label("part_time"), Some(PositionKind::PartTime));
    assert_eq!(PositionKind::PartTime.label(), "part_time");
}

#[test]
fn only_what_is_used_is_described() {
    let plan = plan("titles");
    assert_eq!(columns_of(&plan), ["p.title", "p.kind", "p.closed_at"]);
    // The three columns, the table, IS NULL, the SELECT and the query.
    assert_eq!(plan.shape.nodes.len(), 7);
}

#[test]
fn names_that_are_none_in_rust_are_what_the_database_has() {
    let plan = plan("columns");
    assert_eq!(tables(&plan), ["columns columns", "First Name f", "str.column m"]);
    assert_eq!(
        columns_of(&plan),
        [
            "columns.column",
            "columns.columns",
            "columns.__columns",
            "f.title",
            "f.Title",
            "f.TITLE",
            "f.title_2",
            "f.2fa",
            "m.own"
        ]
    );
    // What is found without its schema is named without it, and what it hides is not.
    assert_eq!((hostile::Shadowed::SCHEMA, hostile::public::Shadowed::SCHEMA), (None, Some("public")));
    let keywords = hostile::Self_::table();
    has::<i32, _>(keywords.self_);
    has::<i32, _>(keywords.self__2);
    has::<i32, _>(keywords.super_);
    has::<i32, _>(keywords.crate_);
    has::<i32, _>(keywords.r#type);
}

#[test]
fn labels_that_are_no_identifiers_become_variants() {
    let variants = [
        (Mood::Unnamed, "+"),
        (Mood::Unnamed_2, "-"),
        (Mood::Unnamed_3, ""),
        (Mood::Self_, "self"),
        (Mood::InProgress, "in-progress"),
        (Mood::InProgress_2, "In Progress"),
        (Mood::_2nd, "2nd"),
        (Mood::ItS, "it's"),
    ];
    for (variant, label) in variants {
        assert_eq!((variant.label(), Mood::from_label(label)), (label, Some(variant)));
    }
    // PostgreSQL finds its own `text`, and reads `integer` as its `int4`.
    assert_eq!(hostile::public::Text::TYPE, Some("public.text"));
    assert_eq!((hostile::Integer::TYPE, Mood::TYPE), (Some("app.integer"), Some("mood")));
}

#[test]
fn a_column_has_the_type_of_its_column() {
    let t = hostile::Types::table();
    has::<i16, _>(t.int2);
    has::<i32, _>(t.int4);
    has::<i64, _>(t.int8);
    has::<f32, _>(t.float4);
    has::<f64, _>(t.float8);
    has::<Numeric, _>(t.numeric);
    has::<String, _>(t.text);
    has::<String, _>(t.varchar);
    has::<String, _>(t.bpchar);
    has::<String, _>(t.name);
    has::<String, _>(t.citext);
    has::<String, _>(t.char);
    has::<bool, _>(t.bool);
    has::<Date, _>(t.date);
    has::<Time, _>(t.time);
    has::<Timestamp, _>(t.timestamp);
    has::<Timestamptz, _>(t.timestamptz);
    has::<Interval, _>(t.interval);
    has::<Uuid, _>(t.uuid);
    has::<Json, _>(t.json);
    has::<Json, _>(t.jsonb);
    has::<Bytes, _>(t.bytea);
    has::<Mood, _>(t.mood);
    // A domain over an array, an array of that, and a domain that a file sends in circles.
    has::<Vec<Mood>, _>(t.moods);
    has::<Vec<Vec<Mood>>, _>(t.moods_array);
    has::<Any, _>(t.circle);
    has::<Vec<Any>, _>(t.circle_array);
    // Without a label there is no value; a name with a dot is read after its schema, one with brackets not at all.
    has::<Any, _>(t.no_labels);
    has::<hostile::OddName, _>(t.odd);
    assert_eq!(hostile::OddName::TYPE, Some("app.odd.name"));
    has::<Any, _>(t.odd_array);
    // Types by name: PostgreSQL's own, and those of the database that columns use.
    has::<Range<i32>, _>(t.range);
    has::<Range<Timestamptz>, _>(t.period);
    has::<Multirange<Date>, _>(t.periods);
    has::<Inet, _>(t.address);
    has::<TsVector, _>(t.words);
    has::<hostile::FirstName_3, _>(t.composite);
    has::<Vec<hostile::OddRange>, _>(t.ranges);
    has::<Any, _>(t.modified);
    has::<Any, _>(t.unknown);
    has::<Any, _>(t.garbage);
}

#[test]
fn only_makes_these_and_the_enums_that_they_use() {
    mod tables {
        callslip_sdk::schema!("tests/schema.json", only = [position, audit.event, "candidate"]);

        // There is neither an `Interview`, nor anything else of that name.
        pub(super) struct Interview;
    }
    let (pos, e) = (tables::Position::table(), tables::audit::Event::table());
    has::<tables::PositionKind, _>(pos.kind);
    has::<tables::InterviewStatus, _>(e.interview_status);
    has::<Vec<String>, _>(tables::Candidate::table().tags);
    assert_eq!(size_of_val(&tables::Interview), 0);
}

#[test]
fn the_snapshot_is_at_hand() {
    assert_eq!(SNAPSHOT, include_str!("schema.json"));
}
