//! Each format, read by a reader that is not ours.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::ipc::reader::StreamReader;
use callslip_tests::http::Response;
use serde_json::{Value, json};

use super::{ask, gunzipped, header, serve, text};

fn batches(body: &[u8]) -> Vec<RecordBatch> {
    StreamReader::try_new(body, None).unwrap().map(Result::unwrap).collect()
}

fn lines(body: &[u8]) -> Vec<Value> {
    let text = str::from_utf8(body).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn records(body: &[u8]) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body);
    reader.records().map(Result::unwrap).collect()
}

fn whole(answer: Response) -> Response {
    assert!(
        answer.status == 200 && answer.whole,
        "{} {}",
        answer.head,
        String::from_utf8_lossy(&answer.body)
    );
    answer
}

#[tokio::test]
async fn awkward_values_keep_every_digit_and_character() {
    let served = serve("");
    let address = served.address();
    let get = async |path: &str| whole(ask(address, "GET", path, "").await);

    let found = get("/q/replies/one?found=true").await;
    assert_eq!(
        text(&found),
        "{\"big\":9007199254740993,\"price\":1.50,\"nan\":\"NaN\",\"empty\":\"\",\"nothing\":null,\
         \"text\":\"a,\\\"b\\\"\\r\\nc\",\"document\":{\"a\":\n1}}"
    );
    let found = get("/q/replies/one?found=true&numbers=strings").await;
    assert!(
        text(&found).starts_with("{\"big\":\"9007199254740993\",\"price\":\"1.50\","),
        "{}",
        text(&found)
    );

    // The line break within the json is none of the line's.
    let found = get("/q/replies/one?found=true&format=ndjson").await;
    let [row] = lines(&found.body).try_into().unwrap();
    assert_eq!((&row["text"], &row["document"]), (&json!("a,\"b\"\r\nc"), &json!({ "a": 1 })));

    let found = get("/q/replies/one?found=true&format=csv").await;
    assert!(
        text(&found)
            .ends_with("9007199254740993,1.50,NaN,\"\",,\"a,\"\"b\"\"\r\nc\",\"{\"\"a\"\":\n1}\"\r\n")
    );
    let [names, row] = records(&found.body).try_into().unwrap();
    assert_eq!(names, vec!["big", "price", "nan", "empty", "nothing", "text", "document"]);
    assert_eq!(row, vec!["9007199254740993", "1.50", "NaN", "", "", "a,\"b\"\r\nc", "{\"a\":\n1}"]);
    assert_eq!(header(&found, "content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(header(&found, "content-disposition"), Some("attachment; filename=\"one.csv\""));

    let found = get("/q/replies/one?found=true&format=arrow").await;
    let [batch] = batches(&found.body).try_into().unwrap();
    assert_eq!(batch.num_rows(), 1);
    let column = |name: &str| batch.column_by_name(name).unwrap();
    assert_eq!(column("big").as_primitive::<Int64Type>().value(0), 9_007_199_254_740_993);
    assert_eq!(column("price").data_type(), &DataType::Decimal128(5, 2));
    assert_eq!(column("price").as_primitive::<Decimal128Type>().value(0), 150);
    assert!(column("nan").as_primitive::<Float64Type>().value(0).is_nan());
    assert_eq!(column("empty").as_string::<i32>().value(0), "");
    assert!(column("nothing").is_null(0));
    assert_eq!(column("text").as_string::<i32>().value(0), "a,\"b\"\r\nc");
    let found = get("/q/replies/one?found=true&format=arrow&numbers=strings").await;
    let [batch] = batches(&found.body).try_into().unwrap();
    assert_eq!(batch.column_by_name("big").unwrap().as_string::<i32>().value(0), "9007199254740993");
    assert_eq!(batch.column_by_name("price").unwrap().as_string::<i32>().value(0), "1.50");
}

#[tokio::test]
async fn no_row_is_404_in_every_format_where_there_is_one_at_most() {
    let served = serve("");
    for (format, media_type) in super::FORMATS {
        for path in [
            &format!("/q/replies/one?found=false&format={format}"),
            &format!("/q/replies/several?found=false&statement=total&format={format}"),
        ] {
            ask(served.address(), "GET", path, "").await.assert_problem(404, "CS1010");
        }
        let accept = format!("accept: {media_type}");
        let found = ask(served.address(), "GET", "/q/replies/one?found=false", &accept).await;
        found.assert_problem(404, "CS1010");
        // Any number of rows may be none.
        let found = whole(
            ask(served.address(), "GET", &format!("/q/replies/numbered?rows=0&format={format}"), "").await,
        );
        match format {
            "json" => assert_eq!(text(&found), "[]"),
            "ndjson" => assert_eq!(text(&found), ""),
            "csv" => assert_eq!(text(&found), "n,amount,name,at,slept\r\n"),
            _ => assert_eq!(StreamReader::try_new(&found.body[..], None).unwrap().schema().fields().len(), 5),
        }
    }
}

