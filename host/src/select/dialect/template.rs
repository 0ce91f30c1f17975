//! The text that statements are made of. `{0}` is an operand, in parentheses unless it is atomic; `{0!}` is printed
//! as it is; `{0-}` is a query without parentheses; `{1..}` are all operands from 1, with commas,
//! `{1~}` with blanks.

pub const PLACED: &str = "{0!}{1-}{2!}";
pub const RELATION: &str = "\u{1}relation";

pub const LIST: &str = "{0..}";
pub const WORDS: &str = "{0!} {1!}";
pub const SEQUENCE: &str = "{0~}";
pub const GROUP: &str = "({0..})";

pub const TYPE_MODIFIED: &str = "{0!}({1..})";
pub const TYPE_ARRAY: &str = "{0!}[]";
pub const CAST: &str = "CAST({0!} AS {1!})";
pub const NULL: &str = "CAST(NULL AS {0!})";

pub const PREFIX: &str = "{0!} {1}";
pub const INFIX: &str = "{0} {1!} {2}";
pub const AND: &str = "{0} AND {1}";
pub const FALSE: &str = "FALSE";
pub const OR: &str = "{0} OR {1}";
pub const NOT: &str = "NOT {0}";
pub const COLLATE: &str = "{0} COLLATE {1!}";

pub const IS_NULL: &str = "{0} IS NULL";
pub const IS_NOT_NULL: &str = "{0} IS NOT NULL";
pub const IS_TRUE: &str = "{0} IS TRUE";
pub const IS_NOT_TRUE: &str = "{0} IS NOT TRUE";
pub const IS_FALSE: &str = "{0} IS FALSE";
pub const IS_NOT_FALSE: &str = "{0} IS NOT FALSE";
pub const IS_UNKNOWN: &str = "{0} IS UNKNOWN";
pub const IS_NOT_UNKNOWN: &str = "{0} IS NOT UNKNOWN";

pub const BETWEEN: &str = "{0} BETWEEN {1} AND {2}";
pub const NOT_BETWEEN: &str = "{0} NOT BETWEEN {1} AND {2}";
pub const BETWEEN_SYMMETRIC: &str = "{0} BETWEEN SYMMETRIC {1} AND {2}";
pub const NOT_BETWEEN_SYMMETRIC: &str = "{0} NOT BETWEEN SYMMETRIC {1} AND {2}";
pub const DISTINCT_FROM: &str = "{0} IS DISTINCT FROM {1}";
pub const NOT_DISTINCT_FROM: &str = "{0} IS NOT DISTINCT FROM {1}";
pub const COALESCE: &str = "COALESCE({0..})";
pub const NULLIF: &str = "NULLIF({0!}, {1!})";
pub const GREATEST: &str = "GREATEST({0..})";
pub const LEAST: &str = "LEAST({0..})";
pub const GROUPING: &str = "GROUPING({0..})";
pub const AT_TIME_ZONE: &str = "{0} AT TIME ZONE {1}";
pub const OVERLAPS: &str = "({0!}, {1!}) OVERLAPS ({2!}, {3!})";
pub const LIKE_ESCAPE: &str = "{0} LIKE {1} ESCAPE {2}";
pub const NOT_LIKE_ESCAPE: &str = "{0} NOT LIKE {1} ESCAPE {2}";
pub const ILIKE_ESCAPE: &str = "{0} ILIKE {1} ESCAPE {2}";
pub const NOT_ILIKE_ESCAPE: &str = "{0} NOT ILIKE {1} ESCAPE {2}";
pub const SIMILAR: &str = "{0} SIMILAR TO {1}";
pub const NOT_SIMILAR: &str = "{0} NOT SIMILAR TO {1}";
pub const SIMILAR_ESCAPE: &str = "{0} SIMILAR TO {1} ESCAPE {2}";
pub const NOT_SIMILAR_ESCAPE: &str = "{0} NOT SIMILAR TO {1} ESCAPE {2}";
pub const CURRENT_DATE: &str = "CURRENT_DATE";
pub const CURRENT_TIME: &str = "CURRENT_TIME";
pub const CURRENT_TIME_OF: &str = "CURRENT_TIME({0!})";
pub const CURRENT_TIMESTAMP: &str = "CURRENT_TIMESTAMP";
pub const CURRENT_TIMESTAMP_OF: &str = "CURRENT_TIMESTAMP({0!})";
pub const LOCALTIME: &str = "LOCALTIME";
pub const LOCALTIME_OF: &str = "LOCALTIME({0!})";
pub const LOCALTIMESTAMP: &str = "LOCALTIMESTAMP";
pub const LOCALTIMESTAMP_OF: &str = "LOCALTIMESTAMP({0!})";
/// The field is one of a list of the host's own, and EXTRACT takes it in quotes.
pub const EXTRACT: &str = "EXTRACT({0!} FROM {1})";

