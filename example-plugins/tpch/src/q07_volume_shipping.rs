//! One table under two aliases, and a subquery whose columns are typed fields.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Nation, Orders, Supplier};

#[derive(Params)]
pub struct VolumeShipping {
    /// One of the two nations.
    #[param(default = "FRANCE")]
    nation1: Arg<String>,
    /// The other one.
    #[param(default = "GERMANY")]
    nation2: Arg<String>,
}

/// TPC-H Q7: what two nations shipped to each other in 1995 and 1996, by year.
#[query(example(), example(nation1 = "CHINA", nation2 = "KENYA"))]
pub fn q07_volume_shipping(p: VolumeShipping) -> Select {
    let (s, l, o, c) = (Supplier::alias("s"), Lineitem::alias("l"), Orders::alias("o"), Customer::alias("c"));
    let (from, to) = (Nation::alias("n1"), Nation::alias("n2"));
    let there = from.n_name.eq(p.nation1).and(to.n_name.eq(p.nation2));
    let back = from.n_name.eq(p.nation2).and(to.n_name.eq(p.nation1));
    let shipping = subquery!(
        "shipping",
        {
            supp_nation: from.n_name,
            cust_nation: to.n_name,
            l_year: extract("year", l.l_shipdate),
            volume: l.revenue(),
        },
        |q| {
            q.from(s)
                .join(l, l.l_suppkey.eq(s.s_suppkey))
                .join(o, o.o_orderkey.eq(l.l_orderkey))
                .join(c, c.c_custkey.eq(o.o_custkey))
                .join(from, from.n_nationkey.eq(s.s_nationkey))
                .join(to, to.n_nationkey.eq(c.c_nationkey))
                .filter(there.or(back))
                .filter(l.l_shipdate.between(Date::new("1995-01-01"), Date::new("1996-12-31")))
        }
    );
    let lane = (shipping.supp_nation, shipping.cust_nation, shipping.l_year);
    select((
        shipping.supp_nation,
        shipping.cust_nation,
        shipping.l_year,
        sum(shipping.volume).alias("revenue"),
    ))
    .from(shipping)
    .group_by(lane)
    .order_by(lane)
}
