//! Constructs that few queries need.

pub mod json_table;
