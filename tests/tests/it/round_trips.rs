//! How often a call waits for the network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callslip::loan::ConnectionSettings;
use callslip::{Config as Configured, Host as CallslipHost};
use callslip_tests::{configured, connect_to, database};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};

use crate::support::{config, read};

/// How long the relay gathers what the client sends. A client that waits for no answer has sent all by then, however long it
/// took to come to its first byte.
const GATHERED: Duration = Duration::from_millis(400);

/// A relay to the database: its port, and how many times it has passed on what a client sent, once for all that it sends
/// without an answer.
async fn counted_relay() -> (u16, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let settings = database().connection();
    let direct = settings.config();
    let Some(Host::Unix(folder)) = direct.get_hosts().first() else { panic!("the server has a socket") };
    let socket = folder.join(format!(".s.PGSQL.{}", direct.get_ports().first().unwrap_or(&5432)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(relay(client, UnixStream::connect(&socket).await.unwrap(), count.clone()));
        }
    });
    (port, sent)
}

async fn relay(mut client: TcpStream, mut server: UnixStream, count: Arc<AtomicUsize>) {
    let (mut client_reads, mut client_writes) = client.split();
    let (mut server_reads, mut server_writes) = server.split();
    let forward = async {
        let mut bytes = Vec::new();
        while client_reads.read_buf(&mut bytes).await.unwrap() > 0 {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(GATHERED).await;
            while client_reads.try_read_buf(&mut bytes).is_ok_and(|read| read > 0) {}
            server_writes.write_all(&bytes).await.unwrap();
            bytes.clear();
        }
    };
    let back = tokio::io::copy(&mut server_reads, &mut client_writes);
    tokio::select! { () = forward => {}, _ = back => {} }
}

/// A client of the database behind such a relay.
async fn counted_client() -> (Client, Arc<AtomicUsize>) {
    let (port, sent) = counted_relay().await;
    let settings = database().connection();
    let direct = settings.config();
    let mut relayed = Config::new();
    relayed.host("127.0.0.1").port(port).ssl_mode(SslMode::Disable);
    relayed.user(direct.get_user().unwrap()).dbname(direct.get_dbname().unwrap());
    let (client, connection) = relayed.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    (client, sent)
}

#[tokio::test]
async fn a_call_on_a_lent_transaction_takes_one() {
    let (hiring, language) = ("example-plugins/hiring", "tests/guests/language");
    let text = format!("{}\n{}", config("hiring", hiring), config("language", language));
    let host = database().host(&text).await;
    let (mut client, sent) = counted_client().await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    // Several statements; and one with a parameter of a type that the driver does not know, and must not ask for.
    for (plugin, query, name, value) in
        [("hiring", "overview", "company", json!(1)), ("language", "enums", "status", json!("completed"))]
    {
        let mut taken = Vec::new();
        for _ in 0..3 {
            let before = sent.load(Ordering::SeqCst);
            let call = host.call(plugin, query).param(name, value.clone()).on(&mut transaction);
            read(call).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
            taken.push(sent.load(Ordering::SeqCst) - before);
        }
        // What the role of the transaction may is asked once a second, which takes one more.
        assert!(taken.contains(&1) && taken.iter().all(|trips| [1, 2].contains(trips)), "{query}: {taken:?}");
    }
    // The driver's own query takes two: it prepares, and then it executes.
    let before = sent.load(Ordering::SeqCst);
    transaction.query("SELECT 1", &[]).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst) - before, 2);
    transaction.commit().await.unwrap();
}

