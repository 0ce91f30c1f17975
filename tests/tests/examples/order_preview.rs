//! `host/examples/order_preview`: an order is shown before it is committed.

use std::time::Duration;

use callslip_tests::connect_to;
use callslip_tests::http::Response;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::service::Service;

const ORDERS: &str = "SELECT count(*) FROM sales_order";
const LINES: &str = "SELECT count(*) FROM order_line";
/// Statements of the shop that wait for a lock.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
/// Transactions of the shop that are open.
const OPEN: &str = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";

async fn shop(name: &str) -> Service {
    Service::start(env!("CARGO_BIN_EXE_order-preview"), name, "SELECT, INSERT").await
}

fn order(customer: i32, lines: &[(i32, u32)]) -> Value {
    let line = |&(product, quantity)| json!({"product": product, "quantity": quantity});
    json!({"customer": customer, "lines": lines.iter().map(line).collect::<Vec<_>>()})
}

#[track_caller]
fn answer(response: &Response, status: u16) -> Value {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, status, "{body}");
    response.json()
}

#[tokio::test]
async fn a_preview_shows_what_is_not_committed_and_nothing_of_it_stays() {
    let shop = shop("preview").await;
    let before = (shop.number(ORDERS).await, shop.number(LINES).await);
    // Of 6 bistro tables 4 are promised, and the café owes 1157.28 of 1500.00.
    let shown = answer(&shop.post("/orders/preview", &order(2, &[(6, 3), (7, 8)])).await, 200);
    let order_number = shown["preview"]["order"].as_i64().unwrap();
    assert_eq!(
        shown,
        json!({
            "preview": {
                "order": order_number,
                "customer": {"id": 2, "name": "Café Zwischenraum", "credit_limit": 1500.00, "balance": 2159.76},
                "lines": [
                    {"product": 6, "name": "Bistro table", "quantity": 3, "unit_price": 129.00,
                     "discount_percent": 0.00, "net": 387.00, "tax": 77.40, "left_in_stock": -1},
                    {"product": 7, "name": "Bistro chair", "quantity": 8, "unit_price": 59.00,
                     "discount_percent": 5.00, "net": 448.40, "tax": 89.68, "left_in_stock": 8},
                ],
                "totals": {"net": 835.40, "tax": 167.08, "gross": 1002.48},
                "warnings": [
                    {"short_of": "credit", "whose": "Café Zwischenraum", "missing": 659.76},
                    {"short_of": "stock", "whose": "Bistro table", "missing": 1},
                ],
            },
            "also_bought": [{"product": 4, "name": "Reading lamp", "unit_price": 34.95}],
        })
    );
    assert_eq!((shop.number(ORDERS).await, shop.number(LINES).await), before);
    shop.wait_until(OPEN, 0).await;
}

#[tokio::test]
async fn an_order_is_committed_once_and_only_if_there_is_nothing_to_warn_of() {
    let shop = shop("clerk").await;
    let orders = shop.number(ORDERS).await;
    let placed = answer(&shop.post("/orders", &order(4, &[(6, 2)])).await, 201);
    assert_eq!(placed["preview"]["warnings"], json!([]));
    let number = placed["preview"]["order"].as_i64().unwrap();
    assert_eq!(shop.number(ORDERS).await, orders + 1);
    let line = format!("SELECT sum(quantity) FROM order_line WHERE order_id = {number} AND product_id = 6");
    assert_eq!(shop.number(&line).await, 2);

    // These were the last tables.
    let refused = answer(&shop.post("/orders", &order(4, &[(6, 1)])).await, 409);
    let warning = json!([{"short_of": "stock", "whose": "Bistro table", "missing": 1}]);
    assert_eq!(refused["preview"]["warnings"], warning);
    assert_eq!(shop.number(ORDERS).await, orders + 1);
}

/// Sends them all at the same moment: none is shown before all have written their lines, since they wait for the nightly job
/// that makes the table of what is bought together anew.
async fn at_once(shop: &Service, path: &str, orders: &[Value]) -> Vec<Response> {
    let mut nightly = connect_to(&shop.owner_url).await;
    let nightly = nightly.transaction().await.unwrap();
    nightly.batch_execute("LOCK TABLE related_product IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let responses = join_all(orders.iter().map(|order| shop.post(path, order)));
    let release = async {
        // The shop does not wait for that job for ever.
        let all = shop.wait_until(WAITING, orders.len() as i64);
        _ = tokio::time::timeout(Duration::from_millis(800), all).await;
        nightly.rollback().await.unwrap();
    };
    join(responses, release).await.0
}

#[tokio::test]
async fn of_orders_of_the_last_pieces_at_the_same_moment_one_is_committed() {
    let shop = shop("rush").await;
    let orders = [1, 3, 4].map(|customer| order(customer, &[(6, 2)]));
    let responses = at_once(&shop, "/orders", &orders).await;
    let mut statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409], "{}", shop.log());
    let promised = "SELECT sum(l.quantity) FROM order_line l JOIN sales_order o ON o.id = l.order_id
                    WHERE l.product_id = 6 AND o.shipped_at IS NULL";
    assert_eq!(shop.number(promised).await, 6);
}

