//! Queries within queries: IN, IN again, and a subquery that looks at the row around it.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Nation, Part, Partsupp, Supplier};

#[derive(Params)]
pub struct PotentialPartPromotion {
    /// The first word of the part's name.
    #[param(default = "forest")]
    color: Arg<String>,
    /// The first day of the year.
    #[param(default = "1994-01-01")]
    date: Arg<Date>,
    /// Whose suppliers.
    #[param(default = "CANADA")]
    nation: Arg<String>,
}

/// TPC-H Q20: a nation's suppliers who have in stock more than half of what they shipped in a year, of parts of a colour.
#[query(example(), example(color = "lime", date = "1997-01-01", nation = "KENYA"))]
pub fn q20_potential_part_promotion(p: PotentialPartPromotion) -> Select {
    let (s, n) = (Supplier::alias("s"), Nation::alias("n"));
    let (ps, part, l) = (Partsupp::alias("ps"), Part::alias("part"), Lineitem::alias("l"));
    let parts = select(part.p_partkey).from(part).filter(part.p_name.like(p.color.concat("%")));
    let half_of_shipped = select(constant(0.5) * sum(l.l_quantity))
        .from(l)
        .filter(l.l_partkey.eq(ps.ps_partkey))
        .filter(l.l_suppkey.eq(ps.ps_suppkey))
        .filter(l.l_shipdate.ge(p.date))
        .filter(l.l_shipdate.lt(p.date + years(1)));
    let suppliers = select(ps.ps_suppkey)
        .from(ps)
        .filter(ps.ps_partkey.in_query(parts))
        .filter(ps.ps_availqty.gt(half_of_shipped.scalar()));
    select((s.s_name, s.s_address))
        .from(s)
        .join(n, n.n_nationkey.eq(s.s_nationkey))
        .filter(s.s_suppkey.in_query(suppliers))
        .filter(n.n_name.eq(p.nation))
        .order_by(s.s_name)
}
