//! Replies as typed rows.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, SystemTime};

use callslip::loan::{Isolation, LoanError};
use callslip::plugin::Inputs;
use callslip::rows::RowError;
use callslip::{Call, CallError, Code, Host, Row, Rows};
use callslip_tests::{database, is_pooled};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_postgres::types::{FromSql, Type};

use crate::client::wait_until_idle;
use crate::parameters::everything;
use crate::support::{config, language, object, read};

async fn both() -> Host {
    let hiring = config("hiring", "example-plugins/hiring");
    database().host(&format!("{hiring}\n{}", config("language", "tests/guests/language"))).await
}

async fn rows(call: Call<'_>) -> Rows<'_> {
    call.rows().await.unwrap_or_else(|error| panic!("{}", error.log_message()))
}

async fn only(call: Call<'_>) -> Row {
    let mut rows = rows(call).await;
    let row = rows.next().await.unwrap().expect("a row");
    assert!(rows.next().await.unwrap().is_none() && rows.next().await.unwrap().is_none());
    row
}

fn parameters(host: &Host) -> Call<'static> {
    host.call("language", "parameters").params(Inputs::from_object(&object(everything())))
}

/// The sign of a numeric, and how many digits are behind its point.
#[derive(Debug, PartialEq)]
struct Scale(i16);

impl<'a> FromSql<'a> for Scale {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i16::from_be_bytes(raw[6..8].try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

#[tokio::test]
async fn a_value_is_read_by_its_column_as_a_type_of_the_driver_s() {
    let host = language().await;
    let row = only(parameters(&host)).await;
    assert_eq!((row.number(), row.columns().len()), (1, 19));
    assert_eq!(row.columns()[6].name, "numeric");
    assert_eq!(row.columns()[6].type_name, "numeric");

    assert!(row.get::<bool>("bool").unwrap());
    assert_eq!(row.get::<i16>("int2").unwrap(), i16::MIN);
    assert_eq!(row.get::<i32>(2).unwrap(), i32::MAX);
    assert_eq!(row.get::<Option<i64>>(String::from("int8")).unwrap(), Some(i64::MAX));
    assert!(row.get::<f64>("float8").unwrap().is_nan());
    assert_eq!(row.get::<Scale>("numeric").unwrap(), Scale(9));
    assert_eq!(row.get::<&str>("text").unwrap(), "O'Brien \\ \"ü\" 🙂");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_200_800);
    assert_eq!(row.get::<SystemTime>("timestamptz").unwrap(), at);
    assert_eq!(row.get::<&[u8]>("bytes").unwrap(), [0xde, 0xad, 0xbe, 0xef]);
    assert_eq!(row.get::<Vec<i32>>("ints").unwrap(), [1, 2, 3]);
    assert_eq!(row.get::<Vec<String>>("texts").unwrap()[1], "{b,\"c\"}");
    assert_eq!(row.get::<Option<i32>>("nullable").unwrap(), None);

    // An enum leaves as text, and a list of these as a list of text.
    let mut odd = rows(host.call("language", "odd_types")).await;
    assert_eq!(
        odd.columns().iter().map(|its| its.type_name.as_str()).collect::<Vec<_>>(),
        ["int8", "text", "_text"]
    );
    let row = odd.next().await.unwrap().unwrap();
    let status: String = row.get("status").unwrap();
    assert_eq!(row.get::<Vec<String>>("statuses").unwrap(), [status]);
}

#[tokio::test]
async fn what_a_value_is_not_is_said_and_no_value_with_it() {
    let host = language().await;
    let row = only(parameters(&host)).await;
    let said = |error: RowError| {
        assert_eq!(error.code(), Code::OtherRow);
        error.to_string()
    };
    let of = |rest: &str| format!("row 1 of language.parameters{rest}");
    assert_eq!(
        said(row.get::<i32>("int_4").unwrap_err()),
        of(" has no column \"int_4\"; did you mean \"int4\"?")
    );
    assert_eq!(
        said(row.get::<i32>(19).unwrap_err()),
        of(" has no column number 19; it has 19, counted from 0")
    );
    assert_eq!(
        said(row.get::<i64>("int4").unwrap_err()),
        format!(
            "column \"int4\" of type int4 in {} can't be read as `i64`: its values are of type `i32`",
            of("")
        )
    );
    let other = said(row.get::<f64>("numeric").unwrap_err());
    assert!(
        other.ends_with("as `f64`: that type is for others; `Row::to` reads all types by serde"),
        "{other}"
    );
    assert_eq!(
        said(row.get::<i32>("nullable").unwrap_err()),
        format!(
            "column \"nullable\" of type int4 in {} can't be read as `i32`: it is null: read it as an `Option`",
            of("")
        )
    );

    #[derive(Debug)]
    struct Never;
    impl FromSql<'_> for Never {
        fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
            Err(String::from_utf8_lossy(raw).into())
        }
        fn accepts(_: &Type) -> bool {
            true
        }
    }
    let error = row.get::<Never>("text").unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "O'Brien \\ \"ü\" 🙂");
    let error = CallError::from(error);
    assert!(error.log_message().contains("O'Brien"));
    let said = error.to_string();
    assert!(said.ends_with("Never`: the value is none of that type") && !said.contains("O'Brien"), "{said}");
    assert!(!format!("{row:?}").contains("O'Brien"), "{row:?}");
}

