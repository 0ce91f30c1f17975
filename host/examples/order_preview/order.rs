//! An order as customers send it, and how it is written.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use deadpool_postgres::Transaction;
use serde::Deserialize;

use crate::failure::Failure;

/// What is wanted: a customer, and some pieces of each of some products.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    customer: i32,
    lines: Vec<NewLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    product: i32,
    quantity: NonZeroU16,
}

/// How many products an order can have.
const MOST_LINES: usize = 100;

const INSERT_ORDER: &str =
    "INSERT INTO sales_order (customer_id) SELECT id FROM customer WHERE id = $1 RETURNING id";

/// At the price, the discount and the tax of the moment.
const INSERT_LINES: &str = "\
    INSERT INTO order_line (order_id, product_id, quantity, unit_price, discount_percent, tax_percent)
    SELECT $1, p.id, line.quantity, p.unit_price, coalesce(discount.percent, 0), p.tax_percent
    FROM unnest($2::int[], $3::int[]) AS line (product, quantity)
    JOIN product p ON p.id = line.product
    LEFT JOIN LATERAL (SELECT d.percent FROM volume_discount d
                       WHERE d.product_id = p.id AND d.from_quantity <= line.quantity
                       ORDER BY d.from_quantity DESC LIMIT 1) discount ON true";

impl NewOrder {
    /// What can be told to be wrong without a database.
    fn check(&self) -> Result<(), Failure> {
        let products: BTreeSet<i32> = self.lines.iter().map(|line| line.product).collect();
        if !(1..=MOST_LINES).contains(&self.lines.len()) {
            return Err(Failure::invalid(format!("an order has from 1 to {MOST_LINES} lines")));
        }
        if products.len() < self.lines.len() {
            return Err(Failure::invalid("a product is in two lines; put them together"));
        }
        Ok(())
    }

    /// Writes it, and gives its number.
    pub async fn insert(&self, transaction: &Transaction<'_>) -> Result<i64, Failure> {
        self.check()?;
        let insert = transaction.prepare_cached(INSERT_ORDER).await?;
        let Some(row) = transaction.query_opt(&insert, &[&self.customer]).await? else {
            return Err(Failure::invalid(format!("there is no customer {}", self.customer)));
        };
        let order: i64 = row.try_get(0)?;
        let products: Vec<i32> = self.lines.iter().map(|line| line.product).collect();
        let quantities: Vec<i32> = self.lines.iter().map(|line| line.quantity.get().into()).collect();
        let insert = transaction.prepare_cached(INSERT_LINES).await?;
        let inserted = transaction.execute(&insert, &[&order, &products, &quantities]).await?;
        if inserted < self.lines.len() as u64 {
            return Err(Failure::invalid("there is no such product"));
        }
        Ok(order)
    }
}
