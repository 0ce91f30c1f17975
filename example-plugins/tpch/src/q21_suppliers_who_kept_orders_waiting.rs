//! EXISTS and NOT EXISTS on the same table: somebody else delivered, and nobody else was late.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Nation, Orders, Supplier};

#[derive(Params)]
pub struct SuppliersWhoKeptOrdersWaiting {
    /// Whose suppliers.
    #[param(default = "SAUDI ARABIA")]
    nation: Arg<String>,
}

/// TPC-H Q21: a nation's suppliers who, alone of an order's suppliers, were late, and how often.
#[query(example(), example(nation = "PERU"))]
pub fn q21_suppliers_who_kept_orders_waiting(p: SuppliersWhoKeptOrdersWaiting) -> Select {
    let (s, o, n) = (Supplier::alias("s"), Orders::alias("o"), Nation::alias("n"));
    let (late, other, late_too) = (Lineitem::alias("l1"), Lineitem::alias("l2"), Lineitem::alias("l3"));
    let others = select(1)
        .from(other)
        .filter(other.l_orderkey.eq(late.l_orderkey))
        .filter(other.l_suppkey.ne(late.l_suppkey));
    let others_late = select(1)
        .from(late_too)
        .filter(late_too.l_orderkey.eq(late.l_orderkey))
        .filter(late_too.l_suppkey.ne(late.l_suppkey))
        .filter(late_too.l_receiptdate.gt(late_too.l_commitdate));
    select((s.s_name, count_all().alias("numwait")))
        .from(s)
        .join(late, late.l_suppkey.eq(s.s_suppkey))
        .join(o, o.o_orderkey.eq(late.l_orderkey))
        .join(n, n.n_nationkey.eq(s.s_nationkey))
        .filter(o.o_orderstatus.eq("F"))
        .filter(late.l_receiptdate.gt(late.l_commitdate))
        .filter(exists(others))
        .filter(not_exists(others_late))
        .filter(n.n_name.eq(p.nation))
        .group_by(s.s_name)
        .order_by((output("numwait").desc(), s.s_name))
        .limit(100)
}
