/// Which parameters and claims are never kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Redaction(Vec<String>);

impl Redaction {
    pub fn new(names: &[String]) -> Self {
        Self(names.to_vec())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a parameter or claim of a query is one of them.
    pub fn hides(&self, plugin: &str, query: &str, name: &str) -> bool {
        let of_query = |entry: &str| {
            let rest = entry.strip_prefix(plugin).and_then(|rest| rest.strip_prefix('.'));
            let rest = rest.and_then(|rest| rest.strip_prefix(query)).and_then(|rest| rest.strip_prefix('.'));
            rest == Some(name)
        };
        self.0.iter().any(|entry| entry == "*" || entry == name || of_query(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hidden_everywhere_or_in_one_query() {
        let hides =
            |entry: &str, name: &str| Redaction::new(&[entry.to_owned()]).hides("hiring", "candidates", name);
        for entry in ["*", "name", "hiring.candidates.name"] {
            assert!(hides(entry, "name"), "{entry}");
        }
        for entry in ["", "nam", "names", "candidates.name", "hiring.name", "hiring.funnel.name", "hiring.*"]
        {
            assert!(!hides(entry, "name"), "{entry}");
        }
        // Claims may have any name.
        assert!(hides("https://a.example/name", "https://a.example/name"));
        assert!(hides("hiring.candidates.a.b", "a.b"));
        assert!(!Redaction::default().hides("hiring", "candidates", "name"));
    }
}
