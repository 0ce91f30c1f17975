#![allow(missing_docs, clippy::all)]
use callslip::catalog::{Visibility, reflect_as};
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let config: tokio_postgres::Config = args[1].parse().unwrap();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let visibility = if args.get(2).is_some_and(|a| a == "everything") {
        Visibility::Everything
    } else {
        Visibility::Readable
    };
    for _ in 0..args.get(3).map_or(1, |n| n.parse().unwrap()) {
        let start = std::time::Instant::now();
        let contents = reflect_as(&client, visibility).await.unwrap();
        eprintln!("{:?} {} relations", start.elapsed(), contents.relations.len());
        if args.get(3).is_none() {
            println!("{:#?}", contents.relations);
        }
    }
}
