//! The document of what is served: valid, and true.

mod page;
mod replies;
mod tools;

use callslip_tests::{component, database, tpch};

use crate::served::Served;

/// A server with the plugin hiring.
async fn hiring() -> Served {
    Served::start(&database().url(), &plugin("hiring"), &[])
}

/// A server with the plugin orders, on a database of this name.
async fn orders(name: &str) -> Served {
    let url = database().example(name, "orders").await;
    let config = format!("database.allow = [\"superuser\", \"owner\"]\n{}", plugin("orders"));
    Served::start(&url, &config, &[])
}

/// A server with the plugin tpch.
async fn tpc_h() -> Served {
    Served::start(&tpch().await.url(), &plugin("tpch"), &[])
}

fn plugin(name: &str) -> String {
    let component = component(&format!("example-plugins/{name}"));
    format!("[plugins.{name}]\ncomponent = {component:?}\ngrants.relations = [\"public.*\"]\n")
}
