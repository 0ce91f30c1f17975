//! What a plugin tries on a transaction that is lent, with functions that the owner was talked into granting.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_postgres::Client;

use super::host::{Attacker, Listener, read};
use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::{BIDE, DEED, biding, number};
use crate::suite::{Attack, Contained};

const LINE: &str = "the borrowed transaction";

/// What is done on a lent transaction.
struct Deed {
    name: &'static str,
    sql: &'static str,
    grants: &'static str,
    /// How the call ends: the code of its error, or nothing for an answer.
    code: Option<&'static str>,
    /// What the owner of the transaction sees before it commits.
    look: &'static str,
    /// What the owner does first.
    before: &'static str,
}

const DEEDS: &[Deed] = &[
    Deed {
        name: "a function that writes",
        sql: "SELECT app.mislabelled()",
        grants: "app.mislabelled",
        code: Some("CS1103"),
        look: "SELECT count(*) FROM app.written",
        before: "",
    },
    Deed {
        name: "an INSERT into a temporary table",
        sql: "SELECT app.into_temp()",
        grants: "app.into_temp",
        code: None,
        look: "SELECT count(*) FROM pg_temp.kept",
        before: "CREATE TEMPORARY TABLE kept (n int)",
    },
    Deed {
        name: "a setting",
        sql: "SELECT app.sets()",
        grants: "app.sets",
        code: None,
        look: "SELECT current_setting('app.who', true)",
        before: "SELECT set_config('app.who', 'the owner', false)",
    },
    Deed {
        name: "a lock of the transaction",
        sql: "SELECT app.locks()",
        grants: "app.locks",
        code: None,
        look: "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242",
        before: "",
    },
    Deed {
        name: "a large object",
        sql: "SELECT app.makes()",
        grants: "app.makes",
        code: None,
        look: "SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 4812",
        before: "",
    },
];

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = DEEDS
        .iter()
        .map(|deed| Attack::new(LINE, deed.name, deed.attack(ground), deed.twin(ground)))
        .collect();
    attacks.push(Attack::new(LINE, "a notification", notified(ground), notifies(ground)));
    attacks.push(Attack::new(LINE, "a portal that is read late", unread(ground), late_portal(ground)));
    attacks.push(Attack::new(LINE, "a temporary table in a table's place", hidden(ground), hides(ground)));
    attacks.push(Attack::new(
        "a query that outlives its client",
        "on the host's own connection",
        left(ground),
        outlives(ground),
    ));
    attacks
}

async fn attacker(ground: &'static Ground, sql: &str, functions: &str) -> Attacker {
    let grants = format!("relations = [\"app.item\"]\nfunctions = [{functions:?}]");
    Attacker::with(ground, &biding(&[described(sql)]), &grants).await
}

/// The owner's transaction can still write.
async fn usable(transaction: &tokio_postgres::Transaction<'_>) {
    let written =
        transaction.execute("INSERT INTO app.written VALUES (99)", &[]).await.expect("it can write");
    assert_eq!(written, 1);
}

async fn seen(client: &impl tokio_postgres::GenericClient, look: &str) -> String {
    let rows = client
        .query(&format!("SELECT ({look})::text"), &[])
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    rows[0].get::<_, Option<String>>(0).unwrap_or_default()
}

impl Deed {
    async fn attack(&'static self, ground: &'static Ground) -> Contained {
        let attacker = attacker(ground, self.sql, self.grants).await;
        let mut owner = ground.bare().await;
        owner.batch_execute(self.before).await.unwrap();
        let mut transaction = owner.transaction().await.unwrap();
        let before = seen(&transaction, self.look).await;
        let began = Instant::now();
        let answer =
            read(attacker.host.call("attacker", BIDE).param(DEED, number(0)).on(&mut transaction)).await;
        let took = began.elapsed();
        let code = answer.err().map(|refusal| refusal.code);
        // Some of it a later PostgreSQL refuses in a block that is READ ONLY.
        assert!(code.as_deref() == self.code || code.as_deref() == Some("CS1103"), "{code:?}");
        assert_eq!(seen(&transaction, self.look).await, before, "it stays");
        usable(&transaction).await;
        transaction.rollback().await.unwrap();
        attacker.neighbour_answers().await;
        let by = if code.is_some() { "CS1103, READ ONLY" } else { "ROLLBACK TO" };
        Contained { by: by.to_owned(), took }
    }

    /// A savepoint that is only released keeps all of it.
    async fn twin(&'static self, ground: &'static Ground) -> String {
        let mut owner = ground.bare().await;
        owner.batch_execute(self.before).await.unwrap();
        let mut transaction = owner.transaction().await.unwrap();
        let before = seen(&transaction, self.look).await;
        let savepoint = transaction.savepoint("s").await.unwrap();
        savepoint.simple_query(self.sql).await.unwrap_or_else(|error| panic!("{error:?}"));
        savepoint.commit().await.unwrap();
        let after = seen(&transaction, self.look).await;
        transaction.rollback().await.unwrap();
        assert_ne!(before, after, "nothing stays");
        format!("{before} became {after}")
    }
}

async fn notified(ground: &'static Ground) -> Contained {
    let attacker = attacker(ground, "SELECT app.tells()", "app.tells").await;
    let listener = Listener::new(ground, "borrowed").await;
    let mut owner = ground.bare().await;
    let mut transaction = owner.transaction().await.unwrap();
    let began = Instant::now();
    let answer = read(attacker.host.call("attacker", BIDE).param(DEED, number(0)).on(&mut transaction)).await;
    let took = began.elapsed();
    assert!(answer.is_ok(), "{:?}", answer.err().map(|refusal| refusal.log));
    usable(&transaction).await;
    transaction.commit().await.unwrap();
    assert!(!listener.heard(Duration::from_millis(300)).await, "it was sent");
    Contained { by: "ROLLBACK TO".to_owned(), took }
}

