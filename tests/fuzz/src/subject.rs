#![allow(dead_code)] // A target uses some of what the tests use.

#[path = "../../tests/property/choices.rs"]
mod choices;
#[path = "../../tests/property/constructs/mod.rs"]
mod constructs;
#[path = "../../tests/property/described/mod.rs"]
mod described;
#[path = "../../tests/property/fixture.rs"]
mod fixture;
#[path = "../../tests/property/generate/mod.rs"]
pub mod generate;
#[path = "../../tests/property/parsed/mod.rs"]
pub mod parsed;
#[path = "../../tests/property/property.rs"]
pub mod property;
#[path = "../../tests/property/tree.rs"]
mod tree;

use std::sync::OnceLock;

use callslip::catalog::reflect;
use callslip::cluster::{Cluster, ClusterOptions};

use property::Subject;

/// The fixture as a PostgreSQL has it that is gone when it was asked.
pub fn subject() -> &'static Subject {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    SUBJECT.get_or_init(|| {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
            let cluster = Cluster::start(ClusterOptions::default()).await.expect("PostgreSQL");
            let (client, connection) =
                cluster.config().connect(tokio_postgres::NoTls).await.expect("a connection");
            tokio::spawn(connection);
            client.batch_execute(fixture::SQL).await.expect("the fixture");
            Subject::new(reflect(&client).await.expect("a catalog"))
        })
    })
}
