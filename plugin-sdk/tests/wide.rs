//! A table of 1,600 columns, the most that PostgreSQL has.

use std::{env, fs, mem::size_of_val};

use callslip_sdk::{assert_sql, prelude::*};

mod tables {
    callslip_sdk::schema!("tests/wide.json");
}
use tables::{SNAPSHOT, Wide};

/// The columns' types, in turn.
const TYPES: [&str; 4] = ["int4", "text", "timestamptz", "numeric"];

/// The snapshot, a line a column.
fn snapshot() -> String {
    let columns: Vec<String> = (1..=1600)
        .map(|n| format!(r#"            {{"name": "c{n}", "type": "{}"}}"#, TYPES[n % TYPES.len()]))
        .collect();
    let types = TYPES.map(|ty| format!(r#"        "{ty}": {{"kind": "base"}}"#)).join(",\n");
    [
        r#"{
  "format": "callslip catalog snapshot",
  "version": 2,
  "postgresql": 150018,
  "search": ["public"],
  "schemas": {
    "public": {
      "relations": {
        "wide": {
          "kind": "table",
          "columns": [
"#,
        &columns.join(",\n"),
        r#"
          ]
        }
      }
    },
    "pg_catalog": {
      "types": {
"#,
        &types,
        "\n      }\n    }\n  }\n}\n",
    ]
    .concat()
}

#[test]
fn the_snapshot_is_what_is_said_here() {
    if env::var_os("CALLSLIP_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write("tests/wide.json", snapshot()).expect("the snapshot can be written");
    }
    assert_eq!(
        SNAPSHOT,
        snapshot(),
        "write it anew: CALLSLIP_WRITE_GOLDEN=1 make test ARGS='-p callslip-sdk --test wide'"
    );
}

/// Columns of one type as an array.
macro_rules! columns {
    ($table:ident: $($column:ident)*) => { [$($table.$column.into_expr()),*] };
}

#[test]
fn each_column_is_the_one_of_its_name() {
    let w = Wide::alias("w");
    assert_eq!(size_of_val(&w), 4 * 1601);
    assert_sql!(
        SNAPSHOT,
        select((w.c1, w.c1600, w.c1599)).from(w),
        "SELECT w.c1 AS c1, w.c1600 AS c1600, w.c1599 AS c1599 FROM public.wide AS w"
    );
}

#[test]
fn a_hundred_of_them_are_a_select_list() {
    let w = Wide::alias("w");
    let hundred = columns!(w:
        c16 c32 c48 c64 c80 c96 c112 c128 c144 c160 c176 c192
        c208 c224 c240 c256 c272 c288 c304 c320 c336 c352 c368 c384
        c400 c416 c432 c448 c464 c480 c496 c512 c528 c544 c560 c576
        c592 c608 c624 c640 c656 c672 c688 c704 c720 c736 c752 c768
        c784 c800 c816 c832 c848 c864 c880 c896 c912 c928 c944 c960
        c976 c992 c1008 c1024 c1040 c1056 c1072 c1088 c1104 c1120 c1136 c1152
        c1168 c1184 c1200 c1216 c1232 c1248 c1264 c1280 c1296 c1312 c1328 c1344
        c1360 c1376 c1392 c1408 c1424 c1440 c1456 c1472 c1488 c1504 c1520 c1536
        c1552 c1568 c1584 c1600
    );
    let wanted: Vec<String> = (1..=100).map(|n| format!("w.c{0} AS c{0}", 16 * n)).collect();
    let sql = format!("SELECT {} FROM public.wide AS w", wanted.join(", "));
    assert_sql!(SNAPSHOT, select(hundred).from(w), &sql);
}
