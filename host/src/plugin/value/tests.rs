use super::*;

fn ty(domain: Domain) -> ValueType {
    ValueType { domain, array: false, nullable: false }
}

fn array(scalar: Scalar) -> ValueType {
    ValueType { array: true, ..ty(Domain::Scalar(scalar)) }
}

fn json(ty: &ValueType, source: &str) -> Result<Option<String>, String> {
    let raw = serde_json::from_str(source).unwrap();
    Value::read(ty, None, &Forms::default(), &Input::Json(raw), &Limits::default()).map(|value| value.text())
}

fn texts(ty: &ValueType, texts: &[&str]) -> Result<Option<String>, String> {
    let input = Input::Text(texts.iter().map(|text| (*text).to_owned()).collect());
    Value::read(ty, None, &Forms::default(), &input, &Limits::default()).map(|value| value.text())
}

/// In JSON.
fn reads(scalar: Scalar, source: &str, expected: &str) {
    assert_eq!(json(&ty(Domain::Scalar(scalar)), source), Ok(Some(expected.into())), "{scalar:?} {source}");
}

fn refuses(scalar: Scalar, source: &str) {
    let read = json(&ty(Domain::Scalar(scalar)), source);
    assert!(read.is_err(), "{scalar:?} {source}: {read:?}");
}

#[test]
fn sort_orders_have_one_text() {
    let order = ty(Domain::Sort { keys: vec!["title".into(), "closed".into()] });
    let sorted = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(texts(&order, &["-closed,title"]), sorted("-closed,title"));
    assert_eq!(texts(&order, &[""]), sorted(""));
    assert_eq!(json(&order, "\"-closed,title\""), sorted("-closed,title"));
    assert_eq!(json(&order, "[\"-closed\", \"title\"]"), sorted("-closed,title"));
    assert_eq!(json(&order, "[]"), sorted(""));
    for source in [
        "7",
        "null",
        "{}",
        "[7]",
        "[[]]",
        "[\"\"]",
        "[\"title,closed\"]",
        "\"title,\"",
        "\",\"",
        "\"+title\"",
    ] {
        assert!(json(&order, source).is_err(), "{source}");
    }
    let error = texts(&order, &["title,-closd"]).unwrap_err();
    assert_eq!(error, "has a key 2 that is none of `title`, `closed`; did you mean `closed`?");
    let error = texts(&order, &["title", "-closed"]).unwrap_err();
    assert_eq!(error, "is given 2 times; write its keys in one, separated by commas");
    assert!(texts(&order, &["-title,title"]).unwrap_err().contains("repeats"));
    let long = format!("\"{}\"", "x".repeat(300 << 10));
    assert!(json(&order, &long).unwrap_err().contains("bytes"));
}

#[test]
fn integers_lose_nothing() {
    reads(Scalar::Int2, "-32768", "-32768");
    reads(Scalar::Int4, "\"2147483647\"", "2147483647");
    reads(Scalar::Int8, "9223372036854775807", "9223372036854775807");
    reads(Scalar::Int4, "-0", "0");
    for source in [
        "1.0",
        "1e3",
        "1.5",
        "\"\"",
        "\"-\"",
        "\"+1\"",
        "\" 1\"",
        "\"1_0\"",
        "true",
        "[1]",
        "{}",
        "null",
        "\"٣\"",
        "2147483648",
    ] {
        refuses(Scalar::Int4, source);
    }
    refuses(Scalar::Int2, "32768");
    refuses(Scalar::Int8, "9223372036854775808");
    refuses(Scalar::Int8, "99999999999999999999999999999999");
}

#[test]
fn numbers_keep_their_digits() {
    let long = "12345678901234567890.123456789012345678901234567890";
    reads(Scalar::Numeric, long, long);
    reads(Scalar::Numeric, "\"1e-5\"", "1e-5");
    reads(Scalar::Numeric, "\"nan\"", "NaN");
    reads(Scalar::Float8, "0.1", "0.1");
    reads(Scalar::Float8, "\"-infinity\"", "-Infinity");
    reads(Scalar::Float8, "0e5", "0e5");
    for source in ["\"\"", "\"x\"", "\"1,5\"", "\"0x10\"", "true", "1e200000"] {
        refuses(Scalar::Numeric, source);
    }
    for source in ["1e999", "1e-999", "\"inf\"", "\"1 \"", "false"] {
        refuses(Scalar::Float8, source);
    }
    refuses(Scalar::Float4, "1e39");
    refuses(Scalar::Float4, "1e-60");
}

