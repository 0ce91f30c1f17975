use std::collections::HashSet;

use callslip_ir::{
    Domain, Example, Manifest, Parameter, ParameterMode, Presence, QueryDeclaration, Range, Reply, Scalar,
};

use super::{
    Limits,
    arguments::json_value,
    decimal::Decimal,
    names::{is_identifier, nearest, printable},
    shapes::levels,
};
use crate::{Code, select::Finding};

/// Everything that is wrong with what a plugin declares; nothing, if all of it can be used. Rendering a manifest or
/// listing [`super::Shapes`] wants one without findings.
pub fn validate(manifest: &Manifest, limits: &Limits) -> Vec<Finding> {
    let mut findings = Findings { context: "the plugin".into(), found: Vec::new() };
    if manifest.queries.is_empty() {
        findings.add("offers no query");
    }
    findings.count("queries", manifest.queries.len(), limits.queries);
    findings.unique("queries", manifest.queries.iter().map(|query| query.name.as_str()));
    // Whatever their number, only as many are looked at as may be.
    for query in manifest.queries.iter().take(limits.queries) {
        check_query(query, limits, &mut findings);
    }
    findings.found
}

/// The findings so far, and what the next one is about.
struct Findings {
    context: String,
    found: Vec<Finding>,
}

impl Findings {
    /// Adds a problem, in words that follow the name of what it is about.
    fn add(&mut self, problem: impl AsRef<str>) {
        self.found.push(Finding::new(Code::BadManifest, format!("{} {}", self.context, problem.as_ref())));
    }

    fn add_with_help(&mut self, problem: impl AsRef<str>, help: &str) {
        self.add(problem);
        if let Some(finding) = self.found.last_mut() {
            finding.help = Some(help.into());
        }
    }

    fn within(&mut self, context: String, check: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.context, context);
        check(self);
        self.context = outer;
    }

    fn count(&mut self, what: &str, found: usize, limit: usize) {
        if found > limit {
            self.add(format!("has {found} {what}; the limit is {limit}"));
        }
    }

    fn unique<'a>(&mut self, what: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        let mut repeated = HashSet::new();
        for name in names {
            if !seen.insert(name) && repeated.insert(name) {
                self.add(format!("has two {what} `{}`", printable(name, 63)));
            }
        }
    }

    fn identifier(&mut self, name: &str) {
        if !is_identifier(name) {
            self.add_with_help(
                "has a name that can't be used",
                "a name begins with a lower-case letter; lower-case letters, digits and underscores follow, 63 in all",
            );
        }
    }
}

fn check_query(query: &QueryDeclaration, limits: &Limits, findings: &mut Findings) {
    let context = format!("query `{}`", printable(&query.name, 63));
    findings.within(context.clone(), |findings| {
        findings.identifier(&query.name);
        for (what, plural, declared) in
            [("parameter", "parameters", &query.parameters), ("claim", "claims", &query.claims)]
        {
            findings.count(plural, declared.len(), limits.parameters);
            findings.unique(plural, declared.iter().map(|parameter| parameter.name.as_str()));
            for parameter in declared.iter().take(limits.parameters) {
                let context = format!("{context}: {what} `{}`", printable(&parameter.name, 63));
                findings.within(context, |findings| check_parameter(parameter, limits, findings));
            }
        }
        let seen =
            query.parameters.iter().chain(&query.claims).filter_map(levels).map(|levels| levels.len()).sum();
        findings.count("values to see, added up over its parameters and claims,", seen, limits.seen_values);
        if let Reply::Named(replies) = &query.reply {
            if replies.is_empty() {
                findings.add("has a reply of no statements");
            }
            findings.count("statements in its reply", replies.len(), limits.statements);
            findings.unique("statements", replies.iter().map(|reply| reply.name.as_str()));
            for reply in replies.iter().take(limits.statements) {
                let context = format!("{context}: statement `{}`", printable(&reply.name, 63));
                findings.within(context, |findings| findings.identifier(&reply.name));
            }
        }
        findings.count("examples", query.examples.len(), limits.examples);
        for (index, example) in query.examples.iter().take(limits.examples).enumerate() {
            let context = format!("{context}: example {}", index + 1);
            findings.within(context, |findings| check_example(query, example, limits, findings));
        }
    });
}

