//! Six tables joined, two of them twice over: customer and supplier are of one nation.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Nation, Orders, Region, Supplier};

#[derive(Params)]
pub struct LocalSupplierVolume {
    /// Where both customers and suppliers are.
    #[param(default = "ASIA")]
    region: Arg<String>,
    /// The first day of the year.
    #[param(default = "1994-01-01")]
    date: Arg<Date>,
}

/// TPC-H Q5: what suppliers of a region sold within their own nation in a year.
#[query(example(), example(region = "AFRICA", date = "1997-01-01"))]
pub fn q05_local_supplier_volume(p: LocalSupplierVolume) -> Select {
    let (c, o, l) = (Customer::alias("c"), Orders::alias("o"), Lineitem::alias("l"));
    let (s, n, r) = (Supplier::alias("s"), Nation::alias("n"), Region::alias("r"));
    select((n.n_name, sum(l.revenue()).alias("revenue")))
        .from(c)
        .join(o, o.o_custkey.eq(c.c_custkey))
        .join(l, l.l_orderkey.eq(o.o_orderkey))
        .join(s, s.s_suppkey.eq(l.l_suppkey).and(s.s_nationkey.eq(c.c_nationkey)))
        .join(n, n.n_nationkey.eq(s.s_nationkey))
        .join(r, r.r_regionkey.eq(n.n_regionkey))
        .filter(r.r_name.eq(p.region))
        .filter(o.o_orderdate.ge(p.date))
        .filter(o.o_orderdate.lt(p.date + years(1)))
        .group_by(n.n_name)
        .order_by(output("revenue").desc())
}
