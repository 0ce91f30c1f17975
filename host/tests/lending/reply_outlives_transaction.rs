use callslip::{Host, Reply};
use tokio_postgres::Client;

async fn look(host: Host, client: &mut Client) -> Reply<'_> {
    let mut transaction = client.transaction().await.unwrap();
    host.call("hiring", "funnel").on(&mut transaction).run().await.unwrap()
}

fn main() {}
