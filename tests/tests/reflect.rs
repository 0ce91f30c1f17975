//! What is reflected of a database, against a real one.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use callslip::{
    catalog::{
        CastContext, Catalog, Column, Contents, Function, FunctionKind, NameKind, Oid, PG_CATALOG,
        ReflectError, Relation, RelationKind, Type, TypeKind, Volatility, reflect,
    },
    cluster::Cluster,
};
use callslip_tests::{cluster, connect};
use tokio_postgres::Client;

/// A cluster with the schema of `reflect.sql`, seen by its login `reader`.
struct Database {
    cluster: Cluster,
    owner: Client,
    reader: Client,
}

async fn database() -> Database {
    let (cluster, owner) = cluster(include_str!("reflect.sql")).await;
    let reader = connect(cluster.config().user("reader")).await;
    Database { cluster, owner, reader }
}

fn relation<'a>(catalog: &'a Catalog, name: &str) -> &'a Relation {
    catalog.relation("shop", name).unwrap_or_else(|| panic!("no relation {name}"))
}

fn column<'a>(relation: &'a Relation, name: &str) -> &'a Column {
    relation.columns.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"))
}

fn names(relation: &Relation) -> Vec<&str> {
    relation.columns.iter().map(|c| c.name.as_str()).collect()
}

fn function<'a>(catalog: &'a Catalog, name: &'a str) -> &'a Function {
    let all: Vec<_> = catalog.functions("shop", name).collect();
    assert_eq!(all.len(), 1, "{name}");
    all[0]
}

fn columns(function: &Function) -> Vec<(&str, Oid)> {
    assert!(function.columns.iter().all(|column| column.type_modifier == -1));
    function.columns.iter().map(|column| (column.name.as_str(), column.ty)).collect()
}

fn attributes(ty: &Type) -> Vec<(&str, Oid, i32)> {
    let TypeKind::Composite { attributes } = &ty.kind else { panic!("{} is no composite type", ty.name) };
    attributes.iter().map(|its| (its.name.as_str(), its.ty, its.type_modifier)).collect()
}

fn oid(catalog: &Catalog, schema: &str, name: &str) -> Oid {
    catalog.ty(schema, name).unwrap_or_else(|| panic!("no type {name}")).oid
}

#[tokio::test]
async fn a_schema_is_reflected_as_its_reader_may_see_it() {
    let database = database().await;
    let contents = reflect(&database.reader).await.unwrap();
    assert_eq!(contents.server_version / 10_000, database.cluster.binaries().major());
    let catalog = Catalog::new(contents);

    relations(&catalog);
    types(&catalog);
    functions(&catalog);
    operators_and_casts(&catalog);
    everything_that_is_named_is_there(catalog.contents());
}

