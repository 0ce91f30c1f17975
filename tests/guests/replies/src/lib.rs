//! Replies of any length, of one statement and of several, with values that some formats write in their own way.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Length {
    rows: Arg<i64>,
    /// How many seconds to sleep before the last of them.
    #[param(default = 0.0)]
    pause: Arg<f64>,
}

/// So many rows.
#[query]
fn numbered(p: Length) -> Select {
    let g = call("generate_series", (1_i64, p.rows)).in_from("n");
    let n = g.value();
    select((
        n.alias("n"),
        n.cast_as("numeric(14,2)").alias("amount"),
        constant("row ").concat(n.cast_as("text")).alias("name"),
        constant(Timestamptz::new("2026-01-01T00:00:00Z")).alias("at"),
        case().when(n.eq(p.rows), call("pg_sleep", p.pause).cast_as("text")).alias("slept"),
    ))
    .from(g)
}

#[derive(Params)]
struct Found {
    found: Arg<bool>,
}

/// At most one row, with the values that are written with care.
#[query]
fn one(p: Found) -> One {
    select((
        constant(9_007_199_254_740_993_i64).alias("big"),
        constant("1.50").cast_as("numeric(5,2)").alias("price"),
        constant("NaN").cast_as("float8").alias("nan"),
        constant("").alias("empty"),
        null("text").alias("nothing"),
        constant("a,\"b\"\r\nc").alias("text"),
        constant("{\"a\":\n1}").cast_as("json").alias("document"),
    ))
    .filter(p.found)
    .one()
}

#[derive(Reply)]
struct Several {
    lines: Select,
    total: One,
}

/// Two statements.
#[query]
fn several(p: Found) -> Several {
    Several {
        lines: select(constant(1).alias("n")).union_all(select(constant(2).alias("n"))),
        total: select(constant(2).alias("lines")).filter(p.found).one(),
    }
}

#[derive(Params)]
struct Colliding {
    format: Arg<String>,
    statement: Option<Arg<String>>,
}

/// Has parameters with the names that query strings have for the service.
#[query]
fn colliding(p: Colliding) -> Select {
    let statement = p.statement.map_or_else(|| null("text"), |statement| statement.cast_as("text"));
    select((p.format.alias("format"), statement.alias("statement")))
}

export_plugin!(numbered, one, several, colliding);
