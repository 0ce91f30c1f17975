use super::*;
use crate::catalog::{
    Cast, Catalog, Column, Contents, Function, LogicalSchema, ObjectName, Operator, PG_CATALOG, PartitionOf,
    Relation, RelationKind, Schema, Schemas, SearchPath, Signature, Type, TypeKind, View, Volatility,
};

const INT4: u32 = 23;
const TEXT: u32 = 25;
const COLOR: u32 = 5000;

fn name(schema: &str, name: &str) -> ObjectName {
    ObjectName { schema: schema.into(), name: name.into() }
}

fn relation(oid: u32, schema: &str, name: &str, kind: RelationKind) -> Relation {
    let column = |name: &str, ty| Column { name: name.into(), ty, ..Column::default() };
    let columns = vec![column("id", INT4), column("color", COLOR), column("secret", TEXT)];
    Relation { oid, schema: schema.into(), name: name.into(), kind, columns, ..Relation::default() }
}

fn function(oid: u32, schema: &str, name: &str, arguments: &[u32], returns: u32) -> Function {
    let (schema, name, arguments) = (schema.into(), name.into(), arguments.to_vec());
    Function { oid, schema, name, arguments, returns, ..Function::default() }
}

fn view(reads: &[ObjectName], calls: &[(&str, &str, &[&str])]) -> Option<View> {
    let call = |(schema, function, arguments): &(&str, &str, &[&str])| Signature {
        function: name(schema, function),
        arguments: arguments.iter().map(|ty| (*ty).to_owned()).collect(),
    };
    let (reads, calls) = (reads.iter().cloned().collect(), calls.iter().map(call).collect());
    Some(View { reads, calls, ..View::default() })
}

