//! What the sandbox costs: the processor time of this process for a call of a closed query, whose plugin does not run, and
//! for one of an open query, whose plugin runs each time, over that of the same statement on a connection of the same
//! pool, bound by hand as the host does it; and what it costs to have many plugins instead of one.
//!
//! `make bench ARGS='--bench sandbox'`, of a minute. Only this process counts, with all of its threads, and not PostgreSQL. A
//! machine is never quite the same for long: so what is compared is measured in turns, a few hundred calls each, and told
//! is the median of the differences.

use std::cell::Cell;
use std::time::Duration;

use callslip::loan::{BoundStatement, Kept, PlanMode, Pool, Run};
use callslip::plugin::{Choice, Component, Engine, Limits, LoadOptions};
use callslip::{Call, Host, ValueSource};
use callslip_tests::{Figures, Target, component_with, connect_to, copies, database, median, processor_time};
use futures_util::future::LocalBoxFuture;
use tokio::runtime::{Builder, Runtime};

/// How often the things that are compared have their turns.
const ROUNDS: usize = 60;
/// And how many calls each turn has.
const CALLS: usize = 300;
/// How many plugins take turns.
const PLUGINS: u32 = 64;

/// Something that is done again and again, and told how often it was done before.
type Work<'a> = Box<dyn Fn(u64) -> LocalBoxFuture<'a, ()> + 'a>;

/// The processor time of each of these in each round, in microseconds.
fn in_turns<const N: usize>(runtime: &Runtime, works: [Work<'_>; N]) -> [Vec<f64>; N] {
    let done = Cell::new(0);
    let turn = |work: &Work<'_>| {
        runtime.block_on(async {
            let before = processor_time();
            for _ in 0..CALLS {
                work(done.replace(done.get() + 1)).await;
            }
            (processor_time() - before).as_secs_f64() * 1e6 / CALLS as f64
        })
    };
    // So that each is warm.
    works.iter().for_each(|work| _ = turn(work));
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (work, times) in works.iter().zip(&mut times) {
            times.push(turn(work));
        }
    }
    times
}

/// The median of what one takes more than the other.
fn over(one: &[f64], other: &[f64]) -> f64 {
    median(one.iter().zip(other).map(|(one, other)| one - other))
}

/// The median of how many times as long one takes as the other.
fn ratio(one: &[f64], other: &[f64]) -> f64 {
    median(one.iter().zip(other).map(|(one, other)| one / other))
}

fn of(times: &[f64]) -> f64 {
    median(times.iter().copied())
}

/// A configuration of so many plugins, each a component of its own.
fn config(folder: &std::path::Path, plugins: u32) -> String {
    let plugin = component_with("tests/guests/measured", Some("few"));
    let entry = |(number, component): (usize, std::path::PathBuf)| {
        format!(
            "[plugins.measured{number}]\ncomponent = {component:?}\n[plugins.measured{number}.grants]\n\
             relations = [\"company\", \"interview\", \"position\"]\n"
        )
    };
    copies(&plugin, folder, plugins).into_iter().enumerate().map(entry).collect()
}

/// The words of the open query's example, for which others are asked.
const EXAMPLE: &str = "engineer";

/// The only statement of a query, as it was proven, with this value bound to what a caller gives.
fn bound(host: &Host, query: &str, value: String) -> BoundStatement {
    let generation = host.generation();
    let plugin = generation.plugin("measured0").expect("it is there").unwrap_or_else(|why| panic!("{why}"));
    let statement = &plugin.query(query).expect("it has it").statements()[0];
    let given = |source: &ValueSource| match source {
        ValueSource::Constant(Some(text)) if text != EXAMPLE => Some(text.clone()),
        _ => Some(value.clone()),
    };
    BoundStatement {
        sql: statement.sql.clone(),
        values: statement.values.iter().map(given).collect(),
        columns: statement.columns.clone(),
        kept: Kept::Always,
        is_single: statement.rows == callslip_ir::Rows::One,
        plan: PlanMode::Auto,
    }
}

async fn read(pool: &Pool, statement: BoundStatement) {
    let loan = pool.loan().await.expect("a connection");
    let mut run: Run<'_> = loan.run(vec![statement]).await.unwrap_or_else(|error| panic!("{error}"));
    while run.next_row().await.unwrap_or_else(|error| panic!("{error}")).is_some() {}
}

async fn called(call: Call<'_>) {
    let mut rows = call.rows().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    while rows.next().await.unwrap_or_else(|error| panic!("{}", error.log_message())).is_some() {}
}

async fn written(call: Call<'_>) {
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    while reply.next_chunk().await.unwrap_or_else(|error| panic!("{}", error.log_message())).is_some() {}
}

/// Words that no title has, and that nobody has asked for before.
fn new_words(number: u64) -> String {
    format!("no such title {number}")
}

