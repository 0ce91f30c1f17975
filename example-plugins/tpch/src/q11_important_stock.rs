//! HAVING against a subquery: each group beside the whole.

use callslip_sdk::prelude::*;

use crate::tables::{Nation, Partsupp, Supplier};

#[derive(Params)]
pub struct ImportantStock {
    /// Whose suppliers.
    #[param(default = "GERMANY")]
    nation: Arg<String>,
    /// How much of the whole counts as considerable. The specification says 0.0001 divided by the scale factor.
    #[param(default = "0.0001", range = 0.0..=1.0)]
    fraction: Arg<Numeric>,
}

/// TPC-H Q11: the parts that hold a considerable fraction of the value that a nation's suppliers have in stock.
#[query(example(), example(nation = "FRANCE", fraction = "0.01"))]
pub fn q11_important_stock(p: ImportantStock) -> Select {
    let (ps, all) = (Partsupp::alias("ps"), Partsupp::alias("ps_all"));
    let value = sum(ps.ps_supplycost * ps.ps_availqty);
    let whole = select(sum(all.ps_supplycost * all.ps_availqty) * p.fraction);
    let whole = stocked(whole, all, Supplier::alias("s_all"), Nation::alias("n_all"), p.nation);
    let parts = select((ps.ps_partkey, value.alias("value")));
    stocked(parts, ps, Supplier::alias("s"), Nation::alias("n"), p.nation)
        .group_by(ps.ps_partkey)
        .having(value.gt(whole.scalar()))
        .order_by(output("value").desc())
}

/// What the suppliers of a nation have in stock.
fn stocked(q: Select, ps: Partsupp, s: Supplier, n: Nation, nation: Arg<String>) -> Select {
    q.from(ps)
        .join(s, s.s_suppkey.eq(ps.ps_suppkey))
        .join(n, n.n_nationkey.eq(s.s_nationkey))
        .filter(n.n_name.eq(nation))
}