fn contents() -> Contents {
    let ty = |oid, schema: &str, name: &str, kind| Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        ..Type::default()
    };
    let operator = |oid, schema: &str, name: &str, left, right, function| Operator {
        oid,
        schema: schema.into(),
        name: name.into(),
        left,
        right,
        result: INT4,
        function: Some(function),
        ..Operator::default()
    };
    let volatile = |its: Function| Function { volatility: Volatility::Volatile, ..its };
    let stable = |its: Function| Function { volatility: Volatility::Stable, ..its };
    let immutable = |its: Function| Function { volatility: Volatility::Immutable, ..its };
    use RelationKind::{ForeignTable, MaterializedView, PartitionedTable, Table, View as AView};
    let viewed = |its: Relation, view| Relation { view, ..its };
    Contents {
        schemas: ["public", "app", "reporting"]
            .map(|name| Schema { name: name.into(), ..Schema::default() })
            .into(),
        types: vec![
            Type { array: Some(1007), ..ty(INT4, PG_CATALOG, "int4", TypeKind::Base) },
            ty(1007, PG_CATALOG, "_int4", TypeKind::Array { element: INT4 }),
            ty(TEXT, PG_CATALOG, "text", TypeKind::Base),
            ty(18, PG_CATALOG, "char", TypeKind::Base),
            ty(1042, PG_CATALOG, "bpchar", TypeKind::Base),
            ty(2205, PG_CATALOG, "regclass", TypeKind::Base),
            ty(2249, PG_CATALOG, "record", TypeKind::Pseudo),
            ty(2275, PG_CATALOG, "cstring", TypeKind::Pseudo),
            ty(COLOR, "app", "color", TypeKind::Enum { labels: vec!["red".into()] }),
        ],
        relations: vec![
            relation(1, "public", "position", Table),
            relation(2, "public", "odd \"name", Table),
            relation(3, "reporting", "report_a", Table),
            relation(4, "reporting", "report_b", AView),
            relation(5, "reporting", "report_far", ForeignTable),
            relation(6, "reporting", "far", ForeignTable),
            relation(7, "reporting", "other", Table),
            Relation {
                partition_of: Some(PartitionOf {
                    parent: name("public", "parted"),
                    ..PartitionOf::default()
                }),
                ..relation(8, "reporting", "far_part", ForeignTable)
            },
            relation(9, "public", "parted", PartitionedTable),
            viewed(
                relation(10, "public", "fine", AView),
                view(
                    &[name("public", "position"), name("app", "hidden")],
                    &[
                        (PG_CATALOG, "upper", &["text"]),
                        (PG_CATALOG, "plus", &["int4", "int4"]),
                        (PG_CATALOG, "pure", &["text"]),
                        (PG_CATALOG, "int4in", &["cstring"]),
                        (PG_CATALOG, "record_out", &["record"]),
                        ("app", "text_of", &["app.color"]),
                    ],
                ),
            ),
            viewed(
                relation(11, "public", "evil", AView),
                view(
                    &[name("public", "position"), name(PG_CATALOG, "pg_authid"), name("reporting", "far")],
                    &[
                        (PG_CATALOG, "pg_sleep", &["int4"]),
                        (PG_CATALOG, "current_setting", &["text"]),
                        (PG_CATALOG, "regclassin", &["cstring"]),
                        (PG_CATALOG, "regclass", &["text"]),
                        (PG_CATALOG, "pg_read_file", &["text"]),
                        ("app", "score", &["int4[]"]),
                    ],
                ),
            ),
            viewed(
                relation(12, "public", "stored", MaterializedView),
                view(
                    &[name(PG_CATALOG, "pg_authid"), name("reporting", "far")],
                    &[(PG_CATALOG, "pg_sleep", &["int4"])],
                ),
            ),
            viewed(relation(13, "public", "over_stored", AView), view(&[name("public", "stored")], &[])),
            viewed(
                relation(14, "public", "quiet", MaterializedView),
                view(&[name("reporting", "far")], &[(PG_CATALOG, "pg_sleep", &["int4"])]),
            ),
            viewed(relation(15, "public", "over_parted", AView), view(&[name("public", "parted")], &[])),
            relation(16, "public", "unknown", AView),
        ],
        functions: vec![
            function(1, PG_CATALOG, "upper", &[TEXT], TEXT),
            stable(function(2, PG_CATALOG, "plus", &[INT4, INT4], INT4)),
            immutable(function(3, PG_CATALOG, "pure", &[TEXT], TEXT)),
            stable(function(4, PG_CATALOG, "int4in", &[2275], INT4)),
            stable(function(5, PG_CATALOG, "record_out", &[2249], 2275)),
            volatile(function(6, PG_CATALOG, "pg_sleep", &[INT4], INT4)),
            stable(function(7, PG_CATALOG, "current_setting", &[TEXT], TEXT)),
            stable(function(8, PG_CATALOG, "regclassin", &[2275], 2205)),
            stable(function(9, PG_CATALOG, "regclass", &[TEXT], 2205)),
            immutable(function(10, "app", "score", &[INT4, TEXT], INT4)),
            immutable(function(11, "app", "score", &[1007], INT4)),
            Function { security_definer: true, ..immutable(function(12, "app", "owned", &[], INT4)) },
            volatile(function(13, "app", "moved", &[INT4], INT4)),
            immutable(function(14, "app", "text_of", &[COLOR], TEXT)),
            immutable(function(15, "app", "of_char", &[18], INT4)),
        ],
        operators: vec![
            operator(1, PG_CATALOG, "+", Some(INT4), INT4, 2),
            operator(2, "public", "<->", Some(INT4), INT4, 13),
            operator(3, "public", "<->", Some(TEXT), TEXT, 3),
            operator(4, "public", "!", None, INT4, 3),
        ],
        casts: vec![
            Cast { source: COLOR, target: TEXT, function: Some(14), ..Cast::default() },
            Cast { source: TEXT, target: 2205, function: Some(9), ..Cast::default() },
        ],
        ..Contents::default()
    }
}

fn catalog() -> Catalog {
    Catalog::new(contents())
}

fn path() -> SearchPath {
    SearchPath::of(["public"])
}

fn settings(lists: &[(&str, &[&str])]) -> GrantSettings {
    let mut settings = GrantSettings::default();
    for (list, grants) in lists {
        let grants = grants.iter().map(|its| (*its).to_owned()).collect();
        match *list {
            "relations" => settings.relations = grants,
            "functions" => settings.functions = grants,
            "operators" => settings.operators = grants,
            "casts" => settings.casts = grants,
            "types" => settings.types = grants,
            other => panic!("{other}"),
        }
    }
    settings
}

