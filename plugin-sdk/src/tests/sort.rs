//! Sort orders and pages.

use callslip_ir::{Domain, ParameterMode, Presence, Scalar};

use super::tree;
use crate::{prelude::*, testing};

#[derive(Sort)]
enum By {
    Title,
    #[sort(nulls = last)]
    ClosedAt,
    #[sort(nulls = first, rename = "opened")]
    CreatedAt,
}

#[derive(Params)]
struct List {
    #[param(default = "-closed_at")]
    sort: Sort<By>,
    /// Which part of the list.
    page: Page,
}

#[query(example(sort = "title", page = 2, page_size = 10))]
fn list(p: List) -> Select {
    let t = table("t");
    let order = p.sort.keys(|by| match by {
        By::Title => lower(t.col("title")).key(),
        By::ClosedAt => t.col("closed_at").key(),
        By::CreatedAt => t.col("created_at").key(),
    });
    select(t.col("id")).from(t).page(p.page, order.then(t.col("id")))
}

#[derive(Params)]
struct Few {
    sort: Sort<By>,
    maybe: Option<Sort<By>>,
    #[param(rename = "p")]
    page: Page<5, 20>,
}

#[query]
fn few(p: Few) -> Select {
    let t = table("t");
    let maybe = p.maybe.map(|sort| sort.keys(|_| t.col("m").key()));
    let order = p.sort.clone().keys(|_| t.col("k").key()).then(t.col("id").desc());
    let q = select(t.col("id")).from(t).order_by(order).limit(1);
    match maybe {
        Some(order) => q.page(p.page, order),
        None => q,
    }
}

#[derive(Params)]
struct Wrong {
    #[param(default = "closd")]
    sort: Sort<By>,
}

#[query]
fn wrong(p: Wrong) -> Select {
    select(1).order_by(p.sort.keys(|_| constant(1).key()))
}

crate::export_plugin!(list, few, wrong);

fn planned(query: &str, choices: &[(&str, &str)]) -> Result<String> {
    let plan = testing::plan(&PLUGIN, query, choices)?;
    Ok(tree(&plan[0].shape, &plan[0].bindings))
}

#[test]
fn each_key_is_an_expression_and_has_its_nulls_in_both_directions() {
    let page = "limit $page_size offset (* (- $page 1::int8) $page_size)";
    for (sort, expected) in [
        ("", "t.id Ascending Unspecified"),
        ("title", "lower(t.title) Ascending Unspecified, t.id Ascending Unspecified"),
        (
            "-closed_at,-title",
            "t.closed_at Descending Last, lower(t.title) Descending Unspecified, t.id Ascending Unspecified",
        ),
        ("closed_at", "t.closed_at Ascending Last, t.id Ascending Unspecified"),
        (
            "opened,-closed_at",
            "t.created_at Ascending First, t.closed_at Descending Last, t.id Ascending Unspecified",
        ),
    ] {
        let found = planned("list", &[("sort", sort)]).unwrap();
        assert_eq!(found, format!("select t.id from t:t order by {expected} {page}"), "{sort}");
    }
    // The default stands in for a choice.
    assert!(planned("list", &[]).unwrap().contains("order by t.closed_at Descending Last, t.id"));
}

#[test]
fn an_order_may_stand_in_order_by_and_may_be_missing() {
    let order = "order by t.id Descending Unspecified";
    assert_eq!(planned("few", &[]).unwrap(), format!("select t.id from t:t {order} limit 1::int4"));
    assert_eq!(
        planned("few", &[("maybe", "-title"), ("sort", "title")]).unwrap(),
        "select t.id from t:t order by t.k Ascending Unspecified, t.id Descending Unspecified, \
         t.m Descending Unspecified limit $p_size offset (* (- $p 1::int8) $p_size)"
    );
}

#[test]
fn an_order_that_there_is_not_is_refused() {
    for sort in ["closed", "title,title", "title,-title", "title,", ",", " title", "--title", "Title"] {
        let failure = planned("list", &[("sort", sort)]).unwrap_err();
        assert_eq!((failure.code(), failure.parameter_name()), ("invalid", Some("sort")), "{sort}");
    }
    assert_eq!(planned("wrong", &[]).unwrap_err().parameter_name(), Some("sort"));
    assert!(planned("list", &[("page_sizes", "present")]).is_err());
}

#[test]
fn a_page_declares_two_parameters_and_a_sort_order_its_keys() {
    let manifest = PLUGIN.manifest();
    let [sort, page, size] = &manifest.queries[0].parameters[..] else { panic!("three parameters") };
    let keys = ["title", "closed_at", "opened"].map(str::to_owned).to_vec();
    assert_eq!(sort.ty.domain, Domain::Sort { keys });
    assert_eq!(sort.ty.type_name().to_string(), "pg_catalog.text");
    assert_eq!(
        (sort.mode, &sort.presence),
        (ParameterMode::Seen, &Presence::Default("\"-closed_at\"".to_owned()))
    );
    for (parameter, name, doc, default, max) in [
        (page, "page", "Which part of the list.", "1", "1000000"),
        (size, "page_size", "How many rows a page has.", "50", "500"),
    ] {
        assert_eq!((parameter.name.as_str(), parameter.doc.as_str()), (name, doc));
        assert_eq!(parameter.ty.domain, Domain::Scalar(Scalar::Int8));
        assert_eq!(parameter.mode, ParameterMode::Bound);
        assert_eq!(parameter.presence, Presence::Default(default.to_owned()));
        let range = parameter.range.as_ref().unwrap();
        assert_eq!((range.min.as_deref(), range.max.as_deref()), (Some("1"), Some(max)));
    }
    let [sort, maybe, page, size] = &manifest.queries[1].parameters[..] else { panic!("four parameters") };
    assert_eq!(sort.presence, Presence::Default("\"\"".to_owned()));
    assert_eq!(maybe.presence, Presence::Optional);
    assert_eq!((page.name.as_str(), page.doc.as_str()), ("p", "Which page, from 1."));
    assert_eq!((size.name.as_str(), &size.presence), ("p_size", &Presence::Default("5".to_owned())));
    assert_eq!(size.range.as_ref().unwrap().max.as_deref(), Some("20"));
}
