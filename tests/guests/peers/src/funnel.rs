//! Aggregates over four tables: of a part, of distinct rows, and of an order.

use callslip_sdk::prelude::*;

use crate::tables::{Company, Interview, InterviewStatus, Position, Rating};

#[derive(Params)]
pub struct Funnel {
    /// The company whose positions to count.
    company_id: Arg<i32>,
}

/// The interviews and ratings of each position that was rated twenty times or more.
#[query(example(company_id = 1))]
pub fn q3(params: Funnel) -> Select {
    let (co, p) = (Company::alias("co"), Position::alias("p"));
    let (i, r) = (Interview::alias("i"), Rating::alias("r"));
    let interviews = count_distinct(i.id);
    let score = r.score.cast::<f64>();
    let lost = [InterviewStatus::Expired, InterviewStatus::Withdrawn];
    select((
        p.id.alias("position_id"),
        p.title,
        co.name.alias("company"),
        interviews.alias("interviews"),
        interviews.filter(i.status.eq(InterviewStatus::Completed)).alias("completed"),
        interviews.filter(i.status.in_list(lost)).alias("lost"),
        count(r.id).alias("ratings"),
        count(r.id).filter(r.score.ge(4)).alias("good_ratings"),
        call("round", (avg(r.score), 3)).cast::<f64>().alias("avg_score"),
        percentile_cont(0.5).within_group(score).alias("median_score"),
        percentile_cont(0.9).within_group(score).alias("p90_score"),
    ))
    .from(co)
    .join(p, p.company().eq(co))
    .join(i, i.position().eq(p))
    .left_join(r, r.interview().eq(i))
    .filter(co.id.eq(params.company_id))
    .group_by((p.id, p.title, co.name))
    .having(count(r.id).ge(20))
    .order_by((output("avg_score").desc(), p.id))
}
