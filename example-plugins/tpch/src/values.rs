//! What the specification lists, and no table holds.

use callslip_sdk::prelude::*;

/// What a customer trades in.
#[derive(Clone, Copy, SqlEnum)]
pub enum Segment {
    #[sql(rename = "AUTOMOBILE")]
    Automobile,
    #[sql(rename = "BUILDING")]
    Building,
    #[sql(rename = "FURNITURE")]
    Furniture,
    #[sql(rename = "HOUSEHOLD")]
    Household,
    #[sql(rename = "MACHINERY")]
    Machinery,
}

/// How an item is shipped.
#[derive(Clone, Copy, SqlEnum)]
pub enum ShipMode {
    #[sql(rename = "AIR")]
    Air,
    #[sql(rename = "FOB")]
    Fob,
    #[sql(rename = "MAIL")]
    Mail,
    #[sql(rename = "RAIL")]
    Rail,
    #[sql(rename = "REG AIR")]
    RegAir,
    #[sql(rename = "SHIP")]
    Ship,
    #[sql(rename = "TRUCK")]
    Truck,
}
