//! A crate of typed tables, as several plugins share one: whatever the database's names are, the strictest author gets no
//! warning.

#![deny(
    warnings,
    future_incompatible,
    rust_2018_idioms,
    let_underscore,
    keyword_idents,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]

callslip_sdk::schema!("../schema.json");

/// Names that are none in Rust, or that the macro's own code uses.
pub mod hostile {
    callslip_sdk::schema!("../hostile.json");
}

/// The library of the page of the language, and how its examples assert their SQL.
pub mod library {
    callslip_sdk::schema!("../../docs/language/library.json");

    /// Asserts the SQL of a SELECT over the library.
    #[track_caller]
    pub fn assert_sql(query: callslip_sdk::Select, sql: &str) {
        callslip_sdk::assert_sql!(SNAPSHOT, query, sql);
    }

    /// Asserts the SQL of a SELECT over the library of a server of version 17, which has what an older one has not.
    ///
    /// # Panics
    /// If it becomes another.
    #[track_caller]
    pub fn assert_sql_17(query: callslip_sdk::Select, sql: &str) {
        let (head, rest) =
            SNAPSHOT.split_once("\"postgresql\": ").expect("a snapshot says which server it is of");
        let (_, rest) = rest.split_once(',').expect("and more");
        let snapshot = [head, "\"postgresql\": 170000,", rest].concat();
        callslip_sdk::assert_sql!(&snapshot, query, sql);
    }
}