#[test]
fn bools_and_texts() {
    reads(Scalar::Bool, "true", "true");
    reads(Scalar::Bool, "\"false\"", "false");
    for source in ["1", "\"yes\"", "\"TRUE\"", "null"] {
        refuses(Scalar::Bool, source);
    }
    reads(Scalar::Text, "\"\"", "");
    reads(Scalar::Text, "\"null\"", "null");
    reads(Scalar::Text, "\"'; DROP TABLE x; --\"", "'; DROP TABLE x; --");
    refuses(Scalar::Text, "7");
    refuses(Scalar::Text, "\"a\\u0000b\"");
}

#[test]
fn uuids_and_bytes() {
    reads(Scalar::Uuid, "\"ABCDEF00-0000-4000-8000-000000000000\"", "abcdef00-0000-4000-8000-000000000000");
    reads(Scalar::Uuid, "\"abcdef00000040008000000000000000\"", "abcdef00000040008000000000000000");
    for source in [
        "\"abcdef00-0000-4000-8000-00000000000\"",
        "\"abcdef0-00000-4000-8000-000000000000\"",
        "7",
        "\"{bcdef00-0000-4000-8000-000000000000}\"",
    ] {
        refuses(Scalar::Uuid, source);
    }
    reads(Scalar::Bytes, "\"AP8=\"", "\\x00ff");
    reads(Scalar::Bytes, "\"AP8\"", "\\x00ff");
    reads(Scalar::Bytes, "\"-_-_\"", "\\xfbffbf");
    reads(Scalar::Bytes, "\"\"", "\\x");
    reads(Scalar::Bytes, "\"\\\\xFF\"", "\\xff");
    for source in ["\"A\"", "\"A P8\"", "\"\\\\xF\"", "\"é\""] {
        refuses(Scalar::Bytes, source);
    }
}

#[test]
fn json_is_any_json() {
    for source in ["null", "1.50", "\"a\"", "[1, {\"a\": null}]", "\"\\\\u0000\""] {
        reads(Scalar::Json, source, source);
    }
    for source in ["\"\\u0000\"", "\"\\\\\\u0000\"", "{\"\\u0000\": 1}"] {
        refuses(Scalar::Json, source);
    }
    let ty = ty(Domain::Scalar(Scalar::Json));
    assert_eq!(texts(&ty, &["{\"a\": 1}"]), Ok(Some("{\"a\": 1}".into())));
    assert!(texts(&ty, &["{a: 1}"]).is_err());
    assert!(texts(&ty, &["1 2"]).is_err());
}

#[test]
fn null_only_where_it_is_a_value() {
    let nullable = ValueType { nullable: true, ..ty(Domain::Scalar(Scalar::Text)) };
    assert_eq!(json(&nullable, "null"), Ok(None));
    assert_eq!(json(&nullable, "\"null\""), Ok(Some("null".into())));
    assert_eq!(texts(&nullable, &["null"]), Ok(None));
    assert_eq!(texts(&ty(Domain::Scalar(Scalar::Text)), &["null"]), Ok(Some("null".into())));
    assert!(json(&ty(Domain::Scalar(Scalar::Text)), "null").is_err());
    let array = ValueType { nullable: true, ..array(Scalar::Int4) };
    assert_eq!(json(&array, "null"), Ok(None));
    assert!(json(&array, "[1, null]").unwrap_err().contains("element 2"));
}

#[test]
fn labels_are_exact() {
    let status = ty(Domain::Enum { labels: vec!["open".into(), "done".into()], ty: None });
    assert_eq!(texts(&status, &["open"]), Ok(Some("open".into())));
    assert!(json(&status, "\"opne\"").unwrap_err().contains("did you mean `open`?"));
    assert!(json(&status, "\"x\"").unwrap_err().contains("`open`, `done`"));
    assert!(json(&status, "7").is_err());
}

