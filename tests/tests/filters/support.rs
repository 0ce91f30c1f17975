use std::collections::BTreeMap;
use std::sync::OnceLock;

use callslip::catalog::{Catalog, SearchPath, reflect};
use callslip::cluster::Cluster;
use callslip::grants::{FilterValue, GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Finding, Limits, RowFilters};
use callslip_ir::Binding;
use callslip_sdk::{Select, testing::describe};
use callslip_tests::{Text, cluster, connect};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// A PostgreSQL with the shop, and what is reflected of it.
pub struct Shop {
    cluster: Cluster,
    catalog: Catalog,
    grants: Grants,
}

/// The shop that all tests of a run share. None changes it.
pub fn shop() -> &'static Shop {
    static SHOP: OnceLock<Shop> = OnceLock::new();
    // On a thread and a runtime of its own: a test's own runtime ends with the test.
    SHOP.get_or_init(|| {
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(Shop::new()))
            .join()
            .expect("the shop opens")
    })
}

/// Filters by the names of relations.
pub fn filters(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())).collect()
}

/// By company, by a comparison that is leakproof and cheap.
pub const BY_COMPANY: &[(&str, &str)] = &[("item", "company_id = claim('company')")];
/// By company, by a function that PostgreSQL takes for dear: all other conditions would come before it.
pub const BY_FUNCTION: &[(&str, &str)] = &[("item", "of_company(company_id, claim('company'))")];

/// A statement as it is sent.
pub struct Sent {
    pub sql: String,
    pub values: Vec<Option<String>>,
}

impl Shop {
    async fn new() -> Self {
        let (cluster, client) = cluster(include_str!("shop.sql")).await;
        Self::of(cluster, &client).await
    }

    /// One of its own, after some more SQL, as a role sees it.
    pub async fn seen_by(role: &str, sql: &str) -> Self {
        let (cluster, _) = cluster(&format!("{}\n{sql}", include_str!("shop.sql"))).await;
        let login = connect(cluster.config().user(role)).await;
        Self::of(cluster, &login).await
    }

    async fn of(cluster: Cluster, client: &Client) -> Self {
        let catalog = Catalog::new(reflect(client).await.unwrap());
        let all = |list: Vec<(&String, &String)>| {
            list.iter().filter(|(schema, _)| *schema == "public").map(|(_, name)| (*name).clone()).collect()
        };
        let contents = catalog.contents();
        let settings = GrantSettings {
            relations: all(contents.relations.iter().map(|its| (&its.schema, &its.name)).collect()),
            functions: all(contents.functions.iter().map(|its| (&its.schema, &its.name)).collect()),
            types: all(contents.types.iter().map(|its| (&its.schema, &its.name)).collect()),
            ..GrantSettings::default()
        };
        let grants = Grants::resolve(&settings, &catalog, &SearchPath::of(["public"])).unwrap();
        Self { cluster, catalog, grants }
    }

    /// A connection of the superuser.
    pub async fn client(&self) -> Client {
        connect(&self.cluster.config()).await
    }

    pub fn row_filters(&self, of: &[(&str, &str)]) -> RowFilters {
        let tables = [("filters".to_owned(), &filters(of))];
        RowFilters::resolve(tables, &self.catalog, &SearchPath::of(["public"]), &Limits::default())
    }

    /// What a query is printed as under filters, for a caller with these claims.
    pub fn print(
        &self,
        of: &[(&str, &str)],
        claims: &[(&str, &str)],
        query: Select,
    ) -> Result<Sent, Vec<Finding>> {
        let (path, limits, filters) = (SearchPath::of(["public"]), Limits::default(), self.row_filters(of));
        let (catalog, grants) = (&self.catalog, &self.grants);
        let context =
            Context { plugin: "this", catalog, grants, path: &path, limits: &limits, filters: &filters };
        let statement = describe(query);
        let verified = select::verify(&statement.shape, context)?;
        let lowered = select::lower(&statement.shape, &verified);
        let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
        let printed = select::print(&lowered, &comment, &[], &limits).map_err(|finding| vec![finding])?;
        let value = |parameter: &select::StatementParameter| match printed.filter_value(parameter.slot) {
            Some(FilterValue::Claim(name)) => {
                claims.iter().find(|(its, _)| its == name).map(|(_, value)| (*value).to_owned())
            }
            Some(FilterValue::Constant(text)) => text.clone(),
            None => match &statement.bindings[parameter.slot.0 as usize] {
                Binding::Constant(value) => value.clone(),
                other => panic!("a test has constants only, not {other:?}"),
            },
        };
        let values = printed.parameters.iter().map(value).collect();
        Ok(Sent { sql: printed.sql, values })
    }
}

/// The findings under filters, one a line without places.
#[track_caller]
pub fn refused(of: &[(&str, &str)], query: Select) -> String {
    refused_by(shop(), of, query)
}

/// The same in a shop of its own.
#[track_caller]
pub fn refused_by(shop: &Shop, of: &[(&str, &str)], query: Select) -> String {
    let at = std::panic::Location::caller();
    let findings = match shop.print(of, &[], query) {
        Ok(sent) => panic!("{at}: it is not refused: {}", sent.sql),
        Err(findings) => findings,
    };
    let bare = |finding: Finding| Finding { place: None, ..finding }.to_string();
    findings.into_iter().map(bare).collect::<Vec<_>>().join("\n")
}

/// What the client of a plugin with these filters gets, for the caller of company 1.
pub async fn given(client: &Client, of: &[(&str, &str)], query: Select) -> Result<Vec<String>, String> {
    let sent =
        shop().print(of, &[("company", "1")], query).unwrap_or_else(|findings| panic!("{findings:#?}"));
    rows(client, &sent.sql, &sent.values).await
}

/// The rows as JSON in their order, or the error with its SQLSTATE.
pub async fn rows(client: &Client, sql: &str, values: &[Option<String>]) -> Result<Vec<String>, String> {
    let wrapped = format!("SELECT row_to_json(its_rows)::text FROM ({sql}) AS its_rows");
    let values: Vec<Text<'_>> = values.iter().map(|value| Text(value.as_deref())).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    let rows = client.query(&wrapped, &values).await.map_err(|error| match error.as_db_error() {
        Some(refusal) => format!("{}: {}", refusal.code().code(), refusal.message()),
        None => error.to_string(),
    })?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Asserts that a query gives the rows of hand-written SQL, of which there must be some.
#[track_caller]
pub fn same(of: &[(&str, &str)], query: Select, expected: &str) -> impl Future<Output = ()> {
    let at = std::panic::Location::caller();
    let sent = shop().print(of, &[("company", "1")], query);
    async move {
        let sent = sent.unwrap_or_else(|findings| panic!("{at}: {findings:#?}"));
        let client = shop().client().await;
        let found = rows(&client, &sent.sql, &sent.values).await;
        let found = found.unwrap_or_else(|error| panic!("{at}: {error}\n{}", sent.sql));
        let expected = rows(&client, expected, &[]).await.unwrap_or_else(|error| panic!("{at}: {error}"));
        assert!(!expected.is_empty(), "{at}: rows that say nothing");
        assert_eq!(found, expected, "{at}: {}", sent.sql);
    }
}
