//! What is reflected of everything that is no relation, against a real database.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::mem;

use callslip::catalog::{
    Catalog, Check, Collation, Contents, DomainRules, Extension, Function, NameKind, ObjectName, PG_CATALOG,
    Parallel, Schema, Snapshot, Type, TypeKind, Visibility, Volatility, reflect, reflect_as,
};
use callslip_tests::{cluster, connect};
use tokio_postgres::Config;

const OBJECTS: &str = include_str!("reflect_objects.sql");

fn ty<'a>(catalog: &'a Catalog, name: &str) -> &'a Type {
    catalog.ty("shop", name).unwrap_or_else(|| panic!("no type {name}"))
}

fn function<'a>(catalog: &'a Catalog, name: &'a str) -> &'a Function {
    catalog.functions("shop", name).next().unwrap_or_else(|| panic!("no function {name}"))
}

fn object(schema: &str, name: &str) -> ObjectName {
    ObjectName { schema: schema.to_owned(), name: name.to_owned() }
}

#[tokio::test]
async fn objects_are_reflected_with_all_that_is_known_of_them() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let reader = connect(cluster.config().user("reader")).await;
    let catalog = Catalog::new(reflect(&reader).await.unwrap());

    schemas_and_extensions(catalog.contents());
    domains(&catalog);
    ranges_and_collations(&catalog);
    functions(&catalog);
    owners_and_comments(&catalog);
    members_of_extensions(&catalog);
}

fn schemas_and_extensions(contents: &Contents) {
    let schema = |name: &str, owner: &str, comment: Option<&str>| Schema {
        name: name.to_owned(),
        owner: owner.to_owned(),
        comment: comment.map(str::to_owned),
        hidden: false,
    };
    // PostgreSQL 14 gives `public` to the superuser, and later ones to the owner of the database.
    let public = contents.schemas.iter().find(|schema| schema.name == "public").unwrap();
    assert!(["postgres", "pg_database_owner"].contains(&public.owner.as_str()), "{public:?}");
    let others: Vec<_> = contents.schemas.iter().filter(|schema| schema.name != "public").cloned().collect();
    assert_eq!(
        others,
        [schema("Ex.tra", "postgres", None), schema("shop", "keeper", Some("What is sold;\nand to whom"))]
    );
    let extension = |name: &str, schema: &str, version: &str| Extension {
        name: name.to_owned(),
        schema: schema.to_owned(),
        version: version.to_owned(),
    };
    assert_eq!(
        contents.extensions,
        [extension("citext", "Ex.tra", "1.6"), extension("plpgsql", PG_CATALOG, "1.0")]
    );
}

fn domains(catalog: &Catalog) {
    let domain = |name: &str| match &ty(catalog, name).kind {
        TypeKind::Domain { base, rules } => (catalog.type_by_oid(*base).unwrap().name.as_str(), &**rules),
        other => panic!("{name} is {other:?}"),
    };
    let check = |name: &str, expression: &str, validated| Check {
        name: name.to_owned(),
        expression: expression.to_owned(),
        validated,
    };
    let code = DomainRules {
        type_modifier: Some(8 + 4),
        not_null: true,
        default: Some(r"'a\b'::character varying".to_owned()),
        collation: Some(object("shop", "plain")),
        checks: vec![
            check("beginning", r"((VALUE)::text ~ '^\w'::text)", true),
            check("later", "((VALUE)::text <> 'x'::text)", false),
            check("short?", "(length((VALUE)::text) < 8)", true),
        ],
    };
    assert_eq!(domain("code"), ("varchar", &code));
    assert_eq!(domain("bare"), ("int4", &DomainRules::default()));
    // Only its own, to which no default belongs where the type that it is over has one; not that one's collation.
    let own = DomainRules {
        default: Some("NULL::character varying".to_owned()),
        checks: vec![check("inner_code_check", "((VALUE)::text <> 'y'::text)", true)],
        ..DomainRules::default()
    };
    assert_eq!(domain("inner_code"), ("code", &own));
    let (amounts, rules) = domain("amounts");
    assert_eq!((amounts, rules.type_modifier), ("_numeric", Some((10 << 16 | 2) + 4)));
}

