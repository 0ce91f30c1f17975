//! Pages behind cursors: together they are the whole list, and a cursor is good for nothing but the page behind it.

use callslip::{Call, CallError, Code, CursorKey, Host};
use callslip_tests::Paged;
use serde_json::{Value, json};

use crate::support::{object, read};

const SECRET: &[u8] = b"a secret of the tests, of at least 32 bytes";

async fn host(paged: &Paged) -> Host {
    Host::start(&Paged::config("", None), &paged.connection()).await.unwrap()
}

fn call<'h>(host: &'h Host, query: &str, parameters: &Value) -> Call<'h> {
    object(parameters.clone())
        .into_iter()
        .fold(host.call("paged", query), |call, (name, value)| call.param(name, value))
}

/// The rows of all pages of so many rows, and how many pages there are. Each page but the last is full, and the last has rows.
async fn pages(host: &Host, query: &str, parameters: &Value, size: u64) -> (Vec<Value>, usize) {
    let (mut rows, mut cursor, mut count) = (Vec::new(), None, 0);
    loop {
        let mut call = call(host, query, parameters).param("page_size", size);
        if let Some(cursor) = cursor {
            call = call.param("cursor", Value::String(cursor));
        }
        let page =
            read(call).await.unwrap_or_else(|error| panic!("{query} {parameters}: {}", error.log_message()));
        let its = page["rows"].as_array().unwrap();
        assert!(!its.is_empty(), "{query} {parameters}");
        rows.extend(its.iter().cloned());
        count += 1;
        match page["next"].as_str() {
            Some(next) => {
                assert_eq!(its.len() as u64, size);
                cursor = Some(next.to_owned());
            }
            None => {
                assert_eq!(page["next"], Value::Null);
                return (rows, count);
            }
        }
        assert!(count < 100, "{query} {parameters} has no end");
    }
}

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn expected(paged: &Paged, sql: &str) -> Vec<i64> {
    let rows = paged.owner.query(sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    rows.iter().map(|row| row.get::<_, i32>(0).into()).collect()
}

#[tokio::test]
async fn all_pages_together_are_the_whole_in_every_order() {
    let paged = Paged::new("pages_in_every_order").await;
    let host = host(&paged).await;
    let keys = [("title", ""), ("weight", "NULLS LAST"), ("made", "NULLS FIRST")];
    let mut orders = vec![String::new()];
    for (first, _) in keys {
        for down in ["", "-"] {
            orders.push(format!("{down}{first}"));
            for (second, _) in keys.into_iter().filter(|(key, _)| *key != first) {
                for down_too in ["", "-"] {
                    orders.push(format!("{down}{first},{down_too}{second}"));
                }
            }
        }
    }
    assert_eq!(orders.len(), 31);
    for order in orders {
        let term = |term: &str| {
            let (name, direction) = match term.strip_prefix('-') {
                Some(name) => (name, "DESC"),
                None => (term, "ASC"),
            };
            let (_, nulls) = keys.iter().find(|(key, _)| *key == name).unwrap();
            format!("{name} {direction} {nulls}, ")
        };
        let terms: String = order.split(',').filter(|key| !key.is_empty()).map(term).collect();
        let expected = expected(&paged, &format!("SELECT id FROM item ORDER BY {terms}id")).await;
        for size in [1, 4, 23, 50] {
            let (rows, count) = pages(&host, "sorted", &json!({ "sort": order }), size).await;
            assert_eq!(ids(&rows), expected, "{order} by {size}");
            assert_eq!(count as u64, 23_u64.div_ceil(size), "{order} by {size}");
            // Nothing of the keys is in the reply.
            assert_eq!(object(rows[0].clone()).len(), 1);
        }
    }
}

#[tokio::test]
async fn a_key_of_any_type_comes_back_exact() {
    let paged = Paged::new("pages_by_type").await;
    let host = host(&paged).await;
    for by in [
        "kind", "ref", "ratio", "span", "doc", "home", "flag", "large", "day", "bytes", "small", "code",
        "names", "period",
    ] {
        for (down, direction) in [(false, "ASC"), (true, "DESC")] {
            let expected =
                expected(&paged, &format!("SELECT id FROM item ORDER BY {by} {direction}, id")).await;
            for size in [1, 3] {
                let (rows, _) = pages(&host, "typed", &json!({ "by": by, "down": down }), size).await;
                assert_eq!(ids(&rows), expected, "{by} {direction}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_of_any_form_has_pages() {
    let paged = Paged::new("pages_of_any_form").await;
    let host = host(&paged).await;
    for (query, sql) in [
        ("plain", "SELECT id, title FROM item ORDER BY title, id"),
        ("backwards", "SELECT id, title FROM item ORDER BY title DESC, id DESC"),
        ("mixed", "SELECT id, title FROM item ORDER BY title, id DESC"),
        ("grouped", "SELECT title, count(id) AS items FROM item GROUP BY title ORDER BY items DESC, title"),
        (
            "ranked",
            "SELECT id, row_number() OVER (ORDER BY title, id) AS place FROM item WHERE id > 2 ORDER BY place",
        ),
        (
            "united",
            "SELECT id, title FROM item WHERE id < 8 UNION SELECT id, title FROM item WHERE id > 4 ORDER BY title DESC, id",
        ),
        (
            "distinct",
            "SELECT DISTINCT i.id, j.title FROM item i LEFT JOIN item j ON j.id = i.small ORDER BY j.title, i.id",
        ),
    ] {
        let whole = format!("SELECT coalesce(jsonb_agg(to_jsonb(q)), '[]')::text FROM ({sql}) AS q");
        let whole: String = paged.owner.query_one(&whole, &[]).await.unwrap().get(0);
        let whole: Value = serde_json::from_str(&whole).unwrap();
        for size in [1, 5, 100] {
            let (rows, _) = pages(&host, query, &json!({}), size).await;
            assert_eq!(Value::from(rows), whole, "{query} by {size}");
        }
    }
}

#[tokio::test]
async fn rows_that_come_and_go_between_pages_shift_nothing() {
    let paged = Paged::new("pages_that_change").await;
    let host = host(&paged).await;
    let before = expected(&paged, "SELECT id FROM item ORDER BY title, id").await;
    let first = read(host.call("paged", "plain")).await.unwrap();
    let seen = ids(first["rows"].as_array().unwrap());
    assert_eq!(seen, before[..10]);
    // One before all of them, one behind, and one that was seen, with which the page ended, goes.
    let sql = format!(
        "INSERT INTO item (id, title) VALUES (100, ''), (101, 'zebra'); DELETE FROM item WHERE id = {}",
        seen[9]
    );
    paged.owner.batch_execute(&sql).await.unwrap();
    let next = host.call("paged", "plain").param("cursor", first["next"].clone());
    let mut rest = read(next).await.unwrap();
    let mut all = ids(rest["rows"].as_array().unwrap());
    while let Some(next) = rest["next"].as_str() {
        rest = read(host.call("paged", "plain").param("cursor", next)).await.unwrap();
        all.extend(ids(rest["rows"].as_array().unwrap()));
    }
    let mut left = before[10..].to_vec();
    let place = expected(&paged, "SELECT id FROM item ORDER BY title, id").await;
    left.insert(left.len() - place.iter().rev().position(|id| *id == 101).unwrap(), 101);
    assert_eq!(all, left);
}

#[tokio::test]
async fn typed_rows_and_other_statements_have_pages_too() {
    let paged = Paged::new("pages_of_rows").await;
    let host = host(&paged).await;
    #[derive(serde::Deserialize)]
    struct Item {
        id: i32,
    }
    let mut rows = host.call("paged", "plain").param("page_size", 20).rows().await.unwrap();
    assert_eq!(rows.columns().iter().map(|its| its.name.as_str()).collect::<Vec<_>>(), ["id", "title"]);
    assert_eq!(rows.next_cursor(), None);
    let items: Vec<Item> = rows.collect_as().await.unwrap();
    assert_eq!(items.len(), 20);
    let next = rows.next_cursor().unwrap().to_owned();
    drop(rows);
    let mut rows = host.call("paged", "plain").param("cursor", next).rows().await.unwrap();
    let rest: Vec<Item> = rows.collect_as().await.unwrap();
    assert_eq!((rest.len(), rows.next_cursor()), (3, None));
    assert!(rest.iter().all(|item| items.iter().all(|its| its.id != item.id)));

    let call = |cursor: Option<&str>, least: i32| {
        let call = host.call("paged", "with_total").param("page_size", 2).claim("least", least);
        cursor.into_iter().fold(call, |call, cursor| call.param("cursor", cursor))
    };
    let page = read(call(None, 20)).await.unwrap();
    assert_eq!(page["items"]["rows"], json!([{ "id": 20 }, { "id": 21 }]));
    assert_eq!(page["total"], json!({ "items": 4 }));
    let next = page["items"]["next"].as_str().unwrap();
    let page = read(call(Some(next), 20)).await.unwrap();
    assert_eq!(page["items"], json!({ "rows": [{ "id": 22 }, { "id": 23 }], "next": null }));
    assert_eq!(page["total"], json!({ "items": 4 }));
    // Of another caller it is another list.
    assert_eq!(read(call(Some(next), 19)).await.unwrap_err().code(), Code::InvalidCursor);
}

#[tokio::test]
async fn a_cursor_of_the_whole_reply_goes_on_with_the_one_statement_that_is_picked() {
    let paged = Paged::new("pages_of_one_statement").await;
    let filter = "[filters]\nitem = \"id >= claim('from')\"";
    let host = Host::start(&Paged::config(filter, None), &paged.connection()).await.unwrap();
    let call = |from: i32| {
        let call = host.call("paged", "with_total").param("page_size", 2);
        call.claim("least", 1).claim("from", from)
    };
    let whole = read(call(20)).await.unwrap();
    assert_eq!(whole["items"]["rows"], json!([{ "id": 20 }, { "id": 21 }]));
    let next = whole["items"]["next"].as_str().unwrap();
    let rest = json!({ "rows": [{ "id": 22 }, { "id": 23 }], "next": null });
    assert_eq!(read(call(20).param("cursor", next)).await.unwrap()["items"], rest);
    assert_eq!(read(call(20).param("cursor", next).statement("items")).await.unwrap(), rest);
    // Whom the filter shows other rows has another list.
    assert_eq!(read(call(19).param("cursor", next)).await.unwrap_err().code(), Code::InvalidCursor);
}

#[tokio::test]
async fn an_order_that_does_not_tell_the_rows_apart_is_an_error_and_no_gap() {
    let paged = Paged::new("pages_of_ties").await;
    let host = host(&paged).await;
    let error = read(host.call("paged", "tied").param("page_size", 2)).await.unwrap_err();
    assert!(matches!(error, CallError::NoCursor { .. }), "{error}");
    assert_eq!(error.code(), Code::NoCursor);
    let whole = read(host.call("paged", "tied").param("page_size", 23)).await.unwrap();
    assert_eq!((whole["rows"].as_array().unwrap().len(), &whole["next"]), (23, &Value::Null));
    // A key that is too long for a cursor is one too.
    paged.owner.batch_execute("UPDATE item SET title = repeat('x', 3000) || id").await.unwrap();
    let error = read(host.call("paged", "plain").param("page_size", 2)).await.unwrap_err();
    assert!(error.to_string().contains("more than 2,048 bytes"), "{error}");
}

#[tokio::test]
async fn a_cursor_goes_with_its_list_alone() {
    let paged = Paged::new("pages_of_others").await;
    let key = || CursorKey::new(SECRET).unwrap();
    let start = async |feature, key: Option<CursorKey>| {
        let connection = paged.connection();
        let mut host = Host::builder().connect(&connection);
        if let Some(key) = key {
            host = host.cursor_key(key);
        }
        host.start(&Paged::config("", feature)).await.unwrap()
    };
    let host = start(None, Some(key())).await;
    let list = json!({ "sort": "-weight", "at_least": 3 });
    let first = read(call(&host, "sorted", &list)).await.unwrap();
    let next = first["next"].as_str().unwrap();
    let with = |host: &Host, query: &str, list: &Value, cursor: &str| {
        let mut list = list.clone();
        list["cursor"] = Value::from(cursor);
        let (host, query) = (host.clone(), query.to_owned());
        async move { read(call(&host, &query, &list)).await.map_err(|error| error.code()) }
    };
    // As many rows as one likes, of the page behind it, on any host with the key.
    let second = with(&host, "sorted", &list, next).await.unwrap();
    let mut larger = list.clone();
    larger["page_size"] = 7.into();
    let more = with(&host, "sorted", &larger, next).await.unwrap();
    assert_eq!(more["rows"].as_array().unwrap()[..3], second["rows"].as_array().unwrap()[..]);
    assert_eq!(with(&start(None, Some(key())).await, "sorted", &list, next).await, Ok(second.clone()));

    let refused = Err(Code::InvalidCursor);
    for other in [
        json!({ "sort": "weight", "at_least": 3 }),
        json!({ "sort": "-weight,title", "at_least": 3 }),
        json!({ "sort": "-weight", "at_least": 4 }),
        json!({ "sort": "-weight" }),
    ] {
        assert_eq!(with(&host, "sorted", &other, next).await, refused, "{other}");
    }
    assert_eq!(with(&host, "plain", &json!({}), next).await, refused);
    for none in ["", "x", "null", &next[1..], &next[..next.len() - 1], &format!("{next}A")] {
        assert_eq!(with(&host, "sorted", &list, none).await, refused, "{none}");
    }
    let mut number = list.clone();
    number["cursor"] = 7.into();
    assert_eq!(read(call(&host, "sorted", &number)).await.unwrap_err().code(), Code::InvalidCursor);
    for other_key in [None, Some(CursorKey::new(&[SECRET, b"!"].concat()).unwrap())] {
        assert_eq!(with(&start(None, other_key).await, "sorted", &list, next).await, refused);
    }
    // A new version that has not changed the list goes on with it, and one that has does not.
    let newer = start(Some("reordered"), Some(key())).await;
    assert_eq!(with(&newer, "sorted", &list, next).await, Ok(second));
    let changing = read(host.call("paged", "changing")).await.unwrap();
    let changing = changing["next"].as_str().unwrap();
    assert!(with(&host, "changing", &json!({}), changing).await.is_ok());
    assert_eq!(with(&newer, "changing", &json!({}), changing).await, refused);
}

#[tokio::test]
async fn with_any_character_of_it_changed_a_cursor_is_none() {
    let paged = Paged::new("pages_of_forgers").await;
    let host = host(&paged).await;
    let first = read(host.call("paged", "changing")).await.unwrap();
    let next = first["next"].as_str().unwrap();
    for at in 0..next.len() {
        let mut other = next.as_bytes().to_vec();
        other[at] = if other[at] == b'A' { b'g' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let error = read(host.call("paged", "changing").param("cursor", other)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidCursor, "character {at}");
    }
}

#[tokio::test]
async fn an_index_on_the_keys_serves_a_page_wherever_it_is() {
    let paged = Paged::new("pages_by_index").await;
    let fill = "INSERT INTO item (id, title) SELECT id, 't' || lpad((id % 10000)::text, 5, '0') FROM generate_series(100, 50000) AS id;
                ANALYZE item";
    paged.owner.batch_execute(fill).await.unwrap();
    let host = host(&paged).await;
    for (query, node, bound) in [
        ("plain", "Index Only Scan using item_title", "(ROW(title, id) > ROW('t00500'::text, 500))"),
        (
            "backwards",
            "Index Only Scan Backward using item_title",
            "(ROW(title, id) < ROW('t00500'::text, 500))",
        ),
        ("mixed", "Index Only Scan using item_title", "(title >= 't00500'::text)"),
    ] {
        let generation = host.generation();
        let loaded = generation.plugin("paged").unwrap().unwrap();
        let behind = loaded
            .query(query)
            .unwrap()
            .shapes()
            .iter()
            .find(|its| !its.shape.parameters.is_empty())
            .unwrap();
        let sql = behind.outcome.as_ref().unwrap()[0].sql.replacen("/*", "EXPLAIN (COSTS OFF) /*", 1);
        let values = behind.outcome.as_ref().unwrap()[0].values.iter().map(|source| match source {
            callslip::ValueSource::CursorKey(0) => "'t00500'",
            callslip::ValueSource::CursorKey(_) => "'500'",
            callslip::ValueSource::Constant(_) => "'1'",
            _ => "'20'",
        });
        let sql =
            values.enumerate().fold(sql, |sql, (at, value)| sql.replace(&format!("${}", at + 1), value));
        let plan = paged.owner.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(
            plan.contains(node) && plan.contains(&format!("Index Cond: {bound}")),
            "{query}:\n{sql}\n{plan}"
        );
        // There may be a sort of the few that are equal in the first key.
        assert!(query == "mixed" || !plan.contains("Sort"), "{query}:\n{plan}");
    }
}