pub const CASE: &str = "CASE {0!} END";
pub const CASE_OF: &str = "CASE {0} {1!} END";
pub const CASE_ELSE: &str = "CASE {0!} ELSE {1} END";
pub const CASE_OF_ELSE: &str = "CASE {0} {1!} ELSE {2} END";
pub const WHEN: &str = "WHEN {0} THEN {1}";

pub const ARRAY: &str = "ARRAY[{0..}]";
pub const ROW: &str = "ROW({0..})";
pub const WHOLE_ROW: &str = "{0!}.*";
/// In a list of expressions PostgreSQL spreads a bare `b.*` into the columns.
pub const WHOLE_ROW_LISTED: &str = "COALESCE({0!})";
pub const ACCESSED: &str = "({0!})";
pub const INDEX: &str = "{0!}[{1!}]";
pub const SLICE: &str = "{0!}[{1}:{2}]";
pub const SLICE_FROM: &str = "{0!}[{1}:]";
pub const SLICE_TO: &str = "{0!}[:{1}]";
pub const SLICE_ALL: &str = "{0!}[:]";
pub const FIELD: &str = "{0!}.{1!}";
pub const SCALAR: &str = "({0-})";
pub const EXISTS: &str = "EXISTS ({0-})";
pub const ARRAY_OF: &str = "ARRAY({0-})";
pub const IN_QUERY: &str = "{0} IN ({1-})";
pub const NOT_IN_QUERY: &str = "{0} NOT IN ({1-})";
pub const IN_LIST: &str = "{0} IN ({1..})";
pub const NOT_IN_LIST: &str = "{0} NOT IN ({1..})";
pub const ANY_QUERY: &str = "{0} {1!} ANY ({2-})";
pub const ALL_QUERY: &str = "{0} {1!} ALL ({2-})";
pub const ANY_ARRAY: &str = "{0} {1!} ANY ({2!})";
pub const ALL_ARRAY: &str = "{0} {1!} ALL ({2!})";

pub const CALL_STAR: &str = "{0!}(*)";
pub const CALL_DISTINCT: &str = "{0!}(DISTINCT {1!})";
pub const CALL_LIST: &str = "{0!}({1!})";
pub const CALL_ORDERED: &str = "{0!}({1!} ORDER BY {2!})";
pub const CALL_DISTINCT_ORDERED: &str = "{0!}(DISTINCT {1!} ORDER BY {2!})";
pub const ARGUMENT_NAMED: &str = "{0!} => {1!}";
pub const ARGUMENT_VARIADIC: &str = "VARIADIC {0!}";
pub const WITHIN_GROUP: &str = "{0!} WITHIN GROUP (ORDER BY {1!})";
pub const FILTER: &str = "{0!} FILTER (WHERE {1!})";
pub const OVER: &str = "{0!} OVER ({1!})";
pub const OVER_NAMED: &str = "{0!} OVER {1!}";
pub const WINDOW: &str = "WINDOW {0..}";
pub const WINDOW_NAMED: &str = "{0!} AS ({1!})";
pub const PARTITION_BY: &str = "PARTITION BY {0..}";
pub const ORDER_BY: &str = "ORDER BY {0..}";
pub const FRAME_ROWS: &str = "ROWS {0!}";
pub const FRAME_RANGE: &str = "RANGE {0!}";
pub const FRAME_GROUPS: &str = "GROUPS {0!}";
pub const FRAME_BETWEEN: &str = "BETWEEN {0!} AND {1!}";
pub const UNBOUNDED_PRECEDING: &str = "UNBOUNDED PRECEDING";
pub const PRECEDING: &str = "{0} PRECEDING";
pub const CURRENT_ROW: &str = "CURRENT ROW";
pub const FOLLOWING: &str = "{0} FOLLOWING";
pub const UNBOUNDED_FOLLOWING: &str = "UNBOUNDED FOLLOWING";
pub const EXCLUDE_CURRENT_ROW: &str = "{0!} EXCLUDE CURRENT ROW";
pub const EXCLUDE_GROUP: &str = "{0!} EXCLUDE GROUP";
pub const EXCLUDE_TIES: &str = "{0!} EXCLUDE TIES";

