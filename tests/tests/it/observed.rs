//! What a service is told of each call: once, and all that is known of it.

mod audit;
mod drops;
mod failures;
mod replies;

use std::path::Path;

use callslip::loan::{ConnectionSettings, Isolation};
use callslip::{Call, CallEnded, CallError, CallOutcome, Config, Host, RanOn};
use callslip_tests::{Log, Seen, component, configured, database};
use serde_json::Value;
use tokio_postgres::Client;

use self::audit::assert_audited;
use crate::support::{TABLES, text};

const PLACES: [RanOn; 3] = [RanOn::Pool, RanOn::LentTransaction, RanOn::LentClient];

/// A host that tells what happens, and a connection to be lent.
struct Observed {
    host: Host,
    seen: Seen,
    /// The same once more, to be compared with the log.
    audited: Seen,
    log: Log,
    client: Client,
    /// The isolation level of a call of one statement on a connection of the host's own.
    of_pool: Isolation,
}

impl Observed {
    async fn new(settings: &str) -> Self {
        Self::on(&database().connection(), settings).await
    }

    /// The same with another connection of its own.
    async fn on(connection: &ConnectionSettings, settings: &str) -> Self {
        let seen = Seen::default();
        // Only the server itself knows the sessions of what is lent.
        let direct = database().owner_connection();
        let builder = Host::builder().connect(connection).cancel_through(&direct);
        let (audited, log) = (Seen::default(), Log::here());
        let builder = builder.observe(seen.observer()).observe(audited.observer());
        let host = builder.start(&config(settings)).await.unwrap();
        assert!(seen.take().is_empty(), "nothing happens at the start");
        let of_pool = host.call("guest", "position").param("id", 7).rows().await.unwrap().isolation();
        seen.take();
        Self { host, seen, audited, log, client: database().writer().await, of_pool }
    }

    /// The isolation level that a call of one statement has.
    fn isolation(&self, place: RanOn) -> Option<Isolation> {
        Some(match place {
            RanOn::LentTransaction => Isolation::ReadCommitted,
            RanOn::LentClient => Isolation::RepeatableRead,
            _ => self.of_pool,
        })
    }

    /// Has a call end somewhere. What is lent for it is given back before this returns.
    async fn ends<T>(
        &mut self,
        place: RanOn,
        (query, parameters): (&str, &Value),
        work: impl AsyncFnOnce(Call<'_>) -> T,
    ) -> T {
        let mut call = match query.split_once('.') {
            Some((plugin, query)) => self.host.call(plugin, query),
            None => self.host.call("guest", query),
        };
        for (name, value) in parameters.as_object().unwrap() {
            call = call.param(name, value.clone());
        }
        self.log.take();
        self.audited.take();
        let given = match place {
            RanOn::LentTransaction => {
                let mut transaction = self.client.transaction().await.unwrap();
                work(call.on(&mut transaction)).await
            }
            RanOn::LentClient => work(call.on(&mut self.client)).await,
            _ => work(call).await,
        };
        assert_audited(&self.log.take_audit(), &self.audited.take());
        given
    }

    /// What is told of a call that fails, and its error.
    async fn fails(&mut self, place: RanOn, query: &str, parameters: Value) -> (CallEnded, CallError) {
        let error = self.ends(place, (query, &parameters), text).await.unwrap_err();
        let call = self.seen.call();
        assert_failed(&call, place, &error);
        (call, error)
    }
}

fn config(settings: &str) -> Config {
    let (guest, slow) = (component("tests/guests/language"), component("tests/guests/slow"));
    let text = format!(
        "{settings}\n\
         [plugins.guest]\ncomponent = {guest:?}\n[plugins.guest.grants]\nrelations = {TABLES}\n\
         [plugins.slow]\ncomponent = {slow:?}\n\
         [plugins.slow.grants]\nrelations = [\"rating\"]\nfunctions = [\"pg_sleep\"]\n\
         [plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n"
    );
    Config::parse(&configured(&text), Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_failed(call: &CallEnded, place: RanOn, error: &CallError) {
    let CallOutcome::Failed { code, message } = &call.outcome else { panic!("{call:?}") };
    assert_eq!((*code, message), (error.code(), &error.log_message()));
    assert_eq!((call.ran_on, call.outcome.as_str()), (place, error.code().as_str()));
}

/// The digest in the comment before the first statement of a query's only shape.
fn digest(host: &Host, query: &str) -> String {
    let generation = host.generation();
    let loaded = generation.plugin("guest").unwrap().unwrap();
    let shapes = loaded.query(query).unwrap().shapes();
    let sql = &shapes[0].outcome.as_ref().unwrap()[0].sql;
    let rest = sql.strip_prefix(&format!("/* callslip guest.{query} ")).unwrap_or_else(|| panic!("{sql}"));
    rest.split_once(' ').unwrap().0.to_owned()
}