fn relations(catalog: &Catalog) {
    let kinds: Vec<_> = catalog.contents().relations.iter().map(|r| (r.name.as_str(), r.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("bad \"na'me\" 表; --", RelationKind::Table),
            ("customer", RelationKind::Table),
            ("daily", RelationKind::MaterializedView),
            ("discount", RelationKind::Table),
            ("line", RelationKind::Table),
            ("open_sale", RelationKind::View),
            ("sale", RelationKind::PartitionedTable),
            ("sale_2024", RelationKind::Table),
            ("sale_2025", RelationKind::Table),
        ]
    );

    let customer = relation(catalog, "customer");
    // `secret` may not be read, `dropped` was dropped; `ssn`'s unique key goes with what can't be read.
    assert_eq!(names(customer), ["id", "name", "mail", "label", "address", "shouted"]);
    let hidden: Vec<_> = catalog.contents().relations.iter().filter(|r| r.hidden_columns > 0).collect();
    assert_eq!(hidden.iter().map(|r| (r.oid, r.hidden_columns)).collect::<Vec<_>>(), [(customer.oid, 1)]);
    assert_eq!(customer.comment.as_deref(), Some("Who buys;\n\"quoted\" 'too'"));
    assert_eq!(column(customer, "name").comment.as_deref(), Some("Full name"));
    assert_eq!(column(customer, "name").type_modifier, 40 + 4);
    assert_eq!(column(customer, "name").ty, oid(catalog, PG_CATALOG, "varchar"));
    assert_eq!(column(customer, "shouted").ty, oid(catalog, PG_CATALOG, "text"));
    // NOT NULL of a column; of its domain, which promises nothing; and neither.
    let nullable = ["id", "name", "mail", "label", "address"].map(|name| column(customer, name).nullable);
    assert_eq!(nullable, [false, true, true, true, true]);
    let keys: Vec<_> =
        customer.unique_keys.iter().map(|k| (k.name.as_str(), k.primary, k.columns.join(","))).collect();
    // Of the unique indexes that of an expression is none.
    assert_eq!(
        keys,
        [
            ("customer_pkey", true, "id".into()),
            ("mail_label", false, "mail,label".into()),
            ("by_name", false, "name".into()),
            ("by_shouted", false, "shouted,id".into())
        ]
    );
    assert_eq!(
        customer.unique_keys.iter().map(|k| k.partial).collect::<Vec<_>>(),
        [false, false, true, false]
    );

    let sale = relation(catalog, "sale");
    assert_eq!(sale.unique_keys[0].columns, ["year", "id"]);
    for sale in [sale, relation(catalog, "sale_2024"), relation(catalog, "sale_2025")] {
        let [key] = &sale.foreign_keys[..] else { panic!("{:?}", sale.foreign_keys) };
        assert_eq!(
            (key.target, &key.columns[..]),
            (customer.oid, &["customer".to_owned()][..]),
            "{}",
            sale.name
        );
        assert_eq!(key.target_columns, ["id"]);
    }
    // To a partitioned table: once, in the key's own order of columns. To the column that can't be read: not at all.
    let [to_sale] = &relation(catalog, "line").foreign_keys[..] else { panic!("one key") };
    assert_eq!((to_sale.target, to_sale.columns.join(",")), (sale.oid, "sale_year,sale_id".to_owned()));
    assert_eq!(to_sale.target_columns, ["year", "id"]);

    // The domain of `mail` is NOT NULL, and there may be no customer.
    assert_eq!(names(relation(catalog, "open_sale")), ["id", "customer", "days", "whole", "mail"]);
    assert!(relation(catalog, "open_sale").columns.iter().all(|c| c.nullable));
    assert_eq!(relation(catalog, "daily").columns.len(), 2);
    let hostile = relation(catalog, "bad \"na'me\" 表; --");
    assert_eq!(names(hostile), ["a b", "\"", "sélect", "$1", "'; DROP TABLE x; --"]);
    assert_eq!(hostile.unique_keys[0].columns, ["\"", "a b"]);
    assert!(!relation(catalog, "discount").unique_keys[0].holds(), "a deferrable key promises nothing");
}

fn types(catalog: &Catalog) {
    let ty = |name| catalog.ty("shop", name).unwrap_or_else(|| panic!("no type {name}"));
    let base = |name| oid(catalog, PG_CATALOG, name);
    assert_eq!(
        ty("mood").kind,
        TypeKind::Enum { labels: ["low", "it's \"ok\"", "high"].map(str::to_owned).to_vec() }
    );
    assert_eq!(ty("_mood").kind, TypeKind::Array { element: ty("mood").oid });
    assert_eq!(ty("mood").array, Some(ty("_mood").oid));
    let TypeKind::Domain { base: text, rules } = &ty("email").kind else { panic!("email is a domain") };
    assert_eq!((*text, rules.not_null, rules.checks.len()), (base("text"), true, 1));
    assert_eq!(ty("work_email").kind, TypeKind::Domain { base: ty("email").oid, rules: Box::default() });
    let address = [("street", base("text")), ("zip", ty("work_email").oid)];
    assert_eq!(attributes(ty("address")), address.map(|(name, ty)| (name, ty, -1)));
    assert_eq!(ty("span").kind, TypeKind::Range { subtype: base("float8"), collation: None });
    assert_eq!(ty("span_multirange").kind, TypeKind::Multirange { range: ty("span").oid });
    assert_eq!(catalog.ty(PG_CATALOG, "int4").map(|t| (&t.kind, t.category)), Some((&TypeKind::Base, 'N')));
    assert!(catalog.ty(PG_CATALOG, "float8").unwrap().preferred);
    assert_eq!(catalog.ty(PG_CATALOG, "_int4").unwrap().kind, TypeKind::Array { element: base("int4") });
    assert_eq!(catalog.ty(PG_CATALOG, "_record").unwrap().kind, TypeKind::Array { element: base("record") });
    // These have elements too, but nobody's array type are they.
    for not_an_array in ["oidvector", "name", "point"] {
        assert_eq!(catalog.ty(PG_CATALOG, not_an_array).unwrap().kind, TypeKind::Base, "{not_an_array}");
    }
    assert_eq!(catalog.ty(PG_CATALOG, "anyelement").unwrap().kind, TypeKind::Pseudo);

    // Row types are there where a relation is, with their arrays, and where something is of them.
    for relation in &catalog.contents().relations {
        let ty = relation.row_type.and_then(|oid| catalog.type_by_oid(oid)).unwrap();
        assert_eq!((&ty.schema, &ty.name), (&relation.schema, &relation.name));
        assert!(ty.array.is_some(), "{}", ty.name);
        if relation.hidden_columns == 0 {
            let columns = relation.columns.iter();
            let columns: Vec<_> = columns.map(|c| (c.name.as_str(), c.ty, c.type_modifier)).collect();
            assert_eq!(attributes(ty), columns, "{}", ty.name);
        }
    }
    let row: Vec<_> = attributes(ty("customer")).iter().map(|(name, ..)| *name).collect();
    assert_eq!(row, ["id", "name", "mail", "label", "address", "secret", "shouted"]);
    assert_eq!(attributes(ty("customer"))[1], ("name", base("varchar"), 40 + 4));
    assert_eq!(attributes(ty("sale_2025")).len(), 4);
    for clutter in ["for_others", "_for_others"] {
        assert!(catalog.ty("shop", clutter).is_none(), "{clutter}");
    }
    assert_eq!(attributes(ty("archived"))[0], ("id", base("int4"), -1));
    assert!(catalog.ty("shop", "_archived").is_none());
    assert!(catalog.ty(PG_CATALOG, "pg_class").is_none());
    // A type of a schema that the reader may not use is there for the column that is of it.
    assert!(catalog.ty("hidden", "used").is_some() && catalog.ty("hidden", "unused").is_none());

    assert!(
        catalog.has(NameKind::Collation, PG_CATALOG, "C")
            && catalog.has(NameKind::Collation, "shop", "plain")
    );
    assert!(!catalog.has(NameKind::Collation, "hidden", "plain"));
}

