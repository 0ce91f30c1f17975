//! Queries whose errors would tell their callers what is in a table, or what else there is.

use callslip_sdk::prelude::*;

callslip_sdk::sql_type! {
    /// A domain whose check says what it has found.
    struct Checked = "telling.checked";
}

/// A value that PostgreSQL can't read, and then shows.
#[query]
fn cast() -> Select {
    let k = table("telling.kept").alias("k");
    select(k.col("secret").cast_as("int4").alias("n")).from(k)
}

/// A function that says all that it knows.
#[query]
fn raised() -> Select {
    let k = table("telling.kept").alias("k");
    select(call("telling.tell", k.col("secret")).alias("n")).from(k).limit(1)
}

/// The same when much of the reply was given.
#[query]
fn late() -> Select {
    let k = table("telling.kept").alias("k");
    let told = case().when(k.col("n").eq(5000), call("telling.tell", k.col("secret")));
    select((k.col("n"), told.alias("told"))).from(k)
}

#[derive(Reply)]
struct Two {
    first: Select,
    second: Select,
}

/// In the second statement.
#[query]
fn second() -> Two {
    let k = table("telling.kept").alias("k");
    let told = select(call("telling.tell", k.col("secret")).alias("n")).from(k).limit(1);
    Two { first: select(constant(1).alias("n")), second: told }
}

#[derive(Params)]
struct Value {
    value: Arg<Checked>,
}

/// Of a parameter.
#[query]
fn checked(p: Value) -> Select {
    select(p.value.cast_as("text").alias("value"))
}

/// Names that command a terminal, and come back from PostgreSQL in what it says of the plan.
#[query]
fn commanding() -> Select {
    let k = table("telling.kept").alias("k\u{1b}[2J\u{202e}\nforged");
    select(k.col("n").alias("n\u{1b}[2J\u{202e}\nforged")).from(k).limit(1)
}

#[derive(Params)]
struct What {
    what: String,
    name: String,
}

/// Names whatever its caller wants it to, as a plugin does that looks for what there is.
#[query(example(what = "relation", name = "telling.kept"))]
fn probe(p: What) -> Select {
    let k = table("telling.kept").alias("k");
    match p.what.as_str() {
        "relation" => {
            let t = table(&p.name).alias("t");
            select(count_all().alias("n")).from(t)
        }
        "column" => select(k.col(&p.name).alias("n")).from(k),
        "function" => select(call(&p.name, k.col("n")).alias("n")).from(k),
        "type" => select(k.col("secret").cast_as(&p.name).alias("n")).from(k),
        // What is never right, whatever there is.
        _ => select(k.col("n").alias("")).from(k),
    }
}

export_plugin!(cast, raised, late, second, checked, commanding, probe);