/// What an open query describes is proven once: with other words it is the same, and only what is bound is another.
#[tokio::test]
async fn an_open_query_that_says_the_same_again_takes_one() {
    let config = Configured::parse(&configured(&config("language", "tests/guests/language")), "".as_ref());
    let mut direct = database().writer().await;
    // What is proven first is proven on what is lent, where it is counted.
    let host = CallslipHost::builder().reflect_on(&mut direct).start(&config.unwrap()).await.unwrap();
    let (mut client, sent) = counted_client().await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    let mut taken = Vec::new();
    for words in
        ["engineer", "designer", "no such title", "engineer", "manager", "analyst", "o'x", "%", "two words"]
    {
        let before = sent.load(Ordering::SeqCst);
        let call = host.call("language", "search").param("words", words).on(&mut transaction);
        let reply = read(call).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
        taken.push(sent.load(Ordering::SeqCst) - before);
        let conditions = words
            .split_whitespace()
            .map(|word| format!("title ILIKE '%{}%'", word.replace('\'', "''")))
            .collect::<Vec<_>>();
        let sql = format!("SELECT id, title FROM position WHERE {} ORDER BY id", conditions.join(" AND "));
        let rows = database().rows(&sql).await;
        assert_eq!(reply.as_array(), Some(&rows), "{words}");
    }
    // The first of each number of words is proven, and one of them may find that the role has to be asked about.
    let [proven, others @ ..] = taken.as_slice() else { unreachable!("they were called") };
    let of_one_word = [others[0], others[2], others[3], others[4], others[5], others[6]];
    assert!(*proven > 2 && others[1] > 2 && others[7] > 2, "{taken:?}");
    assert!(of_one_word.contains(&1) && of_one_word.iter().all(|trips| [1, 2].contains(trips)), "{taken:?}");
    transaction.commit().await.unwrap();
}

/// What row-level security is told of the caller goes with the statements, on the host's own connections as on what is lent.
#[tokio::test]
async fn a_call_with_claims_and_a_role_takes_one() {
    database()
        .execute(
            "CREATE ROLE round_trips_login LOGIN NOINHERIT; CREATE ROLE round_trips_a;
             GRANT round_trips_a TO round_trips_login;
             GRANT USAGE ON SCHEMA public TO round_trips_login, round_trips_a;
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO round_trips_login, round_trips_a",
        )
        .await;
    let (port, sent) = counted_relay().await;
    let text = format!(
        "[database]\nrole_claim = \"role\"\nroles = [\"round_trips_a\"]\n[database.claims]\ncompany = \"app.company\"\n\
         [pool]\nsize = 1\nstatement_timeout_ms = 60000\n{}",
        config("hiring", "example-plugins/hiring")
    );
    let url = format!("postgresql://round_trips_login@127.0.0.1:{port}/postgres?sslmode=disable");
    let connection = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let config = Configured::parse(&configured(&text), "".as_ref()).unwrap();
    // What the start takes is not counted.
    let direct = database().owner_url().replacen("://postgres@", "://round_trips_login@", 1);
    let mut direct = connect_to(&direct).await;
    let builder = CallslipHost::builder().reflect_on(&mut direct).connect(&connection);
    let host = builder.start(&config).await.unwrap();
    let mut lent = connect_to(&url).await;
    let call = || {
        let call = host.call("hiring", "overview").param("company", 1);
        call.claim("company", 1).claim("role", "round_trips_a")
    };
    let mut taken = Vec::new();
    for _ in 0..5 {
        let before = sent.load(Ordering::SeqCst);
        read(call()).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
        taken.push(sent.load(Ordering::SeqCst) - before);
    }
    // The first connects, and prepares; what the role may is asked once a second.
    assert!(taken[1..].contains(&1) && taken[1..].iter().all(|trips| [1, 2].contains(trips)), "{taken:?}");
    // On what is lent.
    let mut transaction = lent.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..3 {
        let before = sent.load(Ordering::SeqCst);
        read(call().on(&mut transaction)).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
        taken.push(sent.load(Ordering::SeqCst) - before);
    }
    assert!(taken.contains(&1) && taken.iter().all(|trips| [1, 2].contains(trips)), "{taken:?}");
    transaction.commit().await.unwrap();
    drop((host, lent, direct));
    database()
        .execute(
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM round_trips_login, round_trips_a;
             REVOKE ALL ON SCHEMA public FROM round_trips_login, round_trips_a;
             DROP ROLE round_trips_login, round_trips_a",
        )
        .await;
}