fn functions(catalog: &Catalog) {
    let base = |name| oid(catalog, PG_CATALOG, name);
    let priced = function(catalog, "priced");
    assert_eq!(priced.arguments, [base("int4"), base("numeric"), base("text")]);
    assert_eq!(priced.argument_names, ["amount", "", "currency"]);
    assert_eq!((priced.defaults, priced.returns, priced.variadic), (2, base("record"), None));
    assert_eq!((priced.volatility, priced.security_definer), (Volatility::Stable, true));
    assert_eq!(columns(priced), [("currency", base("text")), ("total", base("numeric"))]);
    let months = function(catalog, "months");
    assert_eq!(columns(months), [("number", base("int4")), ("label", base("text"))]);
    assert_eq!((&months.arguments[..], months.returns_set), (&[base("int4")][..], true));
    assert_eq!(columns(function(catalog, "halved")), [("", base("numeric"))]);
    assert_eq!(columns(function(catalog, "unnamed")), [("column1", base("int4")), ("column2", base("text"))]);
    let each = catalog.functions(PG_CATALOG, "jsonb_each").next().unwrap();
    assert_eq!(columns(each), [("key", base("text")), ("value", base("jsonb"))]);
    let greatest = function(catalog, "greatest_of");
    assert!(greatest.columns.is_empty());
    assert_eq!((greatest.variadic, &greatest.arguments[..]), (Some(base("int4")), &[base("_int4")][..]));
    let lines = function(catalog, "lines");
    assert!(lines.returns_set && lines.argument_names.is_empty());
    assert_eq!(lines.returns, oid(catalog, "shop", "_line"));
    assert_eq!(function(catalog, "product").kind, FunctionKind::Aggregate);
    assert_eq!(function(catalog, "nth_of").kind, FunctionKind::OrderedSet { direct: 1 });
    assert!(catalog.functions("shop", "for_others").next().is_none(), "no EXECUTE");
    assert!(catalog.functions("shop", "do_it").next().is_none(), "a procedure");
    assert!(catalog.functions("hidden", "within").next().is_none(), "no USAGE");
    assert_eq!(catalog.functions(PG_CATALOG, "row_number").next().unwrap().kind, FunctionKind::Window);
    let median = catalog.functions(PG_CATALOG, "percentile_cont").next().unwrap();
    assert_eq!((median.kind, median.arguments.len()), (FunctionKind::OrderedSet { direct: 1 }, 2));
    assert!(catalog.contents().functions.len() > 2500);
}

fn operators_and_casts(catalog: &Catalog) {
    let [mood, int4] = [oid(catalog, "shop", "mood"), oid(catalog, PG_CATALOG, "int4")];
    let [operator] = catalog.operators("shop", "<->").collect::<Vec<_>>()[..] else { panic!("one operator") };
    assert_eq!((operator.left, operator.right, operator.result), (Some(mood), mood, int4));
    assert_eq!(operator.function, Some(function(catalog, "apart").oid));
    assert!(catalog.operators(PG_CATALOG, "-").any(|o| o.left.is_none() && o.right == int4));
    assert!(catalog.operators("shop", "<@@>").next().is_none(), "it has no function yet");

    let cast = catalog.cast(mood, int4).unwrap();
    assert_eq!(
        (cast.function, cast.context, cast.binary),
        (Some(function(catalog, "rank_of").oid), CastContext::Assignment, false)
    );
    let [text, varchar] = ["text", "varchar"].map(|name| oid(catalog, PG_CATALOG, name));
    let binary = catalog.cast(varchar, text).unwrap();
    assert_eq!((binary.function, binary.context, binary.binary), (None, CastContext::Implicit, true));
}

