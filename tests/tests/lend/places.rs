//! Calls that are dropped wherever they wait leave no place taken, and no charge running.

use std::time::Duration;

use callslip::{Call, Host};

use crate::support::{LONG, cancelling, drop_after, run, session};

/// More than a call ever waits.
const MOST_WAITS: usize = 400;

/// A minute's time of the database: more than all calls take here, of which a fifth comes back.
const PER_MINUTE: Duration = Duration::from_secs(12);

/// For how long one charge has to run on to take all of that.
const USED_UP: Duration = Duration::from_secs(16);

async fn text(call: Call<'_>) -> String {
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let mut text = Vec::new();
    while let Some(chunk) = reply.next_chunk().await.unwrap_or_else(|error| panic!("{}", error.log_message()))
    {
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).unwrap()
}

/// Drops a call after the first wait, then after the second, and so on, until it ends by itself. There is one place, and
/// it is free each time.
async fn check(lent: bool) {
    let millis = PER_MINUTE.as_millis();
    let settings = format!(
        "[pool]\nsize = 1\nwait_ms = 60000\n[limits]\ncalls = 1\ndatabase_ms_per_minute = {millis}\n\
         [limits.per_claim.company]\ndatabase_ms_per_minute = {millis}"
    );
    let host: Host = cancelling(&settings).await;
    let mut client = session().await;
    let late = || host.call("slow", "late").param("seconds", 0).claim("company", 7);
    // Proven on first use.
    let search = |n: usize| host.call("language", "search").param("words", format!("places {lent} {n}"));
    for first_use in [false, true] {
        let mut ended = false;
        for n in 1..=MOST_WAITS {
            let call = if first_use { search(n).claim("company", 7) } else { late() };
            ended = match lent {
                true => drop_after(n, text(call.on(&mut client))).await,
                false => drop_after(n, text(call)).await,
            }
            .is_some();
            let next = if first_use { search(0) } else { late() };
            let next = tokio::time::timeout(LONG, text(next)).await;
            next.unwrap_or_else(|_| panic!("lent: {lent}: its place is taken after the {n}th wait"));
            if ended {
                assert!(n > 1, "it never waits");
                break;
            }
        }
        assert!(ended, "it does not end within {MOST_WAITS} waits");
    }
    tokio::time::sleep(USED_UP).await;
    text(late()).await;
}

#[test]
fn of_a_connection_of_the_host_s_own() {
    run(check(false));
}

#[test]
fn of_what_is_lent() {
    run(check(true));
}
