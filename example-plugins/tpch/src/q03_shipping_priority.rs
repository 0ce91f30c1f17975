//! Three tables joined, the largest groups first.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Orders};
use crate::values::Segment;

#[derive(Params)]
pub struct ShippingPriority {
    /// What the customers trade in.
    #[param(default = Segment::Building)]
    segment: Arg<Segment>,
    /// Ordered before this day, and shipped after it.
    #[param(default = "1995-03-15")]
    date: Arg<Date>,
}

/// TPC-H Q3: the ten orders of a market segment with the most revenue not shipped yet on a day.
#[query(example(), example(segment = "AUTOMOBILE", date = "1995-03-31"))]
pub fn q03_shipping_priority(p: ShippingPriority) -> Select {
    let (c, o, l) = (Customer::alias("c"), Orders::alias("o"), Lineitem::alias("l"));
    select((l.l_orderkey, sum(l.revenue()).alias("revenue"), o.o_orderdate, o.o_shippriority))
        .from(c)
        .join(o, o.o_custkey.eq(c.c_custkey))
        .join(l, l.l_orderkey.eq(o.o_orderkey))
        .filter(c.c_mktsegment.eq(p.segment))
        .filter(o.o_orderdate.lt(p.date))
        .filter(l.l_shipdate.gt(p.date))
        .group_by((l.l_orderkey, o.o_orderdate, o.o_shippriority))
        .order_by((output("revenue").desc(), o.o_orderdate))
        .limit(10)
}
