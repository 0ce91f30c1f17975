//! What is reflected of relations beside their columns' types, against a real database.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use callslip::{
    catalog::{
        Catalog, ColumnPrivileges, Generated, Identity, Persistence, PolicyCommand, ReferentialAction,
        Relation, Snapshot, View, Visibility, diff::changes, reflect, reflect_as,
    },
    cluster::Cluster,
};
use callslip_tests::{cluster, connect};
use tokio_postgres::Client;

/// A cluster with the relations of `reflect_relations.sql`, its superuser, and what its login `reader` may read.
async fn reflected() -> (Cluster, Client, Catalog) {
    let (cluster, owner) = cluster(include_str!("reflect_relations.sql")).await;
    let reader = connect(cluster.config().user("reader")).await;
    let catalog = Catalog::new(reflect(&reader).await.unwrap());
    (cluster, owner, catalog)
}

fn relation<'a>(catalog: &'a Catalog, name: &str) -> &'a Relation {
    catalog.relation("zoo", name).unwrap_or_else(|| panic!("no relation {name}"))
}

fn view<'a>(catalog: &'a Catalog, name: &str) -> &'a View {
    relation(catalog, name).view.as_ref().unwrap_or_else(|| panic!("{name} is no view"))
}

fn calls(catalog: &Catalog, name: &str) -> Vec<String> {
    view(catalog, name).calls.iter().map(ToString::to_string).collect()
}

fn reads(catalog: &Catalog, name: &str) -> Vec<String> {
    view(catalog, name).reads.iter().map(ToString::to_string).collect()
}

/// The names of things.
macro_rules! names {
    ($things:expr) => {
        $things.iter().map(|thing| thing.name.as_str()).collect::<Vec<_>>()
    };
}

#[tokio::test]
async fn a_table_is_reflected_as_far_as_its_reader_may_read_it() {
    let (_cluster, _owner, catalog) = reflected().await;
    let animal = relation(&catalog, "animal");
    columns(animal);
    constraints(&catalog, animal);
    indexes(animal);

    // Not those that name what is hidden: a column, the whole row, a table of a schema that is closed.
    assert!(animal.row_security.enabled && animal.row_security.forced);
    let [all, own] = &animal.row_security.policies[..] else { panic!("{:?}", animal.row_security) };
    assert_eq!((&all.name[..], all.command, all.permissive), ("all_of_it", PolicyCommand::All, true));
    assert_eq!((&all.roles[..], all.using.as_deref()), (&["public".to_owned()][..], Some("true")));
    assert_eq!((&own.name[..], own.command, own.permissive), ("own", PolicyCommand::Update, false));
    assert_eq!(own.roles, ["keeper", "reader"]);
    assert_eq!((own.using.as_deref(), own.check.as_deref()), (Some("(id = 1)"), Some("(id = 2)")));

    let told = format!(
        "{:?}",
        catalog.contents().relations.iter().filter(|its| its.view.is_none()).collect::<Vec<_>>()
    );
    // `night_one` has such a column of its own.
    assert_eq!(told.matches("secret").count(), 1, "{told}");
}

fn columns(animal: &Relation) {
    let column = |name: &str| animal.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!((&animal.owner[..], animal.hidden_columns), ("keeper", 1));
    assert_eq!(
        (column("id").identity, column("chip").identity),
        (Some(Identity::Always), Some(Identity::ByDefault))
    );
    assert_eq!(column("name").collation.as_ref().unwrap().to_string(), "zoo.plain");
    assert_eq!(
        (column("shouted").collation.as_ref(), column("marks").dimensions, column("id").dimensions),
        (None, 2, 0)
    );
    assert_eq!(column("name").default.as_deref(), Some("'nobody'::text"));
    // Of what a column is made only if that may be read.
    for (name, default) in [("shouted", Some("(upper(name) || '!'::text)")), ("whisper", None)] {
        assert_eq!(
            (column(name).generated, column(name).default.as_deref()),
            (Some(Generated::Stored), default)
        );
    }
    let read = ColumnPrivileges { select: true, insert: false, update: false, references: false };
    assert_eq!(column("name").privileges, ColumnPrivileges { insert: true, update: true, ..read });
    assert_eq!(column("id").privileges, ColumnPrivileges { insert: true, ..read });
    assert_eq!(column("chip").privileges, read);
}

fn constraints(catalog: &Catalog, animal: &Relation) {
    assert_eq!(names!(animal.unique_keys), ["animal_pkey", "later", "by_chip"]);
    assert_eq!(animal.unique_keys.iter().map(|key| key.deferrable).collect::<Vec<_>>(), [false, true, false]);
    assert!(animal.unique_keys.iter().all(|key| key.holds() != key.deferrable && !key.nulls_not_distinct));

    let [kept] = &animal.foreign_keys[..] else { panic!("{:?}", animal.foreign_keys) };
    assert_eq!((&kept.name[..], kept.target), ("kept", relation(catalog, "keeper_of").oid));
    assert_eq!((kept.on_update, kept.on_delete), (ReferentialAction::Cascade, ReferentialAction::SetNull));
    assert!(kept.deferrable && kept.validated && !kept.period);

    let checks: Vec<_> =
        animal.checks.iter().map(|its| (&its.name[..], &its.expression[..], its.validated)).collect();
    assert_eq!(
        checks,
        [
            ("named", "(name <> ''::text)", true),
            ("positive", "(chip > 0)", false),
            ("stored", "(tableoid > (0)::oid)", true)
        ]
    );
    assert_eq!(names!(animal.exclusions), ["apart"]);
    assert_eq!(animal.exclusions[0].definition, "EXCLUDE USING gist (cage WITH &&) WHERE ((id > 0))");
}

