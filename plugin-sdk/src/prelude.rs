//! What an author needs daily: `use callslip_sdk::prelude::*;`.
//!
//! Of the types it has those that functions of plugins take and give. What is only passed on, such as
//! [`Item`](crate::Item), [`Order`](crate::Order) and [`Key`](crate::Key), is left out: tables have such names.

pub use crate::{
    Any, Arg, Bytes, CURRENT_ROW, Claims, Column, Cte, Date, Exclude, Expr, Expression, Failure, GroupingSet,
    Interval, IntoExpr, Json, Keyset, Nullable, Numeric, One, Page, Paged, Params, Reply, Result, Select,
    Sort, SqlEnum, Subquery, Table, Time, Timestamp, Timestamptz, TypedTable, UNBOUNDED_FOLLOWING,
    UNBOUNDED_PRECEDING, Uuid, Window, abs, all, any, array_agg, avg, bool_and, bool_or, call, case, case_of,
    coalesce, constant, count, count_all, count_distinct, cte, cte_recursive, cube, current_date, date_trunc,
    days, dec, dense_rank, exists, export_plugin, extract, first_value, following, greatest, grouping,
    grouping_sets, hours, jsonb_agg, lag, last_value, lead, least, length, lower, max, min, minutes, months,
    not_exists, now, ntile, null, nullif, output, percent_rank, percentile_cont, percentile_disc, preceding,
    query, rank, rollup, round, row_number, scalar, seconds, select, string_agg, subquery, substring, sum,
    table, upper, weeks, window, years,
};

// Rows, arrays, what texts and JSON can do, and nested results.
pub use crate::{
    ArrayOperators, JsonOperators, MembershipOperators, TextOperators, array, array_query, current_time,
    current_timestamp, empty_array, localtime, localtimestamp, nest_many, nest_one, null_of, overlaps,
    prefix, row, whole_row,
};
// Types by name.
pub use crate::{Cidr, Inet, JsonPath, MacAddr, Multirange, Range, TsQuery, TsVector, sql_type};
// SQL/JSON.
pub use crate::{JsonPredicates, json_exists, json_query, json_value};
// What stands in FROM.
pub use crate::{TableFunction, joined, unnest, using, values};
