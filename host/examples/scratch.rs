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
            for r in &contents.relations {
                println!(
                    "== {}.{} {:?} {:?} {} ext={:?} hidden={} server={:?}",
                    r.schema,
                    r.name,
                    r.kind,
                    r.persistence,
                    r.owner,
                    r.extension,
                    r.hidden_columns,
                    r.foreign_server
                );
                if r.columns.len() < 100 {
                    for c in &r.columns {
                        println!(
                            "  col {} dims={} {:?} null={} default={:?} {:?} {:?} s{} i{} u{} r{}",
                            c.name,
                            c.dimensions,
                            c.collation.as_ref().map(|c| c.to_string()),
                            c.nullable,
                            c.default,
                            c.identity,
                            c.generated,
                            c.privileges.select as u8,
                            c.privileges.insert as u8,
                            c.privileges.update as u8,
                            c.privileges.references as u8
                        );
                    }
                }
                for k in &r.unique_keys {
                    println!("  {k:?}");
                }
                for k in &r.foreign_keys {
                    println!("  {k:?}");
                }
                for k in &r.checks {
                    println!("  {k:?}");
                }
                for k in &r.exclusions {
                    println!("  {k:?}");
                }
                for k in &r.indexes {
                    println!("  {k:?}");
                }
                for k in &r.row_security.policies {
                    println!("  {k:?}");
                }
                println!(
                    "  rls {} {} part={:?} of={:?} inherits={:?}",
                    r.row_security.enabled, r.row_security.forced, r.partitioning, r.partition_of, r.inherits
                );
                if let Some(v) = &r.view {
                    println!("  barrier={} invoker={}", v.security_barrier, v.security_invoker);
                    for x in &v.reads {
                        println!("    reads {x}");
                    }
                    for x in &v.calls {
                        println!("    calls {x}");
                    }
                }
            }
        }
    }
}
