//! Queries that reach for another tenant's schema, each in its way; every one must be refused.

use callslip_sdk::prelude::*;

/// By its real name.
#[query]
fn relation() -> Select {
    let i = table("globex.invoice").alias("i");
    select(i.col("id")).from(i)
}

/// Beside one's own, so that one tenant's grants hold.
#[query]
fn both() -> Select {
    let (i, own) = (table("globex.invoice").alias("i"), table("tenant.invoice").alias("own"));
    select(i.col("id")).from(i).join(own, own.col("id").eq(i.col("id")))
}

/// A type.
#[query]
fn typed() -> Select {
    let i = table("tenant.invoice").alias("i");
    select(i.col("id")).from(i).filter(constant("new").cast_as("globex.status").is_not_null())
}

/// A function.
#[query]
fn function() -> Select {
    let i = table("tenant.invoice").alias("i");
    select(call("globex.label", i.col("id")).alias("label")).from(i)
}

/// A collation, which takes no grant.
#[query]
fn collation() -> Select {
    let i = table("tenant.invoice").alias("i");
    select(i.col("title").collate("globex.own").alias("title")).from(i)
}

/// A function of PostgreSQL's that one tenant has as well, and was not granted.
#[query]
fn shadowed() -> Select {
    let i = table("tenant.invoice").alias("i");
    select(lower(i.col("id")).alias("lower")).from(i)
}

/// A column that one tenant has.
#[query]
fn column() -> Select {
    let i = table("invoice").alias("i");
    select((i.col("id"), i.col("vat"))).from(i)
}

/// A table that nobody has.
#[query]
fn nothing() -> Select {
    let i = table("tenant.invoise").alias("i");
    select(i.col("id")).from(i)
}

export_plugin!(relation, both, typed, function, collation, shadowed, column, nothing);
