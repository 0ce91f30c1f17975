use std::collections::HashSet;

use callslip_ir::{
    Domain, Example, Manifest, Parameter, ParameterMode, Presence, QueryDeclaration, Range, Reply, Rows,
    Scalar, ValueType,
};

use super::{Limits, arguments::json_value, decimal::Decimal, names::is_identifier, shapes::levels};
use crate::nearest::nearest;
use crate::printable::printable;
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
        let seen = query.parameters.iter().chain(&query.claims).map(seen_values).sum();
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
        check_pages(query, findings);
        findings.count("examples", query.examples.len(), limits.examples);
        for (index, example) in query.examples.iter().take(limits.examples).enumerate() {
            let context = format!("{context}: example {}", index + 1);
            findings.within(context, |findings| check_example(query, example, limits, findings));
        }
    });
}

/// A query gives one page or none, and has one parameter or none that says where it begins.
fn check_pages(query: &QueryDeclaration, findings: &mut Findings) {
    let pages = match &query.reply {
        Reply::Single(rows) => usize::from(*rows == Rows::Page),
        Reply::Named(replies) => replies.iter().filter(|reply| reply.rows == Rows::Page).count(),
    };
    let is_cursor = |its: &&Parameter| its.ty.domain == Domain::Cursor;
    let cursors: Vec<&Parameter> = query.parameters.iter().filter(is_cursor).collect();
    if query.claims.iter().any(|claim| is_cursor(&claim)) {
        findings.add("has a claim that is a cursor, which only a caller can give");
    }
    match (pages, cursors.as_slice()) {
        (0, []) => {}
        (1, [cursor]) => {
            let ValueType { array, nullable, .. } = cursor.ty;
            let is_plain = !array && !nullable && cursor.mode == ParameterMode::Bound;
            if !is_plain || cursor.presence != Presence::Optional {
                findings.add("has a cursor that is not one, optional, bound and not null");
            }
        }
        (1, []) => {
            findings.add_with_help("gives a page, and has no cursor", "take a `Keyset` among the parameters")
        }
        (0, _) => findings
            .add_with_help("has a cursor, and gives no page", "return a `Paged`, made by `.keyset(…)`"),
        (pages, cursors) => findings.add(format!(
            "gives {pages} pages and has {} cursors; of each there is one at the most",
            cursors.len()
        )),
    }
}

