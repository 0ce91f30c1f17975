//! A database with every kind of object, on every major version of PostgreSQL that is on this machine: what is reflected of
//! it is what `snapshots/` keeps, which people have compared with what PostgreSQL says.
//!
//! `everything.sql` is for every version, `everything_<n>.sql` for PostgreSQL n and newer ones.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod golden;

use callslip::{
    catalog::{Contents, PG_CATALOG, Snapshot, Visibility, diff::changes, reflect_as},
    cluster::{Binaries, Cluster, ClusterOptions},
};
use callslip_tests::{connect, servers};

/// For every version, and what newer ones have.
const SQL: [(u32, &str); 5] = [
    (14, include_str!("everything.sql")),
    (15, include_str!("everything_15.sql")),
    (16, include_str!("everything_16.sql")),
    (17, include_str!("everything_17.sql")),
    (18, include_str!("everything_18.sql")),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_is_reflected_on_every_version() {
    let runs: Vec<_> =
        servers().into_iter().map(|server| (server.major(), tokio::spawn(on(server)))).collect();
    let mut wrong = Vec::new();
    for (major, run) in runs {
        wrong.extend(run.await.unwrap_or_else(|panic| vec![format!("PostgreSQL {major}: {panic}")]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with what is reflected on a server.
async fn on(server: Binaries) -> Vec<String> {
    let major = server.major();
    let cluster = Cluster::start(ClusterOptions::default().binaries(server)).await.unwrap();
    let owner = connect(&cluster.config()).await;
    for (_, sql) in SQL.iter().filter(|(since, _)| *since <= major) {
        owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("PostgreSQL {major}: {error:?}"));
    }
    let reader = connect(cluster.config().user("reader")).await;

    let (mut wrong, mut narrowed) = (Vec::new(), None);
    for (file, visibility) in [
        (format!("{major}.json"), Visibility::Everything),
        (format!("{major}-readable.json"), Visibility::Readable),
    ] {
        let mut contents = reflect_as(&reader, visibility).await.unwrap();
        wide(&mut contents);
        without_builtin(&mut contents);
        let search = vec!["stacks".to_owned()];
        let snapshot = match visibility {
            Visibility::Everything => Snapshot::of_everything(contents, search, |_| false),
            Visibility::Readable => Snapshot::new(contents, search, |_| false),
        };
        let text = snapshot.to_json();
        match narrowed.take() {
            None => narrowed = Some(snapshot.clone().narrowed().to_json()),
            Some(narrowed) => assert!(narrowed == text, "{file} is not what {major}.json is narrowed to"),
        }
        let read = Snapshot::read(&text).unwrap();
        let lost = changes(&snapshot.contents, &read.contents);
        wrong.extend(lost.iter().map(|change| format!("{file}: read back it is another: {change:?}")));
        assert_eq!(read.to_json(), text, "{file}");
        wrong.extend(golden::difference(&file, &text));
    }
    wrong
}

/// Looks at the table of 1,600 columns, and takes it away: a file that people read is better without it.
fn wide(contents: &mut Contents) {
    let position = contents.relations.iter().position(|relation| relation.name == "wide").unwrap();
    let wide = contents.relations.remove(position);
    let names: Vec<_> = wide.columns.iter().map(|column| column.name.clone()).collect();
    assert_eq!(names, (1..=1600).map(|n| format!("column_{n}")).collect::<Vec<_>>());
    contents.types.retain(|ty| Some(ty.oid) != wide.row_type && ty.name != "_wide");
}

/// Takes away what every database has, as far as a snapshot can do without it.
fn without_builtin(contents: &mut Contents) {
    contents.operators.retain(|operator| operator.schema != PG_CATALOG);
    contents.collations.retain(|collation| collation.schema != PG_CATALOG);
    let own: Vec<_> = contents.types.iter().filter(|ty| ty.schema != PG_CATALOG).map(|ty| ty.oid).collect();
    contents.casts.retain(|cast| own.contains(&cast.source) || own.contains(&cast.target));
}
