//! Every decoded type, with the values that are likely to go wrong, against what PostgreSQL itself says.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod formats;

use std::sync::Arc;

use bytes::BytesMut;
use callslip::cluster::Cluster;
use callslip::loan::{
    BoundStatement, ConnectionSettings, Described, Kept, PlanMode, Pool, PoolSettings, Run,
};
use callslip::rows::{JsonReply, JsonRows, Numbers, RowError, TextCells, is_decoded};
use callslip_tests::cluster;

struct Database {
    pool: Pool,
    _cluster: Cluster,
}

impl Database {
    async fn start() -> Self {
        Self::start_with("").await
    }

    /// One in which this was run.
    async fn start_with(sql: &str) -> Self {
        let (cluster, _owner) = cluster(sql).await;
        let settings = ConnectionSettings::resolve(Some(&cluster.url("postgres")), &|_| None).unwrap();
        Self { pool: Pool::new(&settings, PoolSettings::default()).unwrap(), _cluster: cluster }
    }

    async fn run(&self, sql: &str, values: &[&str]) -> (Described, Run<'_>) {
        let loan = self.pool.loan().await.unwrap();
        let proving = loan.prove().await.unwrap();
        let described = proving.describe(sql).await.unwrap();
        proving.end().await.unwrap();
        let statement = BoundStatement {
            sql: sql.into(),
            values: values.iter().map(|value| Some((*value).to_owned())).collect(),
            columns: described.columns.clone(),
            kept: Kept::Never,
            is_single: false,
            plan: PlanMode::Auto,
        };
        (described, loan.run(vec![statement]).await.unwrap())
    }