#[derive(Debug, Deserialize, PartialEq)]
struct Everything {
    bool: bool,
    int2: i16,
    int8: i64,
    float8: String,
    text: String,
    date: String,
    timestamptz: String,
    json: HashMap<String, Vec<Option<Value>>>,
    texts: Vec<String>,
    ints: [u8; 3],
    nullable: Option<i32>,
}

#[tokio::test]
async fn a_row_is_a_struct_of_the_service_s_own() {
    let host = language().await;
    let row = only(parameters(&host)).await;
    let everything: Everything = row.to().unwrap();
    assert_eq!(
        everything,
        Everything {
            bool: true,
            int2: i16::MIN,
            int8: i64::MAX,
            float8: "NaN".into(),
            text: "O'Brien \\ \"ü\" 🙂".into(),
            date: "2024-02-29".into(),
            timestamptz: "2024-02-29T10:00:00Z".into(),
            json: HashMap::from([("a".into(), vec![Some(json!(1)), None, Some(json!("x"))])]),
            texts: ["a", "{b,\"c\"}", "", "NULL", "d\\e"].map(String::from).into(),
            ints: [1, 2, 3],
            nullable: None,
        }
    );
    #[derive(Deserialize)]
    struct Exact {
        numeric: Box<RawValue>,
    }
    assert_eq!(row.to::<Exact>().unwrap().numeric.get(), "12345678901234567890.123456789");
    // What the JSON reply has.
    assert_eq!(json!([row.to::<Value>().unwrap()]), read(parameters(&host)).await.unwrap());
}

#[tokio::test]
async fn what_a_row_is_not_is_said_with_its_column_or_field_and_no_value() {
    let host = language().await;
    let row = only(parameters(&host)).await;
    fn problem<T: serde::de::DeserializeOwned>(row: &Row) -> String {
        let error = row.to::<T>().err().unwrap();
        assert_eq!(error.code(), Code::OtherRow);
        assert!(error.source().is_some(), "what serde says is for logs");
        let said = error.to_string();
        assert!(!said.contains("O'Brien") && !said.contains("line"), "{said}");
        said
    }
    macro_rules! says {
        ($field:ident: $type:ty, $expected:literal) => {{
            #[derive(Deserialize)]
            #[allow(dead_code)]
            struct Wrong {
                $field: $type,
            }
            let said = problem::<Wrong>(&row);
            let (what, problem) = said.split_once(" can't be read as `").unwrap();
            let problem = problem.split_once("Wrong`: ").unwrap().1;
            assert_eq!(format!("{what}: {problem}"), $expected);
        }};
    }
    says!(title: String, "row 1 of language.parameters: missing field `title`");
    says!(text: i32, "column \"text\" of type text in row 1 of language.parameters: expected i32");
    says!(bool: i32, "column \"bool\" of type bool in row 1 of language.parameters: expected i32");
    says!(int2: u8, "column \"int2\" of type int2 in row 1 of language.parameters: expected u8");
    says!(
        nullable: i32,
        "column \"nullable\" of type int4 in row 1 of language.parameters: invalid type: null, expected i32"
    );
    says!(ints: [u8; 2], "column \"ints\" of type _int4 in row 1 of language.parameters: the value is none of that type");
    says!(
        json: HashMap<String, String>,
        "column \"json\" of type jsonb in row 1 of language.parameters: expected a string"
    );

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Few {
        bool: bool,
    }
    let said = problem::<Few>(&row);
    assert!(said.contains("unknown field `int2`, expected `bool`"), "{said}");

    #[derive(Deserialize, Debug)]
    struct Position {
        _id: i32,
    }
    let error = rows(host.call("language", "ratings")).await.collect_as::<Position>().await.unwrap_err();
    assert_eq!(error.code(), Code::OtherRow);
    assert!(error.to_string().starts_with("row 1 of language.ratings can't be read as `"), "{error}");
    assert!(
        error.log_message().ends_with("missing field `_id` at line 1 column 82"),
        "{}",
        error.log_message()
    );
}

