//! OR of three conditions that one function makes.

use callslip_sdk::prelude::*;

use crate::tables::{Lineitem, Part};

#[derive(Params)]
pub struct DiscountedRevenue {
    /// The brand in small containers …
    #[param(default = "Brand#12")]
    brand1: Arg<String>,
    /// … in medium ones …
    #[param(default = "Brand#23")]
    brand2: Arg<String>,
    /// … and in large ones.
    #[param(default = "Brand#34")]
    brand3: Arg<String>,
    /// The fewest pieces in small containers; ten more are the most.
    #[param(default = 1, range = 1..=10)]
    quantity1: Arg<i32>,
    /// The same in medium ones.
    #[param(default = 10, range = 10..=20)]
    quantity2: Arg<i32>,
    /// The same in large ones.
    #[param(default = 20, range = 20..=30)]
    quantity3: Arg<i32>,
}

/// TPC-H Q19: the revenue of three kinds of parts that were sent by air and delivered in person.
#[query(example(), example(brand1 = "Brand#55", quantity1 = 5))]
pub fn q19_discounted_revenue(p: DiscountedRevenue) -> One {
    let (l, part) = (Lineitem::alias("l"), Part::alias("part"));
    let small = ["SM CASE", "SM BOX", "SM PACK", "SM PKG"];
    let medium = ["MED BAG", "MED BOX", "MED PKG", "MED PACK"];
    let large = ["LG CASE", "LG BOX", "LG PACK", "LG PKG"];
    select(sum(l.revenue()).alias("revenue"))
        .from(l)
        .join(part, part.p_partkey.eq(l.l_partkey))
        .filter(any([
            kind(l, part, p.brand1, small, p.quantity1, 5),
            kind(l, part, p.brand2, medium, p.quantity2, 10),
            kind(l, part, p.brand3, large, p.quantity3, 15),
        ]))
        // As the specification has it; the generator writes "REG AIR".
        .filter(l.l_shipmode.in_list(["AIR", "AIR REG"]))
        .filter(l.l_shipinstruct.eq("DELIVER IN PERSON"))
        .one()
}

/// Parts of a brand in such containers, from size 1 on, of which the item has so many pieces, or up to ten more.
fn kind(
    l: Lineitem,
    part: Part,
    brand: Arg<String>,
    containers: [&str; 4],
    quantity: Arg<i32>,
    largest: i32,
) -> Expr<bool> {
    all([
        part.p_brand.eq(brand),
        part.p_container.in_list(containers),
        part.p_size.between(1, largest),
        l.l_quantity.between(quantity, quantity + 10),
    ])
}