fn indexes(animal: &Relation) {
    assert_eq!(
        names!(animal.indexes),
        ["animal_pkey", "apart", "by_cage", "by_name", "by_name_too", "later"]
    );
    let index = |name: &str| animal.indexes.iter().find(|index| index.name == name).unwrap();
    assert_eq!((&index("by_cage").method[..], index("by_cage").unique), ("gist", false));
    let by_name = index("by_name");
    assert_eq!(
        by_name.keys,
        ["lower(name) COLLATE \"C\" DESC NULLS LAST", "name text_pattern_ops", "chip NULLS FIRST"]
    );
    assert_eq!(
        (&by_name.included[..], by_name.predicate.as_deref()),
        (&["id".to_owned()][..], Some("(id > 0)"))
    );
    // The collation of `lower(name)` is that of `name`, and is not named.
    let keys = ["lower(name)", "((name || 'x'::text)) COLLATE \"POSIX\"", "name COLLATE \"C\" DESC"];
    assert_eq!(index("by_name_too").keys, keys);
    assert!(index("later").unique && animal.indexes.iter().all(|index| index.valid));
}

#[tokio::test]
async fn relations_tell_what_they_are_a_part_of() {
    let (_cluster, _owner, catalog) = reflected().await;
    let key = |name| relation(&catalog, name).partitioning.as_ref().map(|its| its.key.as_str());
    assert_eq!(
        (key("meal"), key("meal_new"), key("meal_old")),
        (Some("RANGE (at, lower(what))"), Some("LIST (at)"), None)
    );
    assert_eq!(key("night"), None, "it is parted by what is hidden");
    let part = |name| {
        let part = relation(&catalog, name).partition_of.as_ref().unwrap();
        (part.parent.to_string(), part.bounds.as_str())
    };
    assert_eq!(
        part("meal_old"),
        ("zoo.meal".to_owned(), "FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2024-01-01', 'a')")
    );
    // The bounds are values of a column that is hidden.
    assert_eq!(relation(&catalog, "night_two").hidden_columns, 1);
    for name in ["night_one", "night_two"] {
        assert_eq!(relation(&catalog, name).partition_of, None, "{name}");
        assert_eq!(names!(relation(&catalog, name).inherits), ["night"], "whose rows these are is no secret");
    }
    assert_eq!(part("meal_new"), ("zoo.meal".to_owned(), "DEFAULT"));
    assert_eq!(relation(&catalog, "meal_old").persistence, Persistence::Unlogged);
    assert_eq!(names!(relation(&catalog, "guest").inherits), ["fed"], "the other one may not be read");
    assert!(relation(&catalog, "meal_old").inherits.is_empty());
    assert_eq!(relation(&catalog, "far").foreign_server.as_deref(), Some("Other Zoo"));
    assert_eq!(relation(&catalog, "fed").extension.as_deref(), Some("plpgsql"));
}

#[tokio::test]
async fn a_view_tells_what_it_really_reads_and_calls() {
    let (_cluster, _owner, catalog) = reflected().await;
    // `pg_depend` knows nothing of either.
    for name in ["of_files", "over_files"] {
        assert_eq!(calls(&catalog, name), ["pg_read_file(text)"], "{name}");
    }
    assert_eq!(
        (reads(&catalog, "of_files"), reads(&catalog, "over_files")),
        (vec![], vec!["zoo.of_files".to_owned()])
    );
    assert!(view(&catalog, "over_files").security_barrier && !view(&catalog, "of_files").security_barrier);
    assert!(view(&catalog, "over_files").definition.ends_with("FROM zoo.of_files;"));
    assert_eq!(calls(&catalog, "over_system"), ["pg_show_all_settings()"]);
    assert_eq!(reads(&catalog, "over_system"), ["pg_settings", "zoo.of_system"]);

    // A range writes what it is a range of; a domain over a domain has the checks of both.
    let casts = [
        "int4lt(int4, int4)",
        "int4out(int4)",
        "length(text)",
        "range_out(anyrange)",
        "textin(cstring)",
        "zoo.is_tag(text)",
    ];
    assert_eq!(calls(&catalog, "casts"), casts);
    assert_eq!(calls(&catalog, "operators"), ["count()", "zoo.near(int4, int4)"]);
    assert!(calls(&catalog, "aggregates").contains(&"zoo.added(int4)".to_owned()));
    assert_eq!(
        (calls(&catalog, ":funcid"), reads(&catalog, ":funcid")),
        (vec![], vec!["zoo.animal".to_owned()])
    );

    // By way of what may not be read; and who reads stored rows does not run what made them.
    assert_eq!(
        (calls(&catalog, "through"), reads(&catalog, "through")),
        (vec!["md5(text)".to_owned()], vec!["closed.within".to_owned(), "zoo.animal".to_owned()])
    );
    assert_eq!(calls(&catalog, "kept_rows"), ["initcap(text)"]);
    assert_eq!(
        (calls(&catalog, "over_kept"), reads(&catalog, "over_kept")),
        (vec![], vec!["zoo.kept_rows".to_owned()])
    );
}

