//! Each query is what the peers' `sql/qN.sql` says.

use callslip_sdk::assert_sql;

use crate::PLUGIN;
use crate::tables::SNAPSHOT;

#[test]
fn q3() {
    assert_sql!(SNAPSHOT, PLUGIN, "q3", {}, "x");
}

#[test]
fn q4() {
    assert_sql!(SNAPSHOT, PLUGIN, "q4", {}, "x");
}

#[test]
fn q6() {
    assert_sql!(SNAPSHOT, PLUGIN, "q6", {}, "x");
}

#[test]
fn q2() {
    assert_sql!(SNAPSHOT, PLUGIN, "q2", {}, "x");
}
