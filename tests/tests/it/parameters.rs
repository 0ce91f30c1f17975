//! Parameters and claims: each type goes in and comes back, and whatever is wrong is said before anything runs.

use callslip::{CallError, Code};
use callslip_tests::database;
use serde_json::{Value, json};

use crate::support::{assert_same_rows, call, config, language, object, read};

pub fn everything() -> Value {
    json!({
        "bool": true, "int2": -32768, "int4": 2147483647, "int8": "9223372036854775807", "float4": 1.5,
        "float8": "NaN", "numeric": "12345678901234567890.123456789", "text": "O'Brien \\ \"ü\" 🙂",
        "date": "2024-02-29", "time": "23:59:59.5", "timestamp": "2024-02-29T12:00:00",
        "timestamptz": "2024-02-29T12:00:00+02:00", "interval": "1 mon 2 days 03:00:00",
        "uuid": "0188a2bc-0000-7000-8000-00000000002a", "json": {"a": [1, null, "x"]}, "bytes": "3q2+7w==",
        "texts": ["a", "{b,\"c\"}", "", "NULL", "d\\e"], "ints": [1, 2, 3], "nullable": null,
    })
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let host = language().await;
    let rows = call(&host, "language", "parameters", everything()).await;
    let rows = rows.unwrap_or_else(|error| panic!("{}", error.log_message()));
    assert_eq!(
        rows[0],
        serde_json::from_str::<Value>(
            r#"{"bool": true, "int2": -32768, "int4": 2147483647, "int8": 9223372036854775807, "float4": 1.5,
                "float8": "NaN", "numeric": 12345678901234567890.123456789, "text": "O'Brien \\ \"ü\" 🙂",
                "date": "2024-02-29", "time": "23:59:59.5", "timestamp": "2024-02-29T12:00:00",
                "timestamptz": "2024-02-29T10:00:00Z", "interval": "P1M2DT3H",
                "uuid": "0188a2bc-0000-7000-8000-00000000002a", "json": {"a": [1, null, "x"]}, "bytes": "3q2+7w==",
                "texts": ["a", "{b,\"c\"}", "", "NULL", "d\\e"], "ints": [1, 2, 3], "nullable": null}"#
        )
        .unwrap()
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let host = language().await;
    let mut parameters = object(everything());
    parameters.remove("bool");
    parameters.insert("int2".into(), json!(40000));
    parameters.insert("date".into(), json!("yesterday"));
    parameters.insert("text".into(), json!("a\0b"));
    parameters.insert("int4".into(), json!(null));
    parameters.insert("nulable".into(), json!(1));
    let error = call(&host, "language", "parameters", parameters.into()).await.expect_err("six mistakes");
    let CallError::Arguments(errors) = error else { panic!("{error}") };
    let mut found: Vec<(String, Code)> =
        errors.iter().map(|error| (error.parameter.clone().unwrap_or_default(), error.code)).collect();
    found.sort();
    let expected = [
        ("bool", Code::MissingParameter),
        ("date", Code::InvalidParameter),
        ("int2", Code::InvalidParameter),
        ("int4", Code::InvalidParameter),
        ("nulable", Code::UnknownParameter),
        ("text", Code::InvalidParameter),
    ];
    assert_eq!(found, expected.map(|(name, code)| (name.to_owned(), code)));
    assert!(errors.iter().any(|error| error.message.contains("`nullable`")), "{errors:?}");
}

#[tokio::test]
async fn a_claim_is_bound_or_seen_and_must_be_there() {
    let host = language().await;
    let mine = |company: Value, admin: Value| {
        let call = host.call("language", "mine").claim("company", company).claim("admin", admin);
        async { read(call).await.unwrap_or_else(|error| panic!("{}", error.log_message())) }
    };
    let all = database().rows("SELECT id FROM position ORDER BY id").await;
    let of_two = database().rows("SELECT id FROM position WHERE company_id = 2 ORDER BY id").await;
    assert!(!of_two.is_empty() && of_two.len() < all.len());
    assert_eq!(mine(json!(2), json!(false)).await, Value::from(of_two));
    assert_eq!(mine(json!(2), json!(true)).await, Value::from(all));

    let error =
        read(host.call("language", "mine").claim("admin", true)).await.expect_err("a claim is missing");
    assert_eq!(error.code(), Code::MissingClaim);
    // A parameter can't stand in for a claim.
    let call = host.call("language", "mine").claim("company", 2).claim("admin", false).param("company", 1);
    assert_eq!(read(call).await.expect_err("no such parameter").code(), Code::UnknownParameter);
}