fn closed(runtime: &Runtime, host: &Host, figures: &mut Figures) {
    let pool = host.pool().expect("it has connections of its own");
    let (client, prepared) = runtime.block_on(async {
        let client = connect_to(&database().url()).await;
        let sql = "SELECT id, title FROM public.position AS p WHERE id = $1";
        let prepared = client.prepare(sql).await.expect("a statement");
        (client, prepared)
    });
    let statement = bound(host, "position", "7".to_owned());
    let (client, prepared, statement) = (&client, &prepared, &statement);
    let key = |_| {
        let call = host.call("measured0", "position").param("id", 7);
        Box::pin(called(call)) as LocalBoxFuture<'_, ()>
    };
    let [driver, bare, call, reply] = in_turns(
        runtime,
        [
            Box::new(|_| {
                Box::pin(async {
                    let row = client.query_one(prepared, &[&7_i32]).await.expect("a row");
                    std::hint::black_box((row.get::<_, i32>(0), row.get::<_, String>(1)));
                })
            }),
            Box::new(|_| Box::pin(read(pool, statement.clone()))),
            Box::new(key),
            Box::new(|_| Box::pin(written(host.call("measured0", "position").param("id", 7)))),
        ],
    );
    figures.tell("a row by its key, with the driver alone", of(&driver), "µs CPU");
    figures.tell("the same statement on a loan of the host's pool", of(&bare), "µs CPU");
    figures.tell("the closed query", of(&call), "µs CPU");
    let most = Target::AtMost(3.0);
    figures.aim("a closed query over its statement on a loan", over(&call, &bare), "µs CPU", most);
    figures.tell("its reply as JSON over its rows", over(&reply, &call), "µs CPU");
}

fn open(runtime: &Runtime, host: &Host, figures: &mut Figures) {
    let pool = host.pool().expect("it has connections of its own");
    let statement = bound(host, "found", EXAMPLE.to_owned());
    let [bare, call] = in_turns(
        runtime,
        [
            Box::new(|number| {
                let other = |value: &Option<String>| match value {
                    Some(text) if text == EXAMPLE => Some(new_words(number)),
                    value => value.clone(),
                };
                let values = statement.values.iter().map(other).collect();
                Box::pin(read(pool, BoundStatement { values, ..statement.clone() }))
            }),
            Box::new(|number| {
                Box::pin(called(host.call("measured0", "found").param("words", new_words(number))))
            }),
        ],
    );
    figures.tell("an aggregate by words, its statement on a loan", of(&bare), "µs CPU");
    figures.tell("the open query, of other words each time", of(&call), "µs CPU");
    let most = Target::AtMost(25.0);
    figures.aim("an open query over its statement on a loan", over(&call, &bare), "µs CPU", most);
}

/// Many plugins that are called in turn, beside one.
fn rotation(runtime: &Runtime, host: &Host, figures: &mut Figures) {
    let name = |number: u64| format!("measured{}", number % u64::from(PLUGINS));
    let key = |plugin: &str| called(host.call(plugin, "position").param("id", 7));
    let words = |plugin: &str, number| called(host.call(plugin, "found").param("words", new_words(number)));
    let [one, all, one_open, all_open] = in_turns(
        runtime,
        [
            Box::new(|_| Box::pin(key("measured0"))),
            Box::new(|number| Box::pin(key(&name(number)))),
            Box::new(|number| Box::pin(words("measured0", number))),
            Box::new(|number| Box::pin(words(&name(number), number))),
        ],
    );
    let most = Target::AtMost(1.3);
    figures.aim("closed queries of 64 plugins in turn, to one's", ratio(&all, &one), "times", most);
    figures.aim("open queries of 64 plugins in turn, to one's", ratio(&all_open, &one_open), "times", most);
}

/// The sandbox by itself: an instance, its plan, and the reading of that.
fn plans(runtime: &Runtime, folder: &std::path::Path, figures: &mut Figures) {
    let engine = Engine::new(&Limits::default()).expect("an engine");
    let plugin = component_with("tests/guests/measured", Some("few"));
    let load = |file| {
        let bytes = std::fs::read(file).expect("it is there");
        let loaded = runtime.block_on(Component::load(&engine, bytes, LoadOptions::default()));
        loaded.unwrap_or_else(|error| panic!("{error}"))
    };
    let components: Vec<Component> = copies(&plugin, folder, PLUGINS).into_iter().map(load).collect();
    let planned = |component: usize, number| {
        let component = &components[component];
        let words = Choice { parameter: "words".into(), value: format!("{:?}", new_words(number)) };
        Box::pin(async move {
            let plan = component.plan("found", &[words], &[]).await;
            plan.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|error| panic!("{error}"));
        }) as LocalBoxFuture<'_, ()>
    };
    let [one, all] = in_turns(
        runtime,
        [
            Box::new(|number| planned(0, number)),
            Box::new(|number| planned((number % u64::from(PLUGINS)) as usize, number)),
        ],
    );
    figures.tell("a plan of about fifty nodes in the sandbox", of(&one), "µs CPU");
    figures.tell("the same of 64 plugins in turn", of(&all), "µs CPU");
    figures.tell("64 plugins in turn, to one, in the sandbox alone", ratio(&all, &one), "times");
}

fn main() {
    // Whatever is done is then done on one thread, but for what watches the plugins: what a thread takes to wake another is
    // what a busy server does not have.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut figures = Figures::of("sandbox");
    let host = runtime.block_on(database().host(&config(folder.path(), 1)));
    closed(&runtime, &host, &mut figures);
    open(&runtime, &host, &mut figures);
    drop(host);
    plans(&runtime, folder.path(), &mut figures);
    let host = runtime.block_on(database().host(&config(folder.path(), PLUGINS)));
    rotation(&runtime, &host, &mut figures);
    // What the host does when it is dropped is over before the runtime is.
    drop(host);
    runtime.shutdown_timeout(Duration::from_secs(1));
}
