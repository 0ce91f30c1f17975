//! The host with the plugin that attacks, its neighbour, and those who are attacked or only listen.

use std::io::Write;
use std::time::Duration;

use callslip::{CallError, Code, Config, Host};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::STATEMENT_MS;
use crate::describe::described;
use crate::ground::Ground;
use crate::guest::{BIDE, DEED, Guest, biding, number, told};

/// A host on which a plugin bides its time. A clone is of the same host.
#[derive(Clone)]
pub struct Attacker {
    pub ground: &'static Ground,
    pub host: Host,
}

/// What a host says to a call that it does not answer.
pub struct Refusal {
    /// Its code, of what was found first.
    pub code: String,
    /// What the caller is told.
    pub told: String,
    /// What the log says.
    pub log: String,
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let code = match &error {
            // A caller is told that the query is not served, and the log what was found.
            CallError::Unproven(findings) => {
                assert_eq!(error.code(), Code::PluginDegraded);
                findings[0].code
            }
            _ => error.code(),
        };
        Self { code: code.to_string(), told: error.to_string(), log: error.log_message() }
    }
}

impl Attacker {
    /// A host with these SELECTs in a plugin that may read one table.
    pub async fn new(ground: &'static Ground, said: &[String]) -> Self {
        let said: Vec<_> = said.iter().map(|sql| described(sql)).collect();
        Self::with(ground, &biding(&said), "relations = [\"app.item\"]").await
    }

    /// A host with this component under these grants.
    pub async fn with(ground: &'static Ground, guest: &Guest, grants: &str) -> Self {
        Self::of(ground, &guest.component(), grants).await
    }

    /// The same by its bytes.
    pub async fn of(ground: &'static Ground, component: &[u8], grants: &str) -> Self {
        Self::start(ground, component, grants, &format!("statement_timeout_ms = {STATEMENT_MS}")).await
    }

    /// A host that gives statements a minute.
    pub async fn patient(ground: &'static Ground, guest: &Guest) -> Self {
        Self::limited(ground, guest, "").await
    }

    /// Such a host on which the plugin has these limits. A call waits for a tenth of a second for its turn.
    pub async fn limited(ground: &'static Ground, guest: &Guest, limits: &str) -> Self {
        let grants = format!("relations = [\"app.item\"]\n[plugins.attacker.limits]\n{limits}");
        let pool = "statement_timeout_ms = 60000\nwait_ms = 100";
        Self::start(ground, &guest.component(), &grants, pool).await
    }

    async fn start(ground: &'static Ground, component: &[u8], grants: &str, pool: &str) -> Self {
        let neighbour = told(&[described("SELECT count(*) AS items FROM app.item AS i")]);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("attacker.wasm"), component).unwrap();
        std::fs::write(folder.path().join("neighbour.wasm"), neighbour.component()).unwrap();
        let config = format!(
            "[pool]
             size = 4
             {pool}
             [plugins.attacker]
             component = \"attacker.wasm\"
             [plugins.attacker.grants]
             {grants}
             [plugins.neighbour]
             component = \"neighbour.wasm\"
             grants.relations = [\"app.item\"]"
        );
        let config = Config::parse(&config, folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let started = Host::start(&config, &ground.database().connection()).await;
        let host = started.unwrap_or_else(|error| panic!("{error}"));
        // A refresh would read them again.
        Box::leak(Box::new(folder));
        Self { ground, host }
    }

    /// Has the plugin do this, and reads all that comes of it.
    pub async fn call(&self, index: usize) -> Result<String, Refusal> {
        read(self.host.call("attacker", BIDE).param(DEED, number(index))).await
    }

    /// Asks the other plugin, which has to answer as if nothing were, and every connection to be back.
    pub async fn neighbour_answers(&self) {
        let call = read(self.host.call("neighbour", "q000"));
        let answer = tokio::time::timeout(Duration::from_secs(5), call).await.expect("the neighbour waits");
        let answer = answer.unwrap_or_else(|refusal| panic!("the neighbour is refused: {}", refusal.log));
        assert_eq!(answer, "[{\"items\":200}]");
    }
}

/// Reads a reply to its end.
pub async fn read(call: callslip::Call<'_>) -> Result<String, Refusal> {
    let mut reply = call.run().await?;
    let mut text = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        text.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

/// What rows name that is known only when the server runs.
pub struct Places {
    ground: &'static Ground,
    victims: [i32; 3],
}

impl Places {
    /// Has three sessions of the host's login wait for an hour.
    pub async fn new(ground: &'static Ground) -> Self {
        Self { ground, victims: [victim(ground).await, victim(ground).await, victim(ground).await] }
    }

    /// A SELECT with what it names.
    pub fn in_place_of(&self, sql: &str) -> String {
        let [cancelled, ended, watched] = self.victims.map(|victim| victim.to_string());
        let sql = sql.replace("{cancelled}", &cancelled).replace("{ended}", &ended);
        self.ground.in_its_place(&sql.replace("{watched}", &watched))
    }
}

/// The process of a session that waits.
async fn victim(ground: &Ground) -> i32 {
    let client = ground.bare().await;
    client.batch_execute("SET application_name = 'victim'").await.unwrap();
    let process = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    tokio::spawn(async move { client.simple_query("SELECT pg_sleep(3600)").await });
    process
}

/// Who listens on a channel.
pub struct Listener {
    _client: Client,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
}

impl Listener {
    pub async fn new(ground: &Ground, channel: &str) -> Self {
        let settings = ground.database().owner_connection();
        let (client, mut connection) = settings.config().connect(NoTls).await.expect("a connection");
        let (say, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    _ = say.send(());
                }
            }
        });
        client.batch_execute(&format!("LISTEN {channel}")).await.unwrap();
        Self { _client: client, heard: tokio::sync::Mutex::new(heard) }
    }

    /// Whether something is heard within this time.
    pub async fn heard(&self, within: Duration) -> bool {
        let mut heard = self.heard.lock().await;
        tokio::time::timeout(within, heard.recv()).await.is_ok()
    }
}

/// Says that a row is left out for want of an extension, or fails where nothing may be.
pub fn left_out(name: &str, extension: &str) {
    let every = std::env::var_os("CALLSLIP_EVERY_POSTGRESQL").is_some_and(|value| !value.is_empty());
    assert!(!every, "{name}: this PostgreSQL has no extension {extension}");
    _ = writeln!(std::io::stderr(), "left out: {name}: this PostgreSQL has no extension {extension}");
}
