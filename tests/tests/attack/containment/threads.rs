//! What holds a thread that others need.

use std::time::{Duration, Instant};

use crate::bare::{ended_after, was_ended};
use crate::dangers::{Attacker, read};
use crate::ground::Ground;
use crate::guest::{BIDE, DEED, Guest, biding_manifest};
use crate::suite::{Attack, Contained};

/// A plugin that never comes back.
fn looping() -> Vec<u8> {
    let plan = "(loop $on (br $on)) unreachable".to_owned();
    Guest { manifest: biding_manifest(), plan, ..Guest::default() }.component()
}

pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let attack = async move {
        let (gap, code, took) = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // Long enough that a busy machine is not taken for a thread that is held.
                let attacker = Attacker::of(ground, &looping(), "[limits]\nplan_ms = 1000").await;
                let call = tokio::spawn(async move {
                    let began = Instant::now();
                    let call = attacker.host.call("attacker", BIDE).param(DEED, "loop");
                    let code = read(call).await.err().map(|refusal| refusal.code);
                    (code, began.elapsed())
                });
                let gap = longest_gap(|| call.is_finished()).await;
                let (code, took) = call.await.unwrap();
                (gap, code, took)
            })
        })
        .await
        .unwrap();
        assert_eq!(code.as_deref(), Some("CS1202"));
        assert!(took >= Duration::from_millis(1000), "it runs for {took:?}");
        assert!(2 * gap < took, "the thread is held for {gap:?} of {took:?}");
        Contained { by: format!("CS1202, others waited {:.0} ms", gap.as_secs_f64() * 1000.0), took }
    };
    let twin = async move {
        tokio::task::spawn_blocking(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let call = tokio::spawn(async {
                    let (done, ..) =
                        ended_after(Duration::from_secs(1), &looping(), |bare| bare.plan("loop"));
                    assert!(was_ended(&done));
                });
                let gap = longest_gap(|| call.is_finished()).await;
                assert!(gap >= Duration::from_secs(1), "{gap:?}");
                format!("the thread was held for {gap:.0?}")
            })
        })
        .await
        .unwrap()
    };
    vec![Attack::new("holds an async thread", "a loop on the only thread", attack, twin)]
}

/// The longest time for which something else on this thread had to wait, until this is over.
async fn longest_gap(over: impl Fn() -> bool) -> Duration {
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    while !over() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    longest
}