#[derive(Debug, Deserialize, PartialEq)]
struct Open {
    status: String,
    positions: i64,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Totals {
    name: String,
    positions: i64,
    reviewers: i64,
}

#[tokio::test]
async fn several_statements_are_read_by_name_and_in_their_order() {
    let host = both().await;
    let overview = || rows(host.call("hiring", "overview").param("company", 1));
    let mut all = overview().await;
    assert_eq!(all.statement_names().collect::<Vec<_>>(), ["positions", "totals"]);
    assert!(all.columns().is_empty(), "no statement is read yet");
    let positions: Vec<Open> = all.statement("positions").await.unwrap().collect_as().await.unwrap();
    assert_eq!(all.columns()[0].name, "status");
    let totals: Totals = all.statement("totals").await.unwrap().one_as().await.unwrap().unwrap();
    assert_eq!(all.columns()[0].name, "name");
    let expected = read(host.call("hiring", "overview").param("company", 1)).await.unwrap();
    assert_eq!(positions.len(), expected["positions"].as_array().unwrap().len());
    assert_eq!(totals.positions, expected["totals"]["positions"].as_i64().unwrap());
    assert_eq!(totals.positions, positions.iter().map(|its| its.positions).sum::<i64>());

    let refused = |error: CallError| {
        assert_eq!(error.code(), Code::OtherStatement);
        error.to_string()
    };
    let of_totals = |problem: &str| format!("the rows of statement \"totals\" can't be read now: {problem}");
    assert_eq!(
        refused(all.statement("positions").await.err().unwrap()),
        "the rows of statement \"positions\" can't be read now: its rows were read before"
    );
    let mut early = overview().await;
    assert_eq!(
        refused(early.next().await.unwrap_err()),
        "the rows of no statement were asked for: name it with `Rows::statement`: it is one of positions, totals"
    );
    assert_eq!(
        refused(early.statement("totals").await.err().unwrap()),
        of_totals("the rows of \"positions\" come before its own")
    );
    assert_eq!(
        refused(early.statement("sums").await.err().unwrap()),
        "the rows of statement \"sums\" can't be read now: the query has the statements positions, totals"
    );
    // None of these has cost anything.
    let first: Open = early.statement("positions").await.unwrap().next_as().await.unwrap().unwrap();
    assert_eq!(first, positions[0]);
    assert_eq!(
        refused(early.statement("totals").await.err().unwrap()),
        of_totals("rows of \"positions\" were not read")
    );
    let error = early.next().await.unwrap_err();
    assert!(matches!(error, CallError::Loan(LoanError::RunFailed)), "a row was lost: {error}");

    // The last row is the last one, whether or not anybody has looked behind it.
    let mut counted = overview().await;
    counted.statement("positions").await.unwrap();
    for _ in &positions {
        assert!(counted.next().await.unwrap().is_some());
    }
    assert_eq!(counted.statement("totals").await.unwrap().next_as::<Totals>().await.unwrap(), Some(totals));

    let mut single = rows(host.call("language", "position").param("id", 7)).await;
    assert_eq!(
        refused(single.statement("position").await.err().unwrap()),
        "the rows of statement \"position\" can't be read now: the query has one statement, without a name"
    );
    assert_eq!(single.one_as::<Value>().await.unwrap().unwrap()["id"], 7);
    drop((early, counted));
    wait_until_idle(&host).await;
}

#[tokio::test]
async fn columns_are_known_without_rows_and_one_is_at_most_one() {
    let host = both().await;
    let mut none = rows(host.call("language", "position").param("id", -1)).await;
    assert_eq!(none.columns().iter().map(|its| its.name.as_str()).collect::<Vec<_>>(), ["id", "title"]);
    assert_eq!(none.one_as::<Value>().await.unwrap(), None);
    assert!(none.next().await.unwrap().is_none());

    let slice = |limit: i64| rows(host.call("language", "slices").param("limit", limit));
    let error = slice(2).await.one_as::<Value>().await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::TooManyRows, "the query gave more than its one row")
    );
    assert!(slice(1).await.one_as::<Value>().await.unwrap().is_some());
}

