//! A scalar subquery over the table of the query around it.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Part};

#[derive(Params)]
pub struct SmallQuantityOrderRevenue {
    /// The part's brand.
    #[param(default = "Brand#23")]
    brand: Arg<String>,
    /// What it comes in.
    #[param(default = "MED BOX")]
    container: Arg<String>,
}

/// TPC-H Q17: what a year would bring in less without the small orders of a part: under a fifth of its average.
#[query(example(), example(brand = "Brand#55", container = "LG CASE"))]
pub fn q17_small_quantity_order_revenue(p: SmallQuantityOrderRevenue) -> One {
    let (l, part, same) = (Lineitem::alias("l"), Part::alias("part"), Lineitem::alias("same"));
    let small =
        select(constant(0.2) * avg(same.l_quantity)).from(same).filter(same.l_partkey.eq(part.p_partkey));
    select((sum(l.l_extendedprice) / 7.0).alias("avg_yearly"))
        .from(l)
        .join(part, part.p_partkey.eq(l.l_partkey))
        .filter(part.p_brand.eq(p.brand))
        .filter(part.p_container.eq(p.container))
        .filter(l.l_quantity.lt(small.scalar()))
        .one()
}
