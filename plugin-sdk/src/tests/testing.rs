//! What a test of a plugin is told of its mistakes, and where.

use std::{panic::catch_unwind, sync::Mutex};

use crate::{prelude::*, testing};

#[derive(SqlEnum)]
enum Status {
    Open,
    Closed,
}

#[derive(Params)]
struct Which {
    remote: bool,
    status: Status,
    since: Option<Arg<Date>>,
    page: Page<20, 100>,
}

#[derive(Claims)]
struct Caller {
    admin: bool,
}

#[query]
fn positions(which: Which, caller: Caller) -> Select {
    let p = table("position").alias("p");
    select(p.col("id"))
        .from(p)
        .filter(which.remote.then(|| p.col("remote")))
        .filter(caller.admin.then(|| p.col("hidden")))
        .filter(p.col("status").eq(which.status))
        .filter(which.since.map(|since| p.col("since").ge(since)))
        .page(which.page, p.col("id"))
}

#[query]
fn companies() -> Select {
    select(table("company").col("id"))
}

export_plugin!(positions, companies);

fn refusal(query: &str, parameters: &[(&str, &str)], claims: &[(&str, &str)]) -> String {
    testing::plan_for(&PLUGIN, query, parameters, claims).unwrap_err().to_string()
}

#[test]
fn a_refusal_says_what_there_is() {
    assert_eq!(
        refusal("position", &[], &[]),
        "not-found: the plugin has no query \"position\"; its queries are positions, companies"
    );
    assert_eq!(
        refusal("positions", &[("remot", "true")], &[]),
        "invalid: remot: the query does not declare this; its parameters are remote, status, since, page, page_size"
    );
    assert_eq!(
        refusal("positions", &[], &[("user", "1")]),
        "invalid: user: the query does not declare this; its claims are admin"
    );
    assert_eq!(refusal("companies", &[("a", "true")], &[]), "invalid: a: the query has no parameters");
    assert_eq!(refusal("positions", &[], &[]), "invalid: remote: nothing was chosen: add `remote: true`");
    let remote = ("remote", "true");
    assert_eq!(
        refusal("positions", &[remote], &[]),
        "invalid: status: nothing was chosen: add `status: \"open\"`"
    );
    assert_eq!(
        refusal("positions", &[remote, ("status", "closed")], &[]),
        "invalid: admin: nothing was chosen: add `claims { admin: true }`"
    );
}

#[test]
fn a_test_fails_where_it_is_written() {
    static PLACE: Mutex<Option<(String, u32)>> = Mutex::new(None);
    let (this, before) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| match panic.location() {
        Some(place) if std::thread::current().id() == this => {
            *PLACE.lock().unwrap() = Some((place.file().to_owned(), place.line()));
        }
        _ => before(panic),
    }));
    let failed = catch_unwind(|| testing::statement(&PLUGIN, "position", &[], &[]));
    assert!(failed.is_err());
    let place = PLACE.lock().unwrap().clone();
    assert_eq!(place, Some((file!().to_owned(), line!() - 3)));
}
