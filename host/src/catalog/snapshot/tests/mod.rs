mod mutated;
mod round_trip;
mod whole;

use super::*;
use crate::catalog::{
    Attribute, Cast, CastContext, Catalog, Column, ForeignKey, Operator, PG_CATALOG, Relation, RelationKind,
    Type, TypeKind, UniqueKey, Volatility,
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
    Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category,
        preferred: false,
        array: None,
        ..Type::default()
    }
}

#[test]
fn whatever_the_ids_and_the_order_the_text_is_the_same() {
    let contents = |base: u32, reversed: bool| {
        let row = |base: u32, columns| {
            let all = [("id", 23), ("moods", base + 9), ("n", base + 1), ("secret", 23)];
            let attribute = |(name, ty): (&str, _)| Attribute {
                name: name.into(),
                ty,
                type_modifier: if name == "secret" { 7 } else { -1 },
            };
            all.into_iter().take(columns).map(attribute).collect::<Vec<_>>()
        };
        let mood = TypeKind::Enum { labels: vec!["calm".into(), "cross \"x\"".into()] };
        let mut types = vec![
            Type { array: Some(1007), ..ty(23, PG_CATALOG, "int4", TypeKind::Base, 'N') },
            ty(1007, PG_CATALOG, "_int4", TypeKind::Array { element: 23 }, 'A'),
            Type { array: Some(base + 9), ..ty(base, "public", "Mood", mood, 'E') },
            ty(base + 9, "public", "__Mood", TypeKind::Array { element: base }, 'A'),
            ty(base + 1, "public", "low", TypeKind::Domain { base: 23, rules: Box::default() }, 'N'),
            ty(base + 2, "public", "span", TypeKind::Range { subtype: base + 1, collation: None }, 'R'),
            ty(base + 3, "public", "spans", TypeKind::Multirange { range: base + 2 }, 'R'),
            ty(base + 4, "public", "place", TypeKind::Composite { attributes: row(base, 2) }, 'C'),
            // The rows of the relations: one that the relation tells all of, and one with a column that can't be read, whose
            // array type has not the usual name.
            Type {
                array: Some(base + 10),
                ..ty(base + 5, "public", "a.b", TypeKind::Composite { attributes: row(base, 3) }, 'C')
            },
            ty(base + 10, "public", "_a.b", TypeKind::Array { element: base + 5 }, 'A'),
            Type {
                array: Some(base + 11),
                ..ty(base + 6, "public", "c", TypeKind::Composite { attributes: row(base, 4) }, 'C')
            },
            ty(base + 11, "public", "___c", TypeKind::Array { element: base + 6 }, 'A'),
        ];
        let column = |name: &str, ty, nullable| Column {
            name: name.into(),
            ty,
            type_modifier: -1,
            dimensions: u16::from(name == "moods"),
            nullable,
            comment: nullable.then(|| "may\nbe null".into()),
            ..Column::default()
        };
        let relation = |oid, name: &str, row_type, foreign_keys| Relation {
            oid,
            schema: "public".into(),
            name: name.into(),
            kind: RelationKind::PartitionedTable,
            columns: vec![
                column("id", 23, false),
                column("moods", base + 9, true),
                column("n", base + 1, true),
            ],
            hidden_columns: usize::from(name == "c"),
            row_type: Some(row_type),
            unique_keys: vec![
                UniqueKey {
                    name: "some".into(),
                    primary: false,
                    partial: true,
                    columns: vec!["n".into()],
                    ..UniqueKey::default()
                },
                UniqueKey {
                    name: "key".into(),
                    primary: true,
                    partial: false,
                    columns: vec!["id".into()],
                    ..UniqueKey::default()
                },
            ],
            foreign_keys,
            comment: Some(String::new()),
            ..Relation::default()
        };
        let key = ForeignKey {
            name: "fk".into(),
            columns: vec!["n".into()],
            target: base + 20,
            target_columns: vec!["id".into()],
            ..ForeignKey::default()
        };
        let mut relations =
            vec![relation(base + 20, "a.b", base + 5, vec![]), relation(base + 21, "c", base + 6, vec![key])];
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
            columns: row(base, arguments.len()),
            returns_set: true,
            volatility: Volatility::Volatile,
            security_definer: true,
            ..Function::default()
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
            ..Operator::default()
        };
        let cast = Cast {
            source: base,
            target: 23,
            function: Some(base + 31),
            context: CastContext::Implicit,
            binary: false,
            ..Cast::default()
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
        r#"        "place": {"kind": "composite", "attributes": [{"name": "id", "type": "int4"}, {"name": "moods", "type": "public.\"Mood\"[]"}], "array": null},"#,
        r#"          "hidden_columns": 1,"#,
        r#"            {"name": "key", "primary": true, "columns": ["id"]},"#,
        r#"            {"name": "some", "partial": true, "columns": ["n"]}"#,
        r#"            {"name": "fk", "columns": ["n"], "target": "public.\"a.b\"", "target_columns": ["id"], "validated": false}"#,
        r#"    {"source": "public.\"Mood\"", "target": "int4", "function": "public.score(public.\"Mood\"[])", "context": "implicit"}"#,
    ] {
        assert!(written.lines().any(|its| its == line), "no {line} in\n{written}");
    }
    assert!(!written.contains("comment\": \"\""), "an empty comment says nothing");
    assert!(
        written.contains(r#"{"name": "secret", "type": "int4", "modifier": 7}], "array": "___c"}"#),
        "{written}"
    );
    assert!(written.contains(r#""columns": [{"name": "id", "type": "int4"}]"#), "{written}");
    assert_eq!(written.matches(r#""a.b": {"#).count(), 1, "a relation tells of its rows\n{written}");

    let catalog = Catalog::new(read.contents);
    let low = catalog.ty("public", "low").unwrap();
    assert_eq!((catalog.base_type(low.oid), low.category), (23, 'N'), "int4 has its own id everywhere");
    let key = &catalog.relation("public", "c").unwrap().foreign_keys[0];
    assert_eq!(catalog.relation_by_oid(key.target).unwrap().name, "a.b");
    for (name, hidden, attributes, array) in [("a.b", 0, 3, "_a.b"), ("c", 1, 4, "___c")] {
        let relation = catalog.relation("public", name).unwrap();
        let row_type = catalog.type_by_oid(relation.row_type.unwrap()).unwrap();
        assert_eq!((relation.hidden_columns, &row_type.name[..]), (hidden, name));
        assert!(matches!(&row_type.kind, TypeKind::Composite { attributes: its } if its.len() == attributes));
        assert_eq!(catalog.type_by_oid(row_type.array.unwrap()).unwrap().name, array);
    }
}

#[test]
fn a_snapshot_that_says_nothing_of_row_types_has_them() {
    let table = r#"{"kind": "table", "columns": [{"name": "id", "type": "int4"}]}"#;
    let of_row = r#"{"kind": "view", "columns": [{"name": "whole", "type": "public.t[]"}]}"#;
    let relations =
        format!(r#""relations": {{"t": {table}, "_t": {table}, "u": {table}, "v": {of_row}, "w": {table}}}"#);
    let types =
        r#""types": {"u": {"kind": "composite", "array": null}, "w": {"kind": "enum", "labels": []}}"#;
    let catalog = Catalog::new(Snapshot::read(&text(&format!("{relations}, {types}"), "")).unwrap().contents);
    let row_type = |name| catalog.relation("public", name).unwrap().row_type;
    let array = |name| catalog.type_by_oid(catalog.ty("public", name).unwrap().array.unwrap());
    let id = Attribute { name: "id".into(), ty: 23, type_modifier: -1 };
    for name in ["t", "_t", "u"] {
        let ty = catalog.ty("public", name).unwrap();
        assert_eq!(ty.kind, TypeKind::Composite { attributes: vec![id.clone()] }, "{name}");
        assert_eq!((row_type(name), ty.category), (Some(ty.oid), 'C'));
    }
    // `_t` is a row type, whose arrays are `__t`.
    assert_eq!(array("t").map(|ty| &ty.name[..]), Some("___t"));
    assert_eq!(catalog.relation("public", "v").unwrap().columns[0].ty, array("t").unwrap().oid);
    assert_eq!(catalog.ty("public", "u").unwrap().array, None);
    assert_eq!(row_type("w"), None, "its name is another type's");
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
    for version in ["99", "3", "0", "-1", "\"1\"", "1.5", "null"] {
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
        (table("public.t", ""), "public.t is made of itself"),
        (table("public.u", ""), "no type public.u"),
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
        (
            ty(
                r#"{"kind": "range", "subtype": "public.y"}, "y": {"kind": "composite", "attributes": [{"name": "a", "type": "public.y[]"}]}"#,
            ),
            "y is made of itself",
        ),
        (ty(r#"{"kind": "base", "attributes": []}"#), "public.x needs `labels`"),
        (
            ty(
                r#"{"kind": "composite", "attributes": [{"name": "a", "type": "text"}, {"name": "a", "type": "text"}]}"#,
            ),
            "public.x has an attribute twice",
        ),
        (
            r#""functions": [{"name": "f", "returns": "text", "columns": [{"name": "a", "type": "int5"}]}]"#.into(),
            "no type int5, which the function public.f refers to",
        ),
        (ty(r#"{"kind": "base"}, "_x": {"kind": "base"}"#), "the type public._x twice"),
        (format!(r#""functions": [{function}, {function}]"#), "a signature of the function public.f twice"),
        (r#""functions": [{"name": "f", "returns": "text", "variadic": "text"}]"#.into(), "`variadic`"),
        (
            r#""functions": [{"name": "f", "arguments": ["text"], "argument_names": ["a", "b"], "returns": "text"}]"#.into(),
            "`argument_names`",
        ),
        (r#""collations": ["C", {"name": "C"}]"#.into(), "the collation public.\"C\" twice"),
        (r#""collations": [1]"#.into(), "a collation's name, or an object"),
        (r#""collations": [{"name": "C", "deterministic": true}]"#.into(), "unknown field `deterministic`"),
        (r#""owner": null"#.into(), "invalid type: null"),
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

#[test]
fn what_a_relation_cannot_have_is_named() {
    let table = |more: &str| {
        let column = r#"{"name": "id", "type": "int4"}"#;
        format!(r#""relations": {{"t": {{"kind": "table", "columns": [{column}], {more}}}}}"#)
    };
    let column = |more: &str| {
        let column = format!(r#"{{"name": "id", "type": "int4", {more}}}"#);
        format!(r#""relations": {{"t": {{"kind": "table", "columns": [{column}]}}}}"#)
    };
    let view = |more: &str| {
        format!(
            r#""relations": {{"v": {{"kind": "view", "columns": [], "view": {{"definition": []{more}}}}}}}"#
        )
    };
    let domain = |more: &str| format!(r#""types": {{"x": {{"kind": "domain", "base": "int4", {more}}}}}"#);
    let key = r#"{"name": "k", "columns": ["id"]}"#;
    let foreign = r#"{"name": "k", "columns": ["id"], "target": "public.t", "target_columns": []}"#;
    let (check, index) = (r#"{"name": "c", "expression": "true"}"#, r#"{"name": "i", "keys": ["id"]}"#);
    let exclusion = r#"{"name": "e", "definition": "EXCLUDE"}"#;
    let policy = r#"{"name": "p", "roles": ["public"]}"#;
    for (public, says) in [
        (table(r#""persistence": "eternal""#), "unknown variant `eternal`"),
        (table(r#""owner": 1"#), "invalid type: integer `1`, expected a string"),
        (table(r#""view": {"definition": []}"#), "the relation public.t has a `view` and is none"),
        (table(r#""partitioned_by": "LIST (id)""#), "public.t is `partitioned_by` something and no partitioned table"),
        (table(r#""foreign_server": "s""#), "public.t has a `foreign_server` and is no foreign table"),
        (table(r#""partition_of": {"parent": "public.t", "bounds": ""}"#), "public.t is a partition of itself"),
        (table(r#""partition_of": {"parent": "Parent", "bounds": ""}"#), "public.t refers to the relation \"Parent\", which is no name"),
        (table(r#""partition_of": {"parent": "public.p"}"#), "missing field `bounds`"),
        (table(r#""inherits": ["public.t"]"#), "public.t inherits from itself"),
        (table(r#""inherits": ["public.a", "public.a"]"#), "public.a among what is inherited by public.t twice"),
        (table(r#""inherits": "public.a""#), "expected a sequence"),
        (table(&format!(r#""unique_keys": [{key}, {key}]"#)), "the key k of public.t twice"),
        (table(&format!(r#""foreign_keys": [{foreign}]"#)), "not as many `target_columns` as `columns`"),
        (table(&format!(r#""checks": [{check}, {check}]"#)), "the check c of public.t twice"),
        (table(&format!(r#""exclusions": [{exclusion}, {exclusion}]"#)), "the exclusion e of public.t twice"),
        (table(&format!(r#""indexes": [{index}, {index}]"#)), "the index i of public.t twice"),
        (table(r#""indexes": [{"name": "i"}]"#), "missing field `keys`"),
        (
            table(&format!(r#""row_security": {{"policies": [{policy}, {policy}]}}"#)),
            "the policy p of public.t twice",
        ),
        (
            table(&format!(r#""row_security": {{"policies": [{}]}}"#, policy.replace("\"public\"", "\"a\", \"a\""))),
            "the role a of the policy p of public.t twice",
        ),
        (table(r#""row_security": {"enabled": "yes"}"#), "expected a boolean"),
        (column(r#""collation": "C""#), "the column id of public.t refers to the collation \"C\", which is no name"),
        (column(r#""dimensions": -1"#), "expected u16"),
        (column(r#""identity": "sometimes""#), "unknown variant `sometimes`"),
        (column(r#""generated": true"#), "expected value at line"),
        (column(r#""privileges": ["select", "select"]"#), "a privilege on the column id of public.t twice"),
        (column(r#""privileges": ["delete"]"#), "unknown variant `delete`"),
        (view(r#", "reads": ["public.a", "public.a"]"#), "public.a among what is read by the view public.v twice"),
        (view(r#", "reads": ["a b"]"#), "the view public.v refers to the relation \"a b\", which is no name"),
        (view(r#", "calls": ["now"]"#), "the view public.v refers to the signature \"now\", which is no name"),
        (view(r#", "calls": ["f(a)", "f(a)"]"#), "f(a) among what is called by the view public.v twice"),
        (view(r#", "definition": "SELECT""#), "duplicate field `definition`"),
        (domain(&format!(r#""checks": [{check}, {check}]"#)), "the check c of public.x twice"),
        (domain(r#""collation": """#), "public.x refers to the collation \"\""),
        (r#""types": {"x": {"kind": "base", "not_null": true}}"#.into(), "public.x may have `modifier`"),
        (r#""types": {"x": {"kind": "enum", "labels": [], "checks": [{"name": "c", "expression": "true"}]}}"#.into(), "public.x may have"),
        (r#""types": {"x": {"kind": "base", "collation": "app.c"}}"#.into(), "public.x may have"),
    ] {
        let error = error(&public, "");
        assert!(error.contains(says), "{public}: no {says} in {error}");
    }
    let cast = |function: &str| {
        format!(
            r#", "casts": [{{"source": "int4", "target": "text", "context": "explicit", "function": "{function}"}}]"#
        )
    };
    let f = r#""functions": [{"name": "f", "arguments": ["int4"], "returns": "text"}]"#;
    assert!(Snapshot::read(&text(f, &cast("public.f(int4)"))).is_ok());
    for (function, says) in [
        ("public.f(text)", "no function public.f(text), which the cast from int4 to text refers to"),
        ("public.f(int5)", "no type int5"),
        ("public.f(", "refers to the signature \"public.f(\""),
    ] {
        let error = error(f, &cast(function));
        assert!(error.contains(says), "{function}: no {says} in {error}");
    }
    for (more, says) in [
        (r#", "extensions": {"a": {"schema": "b", "version": "1"}, "a": {}}"#, "\"a\" is there twice"),
        (r#", "extensions": {"a": {"schema": "b"}}"#, "missing field `version`"),
        (r#", "settings": {"a": 1}"#, "expected a string"),
        (r#", "everything": 1"#, "expected a boolean"),
    ] {
        let error = error("", more);
        assert!(error.contains(says), "{more}: no {says} in {error}");
    }
}
