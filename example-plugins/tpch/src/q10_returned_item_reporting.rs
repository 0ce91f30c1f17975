//! Groups by keys: PostgreSQL knows what belongs to a customer.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Nation, Orders};

#[derive(Params)]
pub struct ReturnedItemReporting {
    /// The first day of the three months.
    #[param(default = "1993-10-01")]
    date: Arg<Date>,
}

/// TPC-H Q10: the twenty customers whose returned parts, of three months' orders, cost the most.
#[query(example(), example(date = "1995-01-01"))]
pub fn q10_returned_item_reporting(p: ReturnedItemReporting) -> Select {
    let (c, o, l, n) = (Customer::alias("c"), Orders::alias("o"), Lineitem::alias("l"), Nation::alias("n"));
    select((
        c.c_custkey,
        c.c_name,
        sum(l.revenue()).alias("revenue"),
        c.c_acctbal,
        n.n_name,
        c.c_address,
        c.c_phone,
        c.c_comment,
    ))
    .from(c)
    .join(o, o.o_custkey.eq(c.c_custkey))
    .join(l, l.l_orderkey.eq(o.o_orderkey))
    .join(n, n.n_nationkey.eq(c.c_nationkey))
    .filter(o.o_orderdate.ge(p.date))
    .filter(o.o_orderdate.lt(p.date + months(3)))
    .filter(l.l_returnflag.eq("R"))
    .group_by((c.c_custkey, n.n_nationkey))
    .order_by(output("revenue").desc())
    .limit(20)
}
