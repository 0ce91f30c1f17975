//! What a description means is what PostgreSQL takes the same SQL for: it accepts the same, and the functions and operators of a
//! view (`pg_rewrite.ev_action`) are the same for plain SQL, in which PostgreSQL resolves everything, and for what is printed.

mod attacks;
mod calls;
mod expression;
mod forms;
mod messages;
mod operators;
mod oracle;
mod plans;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use callslip::catalog::{Catalog, Oid, PG_CATALOG, TypeKind};
use expression::Expression;
use oracle::Verdict;

/// The name of a type as the table has a column of it.
fn column_type(catalog: &Catalog, oid: Oid) -> Option<String> {
    let ty = catalog.type_by_oid(oid)?;
    let name = match ty.kind {
        TypeKind::Array { element } => format!("{}[]", catalog.type_by_oid(element)?.name),
        _ => ty.name.clone(),
    };
    (ty.schema == PG_CATALOG || ty.schema == "public")
        .then_some(name)
        .filter(|name| oracle::TYPES.contains(&name.as_str()))
}

/// What PostgreSQL refuses although every type fits: rules of grouping and sorting, which it looks at after it has chosen the
/// functions. Both the plain SQL and what is printed must be refused for it.
const REFUSED_LATER: &[&str] = &[
    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
    "must appear in the GROUP BY clause or be used in an aggregate function",
    "could not identify an ordering operator",
];

/// What the verifier refuses on purpose and PostgreSQL does not: it would read one constant as several types.
const STRICTER: &[&str] = &["a constant without a type of its own is compared as"];

fn is_exception(verdict: &Verdict) -> bool {
    let has = |list: &[&str], message: &str| list.iter().any(|its| message.contains(its));
    match (&verdict.plain, &verdict.printed, &verdict.ids) {
        (Err(plain), Ok(_), Some(Err(printed))) => has(REFUSED_LATER, plain) && has(REFUSED_LATER, printed),
        (Ok(_), Err(finding), None) => has(STRICTER, finding),
        _ => false,
    }
}

/// Asks about each expression, of which there must be as many, and a part of them accepted.
async fn agree(expressions: &[Expression], least: usize, accepted: usize) {
    assert!(expressions.len() >= least, "{} expressions", expressions.len());
    let verdicts = oracle::oracle().ask(expressions).await;
    let both = verdicts.iter().filter(|verdict| verdict.plain.is_ok() && verdict.agrees()).count();
    let wrong: Vec<&Verdict> =
        verdicts.iter().filter(|verdict| !verdict.agrees() && !is_exception(verdict)).collect();
    let mut kinds: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
    for verdict in &wrong {
        let head = |text: &str| text.split(&[':', '(', '"'][..]).next().unwrap_or_default().to_owned();
        let kind = |result: &Result<String, String>| match result {
            Ok(_) => "accepted".to_owned(),
            Err(error) => head(error),
        };
        let what = (
            kind(&verdict.plain),
            verdict.printed.as_ref().map(|_| ()).map_err(|error| error.split(' ').next().map(str::to_owned)),
            verdict.ids.as_ref().map(kind),
        );
        kinds.entry(format!("{what:?}")).or_default().push(verdict);
    }
    let mut shown = String::new();
    for (kind, verdicts) in kinds {
        _ = writeln!(shown, "{} times {kind}", verdicts.len());
        for Verdict { sql, plain, printed, ids } in verdicts.iter().step_by(verdicts.len() / 6 + 1) {
            _ = writeln!(
                shown,
                "  {sql}\n    plain:   {plain:?}\n    printed: {printed:?}\n    is:      {ids:?}"
            );
        }
    }
    eprintln!("{} expressions, {both} accepted, {} otherwise", verdicts.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {} are resolved otherwise:\n{shown}", wrong.len(), verdicts.len());
    assert!(both >= accepted, "only {both} of {} are accepted", verdicts.len());
}
