//! The borrowed connection.