pub const IS_JSON: &str = "{0} IS {1!}";
pub const IS_NOT_JSON: &str = "{0} IS NOT {1!}";
pub const JSON_EXISTS: &str = "JSON_EXISTS({0~})";
pub const JSON_VALUE: &str = "JSON_VALUE({0~})";
pub const JSON_QUERY: &str = "JSON_QUERY({0~})";
pub const JSON_OPERANDS: &str = "{0}, {1}";
pub const JSON_PASSING: &str = "PASSING {0..}";
pub const JSON_PASSED: &str = "{0} AS {1!}";
pub const JSON_RETURNING: &str = "RETURNING {0!}";
pub const JSON_DEFAULT: &str = "DEFAULT {0}";
/// PostgreSQL takes no parameter as a DEFAULT, but an operator on one: this one changes nothing, not even a null.
pub const JSON_DEFAULT_PARAMETER: &str = "CAST(({0} OPERATOR(\"pg_catalog\".||) '') AS {1!})";
pub const JSON_ON_EMPTY: &str = "{0!} ON EMPTY";
pub const JSON_ON_ERROR: &str = "{0!} ON ERROR";
pub const JSON_TABLE: &str = "JSON_TABLE({0~})";
pub const JSON_TABLE_ROWS: &str = "{0}, {1!}";
pub const JSON_TABLE_NAMED_ROWS: &str = "{0}, {1!} AS {2!}";
pub const JSON_COLUMNS: &str = "COLUMNS ({0..})";
pub const JSON_ORDINALITY: &str = "{0!} FOR ORDINALITY";
pub const JSON_PATH: &str = "PATH {0!}";
pub const JSON_NESTED: &str = "NESTED PATH {0!} {1!}";
pub const JSON_NAMED_NESTED: &str = "NESTED PATH {0!} AS {1!} {2!}";

pub const ASCENDING: &str = "{0} ASC";
pub const DESCENDING: &str = "{0} DESC";
pub const USING_OPERATOR: &str = "{0} USING {1!}";
pub const NULLS_FIRST: &str = "{0!} NULLS FIRST";
pub const NULLS_LAST: &str = "{0!} NULLS LAST";

pub const ALIASED: &str = "{0!} AS {1!}";
pub const ALIASED_COLUMNS: &str = "{0!} AS {1!} ({2..})";
pub const SUBQUERY: &str = "({0-})";
pub const LATERAL: &str = "LATERAL ({0-})";
pub const ONLY: &str = "ONLY {0!}";
pub const TABLESAMPLE: &str = "{0!} TABLESAMPLE {1!} ({2..})";
pub const REPEATABLE: &str = "{0!} REPEATABLE ({1!})";
pub const ROWS_FROM: &str = "ROWS FROM ({0..})";
pub const WITH_ORDINALITY: &str = "{0!} WITH ORDINALITY";
pub const LATERAL_FUNCTIONS: &str = "LATERAL {0!}";
pub const COLUMN_DEFINITIONS: &str = "{0!} AS ({1..})";
pub const COLUMN_DEFINITION: &str = "{0!} {1!}";
pub const COLUMN_DEFINITION_COLLATE: &str = "{0!} {1!} COLLATE {2!}";
pub const JOIN: &str = "{0!} JOIN {1!}";
pub const LEFT_JOIN: &str = "{0!} LEFT JOIN {1!}";
pub const RIGHT_JOIN: &str = "{0!} RIGHT JOIN {1!}";
pub const FULL_JOIN: &str = "{0!} FULL JOIN {1!}";
pub const CROSS_JOIN: &str = "{0!} CROSS JOIN {1!}";
pub const NATURAL_JOIN: &str = "{0!} NATURAL JOIN {1!}";
pub const NATURAL_LEFT_JOIN: &str = "{0!} NATURAL LEFT JOIN {1!}";
pub const NATURAL_RIGHT_JOIN: &str = "{0!} NATURAL RIGHT JOIN {1!}";
pub const NATURAL_FULL_JOIN: &str = "{0!} NATURAL FULL JOIN {1!}";
pub const ON: &str = "{0!} ON {1!}";
pub const USING: &str = "{0!} USING ({1!})";
pub const USING_ALIAS: &str = "{0!} USING ({1!}) AS {2!}";
pub const DISTINCT_ON: &str = "DISTINCT ON ({0!}) {1!}";
pub const GROUP_BY_DISTINCT: &str = "DISTINCT {0!}";
pub const ROLLUP: &str = "ROLLUP ({0..})";
pub const CUBE: &str = "CUBE ({0..})";
pub const GROUPING_SETS: &str = "GROUPING SETS ({0..})";

