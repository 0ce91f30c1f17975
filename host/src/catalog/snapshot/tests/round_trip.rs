use super::super::*;
use super::whole::{contents, renumbered};
use crate::catalog::{Catalog, ColumnPrivileges, PG_CATALOG, Parallel, Relation, TypeKind};

fn everything() -> Snapshot {
    Snapshot::of_everything(contents(), vec!["app".into()], |_| true)
}

fn read(text: &str) -> Snapshot {
    Snapshot::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_member_reads_back_as_it_was_written() {
    let snapshot = everything();
    assert_eq!(
        renumbered(snapshot.contents.clone()),
        renumbered(contents()),
        "nothing of the user's is left out"
    );
    let text = snapshot.to_json();
    let read = read(&text);
    assert_eq!(read.to_json(), text);
    assert!(read.everything);
    let (read, written) = (renumbered(read.contents), renumbered(snapshot.contents));
    assert_eq!(read.relations, written.relations, "{text}");
    assert_eq!(read.types, written.types, "{text}");
    assert_eq!(read, written, "{text}");
}

#[test]
fn each_item_has_a_line_and_what_is_usual_has_none() {
    let text = everything().to_json();
    for line in [
        r#"  "version": 2,"#,
        r#"    "lc_collate": "C","#,
        r#"  "everything": true,"#,
        r#"    "places": {"schema": "app", "version": "1.2"}"#,
        r#"      "owner": "builder","#,
        r#"      "comment": "The application's","#,
        r#"    "empty": {},"#,
        r#"          "persistence": "unlogged","#,
        r#"          "partitioned_by": "RANGE (id)","#,
        r#"          "partition_of": {"parent": "app.\"every \"\"event\"\"\"", "bounds": "DEFAULT"},"#,
        r#"            "app.z","#,
        r#"            {"name": "id", "type": "int4", "identity": "by_default", "privileges": ["select", "insert", "update", "references"], "comment": "Its \"number\""},"#,
        r#"            {"name": "codes", "type": "int4[]", "modifier": 5, "dimensions": 2, "collation": "app.\"Ci \"\"x\"\"\"", "nullable": true, "default": "'{}'::integer[]"},"#,
        r#"            {"name": "secret", "type": "text", "generated": "virtual", "privileges": []}"#,
        r#"            {"name": "moods", "type": "int4[]", "nullable": true}"#,
        r#"            {"name": "event_pkey", "primary": true, "deferrable": true, "without_overlaps": true, "columns": ["id", "codes"]},"#,
        r#"            {"name": "event_second", "columns": ["codes", "id"], "target": "app.event", "target_columns": ["codes", "id"]}"#,
        r#"            {"name": "event_a", "expression": "((event_a)::text <> ''::text)"},"#,
        r#"            {"name": "event_usual", "keys": ["id", "lower(secret) COLLATE \"C\" DESC"]}"#,
        r#"            "enabled": true,"#,
        r#"              {"name": "mine", "command": "insert", "roles": ["a", "b"], "using": "(id = 1)", "check": "(id > 0)"}"#,
        r#"              " SELECT moods","#,
        r#"              "","#,
        r#"              "pg_class""#,
        r#"              "app.\"weigh(\"(app.mood[], app.\"a, b\", int4)","#,
        r#"              "lower(text)","#,
        r#"        {"name": "ci", "nondeterministic": true}"#,
        r#"        "Plain","#,
        r#"        {"name": "lower", "arguments": ["text"], "returns": "text"}"#,
        r#"    {"source": "app.point", "target": "int4", "function": "app.\"weigh(\"(app.point, int4)", "context": "assignment", "binary": true, "extension": "places"}"#,
    ] {
        assert!(text.lines().any(|its| its == line), "no {line} in\n{text}");
    }
    // The rows of relations belong to whom these belong to, and a table is permanent.
    for absent in ["permanent", "btree", "\"validated\": true", "no_action", "unsafe", "\"dimensions\": 1"] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
}

#[test]
fn another_environment_makes_no_difference() {
    let of = |contents: Contents| Snapshot::new(contents, vec![], |_| true).to_json();
    let mut other = contents();
    for relation in &mut other.relations {
        relation.owner = "somebody".into();
        for column in &mut relation.columns {
            let select = column.privileges.select;
            column.privileges = ColumnPrivileges { select, insert: true, update: false, references: true };
        }
    }
    other.schemas[0].owner = "somebody".into();
    other.types.iter_mut().for_each(|ty| ty.owner = "somebody".into());
    other.functions.iter_mut().for_each(|function| function.owner = "somebody".into());
    other.settings.insert("lc_collate".into(), "de_DE.utf8".into());
    let text = of(other);
    assert_eq!(text, of(contents()));
    for absent in [
        "\"owner\"",
        "\"everything\"",
        "\"privileges\"",
        "\"settings\"",
        "{\"name\": \"secret\", \"type\": \"text\", ",
    ] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
    assert!(text.contains("\"hidden_columns\": 1,"), "{text}");
    let narrowed = read(&everything().to_json()).narrowed();
    assert_eq!(Snapshot { search: vec![], ..narrowed }.to_json(), text);
}

#[test]
fn nothing_is_told_of_built_in_functions_but_what_resolves_them() {
    let mut contents = contents();
    let builtin = contents.functions.iter_mut().find(|function| function.schema == PG_CATALOG).unwrap();
    (builtin.strict, builtin.leakproof, builtin.parallel) = (true, true, Parallel::Safe);
    (builtin.language, builtin.owner, builtin.comment) =
        ("internal".into(), "postgres".into(), Some("x".into()));
    contents.types[0].owner = "postgres".into();
    contents.operators[0].function = Some(40_001);
    let text = Snapshot::of_everything(contents, vec!["app".into()], |_| true).to_json();
    assert_eq!(text, everything().to_json());
}

#[test]
fn the_order_in_which_everything_was_read_makes_no_difference() {
    let mut reversed = contents();
    reversed.relations.reverse();
    reversed.types.reverse();
    reversed.functions.reverse();
    reversed.schemas.reverse();
    reversed.operators.reverse();
    for relation in &mut reversed.relations {
        relation.unique_keys.reverse();
        relation.foreign_keys.reverse();
        relation.checks.reverse();
        relation.indexes.reverse();
        relation.row_security.policies.reverse();
        relation.row_security.policies.iter_mut().for_each(|policy| policy.roles.reverse());
    }
    assert_eq!(
        Snapshot::of_everything(reversed, vec!["app".into()], |_| true).to_json(),
        everything().to_json()
    );
}

#[test]
fn version_1_says_less_and_is_read() {
    let text = r#"{"format": "callslip catalog snapshot", "version": 1, "postgresql": 150018, "search": [], "schemas": {
        "app": {
          "relations": {"t": {"kind": "table", "columns": [{"name": "a", "type": "int4[]"}], "unique_keys": [{"name": "k", "columns": ["a"]}],
            "foreign_keys": [{"name": "f", "columns": ["a"], "target": "app.t", "target_columns": ["a"]}]}},
          "functions": [{"name": "f", "returns": "int4"}], "collations": ["c"]
        },
        "pg_catalog": {"types": {"int4": {"kind": "base"}}}},
      "casts": [{"source": "int4", "target": "int4[]", "context": "explicit", "function": "app.f"}]}"#;
    let contents = read(text).contents;
    let table = &contents.relations[0];
    let Relation { unique_keys, foreign_keys, columns, .. } = table;
    assert!(unique_keys[0].holds() && foreign_keys[0].validated);
    assert_eq!((columns[0].dimensions, columns[0].privileges), (1, ColumnPrivileges::default()));
    assert_eq!(contents.schemas, [], "only where something is");
    assert_eq!(contents.casts[0].function, Some(contents.functions[0].oid));
}

