use super::*;
use crate::catalog::{
    Cast, CastContext, Catalog, Column, ForeignKey, Operator, Relation, RelationKind, Type, TypeKind,
    UniqueKey, Volatility,
};

/// A snapshot with a little of everything; `schemas.public` and more can be put in.
fn text(public: &str, more: &str) -> String {
    format!(
        r#"{{"format": "callslip catalog snapshot", "version": 1, "postgresql": 150018, "search": ["public"],
            "schemas": {{
              "public": {{{public}}},
              "pg_catalog": {{"types": {{
                "int4": {{"kind": "base", "category": "N"}}, "text": {{"kind": "base", "category": "S"}}
              }}}}
            }}{more}}}"#
    )
}

fn error(public: &str, more: &str) -> String {
    Snapshot::read(&text(public, more)).unwrap_err().to_string()
}

fn ty(oid: u32, schema: &str, name: &str, kind: TypeKind, category: char) -> Type {
    Type { oid, schema: schema.into(), name: name.into(), kind, category, preferred: false, array: None }
}

#[test]
fn whatever_the_ids_and_the_order_the_text_is_the_same() {
    let contents = |base: u32, reversed: bool| {
        let mood = TypeKind::Enum { labels: vec!["calm".into(), "cross \"x\"".into()] };
        let mut types = vec![
            Type { array: Some(1007), ..ty(23, PG_CATALOG, "int4", TypeKind::Base, 'N') },
            ty(1007, PG_CATALOG, "_int4", TypeKind::Array { element: 23 }, 'A'),
            Type { array: Some(base + 9), ..ty(base, "public", "Mood", mood, 'E') },
            ty(base + 9, "public", "__Mood", TypeKind::Array { element: base }, 'A'),
            ty(base + 1, "public", "low", TypeKind::Domain { base: 23 }, 'N'),
            ty(base + 2, "public", "span", TypeKind::Range { subtype: base + 1 }, 'R'),
            ty(base + 3, "public", "spans", TypeKind::Multirange { range: base + 2 }, 'R'),
        ];
        let column = |name: &str, ty, nullable| Column {
            name: name.into(),
            ty,
            type_modifier: -1,
            nullable,
            comment: nullable.then(|| "may\nbe null".into()),
        };
        let relation = |oid, name: &str, foreign_keys| Relation {
            oid,
            schema: "public".into(),
            name: name.into(),
            kind: RelationKind::PartitionedTable,
            columns: vec![
                column("id", 23, false),
                column("moods", base + 9, true),
                column("n", base + 1, true),
            ],
            unique_keys: vec![UniqueKey { name: "key".into(), primary: true, columns: vec!["id".into()] }],
            foreign_keys,
            comment: Some(String::new()),
        };
        let key = ForeignKey {
            name: "fk".into(),
            columns: vec!["n".into()],
            target: base + 20,
            target_columns: vec!["id".into()],
        };
        let mut relations = vec![relation(base + 20, "a.b", vec![]), relation(base + 21, "c", vec![key])];
        let function = |oid, arguments: &[u32]| Function {
            oid,
            schema: "public".into(),
            name: "score".into(),
            kind: crate::catalog::FunctionKind::Function,
            arguments: arguments.to_vec(),
            argument_names: vec!["x".into(); arguments.len()],
            defaults: 1,
            variadic: None,
            returns: base,
            returns_set: true,
            volatility: Volatility::Volatile,
            security_definer: true,
        };
        let mut functions = vec![function(base + 30, &[23]), function(base + 31, &[base + 9])];
        if reversed {
            types.reverse();
            relations.reverse();
            functions.reverse();
        }
        let operator = Operator {
            oid: base + 40,
            schema: "public".into(),
            name: "<%>".into(),
            left: None,
            right: 23,
            result: 23,
            function: Some(1),
        };
        let cast = Cast {
            source: base,
            target: 23,
            function: Some(base + 31),
            context: CastContext::Implicit,
            binary: false,
        };
        let (operators, casts) = (vec![operator], vec![cast]);
        Contents { server_version: 1, relations, types, functions, operators, casts, ..Contents::default() }
    };
    let json = |contents| Snapshot::new(contents, vec!["public".into()], |_| true).to_json();
    let written = json(contents(20_000, false));
    assert_eq!(json(contents(90_000, true)), written);
    let read = Snapshot::read(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(read.to_json(), written);
    for line in [
        r#"            {"name": "moods", "type": "public.\"Mood\"[]", "nullable": true, "comment": "may\nbe null"},"#,
        r#"        "Mood": {"kind": "enum", "labels": ["calm", "cross \"x\""], "array": "__Mood"},"#,
        r#"        "low": {"kind": "domain", "base": "int4", "array": null},"#,
        r#"            {"name": "fk", "columns": ["n"], "target": "public.\"a.b\"", "target_columns": ["id"]}"#,
        r#"    {"source": "public.\"Mood\"", "target": "int4", "function": "public.score", "context": "implicit"}"#,
    ] {
        assert!(written.lines().any(|its| its == line), "no {line} in\n{written}");
    }
    assert!(!written.contains("comment\": \"\""), "an empty comment says nothing");

    let catalog = Catalog::new(read.contents);
    let low = catalog.ty("public", "low").unwrap();
    assert_eq!((catalog.base_type(low.oid), low.category), (23, 'N'), "int4 has its own id everywhere");
    let key = &catalog.relation("public", "c").unwrap().foreign_keys[0];
    assert_eq!(catalog.relation_by_oid(key.target).unwrap().name, "a.b");
}

#[test]
fn what_is_no_snapshot_is_told_apart_from_one_that_is_broken() {
    let error = |text: &str| Snapshot::read(text).unwrap_err();
    for text in ["[]", "null", "1", "{}", r#"{"format": "openapi"}"#, r#"{"format": 1, "version": 1}"#] {
        assert!(matches!(error(text), SnapshotError::NotASnapshot), "{text}: {}", error(text));
    }
    for text in ["", "# SQL", "{", &text("", "")[..200]] {
        let error = error(text);
        assert!(matches!(error, SnapshotError::Json(_)), "{text}: {error}");
        assert!(error.to_string().contains("line "), "{error}");
    }
    for version in ["99", "0", "\"1\"", "1.5", "null"] {
        let text = text("", "").replace("\"version\": 1", &format!("\"version\": {version}"));
        let error = error(&text);
        assert!(matches!(error, SnapshotError::UnsupportedVersion { .. }), "{version}: {error}");
    }
    let deep = format!("{}{}", r#"{"format": "#, "[".repeat(100_000));
    assert!(matches!(error(&deep), SnapshotError::Json(_)));
}

#[test]
fn what_does_not_fit_together_is_named() {
    let table = |column: &str, more: &str| {
        format!(
            r#""relations": {{"t": {{"kind": "table", "columns": [{{"name": "id", "type": "{column}"}}]{more}}}}}"#
        )
    };
    let ty = |entry: &str| format!(r#""types": {{"x": {entry}}}"#);
    let function = r#"{"name": "f", "arguments": ["int4"], "returns": "int4"}"#;
    for (public, says) in [
        (table("int5", ""), "no type int5, which the column id of public.t refers to; did you mean int4?"),
        (table("public.t", ""), "no type public.t"),
        (table("text[][]", ""), "no type text[][]"),
        (table("Int4", ""), "no type Int4"),
        (table("int4", r#", "kinds": 1"#), "unknown field `kinds`"),
        (
            table("int4", r#", "unique_keys": [{"name": "k", "columns": ["ids"]}]"#),
            "no column ids, which the key k of public.t refers to; did you mean id?",
        ),
        (
            table("int4", r#", "foreign_keys": [{"name": "k", "columns": ["id"], "target": "public.u", "target_columns": ["id"]}]"#),
            "no relation public.u",
        ),
        (r#""relations": {"t": {"kind": "sequence", "columns": []}}"#.into(), "unknown variant `sequence`"),
        (r#""relations": {"t": {"kind": "view", "columns": []}, "t": {}}"#.into(), "\"t\" is there twice at line"),
        (
            r#""relations": {"t": {"kind": "view", "columns": [{"name": "a", "type": "int4"}, {"name": "a", "type": "int4"}]}}"#.into(),
            "a column of public.t twice",
        ),
        (ty(r#"{"kind": "enum"}"#), "public.x needs `labels`"),
        (ty(r#"{"kind": "enum", "labels": ["a", "a"]}"#), "public.x has a label twice"),
        (ty(r#"{"kind": "domain", "base": "public.x"}"#), "public.x is a domain over itself"),
        (ty(r#"{"kind": "base"}, "_x": {"kind": "base"}"#), "the type public._x twice"),
        (format!(r#""functions": [{function}, {function}]"#), "a signature of the function public.f twice"),
        (r#""functions": [{"name": "f", "returns": "text", "variadic": "text"}]"#.into(), "`variadic`"),
        (
            r#""functions": [{"name": "f", "arguments": ["text"], "argument_names": ["a", "b"], "returns": "text"}]"#.into(),
            "`argument_names`",
        ),
        (r#""collations": ["C", "C"]"#.into(), "the collation public.\"C\" twice"),
    ] {
        let error = error(&public, "");
        assert!(error.contains(says), "{public}: no {says} in {error}");
    }
    let cast = r#"{"source": "int4", "target": "text", "context": "explicit"}"#;
    assert!(
        error("", &format!(r#", "casts": [{cast}, {cast}]"#)).contains("the cast from int4 to text twice")
    );
    let cast = cast.replace("explicit\"", "explicit\", \"function\": \"public.f\"");
    assert!(error("", &format!(r#", "casts": [{cast}]"#)).contains("no function public.f"));
}

#[test]
fn an_error_repeats_no_more_of_a_name_than_a_line_takes() {
    let long = "n".repeat(100_000);
    let table = |name: &str, ty: &str| {
        format!(
            r#""relations": {{"{name}": {{"kind": "table", "columns": [{{"name": "id", "type": "{ty}"}}]}}}}"#
        )
    };
    let collations = format!(r#""collations": ["{long}", "{long}"]"#);
    let ty = format!(r#""types": {{"{long}": {{"kind": "enum"}}}}"#);
    let function = format!(r#""functions": [{{"name": "{long}", "returns": "text", "variadic": "text"}}]"#);
    let mut texts: Vec<String> =
        [table("t", &long), table(&long, "int5"), collations, ty, function, format!(r#""{long}": 1"#)]
            .iter()
            .map(|public| text(public, ""))
            .collect();
    texts.push(text("", "").replace("\"version\": 1", &format!("\"version\": \"{long}\"")));
    for text in texts {
        let error = Snapshot::read(&text).unwrap_err().to_string();
        assert!(error.contains("nnn…") && error.len() < 600, "{} bytes: {:.300}", error.len(), error);
    }
    let unknown = Snapshot::read(&text(&format!("\"{long}\": 1"), "")).unwrap_err().to_string();
    assert!(unknown.contains("nnn… at line "), "{unknown}");
}
