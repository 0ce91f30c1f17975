//! The tables, as `callslip catalog snapshot --out schema.json` found them.

callslip_sdk::schema!("schema.json");
