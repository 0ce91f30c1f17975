//! Rows on their way out, straight from PostgreSQL's binary protocol: no value in between, one pass over the
//! bytes.
//!
//! [`ReplyWriter`] writes a reply in one of the [formats](Format), [`TextCells`] cells for a terminal; a [`Row`] is for the service
//! that embeds the host. What each format makes of a value:
//!
//! | type | JSON, NDJSON | CSV | Arrow |
//! |---|---|---|---|
//! | null, of any type | `null` | nothing; a text that is empty is `""` | null |
//! | `bool` | `true`, `false` | `true`, `false` | `Boolean` |
//! | `int2`, `int4`, `oid` | a number: `-7` | `-7` | `Int16`, `Int32`, `UInt32` |
//! | `int8` | a number with all its digits: `9007199254740993` | `9007199254740993` | `Int64` |
//! | `float4`, `float8` | the shortest number that reads back the same: `0.1`, `1e300`; `"NaN"`, `"Infinity"`, `"-Infinity"` | `0.1`, `1e300`, `NaN`, `Infinity`, `-Infinity` | `Float32`, `Float64` |
//! | `numeric` | a number with all its digits and its scale: `1.50`; `"NaN"`, `"Infinity"`, `"-Infinity"` | `1.50`, `NaN`, `Infinity`, `-Infinity` | `Utf8`, as in CSV |
//! | `numeric(10,2)`, declared so, of at most 38 digits | as `numeric` | as `numeric` | `Decimal128(10, 2)`, which has no NaN |
//! | `int8` and `numeric`, where numbers are wanted as strings | `"9007199254740993"`, `"1.50"` | `9007199254740993`, `1.50` | `Utf8` |
//! | `text`, `varchar`, `bpchar`, `name`, `"char"` | a string: `"a \"b\""` | quoted where it has to be: `a b`, `"a ""b"""` | `Utf8` |
//! | `bytea` | base64: `"AP8Q"` | `AP8Q` | `Binary`, its bytes |
//! | `date` | ISO 8601: `"2024-02-29"`; `"infinity"` | `2024-02-29`, `infinity` | `Date32` |
//! | `time` | ISO 8601: `"12:30:00.5"` | `12:30:00.5` | `Time64(µs)`, which has no 24:00:00 |
//! | `timetz` | with its offset: `"12:30:00+02:00"` | `12:30:00+02:00` | `Utf8` |
//! | `timestamp` | ISO 8601: `"2024-02-29T12:30:00.5"`; `"-infinity"` | `2024-02-29T12:30:00.5`, `-infinity` | `Timestamp(µs)` |
//! | `timestamptz` | RFC 3339 in UTC: `"2024-02-29T12:30:00.5Z"` | `2024-02-29T12:30:00.5Z` | `Timestamp(µs, "UTC")` |
//! | `interval` | ISO 8601, with a sign on each part that is negative: `"P1Y2M3DT4H5M6.5S"` | `P1Y2M3DT4H5M6.5S` | `Interval(MonthDayNano)`, of at most 292 years in hours |
//! | `uuid`, `inet`, `cidr`, `macaddr`, `macaddr8` | PostgreSQL's text: `"10.0.0.0/8"` | `10.0.0.0/8` | `Utf8` |
//! | `json`, `jsonb` | itself, as PostgreSQL has it: `{"a": 1}` | its text: `"{""a"": 1}"` | `Utf8` |
//! | arrays of these | arrays, nested by dimension: `[1,null]`, `[[1],[2]]`; lower bounds are dropped | as in JSON: `"[1,null]"` | `List(Int32)` and so on, of one dimension |
//! | enums, ranges, composite types and all others | PostgreSQL's text, as a string: `"[1,5)"`; arrays of these as arrays: `["calm"]` | `"[1,5)"`, `"[""calm""]"` | `Utf8`, `List(Utf8)` |
//!
//! Seconds have as many digits as they need, at most six. What RFC 3339 has no word for is written as PostgreSQL writes it, so that it
//! can be given back as a parameter: `infinity`, `-infinity`, a fifth digit of the year, and ` BC` at the end. In NDJSON a `json` has
//! spaces for its line breaks. In CSV a null in a reply of one column is an empty line, which some readers leave out.
//!
//! In Arrow infinity is the greatest value of its type and minus infinity the least, which no other value is. What a type of Arrow
//! can't hold fails the reply ([`RowError::Unreadable`]): NaN in a declared `numeric`, unless numbers are wanted as strings, `24:00:00`, a
//! timestamp after the year 294246, an interval of more hours, an array of several dimensions. A query that has
//! such values casts them to text. The precision of a `numeric` is known where PostgreSQL tells it of a column; it does of one that is
//! read or cast, does not of a sum, and a host that proves on a
//! connection which it is lent has it of none.
//!
//! Types that are none of the first are cast to text, and their arrays to `text[]`, by the statement: see [`is_decoded`].

#[cfg(feature = "arrow")]
mod arrow;
mod column;
mod csv;
mod error;
mod format;
mod json;
mod ndjson;
mod object;
mod row;
mod style;
mod text;
mod types;
mod writer;

pub use column::{ColumnEncoder, is_decoded};
pub use error::RowError;
pub use format::{Format, UnknownFormat};
pub use json::{JsonReply, JsonRows};
#[cfg(feature = "host")]
pub(crate) use object::JsonObject;
pub use row::{ColumnIndex, Row, RowShape};
pub use style::Numbers;
pub use text::TextCells;
#[cfg(feature = "service")]
pub(crate) use types::ScalarType;
pub use writer::{ReplyWriter, StatementRows};
