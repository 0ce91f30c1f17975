use std::sync::OnceLock;

use callslip::catalog::{Catalog, Contents, SearchPath, reflect};
use callslip::cluster::Cluster;
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Finding, Limits};
use callslip_ir::Binding;
use callslip_sdk::{Select, Statement, testing::describe};
use callslip_tests::{Text, cluster, connect};
use futures_util::future::Either;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// A PostgreSQL with the library, and what is reflected of it.
pub struct Library {
    cluster: Cluster,
    catalog: Catalog,
    grants: Grants,
}

/// The library that all tests of a run share. None changes it.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    // On a thread and a runtime of its own: a test's own runtime ends with the test.
    LIBRARY.get_or_init(|| {
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(Library::new()))
            .join()
            .expect("the library opens")
    })
}

/// The schemas that names without one are looked for in.
pub fn schemas() -> Vec<String> {
    vec!["public".to_owned()]
}

impl Library {
    async fn new() -> Self {
        let (cluster, client) = cluster(include_str!("library.sql")).await;
        let catalog = Catalog::new(reflect(&client).await.unwrap());
        let grants =
            Grants::resolve(&everything(catalog.contents()), &catalog, &SearchPath::of(schemas())).unwrap();
        Self { cluster, catalog, grants }
    }

    /// What was reflected.
    pub fn contents(&self) -> &Contents {
        self.catalog.contents()
    }

    /// A connection that times are the same on everywhere.
    pub async fn client(&self) -> Client {
        let client = connect(&self.cluster.config()).await;
        client.batch_execute("SET timezone = 'UTC'").await.unwrap();
        client
    }

    /// The types that were inferred of a statement's columns.
    pub fn types(&self, statement: &Statement) -> Result<Vec<Option<u32>>, Vec<Finding>> {
        let verified = self.verified(&self.catalog, statement)?;
        Ok(verified.columns.iter().map(|column| column.ty).collect())
    }

    fn verified(&self, catalog: &Catalog, statement: &Statement) -> Result<select::Verified, Vec<Finding>> {
        let (path, limits) = (SearchPath::of(schemas()), Limits::default());
        let context = Context {
            plugin: "this",
            catalog,
            grants: &self.grants,
            path: &path,
            limits: &limits,
            filters: select::RowFilters::none(),
        };
        select::verify(&statement.shape, context)
    }

    /// What a statement is printed as, with what is bound to its parameters.
    pub fn print(&self, statement: &Statement) -> Result<(String, Vec<Option<String>>), Vec<Finding>> {
        self.print_for(&self.catalog, statement)
    }

    /// The same as if the server were of a version, which is a number as `server_version_num` is.
    pub fn print_as_of(
        &self,
        server_version: u32,
        statement: &Statement,
    ) -> Result<(String, Vec<Option<String>>), Vec<Finding>> {
        let contents = Contents { server_version, ..self.contents().clone() };
        self.print_for(&Catalog::new(contents), statement)
    }

    fn print_for(
        &self,
        catalog: &Catalog,
        statement: &Statement,
    ) -> Result<(String, Vec<Option<String>>), Vec<Finding>> {
        let verified = self.verified(catalog, statement)?;
        let lowered = select::lower(&statement.shape, &verified);
        let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
        let printed = select::print(&lowered, &comment, &[], &Limits::default());
        let printed = printed.map_err(|finding| vec![finding])?;
        let value = |slot: usize| match &statement.bindings[slot] {
            Binding::Constant(value) => value.clone(),
            other => panic!("a test has constants only, not {other:?}"),
        };
        let values = printed.parameters.iter().map(|parameter| value(parameter.slot.0 as usize)).collect();
        Ok((printed.sql, values))
    }
}

/// Everything of the schema `public`.
fn everything(contents: &Contents) -> GrantSettings {
    let public = |schema: &str, name: &str| (schema == "public").then(|| format!("public.{name}"));
    GrantSettings {
        relations: contents.relations.iter().filter_map(|its| public(&its.schema, &its.name)).collect(),
        functions: contents.functions.iter().filter_map(|its| public(&its.schema, &its.name)).collect(),
        operators: Vec::new(),
        casts: Vec::new(),
        types: contents.types.iter().filter_map(|its| public(&its.schema, &its.name)).collect(),
    }
}

/// Asserts that a query gives the rows of hand-written SQL, of which there must be some: names, values and order.
#[track_caller]
pub fn same(query: Select, expected: &str) -> impl Future<Output = ()> {
    // The plan is made on this thread, before the test may go on another.
    let printed = library().print(&describe(query));
    let at = std::panic::Location::caller();
    async move {
        let (sql, values) = printed.unwrap_or_else(|findings| panic!("{at}: {findings:#?}"));
        let client = library().client().await;
        let found = rows(&client, &sql, &values).await.unwrap_or_else(|error| panic!("{at}: {error}\n{sql}"));
        let expected = rows(&client, expected, &[]).await.unwrap_or_else(|error| panic!("{at}: {error}"));
        assert!(!expected.is_empty(), "{at}: rows that say nothing");
        assert_eq!(found, expected, "{at}: {sql}");
    }
}

/// Like [`same`], of what came to PostgreSQL with a version: an older server has to be told from what version on.
#[track_caller]
pub fn same_since(major: u32, query: Select, expected: &str) -> impl Future<Output = ()> {
    let version = library().contents().server_version;
    if version >= major * 10_000 {
        return Either::Left(same(query, expected));
    }
    let (at, refused) = (std::panic::Location::caller(), refused(query));
    let told = format!("needs PostgreSQL {major}; this server is {}.{}", version / 10_000, version % 10_000);
    let each = |line: &str| line.starts_with("CS0318: ") && line.contains(&told);
    assert!(refused.lines().all(each), "{at}: {refused}");
    Either::Right(std::future::ready(()))
}

/// The findings of a query that is refused, one a line without their places.
#[track_caller]
pub fn refused(query: Select) -> String {
    let at = std::panic::Location::caller();
    let findings = match library().print(&describe(query)) {
        Ok((sql, _)) => panic!("{at}: it is not refused: {sql}"),
        Err(findings) => findings,
    };
    let bare = |finding: Finding| Finding { place: None, ..finding }.to_string();
    findings.into_iter().map(bare).collect::<Vec<_>>().join("\n")
}

/// The rows as JSON, columns in their order.
async fn rows(client: &Client, sql: &str, values: &[Option<String>]) -> Result<Vec<String>, String> {
    let wrapped = format!("SELECT row_to_json(its_rows)::text FROM ({sql}) AS its_rows");
    let values: Vec<Text<'_>> = values.iter().map(|value| Text(value.as_deref())).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    let rows = client.query(&wrapped, &values).await.map_err(|error| match error.as_db_error() {
        Some(refusal) => refusal.to_string(),
        None => error.to_string(),
    })?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