#[tokio::test]
async fn everything_is_told_with_the_rights_that_there_are() {
    let (cluster, owner, readable) = reflected().await;
    let reader = connect(cluster.config().user("reader")).await;
    let everything = Catalog::new(reflect_as(&reader, Visibility::Everything).await.unwrap());
    let all = Catalog::new(reflect(&owner).await.unwrap());
    // The same as its owner sees, but for what the login may do.
    assert_eq!(everything.contents().relations.len(), all.contents().relations.len());
    for (told, known) in everything.contents().relations.iter().zip(&all.contents().relations) {
        let mut told = told.clone();
        for column in &mut told.columns {
            column.privileges =
                ColumnPrivileges { select: true, insert: true, update: true, references: true };
        }
        assert_eq!(told, *known);
    }
    let may = |schema, relation, column: &str| {
        let columns = &everything.relation(schema, relation).unwrap().columns;
        let its = columns.iter().find(|its| its.name == column).unwrap().privileges;
        (its.select, its.insert, its.update, its.references)
    };
    assert_eq!(may("zoo", "animal", "secret"), (false, false, false, false));
    assert_eq!(may("zoo", "animal", "name"), (true, true, true, false));
    assert_eq!(may("zoo", "keeper_of", "id"), (true, false, false, true));
    assert_eq!(may("zoo", "night", "secret"), (false, true, false, false));
    // A right on a table is of no use where its schema is closed.
    assert_eq!(may("closed", "list", "id"), (false, false, false, false));
    let sorts = ["btint4cmp(int4, int4)", "bttextcmp(text, text)", "range_cmp(anyrange, anyrange)"];
    assert_eq!(calls(&everything, "sorts"), sorts);
    assert!(readable.relation("zoo", "sorts").is_none() && readable.relation("closed", "list").is_none());
}

#[tokio::test]
async fn a_snapshot_of_everything_is_narrowed_to_what_its_login_may_read() {
    let (cluster, _owner, readable) = reflected().await;
    let reader = connect(cluster.config().user("reader")).await;
    let everything = reflect_as(&reader, Visibility::Everything).await.unwrap();
    let everything = Snapshot::of_everything(everything, vec![], |_| true);
    let usable = Snapshot::new(readable.contents().clone(), vec![], |_| true);
    let read = Snapshot::read(&everything.to_json()).unwrap();
    for narrowed in [everything.narrowed(), read.narrowed()] {
        let lost = changes(&usable.contents, &narrowed.contents);
        assert!(lost.is_empty(), "{lost:#?}");
        assert!(narrowed.to_json() == usable.to_json());
    }
}

#[tokio::test]
async fn what_newer_versions_add_is_told_where_it_is() {
    let (cluster, owner, _) = reflected().await;
    let major = cluster.binaries().major();
    if major >= 15 {
        let added = "CREATE TABLE zoo.once (id int UNIQUE NULLS NOT DISTINCT);
                     CREATE VIEW zoo.asked WITH (security_invoker = on) AS SELECT id FROM zoo.once";
        owner.batch_execute(added).await.unwrap();
    }
    if major >= 18 {
        owner.batch_execute(include_str!("reflect_relations_18.sql")).await.unwrap();
    }
    let catalog = Catalog::new(reflect(&owner).await.unwrap());
    if major >= 15 {
        assert!(relation(&catalog, "once").unique_keys[0].nulls_not_distinct);
        assert!(view(&catalog, "asked").security_invoker && !view(&catalog, "of_files").security_invoker);
    }
    if major >= 18 {
        let (stay, visit) = (relation(&catalog, "stay"), relation(&catalog, "visit"));
        let [key] = &stay.unique_keys[..] else { panic!("{:?}", stay.unique_keys) };
        assert!(key.primary && key.without_overlaps && !key.deferrable && !key.holds());
        assert_eq!((&stay.checks[0].name[..], stay.checks[0].validated), ("hoped", false));
        let keys: Vec<_> =
            visit.foreign_keys.iter().map(|key| (&key.name[..], key.period, key.validated)).collect();
        assert_eq!(keys, [("hoped", false, false), ("within", true, true)]);
        assert_eq!(stay.columns[3].generated, Some(Generated::Virtual));
        // What computes a column is called by who reads it, and by nobody else.
        assert_eq!(calls(&catalog, "of_virtual"), ["initcap(text)"]);
    }
}
