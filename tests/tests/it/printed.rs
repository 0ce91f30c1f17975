//! What `callslip catalog` shows people of a database.

use callslip_tests::{configured, database};

use crate::command::callslip;

/// What the command prints of a database with the schema of `printed.sql`.
async fn printed(arguments: &[&str]) -> String {
    static FILLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    FILLED.get_or_init(async || database().execute(include_str!("printed.sql")).await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callslip.toml");
    std::fs::write(&file, configured("")).unwrap();
    let mut command = callslip();
    command.arg("catalog").args(arguments).args(["--schema", "printed", "--database-url", &database().url()]);
    command.arg("--config").arg(file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "nothing commands the terminal: {text}");
    text
}

/// Asserts that a text has these lines, in this order.
fn assert_lines(text: &str, lines: &[&str]) {
    let mut rest = text.lines();
    for line in lines {
        assert!(rest.any(|its| its == *line), "no {line:?} at its place in\n{text}");
    }
}

#[tokio::test]
async fn a_relation_is_shown_with_all_that_is_known_of_it() {
    assert_lines(
        &printed(&["parcel"]).await,
        &[
            "partitioned table printed.parcel: What is sent",
            "  owner postgres",
            " column   │ type                    │ null │ default                   │ key           │ this login may │ comment",
            " id       │ int8                    │      │ identity, always          │               │ select         │",
            " customer │ int4                    │ null │                           │ → customer.id │ select         │",
            " name     │ varchar(40) collate \"C\" │ null │ 'none'::character varying │               │ select, update │ Of whom;\\nwho sent it",
            " tags     │ text[][]                │ null │                           │               │ select         │",
            " doubled  │ int4                    │ null │ generated: (year * 2)     │               │ select         │",
            " a b      │ printed.\"Odd one\"       │ null │                           │               │ select         │",
            "  and one column that this login may not read",
            "  primary key parcel_pkey (year, id)",
            "  foreign key parcel_customer_fkey (customer) → printed.customer (id), on delete cascade",
            "  foreign key about of printed.note (parcel_year, parcel_id) → this (year, id), deferrable",
            "  check sane: (year > 2000)",
            "  index by_name: btree (lower((name)::text) DESC, \"a b\") include (tags) where (year > 2020)",
            "  unique index parcel_pkey: btree (year, id)",
            "  partitioned by RANGE (year)",
            "  partition printed.parcel_2024 FOR VALUES FROM (2024) TO (2025)",
            "  row-level security is on, for the owner too",
            "  restrictive policy never for everything to public, using (year > 0), with check (year > 1)",
            "  policy recent for select to callslip_reader, using (year > 2020)",
        ],
    );
    assert_lines(
        &printed(&["parcel_2024"]).await,
        &["  partition of printed.parcel FOR VALUES FROM (2024) TO (2025)"],
    );
    assert_lines(
        &printed(&["note"]).await,
        &[
            "  owner postgres, this login may select, insert",
            "  foreign key about (parcel_year, parcel_id) → printed.parcel (year, id), deferrable",
        ],
    );
    assert_lines(
        &printed(&["stay"]).await,
        &[
            "  exclusion apart: EXCLUDE USING gist (during WITH &&)",
            "  index apart: gist (during)",
            "  inherited by printed.long_stay",
        ],
    );
    assert_lines(&printed(&["long_stay"]).await, &["  owner postgres, unlogged", "  inherits printed.stay"]);
    assert_lines(
        &printed(&["recent"]).await,
        &[
            "  security barrier: its own conditions come first",
            "  reads printed.parcel",
            "  calls int4gt(int4, int4), upper(text)",
            "  defined as",
            "       FROM printed.parcel",
        ],
    );
    assert_lines(&printed(&["customer"]).await, &["  unique customer_code_key (code), deferrable"]);
}

#[tokio::test]
async fn every_kind_of_object_is_shown() {
    let usable = printed(&[]).await;
    let lines = [
        "  server_encoding = UTF8",
        "schema printed: Red \\u{1b}[31m;\\nnot shown as such",
        "  owner postgres",
        "extension plpgsql 1.0 in pg_catalog",
        "partitioned table printed.parcel: What is sent",
        "enum printed.\"Odd one\" (a, b): Odd",
        "  owner postgres",
        "domain printed.code over varchar(8) collate \"C\" not null default 'x'::character varying",
        "  check short: (length((VALUE)::text) < 8)",
        "composite type printed.place (street text, zip varchar(5))",
        "range printed.words of text collate \"C\"",
        "multirange printed.words_multirange of printed.words",
        "function printed.all_of(variadic names text[]) → setof text: Every one",
        "  sql, volatile, parallel unsafe, owner postgres",
        "function printed.priced(amount int4, numeric default …, currency text default …) → (currency text, total numeric)",
        "  sql, stable, strict, security definer, parallel safe, owner postgres",
        "aggregate printed.product(numeric) → numeric",
        "operator text printed.<-> text → bool",
        "  function texteq(text, text)",
        "cast printed.\"Odd one\" as int4",
        "  in assignments and where it is written, function printed.rank_of(printed.\"Odd one\")",
        "collation printed.loose",
        "  nondeterministic",
    ];
    assert_lines(&usable, &lines);
    assert!(!usable.contains("for_others") && !usable.contains("unprinted"));
}

#[tokio::test]
async fn all_shows_what_the_login_may_not_use_and_marks_it() {
    assert_lines(
        &printed(&["--all"]).await,
        &[
            "schema unprinted",
            "  owner postgres, this login may not use it",
            "table printed.for_others",
            "  owner postgres, this login may do nothing",
            "table unprinted.within",
            "  owner postgres, this login may do nothing",
            "function printed.for_others() → int4",
            "  sql, volatile, parallel unsafe, owner postgres, this login may not use it",
        ],
    );
    let parcel = printed(&["parcel", "--all"]).await;
    let secret = parcel.lines().find(|line| line.starts_with(" secret")).unwrap();
    assert!(secret.contains("│ do nothing "), "{secret}");
    assert!(!parcel.contains("may not read"), "{parcel}");
}
