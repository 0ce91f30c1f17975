//! Every construct of the language beside its SQL. Each example is a test: what a query becomes is asserted.
//!
//! The tables are those of a small library: `shelf`, a tree of shelves by `parent_id`; `book` on a shelf, with its genre, an enum,
//! `tags` and `scores`, arrays, and `details`, a `jsonb`; `rare_book`, which inherits from `book`; `reader`, whose `home` is a
//! composite; `loan` of a book to a reader, with its `period`, a range; `copy` of a book by its number, and its `repair`.
//!
//! `assert_sql(query, "…")` is the macro [`assert_sql!`](crate::assert_sql) with the library's snapshot, which is of a PostgreSQL
//! 15; `assert_sql_17` is the same of a PostgreSQL 17.
#![doc = include_str!("../docs/language/queries.md")]
#![doc = include_str!("../docs/language/relations.md")]
#![doc = include_str!("../docs/language/expressions.md")]
#![doc = include_str!("../docs/language/sql_json.md")]
#![doc = include_str!("../docs/language/parameters.md")]
#![doc = include_str!("../docs/language/pages.md")]
