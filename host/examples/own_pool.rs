//! A host on the service's own pool: it opens no connection of its own. It knows the database by a connection of the pool, and
//! each call runs on one.
//!
//! ```sh
//! createdb shop
//! psql shop -f example-plugins/orders/data/01-schema.sql -f example-plugins/orders/data/02-rows.sql
//! psql shop -c "CREATE ROLE clerk LOGIN PASSWORD 'clerk'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk"
//! cargo run -p callslip -- build example-plugins/orders          # the plugin's component, to target/plugins
//! export DATABASE_URL=postgres://clerk:clerk@localhost/shop
//! cargo run -p callslip --example own_pool --no-default-features --features host,deadpool
//! curl 127.0.0.1:3001/purchases/5
//! ```
//!
//! `LISTEN` is another address and `CALLSLIP_CONFIG` another file than `example-plugins/orders.toml`.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use callslip::{CallError, Config, Host};
use deadpool_postgres::{Manager, Object, Pool, PoolError, Runtime};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_postgres::NoTls;

/// How long a request waits for a connection.
const WAIT: Duration = Duration::from_secs(2);
/// How often it is asked whether the database is still as the plugins were proven against.
const FOLLOW: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Service {
    pool: Pool,
    host: Host,
}

/// A product of which little is left, as the query gives it; that has more columns.
#[derive(Serialize, Deserialize)]
struct Shortage {
    product: i32,
    name: String,
    left_in_stock: i64,
}

/// What to buy of it: as much as was promised.
#[derive(Serialize)]
struct Purchase {
    #[serde(flatten)]
    shortage: Shortage,
    pieces: i64,
}

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
    let address = env::var("LISTEN").unwrap_or("127.0.0.1:3001".to_owned());

    let manager = Manager::new(env::var("DATABASE_URL")?.parse()?, NoTls);
    let pool =
        Pool::builder(manager).max_size(8).runtime(Runtime::Tokio1).wait_timeout(Some(WAIT)).build()?;
    // README: start
    let config = Config::read(config_file.as_ref())?;
    let host = Host::builder().reflect_on(&mut pool.get().await?).start(&config).await?;
    for (_, plugin) in host.generation().plugins() {
        plugin.map_err(Clone::clone)?; // its findings, if not all of it proves; or go on with the rest
    }
    // README end
    let service = Service { pool, host };
    tokio::spawn(follow(service.clone()));
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/purchases/{at_most}", get(purchases)).with_state(service);
    Ok(axum::serve(listener, router).await?)
}

async fn purchases(
    State(Service { pool, host }): State<Service>,
    Path(at_most): Path<i64>,
) -> Result<Json<Vec<Purchase>>, Problem> {
    let mut connection = pool.get().await?;
    Ok(Json(read(&host, &mut connection, at_most).await?))
}

async fn read(host: &Host, connection: &mut Object, at_most: i64) -> Result<Vec<Purchase>, CallError> {
    // README: rows
    let call = host.call("orders", "shortages").param("at_most", at_most);
    let mut rows = call.on(connection).rows().await?;
    let mut purchases = Vec::new();
    while let Some(row) = rows.next().await? {
        let shortage: Shortage = row.to()?; // by serde
        let pieces: i64 = row.get("promised")?; // as tokio-postgres reads it
        purchases.push(Purchase { shortage, pieces });
    }
    // README end
    Ok(purchases)
}

/// Has the host look at the database anew when a call has met something that is not as it was proven: a migration.
async fn follow(Service { pool, host }: Service) {
    loop {
        sleep(FOLLOW).await;
        // README: refresh
        if host.catalog_status().doubted_at.is_some()
            && let Ok(mut connection) = pool.get().await
        {
            _ = host.refresh_on(&mut connection).await; // the host's log says what came of it
        }
        // README end
    }
}

/// There is no answer. Only the log is told why.
struct Problem;

impl From<PoolError> for Problem {
    fn from(error: PoolError) -> Self {
        tracing::error!("no connection: {error}");
        Self
    }
}

impl From<CallError> for Problem {
    fn from(_: CallError) -> Self {
        Self // the host has told the log
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response()
    }
}
