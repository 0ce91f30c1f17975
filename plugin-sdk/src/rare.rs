//! What few queries need, apart from the prelude: `use callslip_sdk::rare;`, and `rare::cycle(…)`.

pub mod json_table;
mod ordering;
mod recursion;

pub use ordering::order_using;
pub use recursion::{cycle, cycle_to, search_breadth_first, search_depth_first};
