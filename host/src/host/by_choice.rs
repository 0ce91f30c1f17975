use crate::catalog::ChosenSchemas;
use crate::select::Finding;

/// How many choices of schemas a finding names.
const NAMED: usize = 3;

/// Findings, and the choices of schemas under which each was made.
#[derive(Debug, Default)]
pub(super) struct ByChoice(Vec<(Finding, Vec<ChosenSchemas>)>);

impl ByChoice {
    pub fn add(&mut self, chosen: &ChosenSchemas, finding: Finding) {
        match self.0.iter_mut().find(|(its, _)| *its == finding) {
            Some((_, choices)) if choices.contains(chosen) => {}
            Some((_, choices)) => choices.push(chosen.clone()),
            None => self.0.push((finding, vec![chosen.clone()])),
        }
    }

    /// Each finding once. One that was not made under each of these choices says under which it was.
    pub fn told<'c>(self, all: impl IntoIterator<Item = &'c ChosenSchemas>) -> Vec<Finding> {
        let all: Vec<&ChosenSchemas> = all.into_iter().collect();
        let told = |(mut finding, choices): (Finding, Vec<ChosenSchemas>)| {
            if all.iter().all(|choice| choices.contains(choice)) {
                return finding;
            }
            let named: Vec<String> = choices.iter().take(NAMED).map(ToString::to_string).collect();
            let more = match choices.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            finding.message = format!("with {}{more}: {}", named.join(" or "), finding.message);
            finding
        };
        self.0.into_iter().map(told).collect()
    }
}
