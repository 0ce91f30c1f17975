//! NOT IN over a query, a list of numbers, and a count of different values.

use callslip_sdk::prelude::*;

use crate::tables::{Part, Partsupp, Supplier};

#[derive(Params)]
pub struct PartsSupplierRelationship {
    /// Not of this brand.
    #[param(default = "Brand#45")]
    brand: Arg<String>,
    /// Not of a type that begins with this.
    #[param(default = "MEDIUM POLISHED")]
    r#type: Arg<String>,
    /// Only these sizes.
    #[param(default = [49, 14, 23, 45, 19, 3, 36, 9], range = 1..=50)]
    sizes: Arg<Vec<i32>>,
}

/// TPC-H Q16: how many suppliers without complaints can deliver parts, by brand, type and size.
#[query(example(), example(brand = "Brand#11", type = "SMALL PLATED", sizes = [1, 2, 3]))]
pub fn q16_parts_supplier_relationship(p: PartsSupplierRelationship) -> Select {
    let (ps, part, s) = (Partsupp::alias("ps"), Part::alias("part"), Supplier::alias("s"));
    let complained = select(s.s_suppkey).from(s).filter(s.s_comment.like("%Customer%Complaints%"));
    select((part.p_brand, part.p_type, part.p_size, count_distinct(ps.ps_suppkey).alias("supplier_cnt")))
        .from(ps)
        .join(part, part.p_partkey.eq(ps.ps_partkey))
        .filter(part.p_brand.ne(p.brand))
        .filter(part.p_type.not_like(p.r#type.concat("%")))
        .filter(part.p_size.eq_any(p.sizes))
        .filter(ps.ps_suppkey.not_in_query(complained))
        .group_by((part.p_brand, part.p_type, part.p_size))
        .order_by((output("supplier_cnt").desc(), part.p_brand, part.p_type, part.p_size))
}