#[test]
fn an_array_can_hold_any_text() {
    let hostile = ["{", "}", "\"", "\\", ",", "NULL", "", "a b", "ä✓", "\\\"", "{}", "'"];
    let expected = r#"{"{","}","\"","\\",",","NULL","","a b","ä✓","\\\"","{}","'"}"#;
    assert_eq!(texts(&array(Scalar::Text), &hostile), Ok(Some(expected.into())));
    let source = serde_json::to_string(&hostile).unwrap();
    assert_eq!(json(&array(Scalar::Text), &source), Ok(Some(expected.into())));
    assert_eq!(texts(&array(Scalar::Text), &[&source]), Ok(Some(expected.into())));
}

#[test]
fn arrays_of_every_length() {
    assert_eq!(json(&array(Scalar::Int4), "[]"), Ok(Some("{}".into())));
    assert_eq!(texts(&array(Scalar::Int4), &["[]"]), Ok(Some("{}".into())));
    assert_eq!(texts(&array(Scalar::Int4), &["7"]), Ok(Some("{\"7\"}".into())));
    assert_eq!(json(&array(Scalar::Json), "[null, [1]]"), Ok(Some("{\"null\",\"[1]\"}".into())));
    assert!(json(&array(Scalar::Int4), "7").unwrap_err().contains("not an array"));
    assert!(json(&array(Scalar::Int4), "[1, \"x\"]").unwrap_err().contains("element 2"));
    assert!(json(&array(Scalar::Int4), "[[1]]").is_err());
    assert!(texts(&ty(Domain::Scalar(Scalar::Int4)), &["1", "2"]).unwrap_err().contains("2 times"));
    let many = format!("[{}1]", "1,".repeat(10_000));
    assert!(json(&array(Scalar::Int4), &many).unwrap_err().contains("10001 elements"));
}

#[test]
fn a_list_of_one_range_is_that_range() {
    let range = Form::Range(Box::new(Form::Scalar(Scalar::Int4)));
    let ty = ValueType { array: true, ..ty(Domain::Named(callslip_ir::TypeName::parse("int4range"))) };
    let list = |text: &str| {
        let read = Value::of_texts(&ty, Some(&range), &[text.to_owned()], &Limits::default());
        read.map(|value| value.text().unwrap())
    };
    for (text, expected) in [
        ("[1,3)", r#"{"[1,3)"}"#),
        ("[1,3]", r#"{"[1,3]"}"#),
        ("[,3]", r#"{"[,3]"}"#),
        ("[]", "{}"),
        (r#"["[1,3)", {"lower": 5}]"#, r#"{"[1,3)","[\"5\",)"}"#),
    ] {
        assert_eq!(list(text).as_deref(), Ok(expected), "{text}");
    }
    assert!(list("[null]").unwrap_err().contains("element 1"));
}

#[test]
fn a_value_is_bounded() {
    let long = format!("\"{}\"", "a".repeat(300 << 10));
    assert!(json(&ty(Domain::Scalar(Scalar::Text)), &long).unwrap_err().contains("bytes"));
}

#[test]
fn ranges_are_exact() {
    let range = Range { min: Some("0".into()), max: Some("9007199254740993".into()) };
    let check = |scalar, source: &str| {
        let raw = serde_json::from_str(source).unwrap();
        Value::read(
            &ty(Domain::Scalar(scalar)),
            Some(&range),
            &Forms::default(),
            &Input::Json(raw),
            &Limits::default(),
        )
    };
    assert!(check(Scalar::Int8, "9007199254740993").is_ok());
    assert!(check(Scalar::Int8, "9007199254740994").is_err());
    assert!(check(Scalar::Numeric, "9007199254740993.0000000000000000001").is_err());
    assert!(check(Scalar::Numeric, "\"NaN\"").is_err());
    assert!(check(Scalar::Float8, "\"Infinity\"").is_err());
    assert!(check(Scalar::Float8, "-1e-300").unwrap_err().contains("not from 0 to"));
    let array = Value::read(
        &array(Scalar::Int4),
        Some(&range),
        &Forms::default(),
        &Input::Text(vec!["1".into(), "-1".into()]),
        &Limits::default(),
    );
    assert!(array.is_err());
}
