use callslip::Host;
use tokio_postgres::Transaction;

async fn look(host: Host, mut transaction: Transaction<'_>) {
    let mut one = host.call("hiring", "funnel").on(&mut transaction).run().await.unwrap();
    let mut other = host.call("hiring", "overview").on(&mut transaction).run().await.unwrap();
    _ = one.next_chunk().await;
    _ = other.next_chunk().await;
}

fn main() {}
