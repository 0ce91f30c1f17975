//! One row by its key, over two joins.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, Interview, Position};

#[derive(Params)]
pub struct Card {
    /// The interview.
    id: Arg<i64>,
}

#[derive(Params)]
pub struct CardSeen {
    /// The interview, which the plugin sees.
    id: i64,
}

/// An interview, its candidate and its position.
#[query(example(id = 1))]
pub fn q1(p: Card) -> Select {
    let i = Interview::alias("i");
    card(i).filter(i.id.eq(p.id))
}

/// The same as an open query: its plan runs in the sandbox for each new value.
#[query(example(id = 1))]
pub fn q1_open(p: CardSeen) -> Select {
    let i = Interview::alias("i");
    card(i).filter(i.id.eq(p.id))
}

fn card(i: Interview) -> Select {
    let (c, p) = (Candidate::alias("c"), Position::alias("p"));
    select((
        i.id.alias("interview_id"),
        i.status.cast::<String>().alias("status"),
        i.device,
        i.created_at,
        i.completed_at,
        c.id.alias("candidate_id"),
        c.name.alias("candidate_name"),
        c.email.alias("candidate_email"),
        c.country,
        p.id.alias("position_id"),
        p.title.alias("position_title"),
        p.location,
        p.salary_min.cast::<f64>().alias("salary_min"),
        p.salary_max.cast::<f64>().alias("salary_max"),
    ))
    .from(i)
    .join(c, i.candidate().eq(c))
    .join(p, i.position().eq(p))
}
