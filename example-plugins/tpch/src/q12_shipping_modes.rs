//! A list as a parameter, and two counts of parts of a group.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Orders};
use crate::values::ShipMode;

#[derive(Params)]
pub struct ShippingModes {
    /// How the items were shipped.
    #[param(default = [ShipMode::Mail, ShipMode::Ship])]
    modes: Arg<Vec<ShipMode>>,
    /// The first day of the year.
    #[param(default = "1994-01-01")]
    date: Arg<Date>,
}

/// TPC-H Q12: how many items of urgent and of other orders came late in a year, by how they were shipped.
#[query(example(), example(modes = ["RAIL", "FOB"], date = "1997-01-01"))]
pub fn q12_shipping_modes(p: ShippingModes) -> Select {
    let (o, l) = (Orders::alias("o"), Lineitem::alias("l"));
    let urgent = o.o_orderpriority.in_list(["1-URGENT", "2-HIGH"]);
    select((
        l.l_shipmode,
        sum(case().when(urgent, 1).otherwise(0)).alias("high_line_count"),
        sum(case().when(!urgent, 1).otherwise(0)).alias("low_line_count"),
    ))
    .from(o)
    .join(l, l.l_orderkey.eq(o.o_orderkey))
    .filter(l.l_shipmode.eq_any(p.modes))
    .filter(l.l_commitdate.lt(l.l_receiptdate))
    .filter(l.l_shipdate.lt(l.l_commitdate))
    .filter(l.l_receiptdate.ge(p.date))
    .filter(l.l_receiptdate.lt(p.date + years(1)))
    .group_by(l.l_shipmode)
    .order_by(l.l_shipmode)
}
