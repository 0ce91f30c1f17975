//! What takes more than a call or a plugin may: rows, bytes, PostgreSQL's work, places and time.

use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, Pool};

use super::host::{Attacker, Refusal};
use super::{AT_ONCE, holds};
use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::biding;
use crate::suite::{Attack, Contained, timed};

const ROWS: &str = "SELECT i.id FROM app.item AS i";
const BYTES: &str = "SELECT i.secret, j.secret FROM app.item AS i, app.item AS j";
const ENDLESS: &str =
    "SELECT count(*) FROM app.item AS a, app.item AS b, app.item AS c, app.item AS d, app.item AS spends";

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let taken = |limits, sql, code| async move {
        let attacker = Attacker::limited(ground, &biding(&[described(sql)]), limits).await;
        let (refusal, took) = timed(refusal(&attacker)).await;
        assert_eq!(refusal.code, code, "{}", refusal.log);
        assert!(took < AT_ONCE, "it takes {took:?}");
        attacker.neighbour_answers().await;
        Contained { by: refusal.code, took }
    };
    let gives = |sql, least: usize| async move {
        let told = rows(&ground.bare().await, sql).await.unwrap();
        let bytes: usize = told.iter().map(String::len).sum();
        assert!(told.len().max(bytes) > least, "{} rows, {bytes} bytes", told.len());
        format!("{} rows of {} KiB came", told.len(), bytes >> 10)
    };
    let works = async move { holds(&ground.bare().await, ENDLESS, Duration::from_secs(1)).await };
    vec![
        Attack::new(
            "more rows than allowed",
            "200 of 100",
            taken("rows = 100", ROWS, "CS1106"),
            gives(ROWS, 199),
        ),
        Attack::new(
            "more bytes than allowed",
            "of one MiB",
            taken("reply_mib = 1", BYTES, "CS1108"),
            gives(BYTES, 1 << 20),
        ),
        Attack::new("more cost than allowed", "cross joins", taken("cost = 1000", ENDLESS, "CS0502"), works),
        Attack::new("more calls at once", "two of one", second(ground), starves(ground)),
        Attack::new("more calls at once", "as many as there are connections", all(ground), starves(ground)),
        Attack::new("more of the database's time", "again and again", again(ground), goes_on(ground)),
    ]
}

async fn refusal(attacker: &Attacker) -> Refusal {
    match attacker.call(0).await {
        Ok(reply) => panic!("it is answered: {reply:.200}"),
        Err(refusal) => refusal,
    }
}

/// Has so many calls run that do not end, until this is done, and says how many of them were refused by then, and by what.
async fn while_running<T>(
    attacker: &Attacker,
    calls: usize,
    deed: impl Future<Output = T>,
) -> (T, Vec<Refusal>) {
    let running: Vec<_> = (0..calls)
        .map(|_| {
            let attacker = attacker.clone();
            tokio::spawn(async move { refusal(&attacker).await })
        })
        .collect();
    // Their turns are given, or refused, after a tenth of a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let done = deed.await;
    let mut refused = Vec::new();
    for call in running {
        if call.is_finished() {
            refused.push(call.await.unwrap());
        } else {
            call.abort();
        }
    }
    (done, refused)
}

async fn second(ground: &'static Ground) -> Contained {
    let attacker = Attacker::limited(ground, &biding(&[described(ENDLESS)]), "calls = 1").await;
    let deed = async {
        attacker.neighbour_answers().await;
        timed(refusal(&attacker)).await
    };
    let ((refusal, took), refused) = while_running(&attacker, 1, deed).await;
    assert_eq!(refusal.code, "CS1116", "{}", refusal.log);
    assert_eq!(refused.len(), 0, "the first one is refused, too");
    attacker.neighbour_answers().await;
    Contained { by: refusal.code, took }
}

/// Nobody has said how many calls it may have at once.
async fn all(ground: &'static Ground) -> Contained {
    let attacker = Attacker::limited(ground, &biding(&[described(ENDLESS)]), "").await;
    let began = Instant::now();
    let deed = attacker.neighbour_answers();
    let ((), refused) = while_running(&attacker, 8, deed).await;
    // A fourth of the four connections is left to others.
    assert_eq!(refused.len(), 5, "{:?}", refused.iter().map(|its| &its.code).collect::<Vec<_>>());
    assert!(refused.iter().all(|its| its.code == "CS1116"), "{}", refused[0].log);
    Contained { by: "CS1116, the neighbour is answered".to_owned(), took: began.elapsed() }
}

/// A pool of four connections that anybody may take.
async fn starves(ground: &'static Ground) -> String {
    let connection = ground.database().connection();
    let manager = Manager::new(connection.config().clone(), tokio_postgres::NoTls);
    let pool = Pool::builder(manager).max_size(4).build().unwrap();
    let running: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let client = pool.get().await.unwrap();
                let token = client.cancel_token();
                assert!(tokio::time::timeout(Duration::from_secs(2), rows(&client, ENDLESS)).await.is_err());
                token.cancel_query(tokio_postgres::NoTls).await.unwrap();
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let neighbour = tokio::time::timeout(Duration::from_secs(1), pool.get()).await;
    assert!(neighbour.is_err(), "a connection is left");
    for call in running {
        call.await.unwrap();
    }
    "nobody else had a connection for 1s".to_owned()
}

/// A statement that is ended by its time, and then a next one.
async fn again(ground: &'static Ground) -> Contained {
    let said = [described(ENDLESS), described(ROWS)];
    let grants = "relations = [\"app.item\"]\n[plugins.attacker.limits]\ndatabase_ms_per_minute = 200";
    let attacker = Attacker::with(ground, &biding(&said), grants).await;
    let first = refusal(&attacker).await;
    assert_eq!(first.code, "CS1104", "{}", first.log);
    for index in [0, 1, 0] {
        let refusal = attacker.call(index).await.expect_err("it has time left");
        assert_eq!(refusal.code, "CS1013", "{}", refusal.log);
    }
    let (refusal, took) = timed(refusal(&attacker)).await;
    attacker.neighbour_answers().await;
    Contained { by: refusal.code, took }
}

async fn goes_on(ground: &'static Ground) -> String {
    let bare = ground.bare().await;
    bare.batch_execute("SET statement_timeout = 400").await.unwrap();
    let began = Instant::now();
    for _ in 0..4 {
        rows(&bare, ENDLESS).await.expect_err("it is ended");
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1600), "{took:?}");
    format!("kept a connection for {took:.1?}")
}
