//! A private, throw-away PostgreSQL.
