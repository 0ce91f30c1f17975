//! A share: CASE inside one aggregate, divided by another.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Lineitem, Nation, Orders, Part, Region, Supplier};

#[derive(Params)]
pub struct NationalMarketShare {
    /// The suppliers' nation, whose share it is.
    #[param(default = "BRAZIL")]
    nation: Arg<String>,
    /// Where the customers are.
    #[param(default = "AMERICA")]
    region: Arg<String>,
    /// The whole type of the part.
    #[param(default = "ECONOMY ANODIZED STEEL")]
    r#type: Arg<String>,
}

/// TPC-H Q8: a nation's share of what a region bought of a type of part, in 1995 and in 1996.
#[query(example(), example(nation = "CHINA", region = "ASIA", type = "STANDARD PLATED TIN"))]
pub fn q08_national_market_share(p: NationalMarketShare) -> Select {
    let (part, s, l, o) =
        (Part::alias("part"), Supplier::alias("s"), Lineitem::alias("l"), Orders::alias("o"));
    let (c, r) = (Customer::alias("c"), Region::alias("r"));
    let (buyer, seller) = (Nation::alias("n1"), Nation::alias("n2"));
    let sold = subquery!(
        "all_nations",
        { o_year: extract("year", o.o_orderdate), volume: l.revenue(), nation: seller.n_name },
        |q| {
            q.from(part)
                .join(l, l.l_partkey.eq(part.p_partkey))
                .join(s, s.s_suppkey.eq(l.l_suppkey))
                .join(o, o.o_orderkey.eq(l.l_orderkey))
                .join(c, c.c_custkey.eq(o.o_custkey))
                .join(buyer, buyer.n_nationkey.eq(c.c_nationkey))
                .join(r, r.r_regionkey.eq(buyer.n_regionkey))
                .join(seller, seller.n_nationkey.eq(s.s_nationkey))
                .filter(r.r_name.eq(p.region))
                .filter(o.o_orderdate.between(Date::new("1995-01-01"), Date::new("1996-12-31")))
                .filter(part.p_type.eq(p.r#type))
        }
    );
    let theirs = case().when(sold.nation.eq(p.nation), sold.volume).otherwise(0);
    select((sold.o_year, (sum(theirs) / sum(sold.volume)).alias("mkt_share")))
        .from(sold)
        .group_by(sold.o_year)
        .order_by(sold.o_year)
}
