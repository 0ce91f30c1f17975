//! Arithmetic on parameters: decimals that stay exact.

use callslip_sdk::prelude::*;

use crate::tables::Lineitem;

#[derive(Params)]
pub struct ForecastingRevenueChange {
    /// The first day of the year.
    #[param(default = "1994-01-01")]
    date: Arg<Date>,
    /// The discount, give or take a hundredth.
    #[param(default = "0.06", range = 0.02..=0.09)]
    discount: Arg<Numeric>,
    /// Only items of fewer than so many pieces.
    #[param(default = 24, range = 24..=25)]
    quantity: Arg<i32>,
}

/// TPC-H Q6: how much more a year would have brought in without the discounts of about one size.
#[query(example(), example(date = "1997-01-01", discount = "0.09", quantity = 25))]
pub fn q06_forecasting_revenue_change(p: ForecastingRevenueChange) -> One {
    let l = Lineitem::alias("l");
    let (least, most) = (p.discount - 0.01, p.discount + 0.01);
    select(sum(l.l_extendedprice * l.l_discount).alias("revenue"))
        .from(l)
        .filter(l.l_shipdate.ge(p.date))
        .filter(l.l_shipdate.lt(p.date + years(1)))
        .filter(l.l_discount.between(least, most))
        .filter(l.l_quantity.lt(p.quantity))
        .one()
}
