//! A tree in one statement: what an order comes to, and what it does to the stock and to its customer's account.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, OrderLine, Product, SalesOrder};

#[derive(Params)]
pub struct Preview {
    /// The order. On the transaction that makes it, it need not be committed.
    order: Arg<i64>,
}

/// An order before it counts: its lines and totals, what its customer then owes, and what is wrong with it. A warning says of
/// what there is too little (`stock` or `credit`), whose that is, and how much is missing.
#[query(example(order = 3))]
pub fn preview(p: Preview) -> One {
    let (o, c) = (SalesOrder::alias("o"), Customer::alias("c"));

    // How many pieces are ordered and not shipped, in this order and all others, of each product of this one.
    let (mine, every, waiting) =
        (OrderLine::alias("mine"), OrderLine::alias("every"), SalesOrder::alias("waiting"));
    let promised = subquery!("promised", { product: mine.product_id, pieces: sum(every.quantity) }, |s| {
        s.from(mine)
            .join(every, every.product_id.eq(mine.product_id))
            .join(waiting, every.order().eq(waiting))
            .filter(mine.order_id.eq(p.order))
            .filter(waiting.shipped_at.is_null())
            .group_by(mine.product_id)
    });
    let (l, pr) = (OrderLine::alias("l"), Product::alias("pr"));
    let line = cte!(
        "line",
        {
            product: pr.id,
            name: pr.name,
            quantity: l.quantity,
            unit_price: l.unit_price,
            discount_percent: l.discount_percent,
            net: l.net(),
            tax: l.tax(),
            left_in_stock: pr.stock - coalesce((promised.pieces, 0)),
        },
        |s| {
            s.from(l)
                .join(pr, l.product().eq(pr))
                .left_join(promised, promised.product.eq(pr.id)) // null where the order is shipped
                .filter(l.order_id.eq(p.order))
        }
    );

    // What the customer has ordered and not paid, this order included.
    let (owed, unpaid) = (OrderLine::alias("owed"), SalesOrder::alias("unpaid"));
    let account = subquery!("account", { balance: coalesce((sum(owed.net() + owed.tax()), 0)) }, |s| {
        s.from(unpaid)
            .join(owed, owed.order().eq(unpaid))
            .filter(unpaid.customer_id.eq(o.customer_id))
            .filter(unpaid.paid_at.is_null())
    });

    let customer = select((c.id, c.name, c.credit_limit, account.balance));
    let lines = select((
        line.product,
        line.name,
        line.quantity,
        line.unit_price,
        line.discount_percent,
        line.net,
        line.tax,
        line.left_in_stock,
    ))
    .from(line)
    .order_by(line.product);
    let totals = select((
        sum(line.net).alias("net"),
        sum(line.tax).alias("tax"),
        sum(line.net + line.tax).alias("gross"),
    ))
    .from(line);
    let stock = select((
        constant("stock").alias("short_of"),
        line.name.alias("whose"),
        (-line.left_in_stock).cast::<Numeric>().alias("missing"),
    ))
    .from(line)
    .filter(line.left_in_stock.lt(0));
    let credit = select((constant("credit"), c.name, account.balance - c.credit_limit))
        .filter(account.balance.gt(c.credit_limit));
    let warnings = stock.union_all(credit).order_by((output("short_of"), output("whose")));

    select((
        o.id.alias("order"),
        o.placed_at,
        nest_one(customer).alias("customer"),
        nest_many(lines).alias("lines"),
        nest_one(totals).alias("totals"),
        nest_many(warnings).alias("warnings"),
    ))
    .with(line) // three of these read it, and PostgreSQL evaluates it once
    .from(o)
    .join(c, o.customer().eq(c))
    .join_lateral(account, true)
    .filter(o.id.eq(p.order))
    .one()
}