fn grants(lists: &[(&str, &[&str])]) -> Grants {
    Grants::resolve(&settings(lists), &catalog(), &path()).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[track_caller]
fn error(list: &str, written: &str) -> String {
    let errors = Grants::resolve(&settings(&[(list, &[written])]), &catalog(), &path()).expect_err(written);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

/// The relations that may be read, with the columns that may.
fn readable(grants: &Grants) -> Vec<String> {
    let contents = contents();
    let granted = contents.relations.iter().filter(|its| grants.relation(its));
    let columns = |its: &Relation| {
        let columns = its.columns.iter().filter(|column| grants.column(its, &column.name));
        columns.map(|column| column.name.clone()).collect::<Vec<_>>().join(",")
    };
    granted.map(|its| format!("{}.{}({})", its.schema, its.name, columns(its))).collect()
}

#[test]
fn columns_are_granted_one_by_one_and_add_up() {
    assert_eq!(readable(&grants(&[("relations", &["position(id)"])])), ["public.position(id)"]);
    assert_eq!(readable(&grants(&[("relations", &["position()"])])), ["public.position()"]);
    let both = ["position(id)", "public.position(color, id)"];
    assert_eq!(readable(&grants(&[("relations", &both)])), ["public.position(id,color)"]);
    for all in [["position(id)", "position"], ["position", "position(id)"]] {
        assert_eq!(readable(&grants(&[("relations", &all)])), ["public.position(id,color,secret)"]);
    }
    let odd = "\"odd \"\"name\"(secret)";
    assert_eq!(readable(&grants(&[("relations", &[odd])])), ["public.odd \"name(secret)"]);
    assert_eq!(
        error("relations", "position(id, colour)"),
        "grants.relations names \"position(id, colour)\", which this login can't use: there is no such column, or PostgreSQL \
         has not granted it to the login; for \"colour\", did you mean \"color\"?"
    );
}

#[test]
fn the_types_of_columns_that_were_not_granted_are_not() {
    let catalog = catalog();
    let color = catalog.type_by_oid(COLOR).unwrap();
    assert!(grants(&[("relations", &["position"])]).ty(color));
    assert!(grants(&[("relations", &["position(color)"])]).ty(color));
    assert!(!grants(&[("relations", &["position(id)"])]).ty(color));
}

#[test]
fn a_pattern_covers_the_relations_of_its_schema_and_no_foreign_table() {
    let all = "(id,color,secret)";
    let of = |names: &[&str]| names.iter().map(|name| format!("reporting.{name}{all}")).collect::<Vec<_>>();
    assert_eq!(readable(&grants(&[("relations", &["reporting.*"])])), of(&["report_a", "report_b", "other"]));
    assert_eq!(readable(&grants(&[("relations", &["reporting.report_*"])])), of(&["report_a", "report_b"]));
    assert_eq!(readable(&grants(&[("relations", &["reporting.far"])])), of(&["far"]));
    assert_eq!(
        error("relations", "reporting.*far*"),
        "grants.relations names \"reporting.*far*\", which this login can't use: there is no such relation, or PostgreSQL has \
         not granted it to the login; only foreign tables are like that, such as report_far, and these are granted by their \
         own names"
    );
    assert!(error("relations", "reporting.*x").contains("there is no such relation"));
    assert!(error("relations", "nowhere.*").contains("there is no such relation"));
    for system in ["pg_catalog.*", "pg_toast.*", "information_schema.*", "pg_catalog.pg_class"] {
        assert!(
            error("relations", system).ends_with("PostgreSQL's own catalogs can't be granted"),
            "{system}"
        );
    }
    assert!(error("relations", "report_*").contains("can't be read: a pattern needs a schema"));
    assert!(error("relations", "*.report_a").contains("can't be read: a schema is never a pattern"));
}

#[test]
fn a_pattern_of_a_logical_schema_covers_the_one_that_was_chosen() {
    let allowed = vec!["public".to_owned(), "reporting".to_owned()];
    let schemas = Schemas {
        searched: vec!["app".into()],
        logical: [("tenant".to_owned(), LogicalSchema::Chosen { claim: "t".into(), allowed })].into(),
    };
    let (schemas, catalog) = (std::sync::Arc::new(schemas), catalog());
    let resolved = |grant: &str, chosen: &str| {
        let path =
            SearchPath::new(schemas.clone(), crate::catalog::ChosenSchemas::default().with("tenant", chosen));
        let found = Grants::resolve(&settings(&[("relations", &[grant])]), &catalog, &path);
        found.map(|grants| readable(&grants).len()).map_err(|errors| errors[0].to_string())
    };
    assert_eq!(resolved("tenant.report_*", "reporting"), Ok(2));
    assert!(resolved("tenant.report_*", "public").unwrap_err().contains("no such relation"));
    let says = "a claim chooses this schema, so that it has no other name than \"tenant\"";
    assert!(resolved("reporting.report_*", "reporting").unwrap_err().ends_with(says));
    // Nothing is chosen: which relations it covers depends on that.
    let path = SearchPath::new(schemas, crate::catalog::ChosenSchemas::default());
    let (none, _) = Grants::resolve_known(&settings(&[("relations", &["tenant.*"])]), &catalog, &path);
    assert_eq!((readable(&none).len(), path.unchosen().as_deref()), (0, Some("tenant")));
}

#[test]
fn functions_and_operators_are_granted_by_their_signatures() {
    let contents = contents();
    let called = |lists: &[(&str, &[&str])]| {
        let grants = grants(lists);
        let may = contents.functions.iter().filter(|its| its.schema == "app" && grants.function(its));
        may.map(|its| its.oid).collect::<Vec<_>>()
    };
    assert_eq!(called(&[("functions", &["app.score"])]), [10, 11]);
    assert_eq!(called(&[("functions", &["app.score(integer, text)"])]), [10]);
    assert_eq!(called(&[("functions", &["app.score(int4[])"])]), [11]);
    assert_eq!(called(&[("functions", &["app.owned()"])]), [12]);
    assert_eq!(called(&[("functions", &["app.of_char(pg_catalog.char)"])]), [15]);
    assert_eq!(
        error("functions", "app.score(int4)"),
        "grants.functions names \"app.score(int4)\", which this login can't use: there is no such function, or PostgreSQL has \
         not granted it to the login; there are app.score(int4, text), app.score(int4[])"
    );
    assert!(error("functions", "app.score(int4, nope)").ends_with("; its type nope is not there"));
    // SQL's char is another type.
    assert!(error("functions", "app.of_char(char)").ends_with("; there are app.of_char(pg_catalog.char)"));

    let used = |grant: &str| {
        let grants = grants(&[("operators", &[grant])]);
        let may = contents.operators.iter().filter(|its| its.schema == "public" && grants.operator(its));
        may.map(|its| its.oid).collect::<Vec<_>>()
    };
    assert_eq!(used("public.<->"), [2, 3]);
    assert_eq!(used("<->(int4, int4)"), [2]);
    assert_eq!(used("public.!(NONE, int4)"), [4]);
    let says = "there are public.<->(int4, int4), public.<->(text, text)";
    assert!(error("operators", "public.<->(int4, text)").ends_with(says));
    assert!(error("operators", "public.!(int4, int4)").ends_with("there are public.!(NONE, int4)"));
}

#[test]
fn what_a_refusal_names_is_a_grant() {
    let (catalog, path) = (catalog(), path());
    let contents = catalog.contents();
    for function in contents.functions.iter().filter(|its| its.schema == "app") {
        let missing = MissingGrant::function(&catalog, &path, function);
        for written in [&missing.written, &missing.least] {
            assert!(grants(&[("functions", &[written])]).function(function), "{missing:?}");
        }
    }
    for operator in contents.operators.iter().filter(|its| its.schema == "public") {
        let missing = MissingGrant::operator(&catalog, &path, operator);
        for written in [&missing.written, &missing.least] {
            assert!(grants(&[("operators", &[written])]).operator(operator), "{missing:?}");
        }
    }
    for relation in &contents.relations {
        let missing = MissingGrant::column(&path, relation, "secret");
        let granted = grants(&[("relations", &[&missing.written])]);
        assert!(granted.column(relation, "secret") && !granted.column(relation, "id"), "{missing:?}");
    }
    let cast = &contents.casts[0];
    let missing = MissingGrant::cast(&catalog, &path, cast);
    assert_eq!(missing.written, "app.color AS text");
    assert_eq!(grants(&[("casts", &[&missing.written])]).refused_function(&catalog, cast), None);
    let help = MissingGrant::help(
        "p",
        &[
            MissingGrant::column(&path, &contents.relations[1], "a\\b"),
            MissingGrant::relation(&path, &contents.relations[0]),
            missing,
        ],
    );
    assert_eq!(
        help,
        "add \"public.\\\"odd \\\"\\\"name\\\"(\\\"a\\\\b\\\")\", \"public.position\" to relations, \"app.color AS text\" to casts in \
         [plugins.p.grants]"
    );
}

#[test]
fn a_cast_is_granted_without_its_function() {
    let catalog = catalog();
    let cast = &catalog.contents().casts[0];
    assert!(Grants::default().refused_function(&catalog, cast).is_some());
    let granted = grants(&[("casts", &["app.color AS text"])]);
    assert_eq!(granted.refused_function(&catalog, cast), None);
    assert!(!granted.function(catalog.function_by_oid(14).unwrap()));
    assert_eq!(grants(&[("functions", &["app.text_of"])]).refused_function(&catalog, cast), None);
    assert!(error("casts", "text AS app.color").contains("there is no such cast"));
    assert!(error("casts", "app.colour AS text").ends_with("; its type app.colour is not there"));
    assert!(error("casts", "app.color").contains("a cast is written as"));
}

/// What keeps a relation from being read, in words.
fn refused(grants: &Grants, relation: &str) -> Vec<String> {
    let catalog = catalog();
    let relation = catalog.relation("public", relation).unwrap();
    let refused = grants.refused_reading(&catalog, relation);
    let called = |its: &CalledByView<'_>| match its {
        CalledByView::Function(its) => format!("calls {}", its.name),
        CalledByView::Unknown(its) => format!("calls unknown {its}"),
    };
    let mut words: Vec<String> = refused.unknown.then(|| "unknown".to_owned()).into_iter().collect();
    words.extend(refused.of_the_system.iter().map(|its| format!("shows {}", its.name)));
    words.extend(refused.foreign.iter().map(|its| format!("reads {}", its.name)));
    words.extend(refused.calls.iter().map(called));
    assert_eq!(words.is_empty(), refused.is_empty());
    words
}

#[test]
fn a_view_is_vetted_for_what_it_reads_and_calls() {
    let none = Grants::default();
    // Its tables are read as its owner; the function behind a cast is somebody's.
    assert_eq!(refused(&none, "fine"), ["calls text_of"]);
    assert_eq!(refused(&grants(&[("casts", &["app.color AS text"])]), "fine"), [""; 0]);
    assert_eq!(
        refused(&none, "evil"),
        [
            "shows pg_authid",
            "reads far",
            "calls score",
            "calls current_setting",
            "calls unknown pg_read_file(text)",
            "calls pg_sleep",
            "calls regclass",
            "calls regclassin",
        ]
    );
    let most = grants(&[
        ("relations", &["reporting.far()"]),
        ("functions", &["app.score(int4[])", "pg_sleep", "current_setting(text)", "regclass(text)"]),
        ("types", &["regclass"]),
    ]);
    assert_eq!(refused(&most, "evil"), ["shows pg_authid", "calls unknown pg_read_file(text)"]);
    let other = grants(&[("functions", &["app.score(int4, text)"])]);
    assert!(
        refused(&other, "evil").contains(&"calls score".to_owned()),
        "another signature is another function"
    );
    assert_eq!(refused(&none, "unknown"), ["unknown"]);
}

#[test]
fn a_materialized_view_runs_nothing_and_shows_no_system_catalog_either() {
    let none = Grants::default();
    assert_eq!(refused(&none, "stored"), ["shows pg_authid"]);
    assert_eq!(refused(&none, "over_stored"), ["shows pg_authid"]);
    assert_eq!(refused(&none, "quiet"), [""; 0]);
}

#[test]
fn a_foreign_table_is_read_nowhere_unless_it_was_granted_by_its_name() {
    let all = grants(&[("relations", &["public.*"])]);
    assert_eq!(refused(&all, "parted"), ["reads far_part"]);
    assert_eq!(refused(&all, "over_parted"), ["reads far_part"]);
    let named = grants(&[("relations", &["public.parted", "reporting.far_part"])]);
    assert_eq!(refused(&named, "parted"), [""; 0]);
    assert_eq!(refused(&named, "over_parted"), [""; 0]);
}

#[test]
fn what_may_do_more_than_compute_is_told() {
    let catalog = catalog();
    let risky = |lists: &[(&str, &[&str])]| {
        let risky = grants(lists).risky(&catalog, &path());
        risky.into_iter().map(|its| (its.function, its.risk)).collect::<Vec<_>>()
    };
    assert_eq!(risky(&[("functions", &["app.score", "upper"]), ("casts", &["app.color AS text"])]), []);
    let owned = ("app.owned()".to_owned(), Risk::SecurityDefiner);
    let moved = ("app.moved(int4)".to_owned(), Risk::Volatile);
    assert_eq!(risky(&[("functions", &["app.owned", "app.moved(int4)"])]), [owned, moved.clone()]);
    // Behind an operator too.
    assert_eq!(risky(&[("operators", &["<->(int4, int4)"])]), [moved]);
    assert_eq!(risky(&[("operators", &["<->(text, text)"])]), []);
}
