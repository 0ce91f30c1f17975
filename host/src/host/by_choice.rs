use crate::catalog::ChosenSchemas;
use crate::select::Finding;

/// How many choices of schemas a finding names.
const NAMED: usize = 3;

/// Findings, and the choices of schemas under which each was made. All of one choice are added before those of the next.
#[derive(Debug, Default)]
pub(super) struct ByChoice(Vec<(Finding, Vec<ChosenSchemas>)>);

impl ByChoice {
    pub fn add(&mut self, chosen: &ChosenSchemas, finding: Finding) {
        match self.0.iter_mut().find(|(its, _)| *its == finding) {
            // One choice is looked at after the other.
            Some((_, choices)) if choices.last() == Some(chosen) => {}
            Some((_, choices)) => choices.push(chosen.clone()),
            None => self.0.push((finding, vec![chosen.clone()])),
        }
    }

    /// The choices under which there is a finding, each as often as there are.
    pub fn choices(&self) -> impl Iterator<Item = &ChosenSchemas> {
        self.0.iter().flat_map(|(_, choices)| choices)
    }

    /// Each finding once. One that was not made under each of so many choices says under which it was.
    pub fn told(self, all: usize) -> Vec<Finding> {
        let told = |(mut finding, choices): (Finding, Vec<ChosenSchemas>)| {
            if choices.len() == all {
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
