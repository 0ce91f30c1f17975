//! A LEFT JOIN with a condition in ON, counted twice: customers without orders are a group too.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Orders};

#[derive(Params)]
pub struct CustomerDistribution {
    /// Orders are left out whose comment has this word …
    #[param(default = "special")]
    word1: Arg<String>,
    /// … and later this one.
    #[param(default = "requests")]
    word2: Arg<String>,
}

/// TPC-H Q13: how many customers have how many orders, special ones left out.
#[query(example(), example(word1 = "pending", word2 = "deposits"))]
pub fn q13_customer_distribution(p: CustomerDistribution) -> Select {
    let (c, o) = (Customer::alias("c"), Orders::alias("o"));
    let special = constant("%").concat(p.word1).concat("%").concat(p.word2).concat("%");
    let per_customer = subquery!("c_orders", { c_custkey: c.c_custkey, c_count: count(o.o_orderkey) }, |q| {
        q.from(c)
            .left_join(o, o.o_custkey.eq(c.c_custkey).and(o.o_comment.not_like(special)))
            .group_by(c.c_custkey)
    });
    select((per_customer.c_count, count_all().alias("custdist")))
        .from(per_customer)
        .group_by(per_customer.c_count)
        .order_by((output("custdist").desc(), per_customer.c_count.desc()))
}