async fn notifies(ground: &'static Ground) -> String {
    let listener = Listener::new(ground, "borrowed").await;
    let owner = ground.bare().await;
    let sql = "BEGIN; SAVEPOINT s; SET TRANSACTION READ ONLY; SELECT app.tells(); RELEASE s; COMMIT";
    owner.batch_execute(sql).await.unwrap();
    assert!(listener.heard(Duration::from_secs(5)).await, "nothing was sent");
    "heard after the commit".to_owned()
}

const WRITES: &str = "SELECT app.writes('INSERT INTO app.written VALUES (1)')";
const WRITTEN: &str = "SELECT count(*) FROM app.written";

/// The reply is dropped unread, and the owner commits.
async fn unread(ground: &'static Ground) -> Contained {
    let attacker = attacker(ground, WRITES, "app.writes").await;
    let mut owner = ground.bare().await;
    let before = ground.look(WRITTEN).await;
    let mut transaction = owner.transaction().await.unwrap();
    let began = Instant::now();
    // At each moment at which a caller may give up.
    for polls in 0..4 {
        let mut running = attacker
            .host
            .call("attacker", BIDE)
            .param(DEED, number(0))
            .on(&mut transaction)
            .run()
            .into_future();
        for _ in 0..polls {
            if (&mut running).now_or_never().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let took = began.elapsed();
    transaction.commit().await.unwrap();
    assert_eq!(ground.look(WRITTEN).await, before, "it was written");
    Contained { by: "its end is sent with it".to_owned(), took }
}

async fn late_portal(ground: &'static Ground) -> String {
    let mut owner = ground.bare().await;
    let before = ground.look(WRITTEN).await;
    let mut transaction = owner.transaction().await.unwrap();
    let savepoint = transaction.savepoint("s").await.unwrap();
    savepoint.batch_execute("SELECT 1; SET TRANSACTION READ ONLY").await.unwrap();
    let portal = savepoint.bind(WRITES, &[]).await.unwrap();
    savepoint.commit().await.unwrap();
    transaction.query_portal(&portal, 0).await.unwrap_or_else(|error| panic!("{error:?}"));
    transaction.commit().await.unwrap();
    let after = ground.look(WRITTEN).await;
    assert_ne!(before, after, "nothing was written");
    format!("{before} rows became {after}")
}

/// A session in which `item` is something else.
async fn shadowed(ground: &Ground) -> Client {
    let owner = ground.bare().await;
    let sql = "SET search_path = app; CREATE TEMPORARY TABLE item (id int, secret text);
         INSERT INTO item VALUES (1, 'opensesame')";
    owner.batch_execute(sql).await.unwrap();
    owner
}

async fn hidden(ground: &'static Ground) -> Contained {
    let attacker = attacker(ground, "SELECT i.secret FROM app.item AS i WHERE i.id = 1", "app.sets").await;
    let mut owner = shadowed(ground).await;
    let began = Instant::now();
    let answer = read(attacker.host.call("attacker", BIDE).param(DEED, number(0)).on(&mut owner)).await;
    let took = began.elapsed();
    let answer = answer.unwrap_or_else(|refusal| panic!("{}", refusal.log));
    assert!(answer.contains("secret of item 1") && !answer.contains("opensesame"), "{answer}");
    Contained { by: "every name is qualified".to_owned(), took }
}

async fn hides(ground: &'static Ground) -> String {
    let owner = shadowed(ground).await;
    let told = rows(&owner, "SELECT i.secret FROM item AS i WHERE i.id = 1").await.unwrap();
    assert_eq!(told, ["opensesame"]);
    "read the other table".to_owned()
}

const ENDLESS: &str =
    "SELECT count(*) FROM app.item AS a, app.item AS b, app.item AS c, app.item AS d, app.item AS outlives";
const RUNNING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
    AND query LIKE '%outlives%'";

async fn left(ground: &'static Ground) -> Contained {
    let attacker = Attacker::patient(ground, &biding(&[described(ENDLESS)])).await;
    let call = tokio::spawn({
        let host = attacker.host.clone();
        async move { read(host.call("attacker", BIDE).param(DEED, number(0))).await.is_ok() }
    });
    wait_for(ground, "1").await;
    call.abort();
    let began = Instant::now();
    wait_for(ground, "0").await;
    let took = began.elapsed();
    attacker.neighbour_answers().await;
    Contained { by: "cancelled when it was dropped".to_owned(), took }
}

async fn outlives(ground: &'static Ground) -> String {
    let settings = ground.database().connection();
    let (client, connection) = settings.config().connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let query = tokio::spawn(async move { client.simple_query(ENDLESS).await.is_ok() });
    wait_for(ground, "1").await;
    query.abort();
    driver.abort();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let still = ground.look(RUNNING).await;
    ground.look(&RUNNING.replacen("count(*)", "pg_terminate_backend(pid)", 1)).await;
    assert_eq!(still, "1", "it ended with its client");
    "still ran after 1s".to_owned()
}

/// Waits until so many of them run.
async fn wait_for(ground: &Ground, count: &str) {
    let began = Instant::now();
    while ground.look(RUNNING).await != count {
        assert!(began.elapsed() < Duration::from_secs(20), "never {count} of them");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