fn check_parameter(parameter: &Parameter, limits: &Limits, findings: &mut Findings) {
    findings.identifier(&parameter.name);
    let ty = &parameter.ty;
    if let Domain::Enum { labels, ty } = &ty.domain {
        if labels.is_empty() {
            findings.add("is an enum without labels");
        }
        findings.count("labels", labels.len(), limits.labels);
        findings.unique("labels", labels.iter().map(String::as_str));
        if labels.iter().any(|label| label.is_empty() || label.len() > 63 || label.contains('\0')) {
            findings.add("has a label that PostgreSQL can't have: one is empty, is longer than 63 bytes or holds a NUL");
        }
        if ty.as_ref().is_some_and(|ty| ty.array || !ty.modifiers.is_empty()) {
            findings.add("names as its enum's type an array, or one with modifiers");
        }
    }
    if parameter.mode == ParameterMode::Seen {
        let finite = matches!(ty.domain, Domain::Enum { .. } | Domain::Scalar(Scalar::Bool));
        if !finite || ty.array {
            findings.add_with_help(
                "is seen, but has infinitely many values",
                "see a bool or an enum; bind it (`Arg<T>`), or let it make the query open",
            );
        }
        if ty.nullable {
            findings.add_with_help(
                "is seen and nullable",
                "make it optional, so that it is seen whether it is there",
            );
        }
    }
    let in_range = check_range(parameter, findings);
    if let (true, Presence::Default(json)) = (in_range, &parameter.presence)
        && let Err(problem) = json_value(parameter, json, limits)
    {
        findings.add(format!("has a default that {}: `{}`", printable(&problem, 300), printable(json, 40)));
    }
}

/// Whether its range can be used, or it has none.
fn check_range(parameter: &Parameter, findings: &mut Findings) -> bool {
    let Some(Range { min, max }) = &parameter.range else { return true };
    let found = findings.found.len();
    let Domain::Scalar(scalar) = parameter.ty.domain else {
        findings.add("has a range, but is an enum");
        return false;
    };
    let whole = matches!(scalar, Scalar::Int2 | Scalar::Int4 | Scalar::Int8);
    if !whole && !matches!(scalar, Scalar::Float4 | Scalar::Float8 | Scalar::Numeric) {
        findings.add(format!("has a range, but is of type {}; only numbers have one", scalar.type_name()));
        return false;
    }
    if min.is_none() && max.is_none() {
        findings.add("has a range without bounds");
    }
    let mut read = |bound: &Option<String>| {
        let text = bound.as_deref()?;
        let decimal = Decimal::parse(text);
        match &decimal {
            None => findings
                .add(format!("has a range with a bound that is not a number: `{}`", printable(text, 40))),
            Some(decimal) if whole && !decimal.is_whole() => {
                findings
                    .add(format!("is an integer, but has a range with the bound {}", printable(text, 40)));
            }
            Some(_) => {}
        }
        decimal
    };
    if let (Some(min), Some(max)) = (read(min), read(max))
        && min > max
    {
        findings.add("has a range whose least value is greater than its greatest");
    }
    findings.found.len() == found
}

fn check_example(query: &QueryDeclaration, example: &Example, limits: &Limits, findings: &mut Findings) {
    for (what, given, declared) in
        [("parameter", &example.parameters, &query.parameters), ("claim", &example.claims, &query.claims)]
    {
        findings.unique(&format!("{what}s"), given.iter().map(|(name, _)| name.as_str()));
        for (name, json) in given.iter().take(limits.parameters) {
            let shown = printable(name, 63);
            match declared.iter().find(|parameter| parameter.name == *name) {
                Some(parameter) => {
                    if let Err(problem) = json_value(parameter, json, limits) {
                        let value = printable(json, 40);
                        findings.add(format!(
                            "has a {what} `{shown}` that {}: `{value}`",
                            printable(&problem, 300)
                        ));
                    }
                }
                None => {
                    let problem = format!("has a {what} `{shown}`, which the query does not declare");
                    match nearest(name, declared.iter().map(|parameter| parameter.name.as_str())) {
                        Some(nearest) => {
                            findings.add_with_help(problem, &format!("did you mean `{nearest}`?"))
                        }
                        None => findings.add(problem),
                    }
                }
            }
        }
    }
    // Its claims may be missing: a tool runs it with those of its user.
    for parameter in query.parameters.iter().take(limits.parameters) {
        let given = example.parameters.iter().any(|(name, _)| *name == parameter.name);
        if parameter.presence == Presence::Required && !given {
            findings.add(format!("lacks the parameter `{}`", printable(&parameter.name, 63)));
        }
    }
}
