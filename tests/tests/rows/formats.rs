//! The table of the documentation says how each type is written in each format: every word of it is held to what is written, of
//! values that a real PostgreSQL gives.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, IntervalMonthDayNanoType, TimestampMicrosecondType};
use arrow::ipc::reader::StreamReader;
use arrow::util::display::array_value_to_string;
use bytes::BytesMut;
use callslip::rows::{Format, Numbers, ReplyWriter, RowError, StatementRows};

use crate::Database;

impl Database {
    /// A reply of one row with one column, `v`.
    async fn reply(
        &self,
        ty: &str,
        text: Option<&str>,
        format: Format,
        numbers: Numbers,
    ) -> Result<Vec<u8>, RowError> {
        let given = if text.is_some() { "$1" } else { "NULL" };
        let value = ty.split("::").fold(given.to_owned(), |value, ty| format!("CAST({value} AS {ty})"));
        let (sql, values) = (format!("SELECT {value} AS v"), text.as_slice());
        let (described, mut run) = self.run(&sql, values).await;
        let rows =
            StatementRows::new("", &described.columns);
        let mut writer = ReplyWriter::new(format, numbers, &[rows])?;
        let mut out = BytesMut::new();
        writer.begin(&mut out)?;
        while let Some(row) = run.next_row().await.unwrap() {
            writer.row(&row, &mut out)?;
        }
        writer.end_statement(None, &mut out)?;
        Ok(out.to_vec())
    }

    async fn text(&self, ty: &str, text: Option<&str>, format: Format, numbers: Numbers) -> String {
        let reply = self.reply(ty, text, format, numbers).await;
        let reply =
            String::from_utf8(reply.unwrap_or_else(|error| panic!("{ty} {text:?}: {error}"))).unwrap();
        let (before, after) = match format {
            Format::Json => ("[{\"v\":", "}]"),
            Format::Ndjson => ("{\"v\":", "}\n"),
            _ => ("v\r\n", "\r\n"),
        };
        reply.strip_prefix(before).unwrap().strip_suffix(after).unwrap().to_owned()
    }

    async fn array(&self, ty: &str, text: Option<&str>, numbers: Numbers) -> ArrayRef {
        let reply = self.reply(ty, text, Format::Arrow, numbers).await;
        let reply = reply.unwrap_or_else(|error| panic!("{ty} {text:?}: {error}"));
        let batch = StreamReader::try_new(&reply[..], None).unwrap().next().unwrap().unwrap();
        batch.column(0).clone()
    }
}

/// A value, and what each format makes of it.
struct Sample {
    /// The first cell of its line in the table.
    line: &'static str,
    ty: &'static str,
    text: &'static str,
    json: &'static str,
    csv: &'static str,
    /// The type of Arrow, and what Arrow's own printer makes of the value.
    arrow: (&'static str, &'static str),
}

