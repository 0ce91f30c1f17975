//! A percentage, as one object: the query gives exactly one row.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Part};

#[derive(Params)]
pub struct PromotionEffect {
    /// The first day of the month.
    #[param(default = "1995-09-01")]
    date: Arg<Date>,
}

/// TPC-H Q14: how many percent of a month's revenue came from promotion parts.
#[query(example(), example(date = "1997-12-01"))]
pub fn q14_promotion_effect(p: PromotionEffect) -> One {
    let (l, part) = (Lineitem::alias("l"), Part::alias("part"));
    let promoted = case().when(part.p_type.like("PROMO%"), l.revenue()).otherwise(0);
    select((constant(dec("100.00")) * sum(promoted) / sum(l.revenue())).alias("promo_revenue"))
        .from(l)
        .join(part, part.p_partkey.eq(l.l_partkey))
        .filter(l.l_shipdate.ge(p.date))
        .filter(l.l_shipdate.lt(p.date + months(1)))
        .one()
}
