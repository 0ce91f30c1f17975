//! What few queries need, each beside its SQL. The prelude has none of it: `use callslip_sdk::rare::…`.

mod record;
mod sample;

pub use record::{ColumnDefinition, IntoTableFunction, Record, TableFunctions, column, record, rows_from};
pub use sample::{SamplingMethod, TableSample, bernoulli, sampling_method, system};