/// Every id in what was reflected leads somewhere.
fn everything_that_is_named_is_there(contents: &Contents) {
    let catalog = Catalog::new(contents.clone());
    let known = |oid: Oid, of: &str| assert!(catalog.type_by_oid(oid).is_some(), "{of}: no type {oid}");
    for relation in &contents.relations {
        relation.columns.iter().for_each(|c| known(c.ty, &relation.name));
        assert!(relation.foreign_keys.iter().all(|k| catalog.relation_by_oid(k.target).is_some()));
    }
    for ty in &contents.types {
        ty.array.iter().for_each(|&array| known(array, &ty.name));
        match &ty.kind {
            TypeKind::Array { element: other }
            | TypeKind::Domain { base: other, .. }
            | TypeKind::Range { subtype: other, .. }
            | TypeKind::Multirange { range: other } => known(*other, &ty.name),
            TypeKind::Composite { attributes } => attributes.iter().for_each(|its| known(its.ty, &ty.name)),
            _ => {}
        }
    }
    for function in &contents.functions {
        function
            .arguments
            .iter()
            .chain([&function.returns])
            .chain(&function.variadic)
            .chain(function.columns.iter().map(|column| &column.ty))
            .for_each(|&t| known(t, &function.name));
        assert!([0, function.arguments.len()].contains(&function.argument_names.len()), "{}", function.name);
    }
    for operator in &contents.operators {
        [operator.right, operator.result]
            .into_iter()
            .chain(operator.left)
            .for_each(|t| known(t, &operator.name));
        assert!(
            operator.function.and_then(|oid| catalog.function_by_oid(oid)).is_some(),
            "{}",
            operator.name
        );
    }
}

#[tokio::test]
async fn the_connection_is_given_back_as_it_was() {
    let Database { owner, cluster, .. } = database().await;
    let idle = async |client: &Client| {
        // A new transaction each: only one that is open keeps its start.
        let now = "SELECT now() = statement_timestamp()";
        let answer = client.simple_query(now).await.unwrap();
        assert!(
            matches!(&answer[1], tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))
        );
        client.batch_execute("CREATE TABLE shop.proof (); DROP TABLE shop.proof").await.unwrap();
    };

    reflect(&owner).await.unwrap();
    idle(&owner).await;

    // Dropped half-way, at each of the first polls.
    for polls in 1..40 {
        let mut reflection = Box::pin(reflect(&owner));
        for _ in 0..polls {
            let mut once = std::pin::pin!(async {
                tokio::select! { biased; _ = &mut reflection => {}, () = tokio::task::yield_now() => {} }
            });
            once.as_mut().await;
        }
        drop(reflection);
        idle(&owner).await;
    }

    // A transaction of the caller's is neither used nor harmed.
    owner.batch_execute("BEGIN; CREATE TABLE shop.uncommitted ()").await.unwrap();
    assert!(matches!(reflect(&owner).await, Err(ReflectError::TransactionOpen)));
    owner.batch_execute("COMMIT; DROP TABLE shop.uncommitted").await.unwrap();

    // Nor does an error leave one open.
    let slow = connect(cluster.config().options("-c statement_timeout=1ms")).await;
    let error = reflect(&slow).await.unwrap_err();
    assert!(error.to_string().contains("(SQLSTATE 57014)"), "{error}");
    slow.batch_execute("SET statement_timeout = 0").await.unwrap();
    idle(&slow).await;
}

#[tokio::test]
async fn names_that_shadow_the_catalog_change_nothing() {
    let Database { owner, cluster: _cluster, .. } = database().await;
    let before = reflect(&owner).await.unwrap();
    owner
        .batch_execute(
            "CREATE SCHEMA evil;
             CREATE FUNCTION evil.same(a name, b text) RETURNS bool LANGUAGE sql AS 'SELECT true';
             CREATE FUNCTION evil.now() RETURNS text LANGUAGE sql AS $$ SELECT 'never' $$;
             CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.same);
             CREATE TEMP TABLE pg_class (oid oid, relname name);
             CREATE TEMP TABLE pg_namespace (oid oid, nspname name);
             SET search_path = pg_temp, evil, pg_catalog",
        )
        .await
        .unwrap();
    let after = reflect(&owner).await.unwrap();
    assert_eq!(before.relations, after.relations);
    assert_eq!(before.types, after.types);
}
