//! EXISTS: an order counts once, however many of its items were late.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Orders};

#[derive(Params)]
pub struct OrderPriorityChecking {
    /// The first day of the three months.
    #[param(default = "1993-07-01")]
    date: Arg<Date>,
}

/// TPC-H Q4: how many orders of three months had an item that came late, by priority.
#[query(example(), example(date = "1997-10-01"))]
pub fn q04_order_priority_checking(p: OrderPriorityChecking) -> Select {
    let (o, l) = (Orders::alias("o"), Lineitem::alias("l"));
    let late =
        select(1).from(l).filter(l.l_orderkey.eq(o.o_orderkey)).filter(l.l_commitdate.lt(l.l_receiptdate));
    select((o.o_orderpriority, count_all().alias("order_count")))
        .from(o)
        .filter(o.o_orderdate.ge(p.date))
        .filter(o.o_orderdate.lt(p.date + months(3)))
        .filter(exists(late))
        .group_by(o.o_orderpriority)
        .order_by(o.o_orderpriority)
}
