//! What the shop does with an order: it begins a transaction, writes the order, lends the transaction to the plugin, and then
//! decides.

use callslip::{CallError, Host};
use deadpool_postgres::{Pool, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_postgres::IsolationLevel;

use crate::failure::Failure;
use crate::order::NewOrder;

/// The shop: its database, and the host of its plugins. A clone is the same shop.
#[derive(Clone)]
pub struct Shop {
    pool: Pool,
    host: Host,
}

/// An order as it is within its transaction, and what the customer may have forgotten.
#[derive(Serialize)]
pub struct Shown {
    preview: Preview,
    /// Nothing where it could not be told.
    also_bought: Option<Vec<Suggestion>>,
}

/// What the plugin says of an order. The shop decides by the warnings, and hands on the rest as it is, to the last digit.
#[derive(Serialize, Deserialize)]
struct Preview {
    order: i64,
    customer: Box<RawValue>,
    lines: Box<RawValue>,
    totals: Box<RawValue>,
    warnings: Vec<Box<RawValue>>,
}

#[derive(Serialize, Deserialize)]
struct Suggestion {
    product: i32,
    name: String,
    unit_price: Box<RawValue>,
}

/// What became of an order.
pub enum Outcome {
    /// It is committed.
    Placed(Shown),
    /// It is not, for the warnings of the preview.
    Refused(Shown),
}

impl Shop {
    pub fn new(pool: Pool, host: Host) -> Self {
        Self { pool, host }
    }

    // README: lend
    /// What an order would be. Nothing of it stays.
    pub async fn preview(&self, order: &NewOrder) -> Result<Shown, Failure> {
        let mut client = self.pool.get().await?;
        let mut transaction = client.transaction().await?;
        let number = order.insert(&transaction).await?; // nobody else sees it yet
        let shown = self.show(number, &mut transaction).await?;
        transaction.rollback().await?;
        Ok(shown)
    }

    /// Lends the open transaction to the plugin, twice.
    async fn show(&self, number: i64, transaction: &mut Transaction<'_>) -> Result<Shown, Failure> {
        // If that fails nothing is lost: the transaction is as it was, and the host's log says why.
        let also_bought = self.suggestions(number, transaction).await.ok();
        let call = self.host.call("orders", "preview").param("order", number);
        let preview = call.on(transaction).rows().await?.one_as().await?;
        Ok(Shown { preview: preview.ok_or(Failure::NoPreview)?, also_bought })
    }
    // README end

    async fn suggestions(
        &self,
        number: i64,
        transaction: &mut Transaction<'_>,
    ) -> Result<Vec<Suggestion>, CallError> {
        let call = self.host.call("orders", "also_bought").param("order", number);
        call.on(transaction).rows().await?.collect_as().await
    }

    /// Places an order, if there is nothing to warn of.
    ///
    /// The shop does not know which rows the plugin decides by, and so could not lock them. In a SERIALIZABLE transaction
    /// PostgreSQL knows: of two orders of the last piece one ends with [`Failure::Conflict`], and is to be tried again.
    pub async fn place(&self, order: &NewOrder) -> Result<Outcome, Failure> {
        let mut client = self.pool.get().await?;
        let transaction = client.build_transaction().isolation_level(IsolationLevel::Serializable);
        let mut transaction = transaction.start().await?;
        let number = order.insert(&transaction).await?;
        let shown = self.show(number, &mut transaction).await?;
        if !shown.preview.warnings.is_empty() {
            transaction.rollback().await?;
            return Ok(Outcome::Refused(shown));
        }
        transaction.commit().await?;
        Ok(Outcome::Placed(shown))
    }
}
