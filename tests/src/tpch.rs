use std::path::Path;

use callslip::cli::tpch::tables;
use callslip::cluster::Dataset;
use callslip::loan::ConnectionSettings;
use callslip::{Config, Host};
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use crate::configured;
use crate::database::READER;
use crate::{component, connect_to, database};

/// The scale that the reference answers are for.
const SCALE: f64 = 0.01;

/// The data of TPC-H, in a database of their own.
pub struct Tpch {
    owner_url: String,
}

/// The data of TPC-H, which all tests of a run share and none changes.
///
/// # Panics
/// If the database does not take the data.
pub async fn tpch() -> &'static Tpch {
    static TPCH: OnceCell<Tpch> = OnceCell::const_new();
    TPCH.get_or_init(|| async {
        let owner_url = database().create("tpch").await;
        let tpch = Tpch { owner_url };
        let client = tpch.owner().await;
        client.batch_execute("DROP SCHEMA public").await.expect("the schema is empty");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/tpch/data");
        let dataset = Dataset::read(&folder).unwrap_or_else(|error| panic!("{error}")).with_tables(tables());
        let loaded = dataset.load(&client, "public", SCALE, &mut |_| {}).await;
        loaded.unwrap_or_else(|error| panic!("{error}"));
        let grants = format!(
            "GRANT USAGE ON SCHEMA public TO {READER}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}"
        );
        client.batch_execute(&grants).await.expect("a role that reads");
        tpch
    })
    .await
}

impl Tpch {
    /// A host with the plugin, which may read every table.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn host(&self) -> Host {
        let component = component("example-plugins/tpch");
        let config = format!(
            r#"
            [plugins.tpch]
            component = {component:?}
            [plugins.tpch.grants]
            relations = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
            "#
        );
        let config =
            Config::parse(&configured(&config), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
        let settings = ConnectionSettings::resolve(Some(&self.url()), &|_| None);
        Host::start(&config, &settings.expect("the URL is ours"))
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The URL of a host's connection.
    pub fn url(&self) -> String {
        database().url_of("tpch")
    }

    /// The URL of the superuser.
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// A connection of the superuser.
    ///
    /// # Panics
    /// If the server is gone.
    pub async fn owner(&self) -> Client {
        connect_to(&self.owner_url).await
    }
}
