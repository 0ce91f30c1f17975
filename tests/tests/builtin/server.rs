use std::sync::OnceLock;

use callslip::catalog::{Catalog, Contents, Function, Oid, PG_CATALOG, TypeKind, reflect};
use callslip::cluster::{Cluster, ClusterOptions};
use callslip_tests::{connect, servers};
use tokio_postgres::Client;

/// A server of one version, and what is reflected of it.
pub struct Server {
    cluster: Cluster,
    /// 14 to 18.
    pub major: u32,
    pub catalog: Catalog,
    /// Whether the extension that puts functions into `pg_catalog` is installed: not where a server's copy has no extensions.
    pub has_adminpack: bool,
}

impl Server {
    pub async fn client(&self) -> Client {
        connect(&self.cluster.config()).await
    }

    pub fn contents(&self) -> &Contents {
        self.catalog.contents()
    }

    /// The functions, aggregates and window functions of `pg_catalog`.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.contents().functions.iter().filter(|function| function.schema == PG_CATALOG)
    }

    /// A signature as the lists write it: `concat(VARIADIC "any")`.
    pub fn signature(&self, function: &Function) -> String {
        let last = function.arguments.len().saturating_sub(1);
        let arguments = function.arguments.iter().enumerate().map(|(index, oid)| {
            let variadic = if function.variadic.is_some() && index == last { "VARIADIC " } else { "" };
            format!("{variadic}{}", self.type_name(*oid))
        });
        format!("{}({})", function.name, arguments.collect::<Vec<_>>().join(", "))
    }

    /// A type as the lists write it: `int4`, `int4[]`, `"char"`.
    pub fn type_name(&self, oid: Oid) -> String {
        let ty = self.catalog.type_by_oid(oid).unwrap_or_else(|| panic!("no type {oid}"));
        match ty.kind {
            TypeKind::Array { element } => format!("{}[]", self.type_name(element)),
            _ if matches!(ty.name.as_str(), "any" | "char") => format!("\"{}\"", ty.name),
            _ => ty.name.clone(),
        }
    }
}

/// A server of every version that is on this machine, the oldest first. None of the tests changes it.
pub fn every_version() -> &'static [Server] {
    static SERVERS: OnceLock<Vec<Server>> = OnceLock::new();
    // On a thread and a runtime of its own: a test's own runtime ends with the test.
    SERVERS.get_or_init(|| {
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(start()))
            .join()
            .expect("the servers start")
    })
}

async fn start() -> Vec<Server> {
    let mut started = Vec::new();
    for binaries in servers() {
        let major = binaries.major();
        let cluster = Cluster::start(ClusterOptions::default().binaries(binaries)).await.unwrap();
        let client = connect(&cluster.config()).await;
        let available = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'adminpack')";
        let has_adminpack = client.query_one(available, &[]).await.unwrap().get(0);
        if has_adminpack {
            client.batch_execute("CREATE EXTENSION adminpack").await.unwrap();
        }
        let catalog = Catalog::new(reflect(&client).await.unwrap());
        started.push(Server { cluster, major, catalog, has_adminpack });
    }
    started
}
