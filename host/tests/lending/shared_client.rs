use std::sync::Arc;

use callslip::Host;
use tokio_postgres::Client;

async fn shared(host: Host, client: Arc<Client>) {
    let mut client = client;
    _ = host.call("hiring", "funnel").on(&mut client).run().await;
}

async fn borrowed(host: Host, client: &Client) {
    _ = host.call("hiring", "funnel").on(client).run().await;
}

fn main() {}