/// The parameter that says where a query's page begins.
#[cfg(feature = "host")]
pub fn cursor_of(query: &QueryDeclaration) -> Option<&str> {
    let cursor = query.parameters.iter().find(|its| its.ty.domain == Domain::Cursor);
    cursor.map(|its| its.name.as_str())
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
    if matches!(&ty.domain, Domain::Named(ty) if ty.array) {
        findings.add("names as its type an array; that it is one is said apart");
    }
    if let Domain::Sort { keys } = &ty.domain {
        if keys.is_empty() {
            findings.add("is a sort order without keys");
        }
        findings.count("keys", keys.len(), limits.labels);
        findings.unique("keys", keys.iter().map(String::as_str));
        if let Some(key) = keys.iter().take(limits.labels).find(|key| !is_identifier(key)) {
            findings.within(format!("{}: key `{}`", findings.context, printable(key, 63)), |findings| {
                findings.identifier(key);
            });
        }
        if parameter.mode != ParameterMode::Seen {
            findings.add("is a sort order, but is not seen; no other parameter can say what ORDER BY holds");
        }
    }
    if parameter.mode == ParameterMode::Seen {
        let finite =
            matches!(ty.domain, Domain::Enum { .. } | Domain::Sort { .. } | Domain::Scalar(Scalar::Bool));
        if !finite || ty.array {
            findings.add_with_help(
                "is seen, but has infinitely many values",
                "see a bool, an enum or a sort order; bind it (`Arg<T>`), or let it make the query open",
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

/// How much of a parameter counts as seen; of sort orders, each key in each direction.
fn seen_values(parameter: &Parameter) -> usize {
    levels(parameter, 0).map_or(0, |(levels, _)| levels.len())
}

/// Whether its range can be used, or it has none.
fn check_range(parameter: &Parameter, findings: &mut Findings) -> bool {
    let Some(Range { min, max }) = &parameter.range else { return true };
    let found = findings.found.len();
    let Domain::Scalar(scalar) = parameter.ty.domain else {
        findings.add("has a range, but is of no built-in type; only numbers have one");
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
                Some(parameter) if parameter.ty.domain == Domain::Cursor => {
                    findings.add(format!("has a cursor `{shown}`, which only a host can make"));
                }
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

#[cfg(test)]
mod tests {
    use callslip_ir::{NamedReply, TypeName};

    use super::*;
    use crate::plugin::guest::{labels, manifest, parameter, scalar};

    fn findings(manifest: &Manifest) -> Vec<String> {
        validate(manifest, &Limits::default()).iter().map(Finding::to_string).collect()
    }

    fn only(manifest: &Manifest, words: &str) {
        let found = findings(manifest);
        assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
    }

    fn with(name: &str, ty: Scalar, change: impl FnOnce(&mut Parameter)) -> Manifest {
        let mut parameter = scalar(name, ty);
        change(&mut parameter);
        manifest(vec![parameter])
    }

    fn range(min: &str, max: &str) -> Option<Range> {
        Some(Range { min: Some(min.into()), max: Some(max.into()) })
    }

    #[test]
    fn a_sound_manifest_has_no_findings() {
        let mut seen = labels("status", &["done", "open"]);
        seen.mode = ParameterMode::Seen;
        seen.presence = Presence::Default("\"open\"".into());
        let mut limited = scalar("limit", Scalar::Int8);
        limited.range = range("1", "500");
        limited.presence = Presence::Default("50".into());
        let mut sound = manifest(vec![scalar("company", Scalar::Int4), seen, limited]);
        sound.queries[0].claims = vec![scalar("company", Scalar::Int4)];
        let parameters = vec![("company".into(), "1".into()), ("status".into(), "\"done\"".into())];
        sound.queries[0].examples = vec![Example { parameters, claims: Vec::new() }];
        assert_eq!(findings(&sound), [""; 0]);
    }

    #[test]
    fn every_finding_names_what_it_is_about() {
        let mut bad =
            manifest(vec![scalar("Bad", Scalar::Int4), scalar("a", Scalar::Int4), scalar("a", Scalar::Int4)]);
        bad.queries[0].name = "a b".into();
        let found = findings(&bad);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("CS0105: query `a b` has a name"), "{found:?}");
        assert!(found[1].contains("query `a b` has two parameters `a`"), "{found:?}");
        assert!(found[2].contains("query `a b`: parameter `Bad` has a name"), "{found:?}");
    }

    #[test]
    fn queries_are_counted_and_unique() {
        only(&Manifest { sdk: String::new(), queries: Vec::new() }, "offers no query");
        let one = manifest(Vec::new()).queries.remove(0);
        only(
            &Manifest { sdk: String::new(), queries: vec![one.clone(), one.clone(), one.clone()] },
            "two queries `q`",
        );
        let many = (0..300).map(|n| QueryDeclaration { name: format!("q{n}"), ..one.clone() }).collect();
        only(&Manifest { sdk: String::new(), queries: many }, "300 queries; the limit is 256");
    }

    #[test]
    fn what_is_seen_is_finite() {
        only(&with("a", Scalar::Text, |p| p.mode = ParameterMode::Seen), "infinitely many values");
        let array = |p: &mut Parameter| {
            p.mode = ParameterMode::Seen;
            p.ty.array = true;
        };
        only(&with("a", Scalar::Bool, array), "infinitely many values");
        let nullable = |p: &mut Parameter| {
            p.mode = ParameterMode::Seen;
            p.ty.nullable = true;
        };
        only(&with("a", Scalar::Bool, nullable), "seen and nullable");
        let names: Vec<_> = (0..200).map(|n| n.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let parameters = (0..6)
            .map(|n| Parameter { mode: ParameterMode::Seen, ..labels(&format!("p{n}"), &names) })
            .collect();
        only(&manifest(parameters), "1200 values to see");
    }

    #[test]
    fn labels_are_sound() {
        only(&manifest(vec![labels("a", &[])]), "without labels");
        only(&manifest(vec![labels("a", &["x", "x"])]), "two labels `x`");
        only(&manifest(vec![labels("a", &[""])]), "can't have");
        let mut array = labels("a", &["x"]);
        array.ty.domain = Domain::Enum { labels: vec!["x".into()], ty: Some(TypeName::parse("status[]")) };
        only(&manifest(vec![array]), "an array");
    }

    #[test]
    fn named_types_are_bound_and_their_defaults_are_strings() {
        let named = |ty: &str, change: fn(&mut Parameter)| {
            let mut parameter = parameter("a", Domain::Named(TypeName::parse(ty)));
            change(&mut parameter);
            manifest(vec![parameter])
        };
        let default = |json: &'static str| {
            let mut named = named("daterange", |_| {});
            named.queries[0].parameters[0].presence = Presence::Default(json.into());
            named
        };
        assert_eq!(findings(&default("\"[2026-01-01,)\"")), [""; 0]);
        only(&default("{\"lower\": null}"), "it must be a string");
        only(&named("daterange[]", |_| {}), "that it is one is said apart");
        only(&named("daterange", |p| p.mode = ParameterMode::Seen), "infinitely many values");
        only(&named("daterange", |p| p.range = range("1", "2")), "only numbers");
    }

    #[test]
    fn sort_orders_are_seen_and_their_keys_are_names() {
        let sorted = |keys: &[&str], change: fn(&mut Parameter)| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let mut sort = parameter("sort", Domain::Sort { keys });
            sort.mode = ParameterMode::Seen;
            sort.presence = Presence::Default("\"\"".into());
            change(&mut sort);
            manifest(vec![sort])
        };
        let default = |json: &'static str| {
            let mut sorted = sorted(&["title", "closed"], |_| {});
            sorted.queries[0].parameters[0].presence = Presence::Default(json.into());
            sorted
        };
        for json in ["\"\"", "\"-closed,title\"", "[]", "[\"-closed\", \"title\"]"] {
            assert_eq!(findings(&default(json)), [""; 0], "{json}");
        }
        only(&default("\"-closd\""), "did you mean `closed`?");
        only(&default("\"title,title\""), "repeats an earlier one");
        only(&default("null"), "can't be null");
        only(&sorted(&[], |_| {}), "without keys");
        only(&sorted(&["a", "a"], |_| {}), "two keys `a`");
        for key in ["", "-a", "a,b", "A", "a b"] {
            only(&sorted(&["a", key], |_| {}), &format!("key `{key}` has a name that can't be used"));
        }
        only(&sorted(&["a"], |p| p.mode = ParameterMode::Bound), "is not seen");
        only(&sorted(&["a"], |p| p.mode = ParameterMode::Open), "is not seen");
        only(&sorted(&["a"], |p| p.ty.nullable = true), "seen and nullable");
        only(&sorted(&["a"], |p| p.range = range("1", "2")), "only numbers");
        let array = |p: &mut Parameter| {
            p.ty.array = true;
            p.presence = Presence::Required;
        };
        only(&sorted(&["a"], array), "infinitely many values");
        let many: Vec<_> = (0..300).map(|n| format!("k{n}")).collect();
        only(
            &sorted(&many.iter().map(String::as_str).collect::<Vec<_>>(), |_| {}),
            "300 keys; the limit is 256",
        );
    }

    #[test]
    fn a_query_has_one_page_and_one_cursor_or_neither() {
        let paged = |cursors: usize, rows: &[Rows], change: fn(&mut Parameter)| {
            let cursor = |n: usize| {
                let mut cursor = parameter(&format!("cursor{n}"), Domain::Cursor);
                cursor.presence = Presence::Optional;
                change(&mut cursor);
                cursor
            };
            let mut paged = manifest((0..cursors).map(cursor).collect());
            let named = |(n, rows): (usize, &Rows)| NamedReply { name: format!("r{n}"), rows: *rows };
            paged.queries[0].reply = match rows {
                [only] => Reply::Single(*only),
                several => Reply::Named(several.iter().enumerate().map(named).collect()),
            };
            paged
        };
        assert_eq!(findings(&paged(1, &[Rows::Page], |_| {})), [""; 0]);
        assert_eq!(findings(&paged(1, &[Rows::One, Rows::Page], |_| {})), [""; 0]);
        only(&paged(0, &[Rows::Page], |_| {}), "has no cursor; take a `Keyset`");
        only(&paged(1, &[Rows::Many], |_| {}), "gives no page; return a `Paged`");
        only(&paged(2, &[Rows::Page], |_| {}), "gives 1 pages and has 2 cursors");
        only(&paged(1, &[Rows::Page, Rows::Page], |_| {}), "gives 2 pages and has 1 cursors");
        let changes: [fn(&mut Parameter); 3] = [
            |cursor| cursor.presence = Presence::Required,
            |cursor| cursor.ty.nullable = true,
            |cursor| cursor.ty.array = true,
        ];
        for change in changes {
            only(&paged(1, &[Rows::Page], change), "a cursor that is not one, optional, bound and not null");
        }
        let mut claimed = paged(0, &[Rows::Many], |_| {});
        claimed.queries[0].claims = vec![parameter("cursor", Domain::Cursor)];
        only(&claimed, "which only a caller can give");
        let mut shown = paged(1, &[Rows::Page], |_| {});
        let example = Example { parameters: vec![("cursor0".into(), "\"x\"".into())], claims: Vec::new() };
        shown.queries[0].examples = vec![example];
        only(&shown, "a cursor `cursor0`, which only a host can make");
    }

    #[test]
    fn ranges_are_of_numbers_and_not_empty() {
        only(&with("a", Scalar::Text, |p| p.range = range("1", "2")), "only numbers");
        only(&with("a", Scalar::Int4, |p| p.range = range("2", "1")), "greater than its greatest");
        only(&with("a", Scalar::Int4, |p| p.range = range("x", "1")), "not a number");
        only(&with("a", Scalar::Int4, |p| p.range = range("0.5", "1")), "integer");
        only(&with("a", Scalar::Int4, |p| p.range = Some(Range { min: None, max: None })), "without bounds");
        assert_eq!(findings(&with("a", Scalar::Numeric, |p| p.range = range("0.5", "1e2"))), [""; 0]);
    }

    #[test]
    fn a_default_is_a_value() {
        only(&with("a", Scalar::Int4, |p| p.presence = Presence::Default("x".into())), "is not JSON");
        only(
            &with("a", Scalar::Int4, |p| p.presence = Presence::Default("\"x\"".into())),
            "not a whole number",
        );
        only(&with("a", Scalar::Int4, |p| p.presence = Presence::Default("null".into())), "null");
        let outside = |p: &mut Parameter| {
            p.range = range("1", "5");
            p.presence = Presence::Default("6".into());
        };
        only(&with("a", Scalar::Int4, outside), "not from 1 to 5");
        let nullable = |p: &mut Parameter| {
            p.ty.nullable = true;
            p.presence = Presence::Default("null".into());
        };
        assert_eq!(findings(&with("a", Scalar::Int4, nullable)), [""; 0]);
    }

    #[test]
    fn replies_and_examples_are_sound() {
        let mut reply = manifest(Vec::new());
        reply.queries[0].reply = Reply::Named(Vec::new());
        only(&reply, "no statements");
        let named = |name: &str| NamedReply { name: name.into(), rows: Rows::Many };
        reply.queries[0].reply = Reply::Named(vec![named("a"), named("a")]);
        only(&reply, "two statements `a`");
        reply.queries[0].reply = Reply::Named(vec![named("A")]);
        only(&reply, "statement `A` has a name");

        let mut example = manifest(vec![scalar("company", Scalar::Int4)]);
        let given = |name: &str, json: &str| Example {
            parameters: vec![("company".into(), "1".into()), (name.into(), json.into())],
            claims: Vec::new(),
        };
        example.queries[0].examples = vec![given("compny", "1")];
        only(&example, "did you mean `company`?");
        example.queries[0].examples = vec![given("company", "1")];
        only(&example, "two parameters `company`");
        example.queries[0].examples = vec![Example { parameters: vec![], claims: vec![] }];
        only(&example, "example 1 lacks the parameter `company`");
        example.queries[0].examples =
            vec![Example { parameters: vec![("company".into(), "x".into())], claims: vec![] }];
        only(&example, "example 1 has a parameter `company` that is not JSON");
    }
}
