//! Queries of a logical schema, which is another one for each tenant.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Sorted {
    descending: bool,
}

/// Found along the search path.
#[query]
fn invoices(p: Sorted) -> Select {
    let i = table("invoice").alias("i");
    let q = select((i.col("id"), i.col("title"), i.col("status"))).from(i);
    if p.descending { q.order_by(i.col("id").desc()) } else { q.order_by(i.col("id")) }
}

/// Named with its schema, as are its type and its function.
#[query]
fn named() -> Select {
    let i = table("tenant.invoice").alias("i");
    select((i.col("id"), call("tenant.label", i.col("id")).alias("label")))
        .from(i)
        .filter(i.col("status").eq(constant("new").cast_as("tenant.status")))
        .order_by(i.col("id"))
}

#[derive(Claims)]
struct Who {
    tenant: Arg<String>,
}

/// The claim that chooses the schema, as any other claim.
#[query]
fn bound(who: Who) -> Select {
    let i = table("tenant.invoice").alias("i");
    select((i.col("id"), who.tenant.alias("tenant"))).from(i).order_by(i.col("id"))
}

/// Nothing of any tenant.
#[query]
fn shared() -> Select {
    let c = table("country").alias("c");
    select(c.col("code")).from(c).order_by(c.col("code"))
}

/// Another logical schema, which is always the same one.
#[query]
fn report() -> Select {
    let r = table("reporting.report").alias("r");
    select(r.col("total")).from(r)
}

/// Two that claims choose.
#[query]
fn regional() -> Select {
    let (i, t) = (table("tenant.invoice").alias("i"), table("region.tax").alias("t"));
    select((i.col("id"), t.col("rate"))).from(i).cross_join(t).order_by(i.col("id"))
}

#[derive(Params)]
struct Note {
    /// Which of the two, seen as it is written.
    what: String,
}

/// An open query: what it reads depends on what the caller writes.
#[query(example(what = "country"))]
fn either(p: Note) -> Select {
    let t = table(if p.what == "country" { "country" } else { "tenant.invoice" }).alias("t");
    select(count_all().alias("rows")).from(t)
}

/// A column that is of another type for another tenant.
#[query]
fn amounts() -> Select {
    let i = table("tenant.invoice").alias("i");
    select((i.col("id"), i.col("amount"))).from(i).order_by(i.col("id"))
}

export_plugin!(invoices, named, bound, shared, report, regional, either, amounts);