fn ranges_and_collations(catalog: &Catalog) {
    let collation = |name: &str| match &ty(catalog, name).kind {
        TypeKind::Range { collation, .. } => collation.clone(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(collation("words"), Some(object(PG_CATALOG, "C")));
    assert_eq!((collation("plain_words"), collation("span")), (None, None));

    let collations = &catalog.contents().collations;
    let own: Vec<&Collation> = collations.iter().filter(|its| its.schema != PG_CATALOG).collect();
    let own: Vec<_> =
        own.iter().map(|its| (its.schema.as_str(), its.name.as_str(), its.nondeterministic)).collect();
    assert_eq!(own, [("shop", "loose", true), ("shop", "plain", false)]);
    assert!(collations.iter().all(|its| its.schema != PG_CATALOG || !its.nondeterministic));
    let mut names: Vec<_> = collations.iter().map(|its| (&its.schema, &its.name)).collect();
    names.dedup();
    assert_eq!(names.len(), collations.len(), "one for each name");
}

fn functions(catalog: &Catalog) {
    let careful = function(catalog, "careful");
    assert!(careful.strict && careful.leakproof && careful.security_definer);
    assert_eq!((careful.parallel, careful.volatility), (Parallel::Safe, Volatility::Stable));
    assert_eq!((careful.language.as_str(), careful.owner.as_str()), ("plpgsql", "keeper"));
    assert_eq!((careful.comment.as_deref(), &careful.extension), (Some("Takes care"), &None));

    let careless = function(catalog, "careless");
    assert!(!careless.strict && !careless.leakproof && !careless.security_definer);
    assert_eq!((careless.parallel, careless.volatility), (Parallel::Unsafe, Volatility::Volatile));
    assert_eq!((careless.language.as_str(), careless.owner.as_str()), ("sql", "postgres"));
    assert_eq!(careless.comment, None);
    assert_eq!(function(catalog, "restricted").parallel, Parallel::Restricted);
    let total = function(catalog, "total");
    assert_eq!((total.parallel, total.comment.as_deref()), (Parallel::Safe, Some("Adds")));

    let lower = catalog.functions(PG_CATALOG, "lower").next().unwrap();
    assert!(lower.strict && !lower.leakproof);
    assert_eq!((lower.parallel, lower.language.as_str()), (Parallel::Safe, "internal"));
    let equal = catalog.functions(PG_CATALOG, "int4eq").next().unwrap();
    assert!(equal.strict && equal.leakproof);
}

fn owners_and_comments(catalog: &Catalog) {
    let code = ty(catalog, "code");
    assert_eq!((code.owner.as_str(), code.comment.as_deref()), ("keeper", Some("Short")));
    assert_eq!(ty(catalog, "_code").owner, "keeper");
    assert_eq!(ty(catalog, "mood").comment.as_deref(), Some("How it goes"));
    assert_eq!(
        (ty(catalog, "_mood").comment.as_deref(), ty(catalog, "bare").comment.as_deref()),
        (None, None)
    );
    // Of PostgreSQL's own objects they tell nothing.
    let contents = catalog.contents();
    for ty in contents.types.iter().filter(|ty| ty.schema == PG_CATALOG) {
        assert_eq!((ty.owner.as_str(), &ty.comment), ("", &None), "{}", ty.name);
    }
    for function in contents.functions.iter().filter(|function| function.schema == PG_CATALOG) {
        assert_eq!((function.owner.as_str(), &function.comment), ("", &None), "{}", function.name);
    }
    assert!(contents.functions.iter().all(|f| f.schema == PG_CATALOG || !f.owner.is_empty()));
    assert!(contents.types.iter().all(|ty| ty.schema == PG_CATALOG || !ty.owner.is_empty()));
}

fn members_of_extensions(catalog: &Catalog) {
    let citext = Some("citext".to_owned());
    // The same on every version, though the older ones record less of it.
    for name in ["span", "_span", "span_multirange", "_span_multirange", "sale", "_sale"] {
        assert_eq!(ty(catalog, name).extension, citext, "{name}");
    }
    for name in ["code", "_code", "mood", "_mood", "words", "words_multirange"] {
        assert_eq!(ty(catalog, name).extension, None, "{name}");
    }
    let own = catalog.ty("Ex.tra", "citext").unwrap();
    assert_eq!((&own.extension, own.owner.as_str()), (&citext, "postgres"));
    assert_eq!(catalog.ty("Ex.tra", "_citext").unwrap().extension, citext);

    let contents = catalog.contents();
    let extra = |schema: &str| schema == "Ex.tra";
    let functions: Vec<_> = contents.functions.iter().filter(|its| extra(&its.schema)).collect();
    assert!(functions.len() > 30 && functions.iter().all(|its| its.extension == citext));
    let operators: Vec<_> = contents.operators.iter().filter(|its| extra(&its.schema)).collect();
    assert!(operators.len() > 10 && operators.iter().all(|its| its.extension == citext));
    let casts: Vec<_> =
        contents.casts.iter().filter(|its| own.oid == its.source || own.oid == its.target).collect();
    assert!(casts.len() > 5 && casts.iter().all(|its| its.extension == citext));

    assert_eq!(function(catalog, "of_extension").extension, citext);
    assert_eq!(catalog.operators("shop", "!!").next().unwrap().extension, citext);
    assert_eq!(catalog.operators("shop", "@@").next().unwrap().extension, None);
    let [mood, int4] = [ty(catalog, "mood").oid, catalog.ty(PG_CATALOG, "int4").unwrap().oid];
    assert_eq!(catalog.cast(mood, int4).unwrap().extension, citext);
    // An extension may put objects into PostgreSQL's own schema.
    let handler = catalog.functions(PG_CATALOG, "plpgsql_call_handler").next().unwrap();
    assert_eq!(handler.extension.as_deref(), Some("plpgsql"));
    let built_in = |its: &&Function| its.schema == PG_CATALOG && its.extension.is_none();
    assert!(contents.functions.iter().filter(built_in).count() > 2500);
    assert!(contents.casts.iter().any(|its| its.extension.is_none()));
}

#[tokio::test]
async fn what_the_login_may_not_use_is_reflected_where_everything_is() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let reader = connect(cluster.config().user("reader")).await;
    let usable = Catalog::new(reflect(&reader).await.unwrap());
    let everything = Catalog::new(reflect_as(&reader, Visibility::Everything).await.unwrap());

    let seen = |catalog: &Catalog| {
        [
            catalog.contents().schemas.iter().any(|schema| schema.name == "hidden"),
            catalog.ty("hidden", "unused").is_some(),
            catalog.contents().functions.iter().any(|its| its.schema == "hidden" && its.name == "within"),
            catalog.contents().functions.iter().any(|its| its.name == "for_others"),
            catalog.operators("shop", "##").next().is_some(),
            catalog.has(NameKind::Collation, "hidden", "plain"),
        ]
    };
    assert_eq!(seen(&usable), [false; 6]);
    assert_eq!(seen(&everything), [true; 6]);
    assert_eq!(usable.contents().settings, everything.contents().settings);
    assert_eq!(usable.contents().extensions, everything.contents().extensions);
    // A superuser may use everything as it is.
    let owner = connect(&cluster.config()).await;
    let all = reflect(&owner).await.unwrap();
    let mut marked = everything.contents().clone();
    let functions = marked.functions.iter_mut().filter_map(|its| mem::take(&mut its.hidden).then_some(&*its));
    // PostgreSQL keeps some of its own to itself.
    let functions = functions.filter(|its| its.schema != PG_CATALOG).map(|its| &its.name);
    assert_eq!(names(functions), ["for_others", "of_cast", "within"]);
    let operators =
        marked.operators.iter_mut().filter_map(|its| mem::take(&mut its.hidden).then_some(&its.name));
    assert_eq!(names(operators), ["##"]);
    let schemas = marked.schemas.iter_mut().filter_map(|its| mem::take(&mut its.hidden).then_some(&its.name));
    assert_eq!(names(schemas), ["hidden"]);
    assert_eq!(marked.types, all.types);
    assert_eq!(marked.functions, all.functions);
    assert_eq!(marked.operators, all.operators);
    assert_eq!(marked.schemas, all.schemas);
    for name in ["within", "of_cast"] {
        assert!(everything.functions("hidden", name).next().is_none(), "no name leads to {name}");
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.map(String::as_str).collect();
    names.sort();
    names
}

/// PostgreSQL looks for no function where a cast runs it, and so at no schema: without the function nothing would be left of
/// whose grant the cast needs.
#[tokio::test]
async fn the_function_of_a_cast_is_known_wherever_it_is() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let reader = connect(cluster.config().user("reader")).await;
    let ran: i64 = reader.query_one("SELECT 'low'::shop.mood::bigint", &[]).await.unwrap().get(0);
    assert_eq!(ran, 7);
    let contents = reflect(&reader).await.unwrap();
    let kept = Snapshot::new(contents.clone(), vec![], |_| false).to_json();
    let read = Snapshot::read(&kept).unwrap().contents;
    for contents in [contents, read] {
        let catalog = Catalog::new(contents.readable());
        let [mood, int8] = [ty(&catalog, "mood").oid, catalog.ty(PG_CATALOG, "int8").unwrap().oid];
        let function = catalog.function_by_oid(catalog.cast(mood, int8).unwrap().function.unwrap()).unwrap();
        assert_eq!((&function.schema[..], &function.name[..], function.hidden), ("hidden", "of_cast", true));
        assert!(catalog.functions("hidden", "of_cast").next().is_none(), "no name leads to it");
        assert!(!catalog.has(NameKind::Function, "hidden", "of_cast"));
    }
}

#[tokio::test]
async fn a_snapshot_of_everything_is_narrowed_to_what_its_login_may_use() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let reader = connect(cluster.config().user("reader")).await;
    let usable = Snapshot::new(reflect(&reader).await.unwrap(), vec![], |_| true).to_json();
    let everything = reflect_as(&reader, Visibility::Everything).await.unwrap();
    let everything = Snapshot::of_everything(everything, vec![], |_| true);
    assert!(everything.clone().narrowed().to_json() == usable);
    assert!(Snapshot::read(&everything.to_json()).unwrap().narrowed().to_json() == usable);
}

