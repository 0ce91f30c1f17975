//! How often a call waits for the network.

use std::time::{Duration, Instant};

use callslip_tests::database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};

use crate::support::{config, read};

/// A way to the database on which whatever the client sends takes that long.
async fn slow_client(delay: Duration) -> Client {
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
                tokio::time::sleep(delay).await;
                while client_reads.try_read_buf(&mut bytes).is_ok_and(|read| read > 0) {}
                server_writes.write_all(&bytes).await.unwrap();
                bytes.clear();
            }
        };
        let back = tokio::io::copy(&mut server_reads, &mut client_writes);
        tokio::select! { () = forward => {}, _ = back => {} }
    });
    let mut slow = Config::new();
    slow.host("127.0.0.1").port(port).ssl_mode(SslMode::Disable);
    slow.user(direct.get_user().unwrap()).dbname(direct.get_dbname().unwrap());
    let (client, connection) = slow.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_call_on_a_lent_transaction_takes_one() {
    let (hiring, language) = ("example-plugins/hiring", "tests/guests/language");
    let text = format!("{}\n{}", config("hiring", hiring), config("language", language));
    let host = database().host(&text).await;
    let delay = Duration::from_millis(400);
    let mut client = slow_client(delay).await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    // Several statements; and one with a parameter of a type that the driver does not know, and must not ask for.
    let overview = host.call("hiring", "overview").param("company", 1);
    let enums = host.call("language", "enums").param("status", "completed");
    for call in [overview, enums] {
        let start = Instant::now();
        read(call.on(&mut transaction)).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
        let took = start.elapsed();
        assert!(took >= delay && took < delay * 2, "{took:?}");
    }
    transaction.commit().await.unwrap();
}
