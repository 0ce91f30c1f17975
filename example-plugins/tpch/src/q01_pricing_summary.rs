//! Eight aggregates over one table.

use callslip_sdk::prelude::*;

use crate::tables::Lineitem;

#[derive(Params)]
pub struct PricingSummary {
    /// How many days before 1 December 1998 the last shipment was.
    #[param(default = 90, range = 60..=120)]
    delta: Arg<i32>,
}

/// TPC-H Q1: how much was shipped until a day, at which prices and discounts, by return flag and line status.
#[query(example(), example(delta = 60))]
pub fn q01_pricing_summary(p: PricingSummary) -> Select {
    let l = Lineitem::alias("l");
    let last = constant(Date::new("1998-12-01")) - days(p.delta);
    select((
        l.l_returnflag,
        l.l_linestatus,
        sum(l.l_quantity).alias("sum_qty"),
        sum(l.l_extendedprice).alias("sum_base_price"),
        sum(l.revenue()).alias("sum_disc_price"),
        sum(l.revenue() * (constant(1) + l.l_tax)).alias("sum_charge"),
        avg(l.l_quantity).alias("avg_qty"),
        avg(l.l_extendedprice).alias("avg_price"),
        avg(l.l_discount).alias("avg_disc"),
        count_all().alias("count_order"),
    ))
    .from(l)
    .filter(l.l_shipdate.le(last))
    .group_by((l.l_returnflag, l.l_linestatus))
    .order_by((l.l_returnflag, l.l_linestatus))
}