#[tokio::test]
async fn a_stream_gives_the_same_rows_and_ends_with_an_error() {
    let host = both().await;
    let call = || host.call("hiring", "funnel").param("company", 1).param("limit", 500);
    let expected = read(call()).await.unwrap();
    let streamed: Vec<Value> = rows(call()).await.into_stream_as().try_collect().await.unwrap();
    assert!(!streamed.is_empty());
    assert_eq!(Value::from(streamed), expected);
    assert_eq!(Value::from(rows(call()).await.collect_as::<Value>().await.unwrap()), expected);

    // On a transaction that is lent, and dropped half-way.
    let mut client = database().writer().await;
    let mut transaction = client.transaction().await.unwrap();
    let much = rows(host.call("language", "everything_rated").on(&mut transaction)).await;
    let some = much.into_stream_as::<Value>().take(5).count().await;
    assert_eq!(some, 5);
    assert_eq!(transaction.query_one("SELECT 7", &[]).await.unwrap().get::<_, i32>(0), 7);
    let mut broken = rows(host.call("language", "breaking")).await.into_stream_as::<Value>();
    let error = loop {
        match broken.next().await.expect("an error comes first") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::StatementFailed);
    assert!(broken.next().await.is_none());
}

#[tokio::test]
async fn the_limits_hold_and_nothing_follows_an_error() {
    let language = config("language", "tests/guests/language");
    for (limits, code) in [("rows = 100", Code::TooManyRows), ("reply_mib = 1", Code::ReplyTooLarge)] {
        let host = database().host(&format!("[limits]\n{limits}\n{language}")).await;
        let mut all = rows(host.call("language", "everything_rated")).await;
        let error = loop {
            match all.next().await {
                Ok(row) => assert!(row.is_some(), "all of it was given"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), code, "{error}");
        let after = all.next().await.unwrap_err();
        assert!(matches!(after, CallError::Loan(LoanError::RunFailed)), "{after}");
    }
}

/// A reader that waits keeps PostgreSQL waiting: nobody gathers what it has not asked for.
#[tokio::test]
async fn nothing_is_gathered_that_nobody_reads() {
    let host = language().await;
    let mut all = rows(host.call("language", "everything_rated")).await;
    assert!(all.next().await.unwrap().is_some());
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' \
                 AND query LIKE '/* callslip language.everything_rated%'";
    let owner = database().owner().await;
    let waits = async || owner.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0;
    let began = std::time::Instant::now();
    while !waits().await {
        assert!(began.elapsed() < Duration::from_secs(60), "the server has sent all of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(all);
    wait_until_idle(&host).await;
}

#[tokio::test]
async fn a_reply_says_which_isolation_its_statements_have() {
    let host = both().await;
    let one = || host.call("language", "position").param("id", 7);
    let two = || host.call("hiring", "overview").param("company", 1);
    // Where sessions are shared, one statement is in a transaction too.
    let of_one = if is_pooled() { Isolation::RepeatableRead } else { Isolation::ReadCommitted };
    assert_eq!(one().run().await.unwrap().isolation(), of_one);
    assert_eq!(rows(two()).await.isolation(), Isolation::RepeatableRead);
    let mut client = database().writer().await;
    assert_eq!(rows(one().on(&mut client)).await.isolation(), Isolation::RepeatableRead);
    for (level, expected) in [
        (tokio_postgres::IsolationLevel::ReadCommitted, Isolation::ReadCommitted),
        (tokio_postgres::IsolationLevel::Serializable, Isolation::Serializable),
    ] {
        let mut transaction = client.build_transaction().isolation_level(level).start().await.unwrap();
        assert_eq!(two().on(&mut transaction).run().await.unwrap().isolation(), expected);
        assert_eq!(rows(two().on(&mut transaction)).await.isolation(), expected);
        transaction.rollback().await.unwrap();
    }
}