#[tokio::test]
async fn an_open_query_sees_its_parameter_and_its_refusals_reach_the_caller() {
    let host = language().await;
    let found = call(&host, "language", "search", json!({"words": "en  ER"})).await.unwrap();
    let expected =
        "SELECT id, title FROM position WHERE title ILIKE '%en%' AND title ILIKE '%ER%' ORDER BY id";
    assert_eq!(found, Value::from(database().rows(expected).await));
    // The words are constants of the statement, whatever is in them.
    let found = call(&host, "language", "search", json!({"words": "%'--/*$1"})).await.unwrap();
    assert_eq!(found, json!([]));

    let error = call(&host, "language", "search", json!({"words": " "})).await.expect_err("no words");
    let CallError::Refused(failure) = &error else { panic!("{error}") };
    assert_eq!(
        (failure.message.as_str(), failure.parameter.as_deref()),
        ("say at least one word", Some("words"))
    );
    assert_eq!(error.code(), Code::Refused);
}

#[tokio::test]
async fn a_list_of_any_length_is_one_parameter() {
    let host = language().await;
    let parameters = json!({"countries": ["IE", "it's \"{,}", "JP"], "years": [0, 1]});
    let found = call(&host, "language", "lists", parameters).await;
    let found = found.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let sql =
        "SELECT id, country FROM candidate WHERE country IN ('IE', 'JP') AND years NOT IN (0, 1) ORDER BY id";
    assert_same_rows("lists", &found, &database().rows(sql).await);
    let found = call(&host, "language", "lists", json!({"countries": [], "years": []})).await.unwrap();
    assert_eq!(found, json!([]));
}

#[tokio::test]
async fn no_digit_of_a_number_is_lost_on_its_way() {
    let host = language().await;
    let mut call = host.call("language", "parameters");
    for (name, value) in object(everything()) {
        call = call.param(name, value);
    }
    let mut reply = call.run().await.unwrap();
    let text = reply.next_chunk().await.unwrap().unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains(r#""numeric":12345678901234567890.123456789,"#), "{text}");
    assert!(text.contains(r#""int8":9223372036854775807,"#), "{text}");
}

#[tokio::test]
async fn a_reply_has_no_more_rows_and_bytes_than_the_configuration_allows() {
    for (limit, code) in [("rows = 100", Code::TooManyRows), ("reply_mib = 1", Code::ReplyTooLarge)] {
        let text = format!("[limits]\n{limit}\n{}", config("language", "tests/guests/language"));
        let host = database().host(&text).await;
        let error = read(host.call("language", "ratings")).await.expect_err("more than the limit");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(limit.split(' ').next().unwrap()), "{error}");
        assert!(call(&host, "language", "slices", json!({"limit": 3})).await.is_ok());
    }
}

#[tokio::test]
async fn enums_are_bound_as_the_database_s_type_and_seen_as_shapes() {
    let host = language().await;
    let rows = |parameters| {
        let host = host.clone();
        async move {
            let found = call(&host, "language", "enums", parameters).await;
            found.unwrap_or_else(|error| panic!("{}", error.log_message()))
        }
    };
    let expected = |condition: &str, order: &str| {
        let sql = format!("SELECT id, status FROM interview WHERE {condition} ORDER BY {order} LIMIT 50");
        async move { database().rows(&sql).await }
    };
    let found = rows(json!({"status": "expired"})).await;
    assert_same_rows("bound", &found, &expected("status = 'expired'", "id").await);
    let found = rows(json!({"status": "expired", "by": "newest", "other": "invited"})).await;
    let newest = expected("status IN ('expired', 'invited')", "created_at DESC, id").await;
    assert_same_rows("seen", &found, &newest);
    let found = rows(json!({"status": "expired", "other": "withdrawn"})).await;
    assert_same_rows("another", &found, &expected("status = 'expired'", "id DESC").await);
    let error =
        call(&host, "language", "enums", json!({"status": "expird"})).await.expect_err("no such label");
    assert_eq!(error.code(), Code::InvalidParameter);
    assert!(error.to_string().contains("`expired`"), "{error}");
}

#[tokio::test]
async fn of_many_shapes_some_are_proven_at_load_and_the_rest_on_first_use() {
    let host = language().await;
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().unwrap();
    let query = plugin.unwrap().query("switches").unwrap();
    assert_eq!(query.total(), Some(512));
    assert!(!query.is_complete() && query.shapes().len() <= 256, "{}", query.shapes().len());
    for number in [0_u32, 1, 511, 0b1_0101_0101, 0b0_1100_1010] {
        let switches = ["i", "h", "g", "f", "e", "d", "c", "b", "a"];
        let on = |bit: usize| Value::from(number >> bit & 1 == 1);
        let parameters =
            switches.iter().enumerate().map(|(bit, name)| ((*name).to_owned(), on(bit))).collect();
        let found = call(&host, "language", "switches", Value::Object(parameters)).await.unwrap();
        assert_eq!(found, json!([{"number": number}]));
    }
}
