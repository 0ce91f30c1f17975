//! What authors get wrong: all of it is found when the plugin is loaded, at the author's line, with what to write
//! instead.

use callslip::{Code, PluginFinding, Refusal};
use callslip_tests::database;

use crate::support::config;

const SOURCE: &str = include_str!("../../guests/mistaken/src/lib.rs");

async fn refusal() -> Refusal {
    let text = config("mistaken", "tests/guests/mistaken").replace("\"company\", ", "\"attacks.moods\", ");
    let host = database().host(&text).await;
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().expect("one plugin");
    plugin.expect_err("a plugin full of mistakes is loaded").clone()
}

/// The findings of a query: their codes, the text of the line that each points at, and what it says.
fn of<'a>(refusal: &'a Refusal, query: &str) -> Vec<(Code, &'a str, String)> {
    let in_query = |finding: &&PluginFinding| finding.query.as_deref() == Some(query);
    refusal
        .findings
        .iter()
        .filter(in_query)
        .map(|PluginFinding { finding, .. }| {
            let line = match &finding.place {
                Some(place) => {
                    assert!(place.file.ends_with("src/lib.rs"), "{}", place.file);
                    SOURCE.lines().nth(place.line as usize - 1).unwrap_or_default().trim()
                }
                None => "",
            };
            let help = finding.help.as_deref().unwrap_or_default();
            (finding.code, line, format!("{}; {help}", finding.message))
        })
        .collect()
}

#[track_caller]
fn assert_finding(found: &[(Code, &str, String)], code: Code, line: &str, says: &[&str]) {
    let fits = |(its, at, message): &&(Code, &str, String)| {
        *its == code && at.contains(line) && says.iter().all(|part| message.contains(part))
    };
    assert!(
        found.iter().any(|finding| fits(&finding)),
        "no {code} at `{line}` that says {says:?} in {found:#?}"
    );
}

#[tokio::test]
async fn each_sort_key_is_proven() {
    let refusal = refusal().await;
    let found = of(&refusal, "sorted");
    let line = "By::Closed => pos.col(\"closd_at\").key()";
    assert_finding(&found, Code::UnknownColumn, line, &["closd_at", "did you mean \"closed_at\"?"]);
    assert_eq!(found.len(), 1, "ten shapes have it, and it is said once: {found:#?}");
}

#[tokio::test]
async fn all_at_once_with_file_line_and_what_to_write_instead() {
    let refusal = refusal().await;
    println!("{refusal}");

    let found = of(&refusal, "misspelt");
    assert_finding(
        &found,
        Code::UnknownColumn,
        "select((pos.col(\"titel\")",
        &["titel", "did you mean \"title\"?"],
    );
    assert_finding(
        &found,
        Code::UnknownRelation,
        "table(\"intervew\")",
        &["intervew", "did you mean \"interview\"?"],
    );
    assert_finding(
        &found,
        Code::UnknownColumn,
        ".order_by(pos.col(\"closed\")",
        &["did you mean \"closed_at\"?"],
    );
    assert_eq!(found.len(), 3, "{found:#?}");

    let found = of(&refusal, "ungranted");
    let help = "add \"public.company\" to relations in [plugins.mistaken.grants]";
    assert_finding(&found, Code::RelationNotGranted, "table(\"company\")", &["public.company", help]);
    let help = "add \"pg_catalog.pg_sleep\" to functions in [plugins.mistaken.grants]";
    assert_finding(&found, Code::FunctionNotGranted, "call(\"pg_sleep\"", &["pg_catalog.pg_sleep", help]);
    assert_finding(&found, Code::FunctionNotGranted, "call(\"public.score\"", &["public.score"]);
    let help = "add \"public.checked\" to types in [plugins.mistaken.grants]";
    assert_finding(&found, Code::TypeNotGranted, "cast_as(\"public.checked\"", &["public.checked", help]);
    assert_finding(
        &found,
        Code::TypeNotGranted,
        "cast_as(\"regclass\"",
        &["pg_catalog.regclass", "types in"],
    );
    assert_eq!(found.len(), 5, "{found:#?}");

    let found = of(&refusal, "ill_typed");
    let says = ["public.interview_status = text", ".cast_as(\"public.interview_status\")"];
    assert_finding(&found, Code::UnknownOperator, "i.col(\"status\").eq(p.status)", &says);
    assert_eq!(found.len(), 1, "the same mistake in two shapes is told once: {found:#?}");

    let found = of(&refusal, "ungrouped");
    let says = ["p.title is neither in GROUP BY nor in an aggregate", "group by p.id too, the primary key"];
    assert_finding(&found, Code::UngroupedColumn, "pos.col(\"title\")", &says);
    assert_eq!(found.len(), 1, "{found:#?}");

    let found = of(&refusal, "grouped_otherwise");
    assert_finding(
        &found,
        Code::DescribeFailed,
        "select(upper(pos.col(\"title\"))",
        &["must appear in the GROUP BY", "42803"],
    );
    assert_eq!(found.len(), 1, "{found:#?}");

    let found = of(&refusal, "lost");
    assert_finding(&found, Code::UnknownAlias, "other.col(\"id\")", &["\"i\"", "join"]);
    assert_finding(&found, Code::DuplicateAlias, "table(\"position\").alias(\"p\")", &["\"p\"", ".alias("]);
    assert_finding(&found, Code::UnnamedColumn, "p.col(\"id\").add(1)", &["column 3", ".alias("]);

    let found = of(&refusal, "constants");
    let says = ["public.interview_status has no label \"complete\"", "did you mean \"completed\"?"];
    assert_finding(&found, Code::InvalidConstant, ".filter(i.col(\"status\").eq(\"complete\")", &says);
    let says = ["\"yesterdae\" is no timestamptz", "invalid input syntax"];
    assert_finding(&found, Code::InvalidConstant, ".filter(i.col(\"created_at\").ge(\"yesterdae\")", &says);
    assert_eq!(found.len(), 2, "as a text \"complete\" is fine: {found:#?}");

    let found = of(&refusal, "open");
    assert_finding(&found, Code::UnknownColumn, "pos.col(\"tilte\")", &["did you mean \"title\"?"]);

    let found = of(&refusal, "leaving");
    assert_finding(&found, Code::CastNotGranted, "", &["\"mood\"", "attacks.leak"]);

    assert_eq!(of(&refusal, "multiplied"), []);
    let [PluginFinding { query, finding }] = &refusal.warnings[..] else { panic!("{refusal:#?}") };
    assert_eq!((query.as_deref(), finding.code), (Some("multiplied"), Code::FanOut), "{finding:#?}");
    assert!(refusal.to_string().contains("\n  warning: mistaken.multiplied: CS0207"), "{refusal}");

    let found = of(&refusal, "panicking");
    assert_finding(&found, Code::PluginTrapped, "columns[7]", &["index out of bounds"]);
    assert_eq!(found.len(), 1, "{found:#?}");
}
