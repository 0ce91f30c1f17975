//! What queries declare, read and refuse.

use callslip_ir::{
    Binding, Domain, ParameterMode, PlanMode, Presence, Range, Reply as ReplyDeclaration, Rows, Scalar,
    SlotType,
};

use super::tree;
use crate::{prelude::*, testing};

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

#[query(name = "renamed", plan = auto)]
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

#[query(plan = custom)]
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
fn a_query_says_how_it_is_planned() {
    let plans: Vec<_> = PLUGIN.manifest().queries.iter().map(|query| query.plan).collect();
    assert_eq!(plans, [PlanMode::Auto, PlanMode::Auto, PlanMode::Custom]);
}

#[test]
fn the_manifest_has_every_kind_of_parameter() {
    let manifest = PLUGIN.manifest();
    let declared = &manifest.queries[1];
    assert_eq!(declared.name, "renamed");
    let find = |name: &str| declared.parameters.iter().find(|p| p.name == name).unwrap();
    let labels = |name: &str| match &find(name).ty.domain {
        Domain::Enum { labels, ty } => (labels.join(","), ty.as_ref().map(ToString::to_string)),
        _ => panic!("an enum"),
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
