//! LIKE with a parameter inside the pattern.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Nation, Orders, Part, Partsupp, Supplier};

#[derive(Params)]
pub struct ProductTypeProfit {
    /// A word of the part's name.
    #[param(default = "green")]
    color: Arg<String>,
}

/// TPC-H Q9: the profit on parts of a colour, by the supplier's nation and the year.
#[query(example(), example(color = "dim"))]
pub fn q09_product_type_profit(p: ProductTypeProfit) -> Select {
    let (part, s, l) = (Part::alias("part"), Supplier::alias("s"), Lineitem::alias("l"));
    let (ps, o, n) = (Partsupp::alias("ps"), Orders::alias("o"), Nation::alias("n"));
    let profit = subquery!(
        "profit",
        {
            nation: n.n_name,
            o_year: extract("year", o.o_orderdate),
            amount: l.revenue() - ps.ps_supplycost * l.l_quantity,
        },
        |q| {
            q.from(part)
                .join(l, l.l_partkey.eq(part.p_partkey))
                .join(s, s.s_suppkey.eq(l.l_suppkey))
                .join(ps, ps.ps_suppkey.eq(l.l_suppkey).and(ps.ps_partkey.eq(l.l_partkey)))
                .join(o, o.o_orderkey.eq(l.l_orderkey))
                .join(n, n.n_nationkey.eq(s.s_nationkey))
                .filter(part.p_name.like(constant("%").concat(p.color).concat("%")))
        }
    );
    select((profit.nation, profit.o_year, sum(profit.amount).alias("sum_profit")))
        .from(profit)
        .group_by((profit.nation, profit.o_year))
        .order_by((profit.nation, profit.o_year.desc()))
}