#[tokio::test]
async fn settings_are_those_of_new_sessions_of_the_login_in_the_database() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let settings = async |config: &Config| reflect(&connect(config).await).await.unwrap();
    let reader = settings(cluster.config().user("reader")).await;
    let expected = [
        ("array_nulls", "on"),
        ("default_text_search_config", "pg_catalog.german"),
        ("default_transaction_isolation", "serializable"),
        ("gin_fuzzy_search_limit", "0"),
        ("lc_monetary", ""),
        ("lc_numeric", ""),
        ("lc_time", ""),
        ("lc_collate", ""),
        ("lc_ctype", ""),
        ("locale_provider", "libc"),
        ("max_identifier_length", "63"),
        ("row_security", "off"),
        ("server_encoding", "UTF8"),
        ("timezone_abbreviations", "Default"),
        ("transform_null_equals", "off"),
        ("xmloption", "content"),
    ];
    for (name, value) in expected {
        let found = reader.settings.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(*found == value || value.is_empty() && !found.is_empty(), "{name}: {found}");
    }
    assert_eq!(reader.settings.len(), expected.len(), "{:?}", reader.settings);

    // Of another role, and with options of its own.
    let owner = settings(cluster.config().options("-c row_security=on")).await;
    assert_eq!(owner.settings["default_transaction_isolation"], "read committed");
    assert_eq!(owner.settings["row_security"], "on");
    // What a session has changed since is its own affair.
    let changed = connect(cluster.config().user("reader")).await;
    changed.batch_execute("SET default_text_search_config = 'simple'; SET row_security = on").await.unwrap();
    assert_eq!(reflect(&changed).await.unwrap().settings, reader.settings);
}

