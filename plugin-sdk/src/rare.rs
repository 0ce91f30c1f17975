//! What few queries need, apart from the prelude: `use callslip_sdk::rare;`, and `rare::cycle(…)`.

pub mod json_table;
mod ordering;
mod record;
mod recursion;
mod sample;

pub use ordering::order_using;
pub use record::{ColumnDefinition, IntoTableFunction, Record, TableFunctions, column, record, rows_from};
pub use recursion::{cycle, cycle_to, search_breadth_first, search_depth_first};
pub use sample::{SamplingMethod, TableSample, bernoulli, sampling_method, system};
