//! The closed queries with several shapes.

use callslip_sdk::prelude::*;

#[derive(Params)]
pub struct Open {
    open: bool,
}

/// How many positions there are.
#[query]
pub fn positions(p: Open) -> Select {
    let pos = table("position").alias("p");
    select(count_all().alias("positions")).from(pos).filter(p.open.then(|| pos.col("closed_at").is_null()))
}

#[derive(Params)]
pub struct OpenSince {
    open: bool,
    since: Option<Arg<Timestamptz>>,
}

/// The newest positions.
#[query]
pub fn newest(p: OpenSince) -> Select {
    let pos = table("position").alias("p");
    select((pos.col("id"), pos.col("title"), pos.col("salary_min"), pos.col("salary_max")))
        .from(pos)
        .filter(p.open.then(|| pos.col("closed_at").is_null()))
        .filter(p.since.map(|since| pos.col("opened_at").ge(since)))
        .order_by((pos.col("opened_at").desc(), pos.col("id").desc()))
        .limit(20)
}

/// Eight shapes.
#[derive(Params)]
pub struct Few {
    company: Arg<i32>,
    open: bool,
    remote: bool,
    since: Option<Arg<Timestamptz>>,
}

/// Sixteen.
#[derive(Params)]
pub struct More {
    company: Arg<i32>,
    open: bool,
    remote: bool,
    since: Option<Arg<Timestamptz>>,
    location: Option<Arg<String>>,
}

impl From<Few> for More {
    fn from(few: Few) -> Self {
        let Few { company, open, remote, since } = few;
        Self { company, open, remote, since, location: None }
    }
}

enum Of {
    Position,
    Interview,
    Candidate,
}

/// Counts the interviews of a company's positions by a column, with their ratings.
fn counted(p: More, of: Of, column: &'static str) -> Select {
    let (position, interview) = (table("position").alias("p"), table("interview").alias("i"));
    let (candidate, rating) = (table("candidate").alias("c"), table("rating").alias("r"));
    let by = match of {
        Of::Position => position.col(column),
        Of::Interview => interview.col(column),
        Of::Candidate => candidate.col(column),
    };
    let finished = interview.col("completed_at").is_not_null();
    select((
        by,
        count_distinct(interview.col("id")).alias("started"),
        count_distinct(interview.col("id")).filter(finished).alias("completed"),
        avg(rating.col("score")).alias("average"),
    ))
    .from(position)
    .join(interview, interview.col("position_id").eq(position.col("id")))
    .join(candidate, candidate.col("id").eq(interview.col("candidate_id")))
    .left_join(rating, rating.col("interview_id").eq(interview.col("id")))
    .filter(position.col("company_id").eq(p.company))
    .filter(p.open.then(|| position.col("closed_at").is_null()))
    .filter(p.remote.then(|| position.col("remote").is_true()))
    .filter(p.since.map(|since| interview.col("created_at").ge(since)))
    .filter(p.location.map(|location| position.col("location").eq(location)))
    .group_by(by)
    .order_by(by)
    .limit(100)
}

macro_rules! counted {
    ($($name:ident($parameters:ident) by $of:ident $column:literal;)*) => {$(
        /// Interviews and ratings of a company's positions.
        #[query]
        pub fn $name(p: $parameters) -> Select {
            counted(p.into(), Of::$of, $column)
        }
    )*};
}

counted! {
    few_by_position(Few) by Position "id";
    few_by_title(Few) by Position "title";
    few_by_opened_at(Few) by Position "opened_at";
    few_by_status(Few) by Interview "status";
    few_by_device(Few) by Interview "device";
    few_by_candidate(Few) by Candidate "id";
    few_by_country(Few) by Candidate "country";
    few_by_years(Few) by Candidate "years";
    by_position(More) by Position "id";
    by_title(More) by Position "title";
    by_opened_at(More) by Position "opened_at";
    by_status(More) by Interview "status";
    by_device(More) by Interview "device";
    by_candidate(More) by Candidate "id";
    by_country(More) by Candidate "country";
    by_years(More) by Candidate "years";
}
