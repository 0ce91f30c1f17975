//! What others bought with the same products: an anti-join keeps out what the order has already.

use callslip_sdk::prelude::*;

use crate::tables::{OrderLine, Product, RelatedProduct};

#[derive(Params)]
pub struct AlsoBought {
    /// The order.
    order: Arg<i64>,
    /// How many products to suggest.
    #[param(default = 3, range = 1..=20)]
    limit: Arg<u32>,
}

/// What is most often bought together with the products of an order, and is not among them.
#[query(example(order = 3))]
pub fn also_bought(p: AlsoBought) -> Select {
    let (l, r, pr) = (OrderLine::alias("l"), RelatedProduct::alias("r"), Product::alias("pr"));
    let there = OrderLine::alias("there");
    let is_there = exists(
        select(1).from(there).filter(there.order_id.eq(l.order_id)).filter(there.product_id.eq(r.related_id)),
    );
    select((pr.id.alias("product"), pr.name, pr.unit_price, sum(r.times_together).alias("times_together")))
        .from(l)
        .join(r, r.product_id.eq(l.product_id))
        .join(pr, r.related().eq(pr))
        .filter(l.order_id.eq(p.order))
        .filter(!is_there)
        .group_by(pr.id)
        .order_by((output("times_together").desc(), pr.id))
        .limit(p.limit)
}
