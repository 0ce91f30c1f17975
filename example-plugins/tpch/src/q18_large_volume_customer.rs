//! IN over a query with HAVING.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Orders};

#[derive(Params)]
pub struct LargeVolumeCustomer {
    /// More pieces than this.
    // Queries are timed with 312 to 315, and validated with 300.
    #[param(default = 300, range = 300..=315)]
    quantity: Arg<i32>,
}

/// TPC-H Q18: the hundred dearest orders of a large quantity, and whose they are.
#[query(example(), example(quantity = 312))]
pub fn q18_large_volume_customer(p: LargeVolumeCustomer) -> Select {
    let (c, o, l) = (Customer::alias("c"), Orders::alias("o"), Lineitem::alias("l"));
    let item = Lineitem::alias("item");
    let large = select(item.l_orderkey)
        .from(item)
        .group_by(item.l_orderkey)
        .having(sum(item.l_quantity).gt(p.quantity));
    select((
        c.c_name,
        c.c_custkey,
        o.o_orderkey,
        o.o_orderdate,
        o.o_totalprice,
        sum(l.l_quantity).alias("sum"),
    ))
    .from(c)
    .join(o, o.o_custkey.eq(c.c_custkey))
    .join(l, l.l_orderkey.eq(o.o_orderkey))
    .filter(o.o_orderkey.in_query(large))
    .group_by((c.c_custkey, o.o_orderkey))
    .order_by((o.o_totalprice.desc(), o.o_orderdate))
    .limit(100)
}