pub const WITH: &str = "WITH {0!} {1-}";
pub const WITH_RECURSIVE: &str = "WITH RECURSIVE {0!} {1-}";
pub const CTE: &str = "{0!} AS ({1-})";
pub const CTE_MATERIALIZED: &str = "{0!} AS MATERIALIZED ({1-})";
pub const CTE_NOT_MATERIALIZED: &str = "{0!} AS NOT MATERIALIZED ({1-})";
pub const NAMED_COLUMNS: &str = "{0!} ({1..})";
pub const SEARCH_BREADTH: &str = "{0!} SEARCH BREADTH FIRST BY {1!} SET {2!}";
pub const SEARCH_DEPTH: &str = "{0!} SEARCH DEPTH FIRST BY {1!} SET {2!}";
pub const CYCLE: &str = "{0!} CYCLE {1!} SET {2!} USING {3!}";
pub const UNION: &str = "({0-}) UNION ({1-})";
pub const UNION_ALL: &str = "({0-}) UNION ALL ({1-})";
pub const INTERSECT: &str = "({0-}) INTERSECT ({1-})";
pub const INTERSECT_ALL: &str = "({0-}) INTERSECT ALL ({1-})";
pub const EXCEPT: &str = "({0-}) EXCEPT ({1-})";
pub const EXCEPT_ALL: &str = "({0-}) EXCEPT ALL ({1-})";
pub const VALUES: &str = "VALUES {0..}";
pub const QUERY_ORDERED: &str = "{0-} ORDER BY {1..}";
pub const FETCH_WITH_TIES: &str = "{0-} FETCH FIRST ({1!}) ROWS WITH TIES";
pub const LIMIT: &str = "{0-} LIMIT {1}";
pub const OFFSET: &str = "{0-} OFFSET {1}";

/// Whether what a template prints needs no parentheses as an operand.
pub fn is_atomic(text: &str) -> bool {
    matches!(
        text,
        CAST | NULL
            | COALESCE
            | NULLIF
            | GREATEST
            | LEAST
            | GROUPING
            | EXTRACT
            | CURRENT_DATE
            | CURRENT_TIME
            | CURRENT_TIME_OF
            | CURRENT_TIMESTAMP
            | CURRENT_TIMESTAMP_OF
            | LOCALTIME
            | LOCALTIME_OF
            | LOCALTIMESTAMP
            | LOCALTIMESTAMP_OF
            | CASE
            | CASE_OF
            | CASE_ELSE
            | CASE_OF_ELSE
            | ARRAY
            | ROW
            | WHOLE_ROW
            | WHOLE_ROW_LISTED
            | INDEX
            | SLICE
            | SLICE_FROM
            | SLICE_TO
            | SLICE_ALL
            | FIELD
            | SCALAR
            | EXISTS
            | ARRAY_OF
            | CALL_STAR
            | CALL_DISTINCT
            | CALL_LIST
            | CALL_ORDERED
            | CALL_DISTINCT_ORDERED
            | WITHIN_GROUP
            | FILTER
            | OVER
            | OVER_NAMED
            | JSON_EXISTS
            | JSON_VALUE
            | JSON_QUERY
            | JSON_DEFAULT_PARAMETER
    )
}
