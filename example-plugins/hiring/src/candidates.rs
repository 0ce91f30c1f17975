//! A page with its total, in one reply: two statements on one snapshot, whose filters are one function.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, CandidateTag, Tag};

#[derive(Sort)]
pub enum By {
    Name,
    #[sort(nulls = last)]
    Salary,
}

#[derive(Params)]
pub struct Candidates {
    /// Only candidates with one of these tags. An empty list matches nobody.
    tags: Option<Arg<Vec<String>>>,
    /// Only candidates with at least so many hours on camera.
    hours: Option<Arg<Numeric>>,
    /// What to sort by: `name`, `salary`, with `-` for descending.
    sort: Sort<By>, // seen: a shape for each order
    page: Page<20, 100>,
}

#[derive(Reply)]
pub struct CandidatePage {
    rows: Select,
    total: One,
}

/// Candidates, a page at a time, and how many there are in all.
#[query(
    example(),
    example(tags = ["wow", "great story"], hours = 5, sort = "-salary,name", page = 2, page_size = 10)
)]
pub fn candidates(p: Candidates) -> CandidatePage {
    let c = Candidate::alias("c");
    let order = p.sort.keys(|by| match by {
        By::Name => c.name.key(),
        By::Salary => c.desired_salary.key(),
    });
    let rows = wanted(select((c.id, c.name, c.country, c.desired_salary, c.skills)), c, &p);
    let total = wanted(select(count_all().alias("candidates")), c, &p);
    CandidatePage { rows: rows.page(p.page, order.then(c.id)), total: total.one() }
}

fn wanted(q: Select, c: Candidate, p: &Candidates) -> Select {
    let (t, ct) = (Tag::alias("t"), CandidateTag::alias("ct"));
    let tagged = p.tags.map(|tags| {
        exists(
            select(1)
                .from(ct)
                .join(t, t.id.eq(ct.tag_id))
                .filter(ct.candidate_id.eq(c.id))
                .filter(t.name.eq_any(tags)),
        )
    });
    let hours = p.hours.map(|hours| c.profile.get_text("camera_hours").cast::<Numeric>().ge(hours));
    q.from(c).filter(tagged).filter(hours)
}
