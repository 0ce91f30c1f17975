//! Several statements in one reply: each has a name, and they run in one round trip.

use callslip_sdk::prelude::*;

use crate::tables::{Company, Position, Reviewer};

#[derive(Params)]
pub struct Overview {
    /// The company to look at.
    company: Arg<i32>,
}

#[derive(Reply)]
pub struct CompanyOverview {
    /// How many open and closed positions there are.
    positions: Select,
    /// The company's totals, or nothing if there is no such company.
    totals: One,
}

/// A company at a glance: its positions by status, and its totals.
#[query(example(company = 1))]
pub fn overview(p: Overview) -> CompanyOverview {
    let pos = Position::alias("p");
    let status = case().when(pos.closed_at.is_null(), "open").otherwise("closed").cast_as("text");
    let positions = select((
        status.alias("status"),
        count_all().alias("positions"),
        count_all().filter(pos.remote).alias("remote"),
    ))
    .from(pos)
    .filter(pos.company_id.eq(p.company))
    .group_by(status)
    .order_by(output("status"));

    // Two scalar subqueries: joining both would count each reviewer once for every position.
    let (c, r) = (Company::alias("c"), Reviewer::alias("r"));
    let position_count = select(count_all()).from(pos).filter(pos.company_id.eq(c.id));
    let reviewer_count = select(count_all()).from(r).filter(r.company_id.eq(c.id));
    let totals = select((
        c.name,
        c.plan,
        position_count.scalar().alias("positions"),
        reviewer_count.scalar().alias("reviewers"),
    ))
    .from(c)
    .filter(c.id.eq(p.company))
    .one();

    CompanyOverview { positions, totals }
}
