//! What a caller of an open query tries to learn of names: whether something is there that the plugin was not granted.

use super::host::Attacker;
use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::biding;
use crate::suite::{Attack, Contained, timed};

const LINE: &str = "ungranted told from missing";

/// What is there and was not granted, and what is not there. Both by names of one length.
const PROBES: &[(&str, [&str; 2])] = &[
    ("a relation", ["SELECT v.id FROM app.vault AS v", "SELECT v.id FROM app.vxult AS v"]),
    ("a schema", ["SELECT v.id FROM app.vault AS v", "SELECT v.id FROM axp.vault AS v"]),
    ("a column", ["SELECT i.secret FROM app.item AS i", "SELECT i.sxcret FROM app.item AS i"]),
    ("a function", ["SELECT app.elevated()", "SELECT app.elxvated()"]),
    ("a type", ["SELECT CAST(NULL AS app.mood) AS m", "SELECT CAST(NULL AS app.mxod) AS m"]),
    (
        "a catalog",
        [
            "SELECT r.rolname FROM pg_catalog.pg_authid AS r",
            "SELECT r.rolname FROM pg_catalog.pg_axthid AS r",
        ],
    ),
];

/// All of them.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let said: Vec<_> = PROBES.iter().flat_map(|(_, probe)| probe.map(described)).collect();
    let attacker = Attacker::with(ground, &biding(&said), "relations = [\"app.item(id, label)\"]").await;
    let attack = |(index, (name, probe)): (usize, &'static (&str, [&'static str; 2]))| {
        Attack::new(LINE, *name, same(attacker.clone(), 2 * index), differs(ground, probe))
    };
    PROBES.iter().enumerate().map(attack).collect()
}

/// The log says which it is, and the caller is told the same.
async fn same(attacker: Attacker, index: usize) -> Contained {
    let (ungranted, took) = timed(attacker.call(index)).await;
    let [ungranted, missing] =
        [ungranted, attacker.call(index + 1).await].map(|answer| answer.expect_err("it is answered"));
    assert_ne!(ungranted.log, missing.log, "it is no probe");
    assert_eq!(ungranted.told, missing.told);
    assert!(!ungranted.told.contains("CS04") && !ungranted.told.contains("CS03"), "{}", ungranted.told);
    attacker.neighbour_answers().await;
    Contained { by: format!("CS1205 for {} and {}", ungranted.code, missing.code), took }
}

/// What PostgreSQL tells somebody who may not read it.
async fn differs(ground: &'static Ground, probe: &[&str; 2]) -> String {
    let session = ground.session_of("prober").await;
    let mut told = Vec::new();
    for sql in probe {
        told.push(match rows(&session, sql).await {
            Ok(_) => "answered".to_owned(),
            Err(error) => error.code().map(|code| code.code().to_owned()).unwrap_or_default(),
        });
    }
    assert_ne!(told[0], told[1]);
    format!("told {} from {}", told[0], told[1])
}