#[tokio::test]
async fn previews_of_the_same_moment_do_not_see_each_other() {
    let shop = shop("crowd").await;
    let lines = shop.number(LINES).await;
    let orders: Vec<Value> = (0..8).map(|n| order(1 + n % 4, &[(6, 2)])).collect();
    let responses = at_once(&shop, "/orders/preview", &orders).await;
    for response in &responses {
        let shown = answer(response, 200);
        let line = &shown["preview"]["lines"][0];
        assert_eq!((&line["quantity"], &line["left_in_stock"]), (&json!(2), &json!(0)), "{shown}");
    }
    let mut numbers: Vec<i64> =
        responses.iter().map(|response| response.json()["preview"]["order"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), orders.len());
    assert_eq!(shop.number(LINES).await, lines);
}

#[tokio::test]
async fn a_query_of_the_plugin_that_fails_leaves_the_transaction_to_the_shop() {
    let shop = shop("failing").await;
    let mut nightly = connect_to(&shop.owner_url).await;
    let orders = shop.number(ORDERS).await;

    // One that takes too long …
    let running = nightly.transaction().await.unwrap();
    running.batch_execute("LOCK TABLE related_product IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let placed = answer(&shop.post("/orders", &order(3, &[(1, 1)])).await, 201);
    assert_eq!(placed["also_bought"], Value::Null);
    let log = shop.log();
    assert!(log.contains("also_bought"), "{log}");
    let (audited, told): (Vec<&str>, Vec<&str>) =
        log.lines().filter(|line| line.contains("CS1104")).partition(|line| line.contains("callslip::audit"));
    assert_eq!((told.len(), audited.len()), (1, 1), "it is said once, and once in the log of calls: {log}");
    running.rollback().await.unwrap();
    assert_eq!(shop.number(ORDERS).await, orders + 1);

    // … one that PostgreSQL refuses …
    shop.execute("ALTER TABLE related_product RENAME times_together TO times").await;
    let placed = answer(&shop.post("/orders", &order(3, &[(1, 1)])).await, 201);
    assert_eq!(placed["also_bought"], Value::Null);
    assert_eq!(shop.number(ORDERS).await, orders + 2);
    shop.execute("ALTER TABLE related_product RENAME times TO times_together").await;

    // … and one that the shop can't do without.
    shop.execute("ALTER TABLE customer RENAME credit_limit TO most").await;
    let refused = answer(&shop.post("/orders", &order(3, &[(1, 1)])).await, 500);
    assert_eq!(refused, json!({"error": "the shop is broken, and was told so"}));
    assert_eq!(shop.number(ORDERS).await, orders + 2);
    shop.execute("ALTER TABLE customer RENAME most TO credit_limit").await;
    // The host looks at the database anew.
    let started = std::time::Instant::now();
    let shown = loop {
        let response = shop.post("/orders/preview", &order(3, &[(1, 1)])).await;
        if response.status == 200 && response.json()["also_bought"] != Value::Null {
            break response.json();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{}", shop.log());
    };
    assert_eq!(shown["preview"]["lines"][0]["left_in_stock"], 12 - 3, "{shown}");
    shop.wait_until(OPEN, 0).await;
}

#[tokio::test]
async fn what_can_t_be_is_told_and_leaves_nothing() {
    let shop = shop("nonsense").await;
    let orders = shop.number(ORDERS).await;
    for (wrong, told) in [
        (order(9, &[(1, 1)]), "there is no customer 9"),
        (order(1, &[(1, 1), (99, 1)]), "there is no such product"),
        (order(1, &[(1, 1), (1, 2)]), "a product is in two lines; put them together"),
        (order(1, &[]), "an order has from 1 to 100 lines"),
    ] {
        for path in ["/orders/preview", "/orders"] {
            assert_eq!(answer(&shop.post(path, &wrong).await, 422), json!({ "error": told }));
        }
    }
    assert_eq!(shop.post("/orders", &order(1, &[(1, 0)])).await.status, 422);
    assert_eq!(shop.number(ORDERS).await, orders);
    shop.wait_until(OPEN, 0).await;
}

#[tokio::test]
async fn a_service_that_is_asked_to_stop_answers_first() {
    let mut shop = shop("closing").await;
    let mut nightly = connect_to(&shop.owner_url).await;
    let running = nightly.transaction().await.unwrap();
    running.batch_execute("LOCK TABLE related_product IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let order = order(1, &[(1, 1)]);
    let stop = async {
        shop.wait_until(WAITING, 1).await;
        shop.terminate();
        running.rollback().await.unwrap();
    };
    let (response, ()) = join(shop.post("/orders/preview", &order), stop).await;
    answer(&response, 200);
    assert!(shop.ended().success(), "{}", shop.log());
}
