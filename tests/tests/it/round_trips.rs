//! How often a call waits for the network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callslip_tests::database;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};

use crate::support::{config, read};

/// How long the relay gathers what the client sends. A client that waits for no answer has sent all by then, however long it
/// took to come to its first byte.
const GATHERED: Duration = Duration::from_millis(400);

/// A client of the database behind a relay, and how many times the relay has passed on what the client sent: once for all
/// that it sends without an answer.
async fn counted_client() -> (Client, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let settings = database().connection();
    let direct = settings.config();
    let Some(Host::Unix(folder)) = direct.get_hosts().first() else { panic!("the server has a socket") };
    let socket = folder.join(format!(".s.PGSQL.{}", direct.get_ports().first().unwrap_or(&5432)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let (mut client_reads, mut client_writes) = client.split();
        let mut server = UnixStream::connect(socket).await.unwrap();
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
    });
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
        // What the role of the transaction may is asked once a second, which takes two more.
        assert!(taken.contains(&1) && taken.iter().all(|trips| [1, 3].contains(trips)), "{query}: {taken:?}");
    }
    // The driver's own query takes two: it prepares, and then it executes.
    let before = sent.load(Ordering::SeqCst);
    transaction.query("SELECT 1", &[]).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst) - before, 2);
    transaction.commit().await.unwrap();
}
