//! What a plugin could keep of one call for another: a counter in its memory, or what lies about in memory that it gets.

use crate::bare::Bare;
use crate::dangers::{Attacker, read};
use crate::ground::Ground;
use crate::guest::{BIDE, DEED, Guest, biding_manifest};
use crate::suite::{Attack, Contained, timed};

/// What the first caller gives.
const FIRST: &str = "the-first-callers-secret";

/// Refuses each call, with the value of the one before it as its words.
fn keeping() -> Vec<u8> {
    let mut guest = Guest { manifest: biding_manifest(), data: vec![0; 4096], ..Guest::default() };
    let (code, kept, told) = (guest.data_at(), guest.data_at() + 64, guest.data_at() + 2048);
    guest.data[..7].copy_from_slice(b"invalid");
    guest.definitions = "(global $kept (mut i32) (i32.const 0))".to_owned();
    let value = |offset: usize| format!("(i32.load offset={offset} (local.get 2))");
    guest.plan = format!(
        "(memory.copy (i32.const {told}) (i32.const {kept}) (global.get $kept))
         {}
         (global.set $kept {length})
         (memory.copy (i32.const {kept}) {address} {length})
         (i32.const 16)",
        refusing(code, &format!("(i32.const {told})"), "(global.get $kept)"),
        address = value(8),
        length = value(12),
    );
    guest.component()
}

/// Fills fresh memory, and refuses; or looks through it, and says a word if there is anything in it.
fn scavenging() -> Vec<u8> {
    let mut guest = Guest { manifest: biding_manifest(), data: vec![0; 64], ..Guest::default() };
    let code = guest.data_at();
    guest.data[..14].copy_from_slice(b"invalid\0found!");
    guest.definitions = "(global $grown (mut i32) (i32.const 0))".to_owned();
    guest.plan = format!(
        "(local $at i32) (local $found i32)
         (if (i32.eqz (global.get $grown)) (then
           (global.set $grown (i32.mul (memory.grow (i32.const 100)) (i32.const 65536)))))
         (if (i32.eq (i32.load8_u offset=1 (i32.load offset=8 (local.get 2))) (i32.const 104)) (then
           (memory.fill (global.get $grown) (i32.const 171) (i32.const 6553600)))
         (else
           (local.set $at (global.get $grown))
           (loop $on
             (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (local.set $found (i32.const 6))))
             (local.set $at (i32.add (local.get $at) (i32.const 512)))
             (br_if $on (i32.lt_u (local.get $at) (i32.add (global.get $grown) (i32.const 6553600)))))))
         {}
         (i32.const 16)",
        refusing(code, &format!("(i32.const {})", code + 8), "(local.get $found)"),
    );
    guest.component()
}

/// Stores a refusal with this text.
fn refusing(code: usize, text: &str, length: &str) -> String {
    let stored =
        ["(i32.const 1)", &format!("(i32.const {code})"), "(i32.const 7)", text, length, "(i32.const 0)"];
    let store = |(index, value)| format!("(i32.store (i32.const {}) {value})", 16 + 4 * index);
    stored.iter().enumerate().map(store).collect()
}

/// What is said to the second of two calls.
fn second(
    bytes: Vec<u8>,
    ground: &'static Ground,
    deeds: [&'static str; 2],
    leaks: &'static str,
) -> [Attack; 1] {
    let twin = bytes.clone();
    let attack = async move {
        let attacker = Attacker::of(ground, &bytes, "").await;
        let mut told = Vec::new();
        // Often enough that each place of the pool is used again.
        for _ in 0..32 {
            for deed in deeds {
                let call = read(attacker.host.call("attacker", BIDE).param(DEED, deed));
                let (refusal, took) = timed(call).await;
                let refusal = refusal.expect_err("it refuses");
                assert_eq!(refusal.code, "CS1009", "{}", refusal.log);
                told.push((refusal.log, took));
            }
        }
        assert!(told.iter().all(|(log, _)| !log.contains(leaks)), "{told:?}");
        attacker.neighbour_answers().await;
        Contained { by: "a fresh instance".to_owned(), took: told[1].1 }
    };
    let twin = async move {
        let mut bare = Bare::new(&twin);
        let told = deeds.map(|deed| bare.plan(deed).unwrap().expect_err("it refuses").message);
        assert!(told[1].contains(leaks), "{told:?}");
        format!("told {}", told[1])
    };
    let name = if leaks == FIRST { "what it stored itself" } else { "memory that another call had" };
    [Attack::new("remembers the call before", name, attack, twin)]
}

pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let kept = second(keeping(), ground, [FIRST, "the second"], FIRST);
    let found = second(scavenging(), ground, ["hoard", "look"], "found!");
    kept.into_iter().chain(found).collect()
}