const fn sample(
    line: &'static str,
    [ty, text]: [&'static str; 2],
    json: &'static str,
    csv: &'static str,
    arrow: (&'static str, &'static str),
) -> Sample {
    Sample { line, ty, text, json, csv, arrow }
}

const FLOATS: &str = "`float4`, `float8`";
const STRINGS: &str = "`int8` and `numeric`, where numbers are wanted as strings";
const DECLARED: &str = "`numeric(10,2)`, declared so, of at most 38 digits";
const TEXTS: &str = "`text`, `varchar`, `bpchar`, `name`, `\"char\"`";
const ADDRESSES: &str = "`uuid`, `inet`, `cidr`, `macaddr`, `macaddr8`";
const OTHERS: &str = "enums, ranges, composite types and all others";
const INTEGERS: &str = "`int2`, `int4`, `oid`";

const SAMPLES: &[Sample] = &[
    sample("`bool`", ["bool", "t"], "true", "true", ("Boolean", "true")),
    sample("`bool`", ["bool", "f"], "false", "false", ("Boolean", "false")),
    sample(INTEGERS, ["int2", "-7"], "-7", "-7", ("Int16", "-7")),
    sample(INTEGERS, ["int4", "-2147483648"], "-2147483648", "-2147483648", ("Int32", "-2147483648")),
    sample(INTEGERS, ["oid", "4294967295"], "4294967295", "4294967295", ("UInt32", "4294967295")),
    sample(
        "`int8`",
        ["int8", "9007199254740993"],
        "9007199254740993",
        "9007199254740993",
        ("Int64", "9007199254740993"),
    ),
    sample(FLOATS, ["float8", "0.1"], "0.1", "0.1", ("Float64", "0.1")),
    sample(FLOATS, ["float8", "1e300"], "1e300", "1e300", ("Float64", "1e300")),
    sample(FLOATS, ["float4", "0.1"], "0.1", "0.1", ("Float32", "0.1")),
    sample(FLOATS, ["float4", "NaN"], "\"NaN\"", "NaN", ("Float32", "NaN")),
    sample(FLOATS, ["float8", "Infinity"], "\"Infinity\"", "Infinity", ("Float64", "inf")),
    sample(FLOATS, ["float8", "-Infinity"], "\"-Infinity\"", "-Infinity", ("Float64", "-inf")),
    sample("`numeric`", ["numeric", "1.50"], "1.50", "1.50", ("Utf8", "1.50")),
    sample("`numeric`", ["numeric", "NaN"], "\"NaN\"", "NaN", ("Utf8", "NaN")),
    sample("`numeric`", ["numeric", "Infinity"], "\"Infinity\"", "Infinity", ("Utf8", "Infinity")),
    sample("`numeric`", ["numeric", "-Infinity"], "\"-Infinity\"", "-Infinity", ("Utf8", "-Infinity")),
    sample(DECLARED, ["numeric(10,2)", "-1.5"], "-1.50", "-1.50", ("Decimal128(10, 2)", "-1.50")),
    sample(
        STRINGS,
        ["int8", "9007199254740993"],
        "\"9007199254740993\"",
        "9007199254740993",
        ("Utf8", "9007199254740993"),
    ),
    sample(STRINGS, ["numeric(10,2)", "1.5"], "\"1.50\"", "1.50", ("Utf8", "1.50")),
    sample(STRINGS, ["numeric(10,2)", "NaN"], "\"NaN\"", "NaN", ("Utf8", "NaN")),
    sample(TEXTS, ["text", "a \"b\""], "\"a \\\"b\\\"\"", "\"a \"\"b\"\"\"", ("Utf8", "a \"b\"")),
    sample(TEXTS, ["text", ""], "\"\"", "\"\"", ("Utf8", "")),
    sample(TEXTS, ["varchar", "a b"], "\"a b\"", "a b", ("Utf8", "a b")),
    sample(TEXTS, ["char(3)", "a"], "\"a  \"", "a  ", ("Utf8", "a  ")),
    sample(TEXTS, ["name", "a,b"], "\"a,b\"", "\"a,b\"", ("Utf8", "a,b")),
    sample(TEXTS, ["\"char\"", "\""], "\"\\\"\"", "\"\"\"\"", ("Utf8", "\"")),
    sample("`bytea`", ["bytea", "\\x00ff10"], "\"AP8Q\"", "AP8Q", ("Binary", "00ff10")),
    sample("`bytea`", ["bytea", "\\x"], "\"\"", "\"\"", ("Binary", "")),
    sample("`date`", ["date", "2024-02-29"], "\"2024-02-29\"", "2024-02-29", ("Date32", "2024-02-29")),
    sample("`time`", ["time", "12:30:00.5"], "\"12:30:00.5\"", "12:30:00.5", ("Time64(µs)", "12:30:00.500")),
    sample(
        "`timetz`",
        ["timetz", "12:30+02"],
        "\"12:30:00+02:00\"",
        "12:30:00+02:00",
        ("Utf8", "12:30:00+02:00"),
    ),
    sample(
        "`timestamp`",
        ["timestamp", "2024-02-29 12:30:00.5"],
        "\"2024-02-29T12:30:00.5\"",
        "2024-02-29T12:30:00.5",
        ("Timestamp(µs)", "2024-02-29T12:30:00.500"),
    ),
    sample(
        "`timestamptz`",
        ["timestamptz", "2024-02-29 14:30:00.5+02"],
        "\"2024-02-29T12:30:00.5Z\"",
        "2024-02-29T12:30:00.5Z",
        ("Timestamp(µs, \"UTC\")", "2024-02-29T12:30:00.500"),
    ),
    sample(
        "`interval`",
        ["interval", "1 year 2 mons 3 days 04:05:06.5"],
        "\"P1Y2M3DT4H5M6.5S\"",
        "P1Y2M3DT4H5M6.5S",
        ("Interval(MonthDayNano)", "14 mons 3 days 4 hours 5 mins 6.500000000 secs"),
    ),
    sample(ADDRESSES, ["cidr", "10.0.0.0/8"], "\"10.0.0.0/8\"", "10.0.0.0/8", ("Utf8", "10.0.0.0/8")),
    sample(ADDRESSES, ["inet", "::1"], "\"::1\"", "::1", ("Utf8", "::1")),
    sample(
        ADDRESSES,
        ["uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
        "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ("Utf8", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ),
    sample(
        ADDRESSES,
        ["macaddr", "08:00:2b:01:02:0f"],
        "\"08:00:2b:01:02:0f\"",
        "08:00:2b:01:02:0f",
        ("Utf8", "08:00:2b:01:02:0f"),
    ),
    sample(
        ADDRESSES,
        ["macaddr8", "08:00:2b:01:02:03:04:05"],
        "\"08:00:2b:01:02:03:04:05\"",
        "08:00:2b:01:02:03:04:05",
        ("Utf8", "08:00:2b:01:02:03:04:05"),
    ),
    sample(
        "`json`, `jsonb`",
        ["jsonb", "{\"a\":1}"],
        "{\"a\": 1}",
        "\"{\"\"a\"\": 1}\"",
        ("Utf8", "{\"a\": 1}"),
    ),
    sample("`json`, `jsonb`", ["json", "[1,\n2]"], "[1,\n2]", "\"[1,\n2]\"", ("Utf8", "[1,\n2]")),
    sample("arrays of these", ["int4[]", "{1,NULL}"], "[1,null]", "\"[1,null]\"", ("List(Int32)", "[1, ]")),
    sample("arrays of these", ["int4[]", "{}"], "[]", "[]", ("List(Int32)", "[]")),
    sample(
        "arrays of these",
        ["numeric(10,2)[]", "{1.5}"],
        "[1.50]",
        "[1.50]",
        ("List(Decimal128(10, 2))", "[1.50]"),
    ),
    sample(
        "arrays of these",
        ["text[]", "{a,\"\"}"],
        "[\"a\",\"\"]",
        "\"[\"\"a\"\",\"\"\"\"]\"",
        ("List(Utf8)", "[a, ]"),
    ),
    // The statement casts these.
    sample(OTHERS, ["int4range::text", "[1,4]"], "\"[1,5)\"", "\"[1,5)\"", ("Utf8", "[1,5)")),
    sample(
        OTHERS,
        ["public.mood[]::text[]", "{calm}"],
        "[\"calm\"]",
        "\"[\"\"calm\"\"]\"",
        ("List(Utf8)", "[calm]"),
    ),
    sample(OTHERS, ["public.mood::text", "calm"], "\"calm\"", "calm", ("Utf8", "calm")),
    sample(OTHERS, ["public.pair::text", "(1,x)"], "\"(1,x)\"", "\"(1,x)\"", ("Utf8", "(1,x)")),
];

/// The lines of a table, as their cells, of what begins with its head.
fn table(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let lines = lines.skip_while(|line| !line.starts_with("| type | JSON, NDJSON |"));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    lines.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The first value, as Arrow's own printer has it, which knows no zones by name.
fn shown(array: &ArrayRef) -> String {
    let array: &dyn Array = match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(timestamps) => &timestamps.clone().with_timezone_opt(None::<&str>),
        None => array,
    };
    array_value_to_string(array, 0).unwrap()
}

/// What a cell has in code.
fn code(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn each_line_of_the_table_is_what_is_written() {
    let documented = table(include_str!("../../../host/src/rows/mod.rs"));
    assert_eq!(table(include_str!("../../../README.md")), documented, "there is one table");
    let database = Database::start_with(
        "CREATE TYPE public.mood AS ENUM ('calm', 'cross'); CREATE TYPE public.pair AS (a int, b text);
         GRANT USAGE ON SCHEMA public TO PUBLIC",
    )
    .await;
    // What is written of each line: of infinity in dates, and arrays of two dimensions, more is said below.
    let mut written: BTreeMap<&str, [BTreeSet<String>; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for Sample { line, ty, text, json, csv, arrow } in SAMPLES {
        let numbers = if *line == STRINGS { Numbers::AsStrings } else { Numbers::AsNumbers };
        let ours = database.text(ty, Some(text), Format::Json, numbers).await;
        let ndjson = database.text(ty, Some(text), Format::Ndjson, numbers).await;
        let ours_csv = database.text(ty, Some(text), Format::Csv, numbers).await;
        let array = database.array(ty, Some(text), numbers).await;
        let ours_arrow = (array.data_type().to_string(), shown(&array));
        let expected_ndjson = json.replace('\n', " ");
        if (ours.as_str(), ndjson.as_str(), ours_csv.as_str()) != (*json, expected_ndjson.as_str(), *csv)
            || (ours_arrow.0.as_str(), ours_arrow.1.as_str()) != *arrow
        {
            wrong.push(format!("{ty} {text:?}: {ours} {ndjson} {ours_csv} {ours_arrow:?}"));
        }
        let of_line = written.entry(line).or_default();
        for (set, its) in of_line.iter_mut().zip([ours, ours_csv, ours_arrow.0]) {
            set.insert(its);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let add = |written: &mut BTreeMap<_, [BTreeSet<String>; 3]>, line, json: String, csv: String| {
        let of_line = written.entry(line).or_default();
        of_line[0].insert(json);
        of_line[1].insert(csv);
    };
    for (line, ty, text) in [
        ("`date`", "date", "infinity"),
        ("`timestamp`", "timestamp", "-infinity"),
        ("arrays of these", "int4[]", "{{1},{2}}"),
    ] {
        let json = database.text(ty, Some(text), Format::Json, Numbers::AsNumbers).await;
        let csv = database.text(ty, Some(text), Format::Csv, Numbers::AsNumbers).await;
        add(&mut written, line, json, csv);
    }
    for [line, json, csv, arrow] in
        documented.iter().skip(2).map(|cells| <&[String; 4]>::try_from(&cells[..]).unwrap())
    {
        if line == "null, of any type" {
            continue;
        }
        let of_line = written.remove(line.as_str()).unwrap_or_else(|| panic!("no sample of {line}"));
        for (cell, ours) in [json, csv, arrow].into_iter().zip(&of_line) {
            let other = if cell.starts_with("as `") { BTreeSet::new() } else { code(cell) };
            let missing: Vec<_> = other.iter().filter(|code| !ours.contains(**code)).collect();
            assert!(missing.is_empty(), "{line}: {missing:?} are said, and {ours:?} written");
        }
        let types = code(arrow);
        let unsaid = of_line[2].iter().filter(|ty| !types.contains(ty.as_str()) && !ty.starts_with("List("));
        assert_eq!(unsaid.collect::<Vec<_>>(), Vec::<&String>::new(), "{line}");
    }
    assert!(written.is_empty(), "lines that are not there: {:?}", written.keys());
}

#[tokio::test]
async fn null_is_none_of_the_values() {
    let database = Database::start().await;
    for ty in ["bool", "int8", "numeric(10,2)", "text", "bytea", "timestamptz", "interval", "json", "text[]"]
    {
        assert_eq!(database.text(ty, None, Format::Json, Numbers::AsStrings).await, "null");
        assert_eq!(database.text(ty, None, Format::Ndjson, Numbers::AsNumbers).await, "null");
        assert_eq!(database.text(ty, None, Format::Csv, Numbers::AsNumbers).await, "");
        let array = database.array(ty, None, Numbers::AsNumbers).await;
        assert!(array.len() == 1 && array.is_null(0), "{ty}");
    }
}

#[tokio::test]
async fn infinity_is_at_the_end_of_each_type_of_arrow() {
    let database = Database::start().await;
    let array = async |ty, text| database.array(ty, Some(text), Numbers::AsNumbers).await;
    for (text, date, timestamp) in [("infinity", i32::MAX, i64::MAX), ("-infinity", i32::MIN, i64::MIN)] {
        assert_eq!(array("date", text).await.as_primitive::<Date32Type>().value(0), date);
        for ty in ["timestamp", "timestamptz"] {
            assert_eq!(array(ty, text).await.as_primitive::<TimestampMicrosecondType>().value(0), timestamp);
        }
    }
    // The first and the last that PostgreSQL has.
    assert_eq!(array("date", "4713-01-01 BC").await.as_primitive::<Date32Type>().value(0), -2_440_550);
    let days =
        database.json("SELECT CAST('5874897-12-31' AS date) - CAST('1970-01-01' AS date) AS d", &[]).await;
    let last = array("date", "5874897-12-31").await.as_primitive::<Date32Type>().value(0);
    assert_eq!(days.unwrap(), format!("[{{\"d\":{last}}}]"));
    let microseconds = array("timestamp", "1969-12-31 23:59:59.999999").await;
    assert_eq!(microseconds.as_primitive::<TimestampMicrosecondType>().value(0), -1);
    let interval = array("interval", "-1 month 2 days -00:00:00.000001").await;
    let interval = interval.as_primitive::<IntervalMonthDayNanoType>().value(0);
    assert_eq!((interval.months, interval.days, interval.nanoseconds), (-1, 2, -1000));
}

#[tokio::test]
async fn what_arrow_can_not_hold_fails_and_is_written_otherwise() {
    let database = Database::start().await;
    for (ty, text, problem) in [
        ("numeric(10,2)", "NaN", "numbers as strings"),
        ("time", "24:00", "24:00:00"),
        ("timestamp", "294276-12-31", "later than Arrow's last"),
        ("timestamptz", "294248-01-01", "later than Arrow's last"),
        ("interval", "2562048 hours", "more hours"),
        ("int4[]", "{{1},{2}}", "several dimensions"),
    ] {
        let error = database.reply(ty, Some(text), Format::Arrow, Numbers::AsNumbers).await.unwrap_err();
        let RowError::Unreadable { column, problem: told } = &error else { panic!("{error}") };
        assert!(column == "v" && told.contains(problem), "{error}");
        assert_eq!(error.code().as_str(), "CS1105");
        database.reply(ty, Some(text), Format::Csv, Numbers::AsNumbers).await.unwrap();
    }
    let array = database.array("numeric(10,2)", Some("NaN"), Numbers::AsStrings).await;
    assert_eq!(array.as_string::<i32>().value(0), "NaN");
}

#[tokio::test]
async fn a_declared_numeric_keeps_every_digit() {
    let database = Database::start().await;
    let nines = "9".repeat(38);
    let (fraction, middle) = (format!("0.{nines}"), format!("{}.{}", &nines[..19], &nines[19..]));
    for (ty, text) in [
        ("numeric(38,0)", nines.as_str()),
        ("numeric(38,38)", &fraction),
        ("numeric(38,19)", &middle),
        ("numeric(38,37)", "-1.0000000000000000000000000000000000001"),
        ("numeric(20,5)", "100000.00001"),
        ("numeric(20,5)", "-0.00001"),
        ("numeric(20,7)", "12345678.1234567"),
        ("numeric(9,3)", "0"),
        ("numeric(9,3)", "10000"),
        ("numeric(9,3)", "-999999.999"),
        ("numeric(4,0)", "9999"),
        ("numeric(3,1)", "10"),
        ("numeric(38,2)", "100000000000000000000000000000000000"),
    ] {
        let array = database.array(ty, Some(text), Numbers::AsNumbers).await;
        assert!(matches!(array.data_type(), DataType::Decimal128(..)), "{ty}: {}", array.data_type());
        let csv = database.text(ty, Some(text), Format::Csv, Numbers::AsNumbers).await;
        assert_eq!(array_value_to_string(&array, 0).unwrap(), csv, "{ty} {text}");
    }
    // What no decimal of 128 bits is: more digits, and on PostgreSQL 15 and newer a scale below zero or above the precision.
    let array = database.array("numeric(39,2)", Some("1.5"), Numbers::AsNumbers).await;
    assert_eq!((array.data_type(), array.as_string::<i32>().value(0)), (&DataType::Utf8, "1.50"));
}
