//! Queries of a furniture dealer, as a Callslip plugin for the shop's own transactions: an order is looked at before it is
//! committed. `host/examples/order_preview` is the shop.

mod also_bought;
mod amounts;
mod preview;
mod shortages;
mod tables;

use also_bought::also_bought;
use callslip_sdk::export_plugin;
use preview::preview;
use shortages::shortages;

export_plugin!(preview, also_bought, shortages);

#[cfg(test)]
mod tests;
