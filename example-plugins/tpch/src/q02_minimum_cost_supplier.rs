//! A scalar subquery that looks at the row around it: the least of a group, with all that belongs to it.

use callslip_sdk::prelude::*;

use crate::tables::{Nation, Part, Partsupp, Region, Supplier};

#[derive(Params)]
pub struct MinimumCostSupplier {
    /// The part's size.
    #[param(default = 15, range = 1..=50)]
    size: Arg<i32>,
    /// The last word of the part's type: its metal.
    #[param(default = "BRASS")]
    r#type: Arg<String>,
    /// Where the suppliers are.
    #[param(default = "EUROPE")]
    region: Arg<String>,
}

/// TPC-H Q2: who in a region sells each part of a size and type at the lowest price there.
#[query(example(), example(size = 37, type = "COPPER", region = "ASIA"))]
pub fn q02_minimum_cost_supplier(p: MinimumCostSupplier) -> Select {
    let (part, ps, s, n, r) = (
        Part::alias("part"),
        Partsupp::alias("ps"),
        Supplier::alias("s"),
        Nation::alias("n"),
        Region::alias("r"),
    );
    select((
        s.s_acctbal,
        s.s_name,
        n.n_name,
        part.p_partkey,
        part.p_mfgr,
        s.s_address,
        s.s_phone,
        s.s_comment,
    ))
    .from(part)
    .join(ps, ps.ps_partkey.eq(part.p_partkey))
    .join(s, s.s_suppkey.eq(ps.ps_suppkey))
    .join(n, n.n_nationkey.eq(s.s_nationkey))
    .join(r, r.r_regionkey.eq(n.n_regionkey))
    .filter(part.p_size.eq(p.size))
    .filter(part.p_type.like(constant("%").concat(p.r#type)))
    .filter(r.r_name.eq(p.region))
    .filter(ps.ps_supplycost.eq(lowest_cost(part, p.region).scalar()))
    .order_by((s.s_acctbal.desc(), n.n_name, s.s_name, part.p_partkey))
    .limit(100)
}

/// What a part costs at least in a region.
fn lowest_cost(part: Part, region: Arg<String>) -> Select {
    let (ps, s, n, r) = (
        Partsupp::alias("ps_there"),
        Supplier::alias("s_there"),
        Nation::alias("n_there"),
        Region::alias("r_there"),
    );
    select(min(ps.ps_supplycost))
        .from(ps)
        .join(s, s.s_suppkey.eq(ps.ps_suppkey))
        .join(n, n.n_nationkey.eq(s.s_nationkey))
        .join(r, r.r_regionkey.eq(n.n_regionkey))
        .filter(ps.ps_partkey.eq(part.p_partkey))
        .filter(r.r_name.eq(region))
}
