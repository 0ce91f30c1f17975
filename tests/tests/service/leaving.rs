//! A client that goes away before it is answered.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::stopping::{serve, wait_for_requests};

#[tokio::test(flavor = "multi_thread")]
async fn the_call_of_a_client_that_has_left_is_given_up() {
    let served = serve();
    let asked = "/q/replies/numbered?rows=2&pause=600 HTTP/1.1\r\nhost: x\r\n";
    for request in [
        format!("GET {asked}\r\n"),
        // Nobody reads this, nor does it keep the server from seeing that the connection ends.
        format!("GET {asked}content-length: 2\r\n\r\n{{}}"),
        "POST /q/replies/numbered HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: 25\r\n\r\n{\"rows\": 2, \"pause\": 600}"
            .to_owned(),
    ] {
        let mut client = TcpStream::connect(served.address()).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let at_hand = tokio::time::timeout(Duration::from_secs(60), wait_for_requests(&served, 1)).await;
        at_hand.unwrap_or_else(|_| panic!("it is not at hand: {request}"));
        drop(client);
        let given_up = tokio::time::timeout(Duration::from_secs(60), wait_for_requests(&served, 0)).await;
        given_up.unwrap_or_else(|_| panic!("its call runs on: {request}"));
    }
}