#[test]
fn what_the_login_may_not_read_is_no_part_of_what_is_proven_against() {
    let whole = everything().contents;
    let catalog = Catalog::new(read(&everything().to_json()).contents.readable());
    let event = catalog.relation("app", "event").unwrap();
    assert_eq!(
        event.columns.iter().map(|column| &column.name[..]).collect::<Vec<_>>(),
        ["id", "codes", "twice"]
    );
    assert_eq!(event.hidden_columns, 1);
    assert_eq!(event.unique_keys.iter().map(|key| &key.name[..]).collect::<Vec<_>>(), ["event_pkey"]);
    let TypeKind::Composite { attributes } = &catalog.ty("app", "event").unwrap().kind else { panic!() };
    assert_eq!(attributes.len(), 4, "a row has all its columns");

    let mut none = whole.clone();
    none.relations[0].columns.iter_mut().for_each(|column| column.privileges.select = false);
    none.relations[1].columns = none.relations[2].columns.clone();
    none.relations[1].foreign_keys = none.relations[0].foreign_keys.clone();
    let gone = Catalog::new(none.readable());
    assert!(gone.relation("app", "event").is_none());
    assert!(gone.ty("app", "event").is_none() && gone.ty("app", "_event").is_none());
    assert!(gone.relation("app", "event_2024").unwrap().foreign_keys.is_empty());

    let mut marked = whole.clone();
    marked.schemas[1].hidden = true;
    marked.functions[0].hidden = true;
    marked.operators[1].hidden = true;
    let marked = Snapshot { contents: marked, search: vec![], everything: true };
    let marked = read(&marked.to_json()).contents;
    let hidden = |contents: &Contents| {
        let functions = contents.functions.iter().filter(|its| its.hidden).count();
        let operators = contents.operators.iter().filter(|its| its.hidden).count();
        [functions, operators, contents.schemas.iter().filter(|its| its.hidden).count()]
    };
    assert_eq!(hidden(&marked), [1, 1, 1]);
    let narrowed = marked.clone().readable();
    assert_eq!(hidden(&narrowed), [0, 0, 0]);
    assert_eq!(narrowed.functions.len() + 1, marked.functions.len());

    let mut all = whole;
    all.relations[0].columns[3].privileges.select = true;
    assert_eq!(all.clone().readable(), all);
}