#[tokio::test]
async fn the_locale_is_the_one_that_the_database_was_made_with() {
    let (cluster, owner) = cluster(OBJECTS).await;
    let version = reflect(&owner).await.unwrap().server_version;
    let locale = async |name: &str, options: &str| {
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {options}");
        owner.batch_execute(&sql).await.unwrap();
        let mut settings = reflect(&connect(cluster.config().dbname(name)).await).await.unwrap().settings;
        ["lc_collate", "lc_ctype", "locale_provider", "locale", "icu_rules"].map(|name| settings.remove(name))
    };
    let known = |values: [Option<&str>; 5]| values.map(|value| value.map(str::to_owned));

    // One that this machine has.
    let other = "SELECT min(collctype) FROM pg_collation \
                 WHERE collprovider = 'c' AND collencoding = pg_char_to_encoding('UTF8') \
                   AND collctype <> 'C'";
    let other: Option<String> = owner.query_one(other, &[]).await.unwrap().get(0);
    let other = other.as_deref().unwrap_or("C");
    let libc = locale("libc", &format!("LC_COLLATE 'C' LC_CTYPE '{other}'")).await;
    assert_eq!(libc, known([Some("C"), Some(other), Some("libc"), None, None]));
    if version >= 150_000 {
        let icu = locale("icu", "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'").await;
        assert_eq!(icu, known([Some("C"), Some("C"), Some("icu"), Some("de-DE"), None]));
    }
    if version >= 160_000 {
        let rules = "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ICU_RULES '& a < g'";
        assert_eq!(locale("rules", rules).await[4].as_deref(), Some("& a < g"));
    }
    if version >= 170_000 {
        let builtin = locale("builtin", "LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'").await;
        assert_eq!(builtin, known([Some("C"), Some("C"), Some("builtin"), Some("C.UTF-8"), None]));
    }
}

#[tokio::test]
async fn the_text_of_an_expression_is_the_same_for_every_session() {
    let (cluster, _owner) = cluster(OBJECTS).await;
    let plain = reflect(&connect(&cluster.config()).await).await.unwrap();
    let since = plain.types.iter().find(|ty| ty.name == "since").unwrap();
    let TypeKind::Domain { rules, .. } = &since.kind else { panic!("{since:?}") };
    assert_eq!(rules.default.as_deref(), Some("'2024-02-01 12:00:00+00'::timestamp with time zone"));
    assert_eq!(
        rules.checks[0].expression,
        "(VALUE > ('2000-02-01 00:00:00+00'::timestamp with time zone + '1 day 02:00:00'::interval))"
    );

    let other = "-c TimeZone=Asia/Tokyo -c DateStyle=German -c IntervalStyle=iso_8601 -c extra_float_digits=-3 \
                 -c quote_all_identifiers=on -c standard_conforming_strings=off -c bytea_output=escape \
                 -c search_path=shop";
    let mut otherwise = reflect(&connect(cluster.config().options(other)).await).await.unwrap();
    otherwise.settings.clone_from(&plain.settings);
    assert_eq!(plain.types, otherwise.types);
    assert!(plain == otherwise, "it is the same for every session");
}
