//! HAVING: groups that are wanted for what their rows add up to.

use callslip_sdk::prelude::*;

use crate::tables::{OrderLine, Product, SalesOrder};

#[derive(Params)]
pub struct Shortages {
    /// Only products of which at most so many would be left; with the default, of which too many were promised.
    #[param(default = -1)]
    at_most: Arg<i64>,
}

/// Products of which little or less than nothing is left once everything that is ordered has been shipped.
#[query(example(), example(at_most = 5))]
pub fn shortages(p: Shortages) -> Select {
    let (pr, l, waiting) = (Product::alias("pr"), OrderLine::alias("l"), SalesOrder::alias("waiting"));
    let promised = sum(l.quantity);
    select((
        pr.id.alias("product"),
        pr.name,
        pr.stock,
        promised.alias("promised"),
        (pr.stock - promised).alias("left_in_stock"),
    ))
    .from(pr)
    .join(l, l.product().eq(pr))
    .join(waiting, l.order().eq(waiting))
    .filter(waiting.shipped_at.is_null())
    .group_by(pr.id)
    .having((pr.stock - promised).le(p.at_most))
    .order_by((output("left_in_stock"), pr.id))
}
