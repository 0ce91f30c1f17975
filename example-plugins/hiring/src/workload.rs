//! Two counts over two to-many joins. Joined side by side, three questions and two interviews are six rows, and both
//! counts are six; each is counted by itself here, before it is joined.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, Position, Question};

#[derive(Params)]
pub struct Workload {
    /// The company whose positions to count.
    company: Arg<i32>,
}

/// How many questions each position asks, and how many interviews it has.
#[query(example(company = 1))]
pub fn workload(p: Workload) -> Select {
    let (pos, q, i) = (Position::alias("p"), Question::alias("q"), Interview::alias("i"));
    let asked = subquery!("asked", { position: q.position_id, questions: count_all() }, |s| {
        s.from(q).group_by(q.position_id)
    });
    let held = subquery!("held", { position: i.position_id, interviews: count_all() }, |s| {
        s.from(i).group_by(i.position_id)
    });
    select((
        pos.id,
        pos.title,
        coalesce((asked.questions, 0)).alias("questions"),
        coalesce((held.interviews, 0)).alias("interviews"),
    ))
    .from(pos)
    .left_join(asked, asked.position.eq(pos.id))
    .left_join(held, held.position.eq(pos.id))
    .filter(pos.company_id.eq(p.company))
    .order_by(pos.id)
}
