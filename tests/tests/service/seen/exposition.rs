use std::collections::{BTreeMap, BTreeSet};

/// What a scrape says, read as strictly as OpenMetrics has it.
#[derive(Debug, Default)]
pub struct Exposition {
    pub families: BTreeMap<String, Family>,
}

#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// By name and labels.
    pub samples: BTreeMap<(String, Labels), f64>,
}

pub type Labels = BTreeMap<String, String>;

/// The endings of a family's samples, by its kind.
fn endings(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_sum", "_count", "_bucket"],
        "info" => &["_info"],
        other => panic!("a kind that nobody expects: {other}"),
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl Exposition {
    /// Reads it.
    ///
    /// # Panics
    /// If it is not of the form, or what it says contradicts itself.
    pub fn parse(text: &str) -> Self {
        let lines = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
        let mut families = BTreeMap::<String, Family>::new();
        let mut current = String::new();
        for line in lines.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let (word, rest) = comment.split_once(' ').unwrap();
                let (name, rest) = rest.split_once(' ').unwrap();
                assert!(is_name(name), "{line}");
                match word {
                    "HELP" => {
                        let before = families.insert(name.to_owned(), Family::default());
                        assert!(before.is_none(), "{name} is there twice");
                        name.clone_into(&mut current);
                        assert!(rest.len() > 10 && rest.ends_with('.'), "{line}");
                        rest.clone_into(&mut families.get_mut(name).unwrap().help);
                    }
                    "TYPE" => {
                        assert_eq!(name, current, "a TYPE follows its HELP");
                        rest.clone_into(&mut families.get_mut(name).unwrap().kind);
                    }
                    other => panic!("{other} in {line}"),
                }
                continue;
            }
            let (name, labels, value) = sample(line);
            let family = families.get_mut(&current).expect("a sample follows its HELP");
            let ending =
                name.strip_prefix(current.as_str()).unwrap_or_else(|| panic!("{name} within {current}"));
            assert!(endings(&family.kind).contains(&ending), "{name} of a {}", family.kind);
            assert!(family.samples.insert((name, labels), value).is_none(), "there twice: {line}");
        }
        let exposition = Self { families };
        exposition.check();
        exposition
    }

    fn check(&self) {
        for (name, family) in &self.families {
            assert!(!name.ends_with("_total") && !name.ends_with("_info"), "{name} ends as a sample does");
            assert!(!family.help.is_empty() && !family.kind.is_empty(), "{name}");
            let known = ["callslip_", "process_"].iter().any(|prefix| name.starts_with(prefix));
            assert!(known, "{name} says not whose it is");
            match family.kind.as_str() {
                "counter" => assert!(family.samples.values().all(|value| *value >= 0.0), "{name}"),
                "histogram" => {
                    assert!(name.ends_with("_seconds"), "{name} says not in what it is");
                    family.check_histogram(name);
                }
                _ => {}
            }
            let mut labels = family.samples.keys().map(|(_, labels)| labels_of(labels));
            if let Some(first) = labels.next() {
                assert!(labels.all(|its| its == first), "{name} has samples of different labels");
            }
        }
    }

    /// The sum of a counter's or gauge's samples that have these labels.
    pub fn sum(&self, sample: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |its: &Labels| {
            labels.iter().all(|(label, value)| its.get(*label).is_some_and(|its| its == value))
        };
        let samples = self.families.values().flat_map(|family| &family.samples);
        samples.filter(|((name, its), _)| name == sample && has(its)).map(|(_, value)| value).sum()
    }

    /// The values that a label has anywhere.
    pub fn values(&self, label: &str) -> BTreeSet<&str> {
        let samples = self.families.values().flat_map(|family| family.samples.keys());
        samples.filter_map(|(_, labels)| labels.get(label)).map(String::as_str).collect()
    }

    /// The name of each sample without the bounds of buckets, with the names of its labels.
    pub fn described(&self) -> BTreeMap<String, BTreeSet<String>> {
        let family = |(name, family): (&String, &Family)| {
            let name = match family.kind.as_str() {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.clone(),
            };
            let labels = family.samples.keys().next().map(|(_, labels)| labels_of(labels));
            (name, labels.unwrap_or_default().into_iter().map(str::to_owned).collect())
        };
        self.families.iter().map(family).collect()
    }
}

/// The names of labels, but for the bound of a bucket.
fn labels_of(labels: &Labels) -> BTreeSet<&str> {
    labels.keys().map(String::as_str).filter(|label| *label != "le").collect()
}

impl Family {
    fn check_histogram(&self, name: &str) {
        let mut series = BTreeMap::<Labels, Vec<(f64, f64)>>::new();
        for ((sample, labels), value) in &self.samples {
            if sample.ends_with("_bucket") {
                let mut labels = labels.clone();
                let bound = labels.remove("le").expect("a bucket has a bound");
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
                series.entry(labels).or_default().push((bound, *value));
            }
        }
        for (labels, mut buckets) in series {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{name} {labels:?}: {buckets:?}");
            let last = buckets.last().unwrap();
            assert_eq!(last.0, f64::INFINITY, "{name}");
            let of = |ending: &str| self.samples[&(format!("{name}{ending}"), labels.clone())];
            assert_eq!(last.1, of("_count"), "{name}");
            assert!(of("_sum") >= 0.0);
        }
    }
}

/// Reads `name{label="value"} 1.0`.
fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value in {line:?}"));
    let value = value.parse().unwrap_or_else(|_| panic!("no number in {line:?}"));
    let Some((name, labels)) = series.split_once('{') else {
        assert!(is_name(series), "{line}");
        return (series.to_owned(), Labels::new(), value);
    };
    assert!(is_name(name), "{line}");
    let mut rest = labels.strip_suffix('}').unwrap_or_else(|| panic!("no end of labels in {line:?}"));
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label in {line:?}"));
        assert!(is_name(label), "{line}");
        let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("no end of a value in {line:?}"));
        assert!(!value.contains(['\\', '\n']), "nothing is to be escaped: {line}");
        assert!(labels.insert(label.to_owned(), value.to_owned()).is_none(), "{label} twice: {line}");
        rest = after.strip_prefix(',').unwrap_or(after);
        assert!(after.is_empty() || !rest.is_empty(), "{line}");
    }
    (name.to_owned(), labels, value)
}