    /// The reply, as it would go out.
    async fn json(&self, sql: &str, values: &[&str]) -> Result<String, RowError> {
        let (described, mut run) = self.run(sql, values).await;
        let mut reply = JsonReply::single(JsonRows::new(&described.columns, false, Numbers::AsNumbers)?);
        let mut out = BytesMut::new();
        reply.begin(&mut out);
        while let Some(row) = run.next_row().await.unwrap() {
            reply.row(&row, &mut out)?;
        }
        reply.end_statement(None, &mut out);
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    /// The JSON of one value, and what `to_json` makes of it.
    async fn value(&self, ty: &str, text: &str) -> (String, String) {
        let sql = format!("SELECT CAST($1 AS {ty}) AS v, pg_catalog.to_json(CAST($1 AS {ty})) AS j, 1 AS e");
        let reply = self.json(&sql, &[text]).await.unwrap();
        let inner = reply.strip_prefix("[{\"v\":").unwrap().strip_suffix(",\"e\":1}]").unwrap();
        let at = inner.rfind(",\"j\":").unwrap();
        (inner[..at].to_owned(), inner[at + 5..].to_owned())
    }
}

/// Types whose JSON is that of `to_json`, character by character.
const AS_TO_JSON: &[(&str, &[&str])] = &[
    ("bool", &["t", "f"]),
    ("int2", &["-32768", "32767", "0"]),
    ("int4", &["-2147483648", "2147483647"]),
    ("int8", &["-9223372036854775808", "9223372036854775807", "9007199254740993"]),
    (
        "numeric",
        &[
            "0",
            "0.00",
            "-0.5",
            "1e-20",
            "1e30",
            "123456789012345678901234567890.123456789",
            "10000",
            "9999.9999",
            "0.00010000",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e1000",
            "-1e-1000",
            "100000000",
            "0.1000",
        ],
    ),
    ("numeric(10,2)", &["1.005", "99999999.99"]),
    ("text", &["", "\"quoted\" \\ / \u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}", "日本語 🦀 e\u{301}", "\u{2028}"]),
    ("varchar(5)", &["abc"]),
    ("char(5)", &["ab"]),
    ("name", &["a_name"]),
    ("\"char\"", &["a", "", "\""]),
    (
        "date",
        &[
            "2000-02-29",
            "1900-02-28",
            "0001-01-01",
            "4713-01-01 BC",
            "0001-12-31 BC",
            "9999-12-31",
            "5874897-12-31",
            "10000-01-01",
            "infinity",
            "-infinity",
        ],
    ),
    ("time", &["00:00", "23:59:59.999999", "24:00:00", "12:00:00.5", "12:00:00.000001", "01:02:03.120"]),
    (
        "timestamp",
        &[
            "2000-01-01",
            "1999-12-31 23:59:59.999999",
            "4713-01-01 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "0001-01-01 00:00:00.1",
            "infinity",
            "-infinity",
            "0044-03-15 12:00:00 BC",
        ],
    ),
    (
        "interval",
        &[
            "0",
            "1 year 2 mons 3 days 04:05:06.7",
            "-1 year -2 mons +3 days -04:05:06.000007",
            "1 mon -1 day",
            "-00:00:00.5",
            "00:00:59.999999",
            "25:00:00",
            "-178000000 years",
            "1 day -00:01:00",
            "13 mons",
            "2562047788:00:54.775807",
            "-2147483648 days",
            "1 mon -1 second",
        ],
    ),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
    ("json", &["{\"b\" : 1, \"a\":[1, 2.50, null]}", "\"x\"", "null", " 1e400 "]),
    ("jsonb", &["{\"b\" : 1, \"a\":[1, 2.50, null]}", "\"\\u00e9\"", "12345678901234567890.10"]),
    (
        "inet",
        &[
            "127.0.0.1",
            "10.1.2.3/8",
            "::1",
            "fe80::1/64",
            "2001:db8::ff00:42:8329",
            "0.0.0.0/0",
            "1.2.3.4/32",
            "::ffff:1.2.3.4",
        ],
    ),
    ("cidr", &["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::/0"]),
    ("macaddr", &["08:00:2b:01:02:0f"]),
    ("macaddr8", &["08:00:2b:01:02:03:04:05"]),
    ("int4[]", &["{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[5:6]={1,2}", "{{{1},{2}},{{3},{NULL}}}"]),
    ("text[]", &["{\"a,b\",\"\",NULL,\"null\",\"q\\\"q\"}", "{{a},{b}}"]),
    ("numeric[]", &["{1.50,NaN,NULL}"]),
    ("date[]", &["{2020-01-01,infinity}"]),
    ("uuid[]", &["{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"]),
    ("jsonb[]", &["{\"{\\\"a\\\": 1}\",NULL}"]),
    ("bool[]", &["{t,f,NULL}"]),
    ("varchar(3)[]", &["{abc}"]),
    ("interval[]", &["{1 day,0}"]),
];

/// Types whose JSON is another than `to_json`'s.
const OTHERWISE: &[(&str, &str, &str)] = &[
    ("oid", "4294967295", "4294967295"),
    ("bytea", "\\x", "\"\""),
    ("bytea", "\\x00ff10", "\"AP8Q\""),
    ("bytea", "\\x0001", "\"AAE=\""),
    ("bytea[]", "{\"\\\\x00\",NULL}", "[\"AA==\",null]"),
    ("timetz", "12:00:00+02", "\"12:00:00+02:00\""),
    ("timetz", "12:00:00.25-05:30", "\"12:00:00.25-05:30\""),
    ("timetz", "24:00:00+01:02:03", "\"24:00:00+01:02:03\""),
    ("timestamptz", "2024-02-29 12:30:00.5+02", "\"2024-02-29T10:30:00.5Z\""),
    ("timestamptz", "2024-02-29 00:00:00+00", "\"2024-02-29T00:00:00Z\""),
    ("timestamptz", "infinity", "\"infinity\""),
    ("timestamptz", "-infinity", "\"-infinity\""),
    ("timestamptz", "0044-03-15 00:00:00+00 BC", "\"0044-03-15T00:00:00Z BC\""),
    ("timestamptz", "12024-01-01 00:00:00+00", "\"12024-01-01T00:00:00Z\""),
    ("timestamptz[]", "{2024-02-29 12:30:00+02}", "[\"2024-02-29T10:30:00Z\"]"),
    ("float8", "0", "0"),
    ("float8", "-0", "-0"),
    ("float8", "100000", "100000"),
    ("float8", "0.1", "0.1"),
    ("float8", "1e300", "1e300"),
    ("float8", "5e-324", "5e-324"),
    ("float8", "1.7976931348623157e308", "1.7976931348623157e308"),
    ("float8", "NaN", "\"NaN\""),
    ("float8", "-Infinity", "\"-Infinity\""),
    ("float4", "0.1", "0.1"),
    ("float4", "3.4028235e38", "3.4028235e38"),
    ("float4", "Infinity", "\"Infinity\""),
    ("float4[]", "{1.5,NULL}", "[1.5,null]"),
];

#[tokio::test]
async fn values_are_written_as_to_json_writes_them() {
    let database = Database::start().await;
    let mut wrong = Vec::new();
    for (ty, texts) in AS_TO_JSON {
        for text in *texts {
            let (ours, theirs) = database.value(ty, text).await;
            if ours != theirs.trim() && ours != theirs {
                wrong.push(format!("{ty} {text:?}: {ours} instead of {theirs}"));
            }
            serde_json::from_str::<Box<serde_json::value::RawValue>>(&ours).unwrap();
        }
    }
    for (ty, text, expected) in OTHERWISE {
        let (ours, theirs) = database.value(ty, text).await;
        if ours != *expected {
            wrong.push(format!("{ty} {text:?}: {ours} instead of {expected} (to_json: {theirs})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_written_can_be_given_back() {
    let database = Database::start().await;
    let given = [
        ("timestamptz", "0044-03-15T00:00:00Z BC"),
        ("timestamptz", "12024-01-01T00:00:00.5Z"),
        ("timestamp", "0044-03-15T00:00:00 BC"),
        ("timetz", "24:00:00+01:02:03"),
        ("date", "0001-12-31 BC"),
        ("interval", "P-1Y-2M3DT-4H-5M-6.000007S"),
    ];
    for (ty, text) in given {
        let (ours, _) = database.value(ty, text).await;
        assert_eq!(ours, format!("\"{text}\""), "{ty}");
    }
}

#[tokio::test]
async fn random_floats_and_dates_agree_with_postgresql() {
    let database = Database::start().await;
    let sql = "SELECT s.f AS v, CAST(s.f AS text) AS t FROM (SELECT pg_catalog.sin(i) * \
               pg_catalog.power(10, (i * 7919) % 600 - 300) AS f FROM pg_catalog.generate_series(1, 2000) AS g (i)) AS s";
    let json = database.json(sql, &[]).await.unwrap();
    // serde_json rounds floats; Rust's own parser does not.
    type Columns<'a> = std::collections::BTreeMap<String, &'a serde_json::value::RawValue>;
    for row in serde_json::from_str::<Vec<Columns>>(&json).unwrap() {
        let float = |column: &str| row[column].get().trim_matches('"').parse::<f64>().unwrap();
        assert_eq!(float("v").to_bits(), float("t").to_bits());
    }
    let sql = "SELECT CAST('4713-01-01 BC' AS date) + (i * 99991) AS v, \
               pg_catalog.to_json(CAST('4713-01-01 BC' AS date) + (i * 99991)) AS j, \
               CAST('4713-01-01 BC' AS timestamp) + i * CAST('12345679.123457 s' AS interval) AS tv, \
               pg_catalog.to_json(CAST('4713-01-01 BC' AS timestamp) + i * CAST('12345679.123457 s' AS interval)) AS tj \
               FROM pg_catalog.generate_series(0, 21000) AS g (i)";
    for row in
        serde_json::from_str::<Vec<serde_json::Value>>(&database.json(sql, &[]).await.unwrap()).unwrap()
    {
        assert_eq!(row["v"], row["j"]);
        assert_eq!(row["tv"], row["tj"]);
    }
}

#[tokio::test]
async fn columns_are_known_without_rows_and_nulls_are_null() {
    let database = Database::start().await;
    assert_eq!(database.json("SELECT 1 AS n WHERE false", &[]).await.unwrap(), "[]");
    assert_eq!(
        database
            .json("SELECT CAST(NULL AS int4) AS n, CAST(NULL AS text[]) AS \"a\"\"b\"", &[])
            .await
            .unwrap(),
        r#"[{"n":null,"a\"b":null}]"#
    );
    assert_eq!(database.json("SELECT FROM pg_catalog.generate_series(1, 2)", &[]).await.unwrap(), "[{},{}]");
}

#[tokio::test]
async fn other_types_are_refused_before_the_first_row() {
    let database = Database::start().await;
    for ty in ["box", "tsvector", "int4range", "money", "bit", "xid", "regclass", "pg_lsn", "xml"] {
        let error = database.json(&format!("SELECT CAST(NULL AS {ty}) AS v"), &[]).await.unwrap_err();
        assert_eq!(error.to_string(), format!("column \"v\" has type {ty}, which has to be cast to text"));
    }
    // A domain arrives as the type that it is over.
    let sql = "SELECT v.catalog_name AS v FROM (SELECT CAST('x' AS information_schema.sql_identifier)) AS v (catalog_name)";
    assert_eq!(database.json(sql, &[]).await.unwrap(), r#"[{"v":"x"}]"#);
    assert!(is_decoded(19) && is_decoded(1003) && !is_decoded(603) && !is_decoded(0));
}

#[tokio::test]
async fn cells_are_text() {
    let database = Database::start().await;
    let sql = "SELECT 1 AS a, 'x\"y' AS b, CAST(NULL AS text) AS c, CAST('{a}' AS text[]) AS d";
    let (described, mut run) = database.run(sql, &[]).await;
    let row = run.next_row().await.unwrap().unwrap();
    let cells = TextCells::new(&described.columns).unwrap().cells(&row).unwrap();
    let expected = [Some("1"), Some("x\"y"), None, Some("[\"a\"]")];
    assert_eq!(cells.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn several_statements_are_one_object() {
    let database = Database::start().await;
    let loan = database.pool.loan().await.unwrap();
    let mut statements = Vec::new();
    let mut named = Vec::new();
    let proving = loan.prove().await.unwrap();
    for (name, sql, at_most_one) in
        [("positions", "SELECT 1 AS id UNION ALL SELECT 2", false), ("totals", "SELECT 3 AS n", true)]
    {
        let columns = proving.describe(sql).await.unwrap().columns;
        named.push((name.to_owned(), JsonRows::new(&columns, at_most_one, Numbers::AsNumbers).unwrap()));
        statements.push(BoundStatement {
            sql: Arc::from(sql),
            values: Vec::new(),
            columns,
            kept: Kept::Always,
            is_single: false,
            plan: PlanMode::Auto,
        });
    }
    proving.end().await.unwrap();
    let mut run = loan.run(statements).await.unwrap();
    let (mut reply, mut out) = (JsonReply::named(named), BytesMut::new());
    reply.begin(&mut out);
    while !run.is_finished() {
        match run.next_row().await.unwrap() {
            Some(row) => reply.row(&row, &mut out).unwrap(),
            None => reply.end_statement(None, &mut out),
        }
    }
    assert_eq!(out, r#"{"positions":[{"id":1},{"id":2}],"totals":{"n":3}}"#);
    assert_eq!(reply.statements().iter().map(JsonRows::row_count).collect::<Vec<_>>(), [2, 1]);
}
