use callslip::Host;
use deadpool_postgres::Object;

async fn look(host: Host, mut connection: Object) {
    let mut reply = host.call("hiring", "funnel").on(&mut connection).run().await.unwrap();
    connection.execute("DELETE FROM position", &[]).await.unwrap();
    _ = reply.next_chunk().await;
}

fn main() {}
