//! The six endpoints of the peers: what `make bench-peers` measures beside servers that are written by hand. Each is the statement of
//! `sql/qN.sql` in the folder of the peers, and all are closed; `q1_open` is the first one again, and sees its value.

mod card;
mod export;
mod funnel;
mod latest;
mod list;
mod tables;
mod top;

use callslip_sdk::export_plugin;
use card::{q1, q1_open};
use export::q5;
use funnel::q3;
use latest::q6;
use list::q2;
use top::q4;

export_plugin!(q1, q1_open, q2, q3, q4, q5, q6);

#[cfg(test)]
mod tests;
