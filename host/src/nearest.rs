use callslip_ir::QualifiedName;

use crate::catalog::{PG_CATALOG, SearchPath};

/// The bytes of a name that is compared: as many as PostgreSQL keeps of one.
const LONGEST: usize = 63;
/// How many candidates are listed where none is near.
#[cfg(feature = "postgres")]
const LISTED: usize = 20;
/// How many candidates are compared.
const MOST: usize = 400;

/// The candidate nearest to what was written, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of both lengths, and plugins and callers write what they like.
    if written.len() > LONGEST {
        return None;
    }
    let (lower, length) = (written.to_lowercase(), written.chars().count());
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .take(MOST)
        .filter_map(|candidate| {
            let (its, related) = (candidate.chars().count(), related(&lower, candidate));
            let farthest = 1 + length.min(its) / 3;
            // No two names are nearer than their lengths differ.
            if !related && length.abs_diff(its) > farthest {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (related || distance <= farthest).then_some((distance, candidate))
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

/// What to write instead of a name that is not found: of these schemas and names the nearest, with its schema where it
/// would not be found without it. What is in a schema that plugins can't name is never meant. Without a schema, a name is looked for in `pg_catalog` and in those that are searched.
pub(crate) fn did_you_mean<'n>(
    written: &QualifiedName,
    path: &'n SearchPath,
    candidates: impl Iterator<Item = (&'n str, &'n str)>,
) -> Option<String> {
    let schema = written.schema.as_deref();
    let is_looked_in = |its: &str| match schema {
        Some(schema) => schema == its,
        None => its == PG_CATALOG || path.searched().iter().any(|searched| searched == its),
    };
    let candidates = candidates.filter(|(its, _)| !path.hides(its));
    let candidates = candidates.map(|(its, candidate)| (path.shown(its), candidate));
    // What was written is not there, though the candidates may name it.
    let candidates: Vec<(&str, &str)> =
        candidates.filter(|&(its, candidate)| candidate != written.name || !is_looked_in(its)).collect();
    let nearest = nearest(&written.name, candidates.iter().map(|(_, candidate)| *candidate))?;
    let (its, candidate) = candidates
        .into_iter()
        .filter(|(_, candidate)| *candidate == nearest)
        .min_by_key(|(its, _)| !is_looked_in(its))?;
    Some(match schema.is_none() && is_looked_in(its) {
        true => format!("did you mean \"{candidate}\"?"),
        false => format!("did you mean \"{its}.{candidate}\"?"),
    })
}

/// What a caller who wrote a name that is none should know: the nearest one, or those that there are.
#[cfg(feature = "postgres")]
pub(crate) fn suggestion<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    there_are: &str,
) -> String {
    if let Some(nearest) = nearest(written, candidates.clone()) {
        return format!("did you mean \"{nearest}\"?");
    }
    let mut listed: Vec<&str> = candidates.into_iter().take(LISTED + 1).collect();
    if listed.is_empty() {
        return format!("{there_are} none");
    }
    if listed.len() > LISTED {
        listed[LISTED] = "…";
    }
    format!("{there_are} {}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_probably_meant_and_nothing_else() {
        let columns = ["id", "title", "company_id", "closed_at"];
        assert_eq!(nearest("titel", columns), Some("title"));
        assert_eq!(nearest("closed", columns), Some("closed_at"));
        assert_eq!(nearest("Title", columns), Some("title"));
        assert_eq!(nearest("salary", columns), None);
        assert_eq!(nearest(&"title".repeat(1000), columns), None);
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn lists_what_there_is_where_nothing_is_near() {
        assert_eq!(suggestion("titel", ["id", "title"], "it has"), "did you mean \"title\"?");
        assert_eq!(suggestion("salary", ["id", "title"], "it has"), "it has id, title");
        assert_eq!(suggestion("salary", [], "it has"), "it has none");
        let many = vec!["id"; LISTED + 5];
        let listed = suggestion("salary", many, "it has");
        assert_eq!((listed.matches("id").count(), listed.ends_with(", …")), (LISTED, true), "{listed}");
    }
}
