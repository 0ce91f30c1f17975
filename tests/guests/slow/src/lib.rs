//! Queries that take as long as their caller says.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Seconds {
    seconds: Arg<f64>,
}

/// One row, after that time.
#[query]
fn sleep(p: Seconds) -> Select {
    select(call("pg_sleep", p.seconds).alias("slept"))
}

/// Two thousand rows, the last of them after that time; more than a chunk of a reply comes before.
#[query]
fn late(p: Seconds) -> Select {
    let (r, all) = (table("rating").alias("r"), table("rating").alias("all"));
    let last = || select(all.col("id")).from(all).order_by(all.col("id")).offset(1999).limit(1).scalar();
    let slept = case().when(r.col("id").eq(last()), call("pg_sleep", p.seconds).cast_as("text"));
    select((r.col("id"), r.col("created_at"), slept.alias("slept")))
        .from(r)
        .filter(r.col("id").le(last()))
        .order_by(r.col("id"))
}

#[derive(Reply)]
struct Several {
    quick: Select,
    slow: Select,
    last: Select,
}

/// A statement that is quick, and then one that is not.
#[query]
fn several(p: Seconds) -> Several {
    Several {
        quick: select(constant(1).alias("n")),
        slow: select(call("pg_sleep", p.seconds).alias("slept")),
        last: select(constant(2).alias("n")),
    }
}

export_plugin!(sleep, late, several);
