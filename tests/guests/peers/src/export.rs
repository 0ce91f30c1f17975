//! Ten thousand rows of every kind of column.

use callslip_sdk::prelude::*;

use crate::tables::Candidate;

#[derive(Params)]
pub struct Export {
    /// The last candidate that is there already.
    after: Arg<i64>,
}

/// The next ten thousand candidates.
#[query(example(after = 0))]
pub fn q5(p: Export) -> Select {
    let c = Candidate::alias("c");
    select((
        c.id,
        c.external_id,
        c.name,
        c.country,
        c.years,
        c.relocate,
        c.desired_salary.cast::<f64>().alias("desired_salary"),
        c.skills,
        c.profile,
        c.created_at,
    ))
    .from(c)
    .filter(c.id.gt(p.after))
    .order_by(c.id)
    .limit(10_000)
}
