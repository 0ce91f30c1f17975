/// The bytes of a name that is compared: as many as PostgreSQL keeps of one.
const LONGEST: usize = 63;
/// How many candidates are compared.
const MOST: usize = 400;

/// The candidate nearest to what was written, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of both lengths, and plugins and callers write what they like.
    if written.len() > LONGEST {
        return None;
    }
    let lower = written.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .take(MOST)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + written.chars().count().min(candidate.chars().count()) / 3
                || related(&lower, candidate)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether one name is a whole part of the other: `name` of `full_name`.
fn related(written: &str, candidate: &str) -> bool {
    let (short, long) =
        if written.len() < candidate.len() { (written, candidate) } else { (candidate, written) };
    short.len() >= 3 && long.split('_').any(|part| part == short)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_what_was_probably_meant_and_nothing_else() {
        let columns = ["id", "title", "company_id", "closed_at"];
        assert_eq!(nearest("titel", columns), Some("title"));
        assert_eq!(nearest("closed", columns), Some("closed_at"));
        assert_eq!(nearest("Title", columns), Some("title"));
        assert_eq!(nearest("salary", columns), None);
        assert_eq!(nearest(&"title".repeat(1000), columns), None);
    }
}
