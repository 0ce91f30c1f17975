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
    let r = table("rating").alias("r");
    // The ids have gaps.
    let number = row_number().over(window().order_by(r.col("id")));
    let slept = case().when(number.eq(2000), call("pg_sleep", p.seconds).cast_as("text"));
    select((r.col("id"), r.col("created_at"), slept.alias("slept"))).from(r).order_by(r.col("id")).limit(2000)
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
