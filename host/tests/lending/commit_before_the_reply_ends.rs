use callslip::Host;
use tokio_postgres::Transaction;

async fn look(host: Host, mut transaction: Transaction<'_>) {
    let mut reply = host.call("hiring", "funnel").on(&mut transaction).run().await.unwrap();
    transaction.commit().await.unwrap();
    _ = reply.next_chunk().await;
}

fn main() {}
