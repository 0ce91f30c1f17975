//! A shop that shows what an order would look like before it is committed: an axum service that lends its open transaction to
//! the plugin in `example-plugins/orders`.
//!
//! ```sh
//! createdb shop
//! psql shop -f example-plugins/orders/data/01-schema.sql -f example-plugins/orders/data/02-rows.sql
//! psql shop -c "CREATE ROLE clerk LOGIN PASSWORD 'clerk'; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO clerk"
//! cargo run -p callslip -- build example-plugins/orders          # the plugin's component, to target/plugins
//! export DATABASE_URL=postgres://clerk:clerk@localhost/shop
//! cargo run -p callslip --example order_preview --no-default-features --features host,deadpool
//! curl 127.0.0.1:3000/orders/preview --json '{"customer": 2, "lines": [{"product": 6, "quantity": 3}]}'
//! ```
//!
//! `POST /orders/preview` answers with the order as it would be, and nothing stays. `POST /orders` takes the same and keeps the
//! order (201), unless the plugin warns of something (409). `LISTEN` is another address and `CALLSLIP_CONFIG` another file than
//! `example-plugins/orders.toml`.

mod failure;
mod order;
mod routes;
mod shop;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use callslip::{Config, Host};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_postgres::NoTls;

use self::shop::Shop;

/// How many requests can be with the database at once. Each is for as long as its transaction is open.
const CONNECTIONS: usize = 16;
/// How long a request waits for one of them.
const WAIT: Duration = Duration::from_secs(2);
/// How often it is asked whether a call has met a change of the database.
const FOLLOW: Duration = Duration::from_secs(1);
/// What PostgreSQL holds the shop's own statements to. A plugin's are held to the shorter of these and its own.
const SESSION: &str = "-c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config_file = env::var("CALLSLIP_CONFIG").unwrap_or("example-plugins/orders.toml".to_owned());
    let address = env::var("LISTEN").unwrap_or("127.0.0.1:3000".to_owned());

    let pool = pool(&env::var("DATABASE_URL")?)?;
    let host = host(config_file.as_ref(), &pool).await?;
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    tokio::spawn(follow(pool.clone(), host.clone()));
    axum::serve(listener, routes::router(Shop::new(pool.clone(), host)))
        .with_graceful_shutdown(stop_requested()?)
        .await?;
    pool.close();
    Ok(())
}

/// The shop's pool.
fn pool(url: &str) -> Result<Pool, Box<dyn Error>> {
    let mut database: tokio_postgres::Config = url.parse()?;
    database.application_name("shop").options(SESSION);
    let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(database, NoTls, manager_config);
    let builder = Pool::builder(manager).max_size(CONNECTIONS).runtime(Runtime::Tokio1);
    Ok(builder.wait_timeout(Some(WAIT)).create_timeout(Some(WAIT)).build()?)
}

/// The host of the shop's plugins, which has no connection of its own: it knows the database by one of the pool's.
async fn host(config_file: &std::path::Path, pool: &Pool) -> Result<Host, Box<dyn Error>> {
    let config = Config::read(config_file)?;
    let host = Host::builder().reflect_on(&mut pool.get().await?).start(&config).await?;
    // The shop is nothing without its plugin. A service that can do without one would log this, and start.
    for (_, plugin) in host.generation().plugins() {
        plugin.map_err(Clone::clone)?;
    }
    Ok(host)
}

/// Has the host look at the database anew when a call has met something that is not as it was proven: a migration.
async fn follow(pool: Pool, host: Host) {
    loop {
        sleep(FOLLOW).await;
        if host.catalog_status().doubted_at.is_some()
            && let Ok(mut client) = pool.get().await
        {
            _ = host.refresh_on(&mut client).await; // the host's log says what came of it
        }
    }
}

/// Ends when the process is asked to: by Ctrl-C, or as service managers do. Requests that have begun are answered.
fn stop_requested() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