#[tokio::test]
async fn several_statements_are_named_or_one_is_picked() {
    let served = serve("");
    let address = served.address();
    let get = async |path: &str| whole(ask(address, "GET", path, "").await);
    let found = get("/q/replies/several?found=true&format=ndjson").await;
    assert_eq!(
        lines(&found.body),
        [
            json!({ "statement": "lines", "row": { "n": 1 } }),
            json!({ "statement": "lines", "row": { "n": 2 } }),
            json!({ "statement": "total", "row": { "lines": 2 } }),
        ]
    );
    for format in ["csv", "arrow"] {
        let found = ask(address, "GET", &format!("/q/replies/several?found=true&format={format}"), "").await;
        let problem = found.assert_problem(406, "CS1015");
        assert!(problem["detail"].as_str().unwrap().contains("lines, total"), "{problem}");
    }
    let found = get("/q/replies/several?found=true&format=csv&statement=lines").await;
    assert_eq!(text(&found), "n\r\n1\r\n2\r\n");
    assert_eq!(header(&found, "content-disposition"), Some("attachment; filename=\"several-lines.csv\""));
    let found = get("/q/replies/several?found=true&format=arrow&statement=lines").await;
    let [batch] = batches(&found.body).try_into().unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int32Type>().values(), &[1, 2]);
    assert_eq!(text(&get("/q/replies/several?found=true&statement=lines").await), "[{\"n\":1},{\"n\":2}]");
    assert_eq!(text(&get("/q/replies/several?found=true&statement=total").await), "{\"lines\":2}");
    assert_eq!(
        text(&get("/q/replies/several?found=true&statement=total&format=ndjson").await),
        "{\"lines\":2}\n"
    );
    // One that can't be written in what is wanted most may be wanted otherwise.
    let found =
        ask(address, "GET", "/q/replies/several?found=true", "accept: text/csv, application/json;q=0.5")
            .await;
    assert_eq!(header(&found, "content-type"), Some("application/json"));
    let found =
        ask(address, "GET", "/q/replies/several?found=true", "accept: text/csv; statement=total").await;
    assert_eq!(text(&whole(found)), "lines\r\n2\r\n");
    for path in
        ["several?found=true&statement=sums", "several?found=true&statement=", "one?found=true&statement=a"]
    {
        ask(address, "GET", &format!("/q/replies/{path}"), "").await.assert_problem(400, "CS1005");
    }
}

#[tokio::test]
async fn a_long_reply_is_the_same_as_gzip_and_over_http_1_0() {
    let served = serve("");
    let address = served.address();
    for (format, media_type) in super::FORMATS {
        let path = format!("/q/replies/numbered?rows=20000&format={format}");
        let plain = whole(ask(address, "GET", &path, "").await);
        assert!(header(&plain, "content-type").unwrap().starts_with(media_type), "{}", plain.head);
        assert_eq!(header(&plain, "content-encoding"), None);
        let zipped = whole(ask(address, "GET", &path, "accept-encoding: br, gzip").await);
        assert_eq!(header(&zipped, "content-encoding"), Some("gzip"));
        assert!(zipped.body.len() < plain.body.len() / 2, "{format}: {}", zipped.body.len());
        assert_eq!(gunzipped(&zipped.body), (plain.body.clone(), true), "{format}");
        for (headers, is_zipped) in [("", false), ("accept-encoding: gzip\r\n", true)] {
            let old =
                callslip_tests::http::send(address, format!("GET {path} HTTP/1.0\r\n{headers}\r\n")).await;
            assert_eq!(
                (old.status, header(&old, "content-length")),
                (200, Some(&*old.body.len().to_string()))
            );
            assert!(!old.head.contains("chunked"), "{}", old.head);
            let body = if is_zipped { gunzipped(&old.body).0 } else { old.body };
            assert!(body == plain.body, "{format}");
        }
        match format {
            "json" => assert_eq!(plain.json()[19_999]["name"], "row 20000"),
            "ndjson" => {
                let lines = lines(&plain.body);
                assert_eq!((lines.len(), &lines[19_999]["n"]), (20_000, &json!(20_000)));
            }
            "csv" => {
                let records = records(&plain.body);
                assert_eq!((records.len(), &records[20_000][1]), (20_001, "20000.00"));
            }
            _ => {
                let batches = batches(&plain.body);
                assert!(batches.len() > 1, "they come as they are made");
                let rows = batches.iter().flat_map(|batch| {
                    let n = batch.column(0).as_primitive::<Int64Type>();
                    let amount = batch.column(1).as_primitive::<Decimal128Type>();
                    let at = batch.column(3).as_primitive::<TimestampMicrosecondType>();
                    assert_eq!(
                        at.data_type(),
                        &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
                    );
                    assert_eq!(at.value(0), 1_767_225_600_000_000);
                    n.values().iter().copied().zip(amount.values().iter().copied()).collect::<Vec<_>>()
                });
                let expected = (1..=20_000_i64).map(|n| (n, i128::from(n) * 100));
                assert!(rows.eq(expected));
                let end = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
                assert!(plain.body.ends_with(&end), "the mark of the end");
            }
        }
    }
    // What is short is sent as it is.
    let short = whole(ask(address, "GET", "/q/replies/numbered?rows=1", "accept-encoding: gzip").await);
    assert_eq!(
        (header(&short, "content-encoding"), header(&short, "vary")),
        (None, Some("accept, accept-encoding"))
    );
}
