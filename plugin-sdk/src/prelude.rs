//! What an author needs daily: `use callslip_sdk::prelude::*;`.

pub use crate::{
    Any, Arg, ArrayOperators, Bytes, CURRENT_ROW, Claims, Column, Cte, Date, Exclude, Expr, Expression,
    Failure, Interval, IntoExpr, Item, Json, JsonOperators, Key, MembershipOperators, Nullable, Numeric, One,
    Order, Page, Params, Reply, Result, Select, Sort, SortOrder, SqlEnum, Subquery, Table, TextOperators,
    Time, Timestamp, Timestamptz, TypedTable, UNBOUNDED_FOLLOWING, UNBOUNDED_PRECEDING, Uuid, Window, abs,
    all, any, array, array_agg, array_query, avg, bool_and, bool_or, call, case, case_of, coalesce, constant,
    count, count_all, count_distinct, cte, current_date, current_time, current_timestamp, date_trunc, days,
    dec, dense_rank, empty_array, exists, export_plugin, extract, first_value, following, greatest, hours,
    jsonb_agg, lag, last_value, lead, least, length, localtime, localtimestamp, lower, max, min, minutes,
    months, nest_many, nest_one, not_exists, now, ntile, null, null_of, nullif, output, overlaps,
    percent_rank, percentile_cont, percentile_disc, preceding, prefix, query, rank, round, row, row_number,
    scalar, seconds, select, string_agg, subquery, sum, table, upper, weeks, whole_row, window, years,
};
