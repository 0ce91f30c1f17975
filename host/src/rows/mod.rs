//! Rows on their way out, straight from PostgreSQL's binary protocol: no value in between, one pass over the
//! bytes.
//!
//! [`JsonReply`] writes JSON, [`TextCells`] cells for a terminal; a [`Row`] is for the service that embeds the host. What JSON makes of each type:
//!
//! | type | JSON |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | `int2`, `int4`, `int8`, `oid` | a number |
//! | `float4`, `float8` | the shortest number that reads back the same; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `numeric` | a number with all its digits and its scale; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `text`, `varchar`, `bpchar`, `name`, `"char"` | a string |
//! | `bytea` | base64 |
//! | `date`, `time`, `timestamp` | ISO 8601: `"2024-02-29"`, `"12:30:00.5"`, `"2024-02-29T12:30:00.5"` |
//! | `timetz` | the same with its offset: `"12:30:00+02:00"` |
//! | `timestamptz` | RFC 3339 in UTC: `"2024-02-29T12:30:00.5Z"` |
//! | `interval` | ISO 8601: `"P1Y2M3DT4H5M6.5S"`, with a sign on each part that is negative |
//! | `uuid`, `inet`, `cidr`, `macaddr`, `macaddr8` | PostgreSQL's text |
//! | `json`, `jsonb` | itself, as PostgreSQL has it; a `json` may have line breaks |
//! | arrays of these | arrays, nested by dimension; lower bounds are dropped |
//!
//! Seconds have as many digits as they need, at most six. What RFC 3339 has no word for is written as
//! PostgreSQL writes it, so that it can be given back as a parameter: `"infinity"`, `"-infinity"`, a fifth digit
//! of the year, and ` BC` at the end.
//!
//! Other types have to be cast to text, or their arrays to `text[]`, by the statement: see [`is_decoded`].

mod column;
mod error;
mod json;
mod object;
mod row;
mod text;
mod types;

pub use column::{ColumnEncoder, is_decoded};
pub use error::RowError;
pub use json::{JsonReply, JsonRows};
pub use row::{ColumnIndex, Row, RowShape};
pub use text::TextCells;
