//! A CTE that is used twice, and evaluated once.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Supplier};

#[derive(Params)]
pub struct TopSupplier {
    /// The first day of the three months.
    #[param(default = "1996-01-01")]
    date: Arg<Date>,
}

/// TPC-H Q15: the supplier, or suppliers, with the most revenue of three months.
#[query(example(), example(date = "1993-10-01"))]
pub fn q15_top_supplier(p: TopSupplier) -> Select {
    let (l, s) = (Lineitem::alias("l"), Supplier::alias("s"));
    let revenue = cte!("revenue", { supplier_no: l.l_suppkey, total_revenue: sum(l.revenue()) }, |q| {
        q.from(l)
            .filter(l.l_shipdate.ge(p.date))
            .filter(l.l_shipdate.lt(p.date + months(3)))
            .group_by(l.l_suppkey)
    });
    let each = revenue.alias("each");
    let most = select(max(each.total_revenue)).from(each);
    select((s.s_suppkey, s.s_name, s.s_address, s.s_phone, revenue.total_revenue))
        .from(s)
        .join(revenue, revenue.supplier_no.eq(s.s_suppkey))
        .filter(revenue.total_revenue.eq(most.scalar()))
        .order_by(s.s_suppkey)
}
