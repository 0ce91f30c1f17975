//! Tests of plugins, which need neither a database nor WebAssembly.
//!
//! ```
//! # use callslip_sdk::{prelude::*, testing};
//! #[query]
//! fn companies() -> Select {
//!     let c = table("company");
//!     select(c.col("name")).from(c)
//! }
//! export_plugin!(companies);
//!
//! assert_eq!(PLUGIN.manifest().queries[0].name, "companies");
//! let plan = testing::plan(&PLUGIN, "companies", &[]).unwrap();
//! assert!(plan[0].bindings.is_empty());
//! ```

use callslip_ir::{Domain, Parameter, Reply, Rows};

use crate::{Choice, Failure, Plugin, Select, SqlEnum, Statement, arena};

/// The statements of a query, given what is seen of its parameters: `("open", "true")` of a bool, the label of an enum,
/// `("sort", "-closed,title")` of a sort order, the JSON text of an open parameter, and `("since", "present")` of an optional bound one.
///
/// # Errors
/// The query's own refusal, an unknown query, or choices that the query can't have.
pub fn plan(plugin: &Plugin, query: &str, parameters: &[(&str, &str)]) -> Result<Vec<Statement>, Failure> {
    plan_for(plugin, query, parameters, &[])
}

/// The same as [`plan()`], given what is seen of the caller's claims too.
///
/// # Errors
/// Those of [`plan()`].
pub fn plan_for(
    plugin: &Plugin,
    query: &str,
    parameters: &[(&str, &str)],
    claims: &[(&str, &str)],
) -> Result<Vec<Statement>, Failure> {
    let choice = |&(parameter, value): &(&str, &str)| Choice {
        parameter: parameter.to_owned(),
        value: value.to_owned(),
    };
    let parameters: Vec<Choice> = parameters.iter().map(choice).collect();
    let claims: Vec<Choice> = claims.iter().map(choice).collect();
    plugin.plan(query, &parameters, &claims)
}

/// The statement that a SELECT becomes.
///
/// It is made of what this thread has written, so it has to be called where the SELECT was written.
#[must_use]
pub fn describe(query: Select) -> Statement {
    let (shape, bindings) = arena::describe(query.into_query());
    Statement { name: String::new(), shape, bindings }
}

/// Asserts the SQL that a query sends, with what is bound to its parameters in a comment after it; and that it verifies
/// against a snapshot of the catalog, the `SNAPSHOT` of [`macro@crate::schema`].
///
/// It needs `callslip` among the plugin's `[dev-dependencies]`, with `default-features = false`. After the query's name come
/// what is seen of its parameters, `name: value` of a bool, an enum or a sort and the bare name of an optional one that is
/// there, and then what is seen of the claims. A statement of a reply with several is named `"query.statement"`. How many spaces
/// and line breaks there are does not matter.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # mod tables { callslip_sdk::schema!("../example-plugins/hiring/schema.json"); }
/// # use tables::Position;
/// #[derive(Params)]
/// struct Open {
///     remote: bool,
///     since: Option<Arg<Timestamptz>>,
/// }
/// #[query]
/// fn open(p: Open) -> Select {
///     let pos = Position::alias("p");
///     select(pos.title)
///         .from(pos)
///         .filter(p.remote.then(|| pos.closed_at.is_null()))
///         .filter(p.since.map(|since| pos.closed_at.ge(since)))
/// }
/// export_plugin!(open);
///
/// // In a test:
/// callslip_sdk::assert_sql!(tables::SNAPSHOT, PLUGIN, "open", { remote: false, since }, "
///     SELECT p.title AS title
///     FROM public.position AS p
///     WHERE p.closed_at >= CAST($1 AS timestamptz)
///     -- $1: since
/// ");
/// ```
///
/// Of a [`Paged`](crate::Paged) it is the SQL of the first page, and with `cursor` among what is seen that of the page behind one.
///
/// Of a SELECT by itself it is `assert_sql!(tables::SNAPSHOT, select(…).from(…), "…")`.
#[macro_export]
macro_rules! assert_sql {
    (
        $snapshot:expr, $plugin:expr, $query:expr, { $($parameter:ident $(: $value:expr)?),* $(,)? },
        claims { $($claim:ident $(: $seen:expr)?),* $(,)? }, $sql:expr $(,)?
    ) => {{
        let __parameters = [$($crate::assert_sql!(@choice $parameter $($value)?)),*];
        let __statement = $crate::testing::statement(
            &$plugin,
            $query,
            &__parameters,
            &[$($crate::assert_sql!(@choice $claim $($seen)?)),*],
        );
        let $crate::Statement { shape: __shape, bindings: __bindings, .. } = &__statement;
        match $crate::testing::page(&$plugin, $query, &__parameters) {
            None => ::callslip::testing::assert_sql($snapshot, __shape, __bindings, $sql),
            Some(__behind_a_cursor) => {
                ::callslip::testing::assert_page_sql($snapshot, __shape, __bindings, __behind_a_cursor, $sql);
            }
        }
    }};
    ($snapshot:expr, $select:expr, $sql:expr $(,)?) => {{
        let __statement = $crate::testing::describe($select);
        ::callslip::testing::assert_sql($snapshot, &__statement.shape, &__statement.bindings, $sql);
    }};
    ($snapshot:expr, $plugin:expr, $query:expr, { $($parameters:tt)* }, $sql:expr $(,)?) => {
        $crate::assert_sql!($snapshot, $plugin, $query, { $($parameters)* }, claims {}, $sql)
    };
    (@choice $name:ident) => {
        $crate::assert_sql!(@choice $name "present")
    };
    (@choice $name:ident $value:expr) => {
        $crate::Choice {
            parameter: ::std::string::String::from(::core::stringify!($name)),
            value: $crate::testing::Seen::into_text($value),
        }
    };
}

/// One statement of a query, for [`assert_sql!`](crate::assert_sql).
///
/// # Panics
/// If the query refuses, or there is no such statement.
#[doc(hidden)]
#[track_caller]
pub fn statement(plugin: &Plugin, query: &str, parameters: &[Choice], claims: &[Choice]) -> Statement {
    let (query, name) = query.split_once('.').unwrap_or((query, ""));
    let plan = match plugin.plan(query, parameters, claims) {
        Ok(plan) => plan,
        Err(failure) => panic!("the query {query} refuses: {failure}"),
    };
    let names: Vec<String> = plan.iter().map(|statement| statement.name.clone()).collect();
    match plan.into_iter().find(|statement| statement.name == name) {
        Some(statement) => statement,
        None if names.iter().all(String::is_empty) => {
            panic!("the query {query} has one statement, which has no name: {query} is enough")
        }
        None => panic!(
            "the query {query} has the statements {}: name one, as in \"{query}.{}\"",
            names.join(", "),
            names[0]
        ),
    }
}

/// Whether a statement of a query gives a page, for [`assert_sql!`](crate::assert_sql), and whether that is behind a cursor.
#[doc(hidden)]
#[must_use]
pub fn page(plugin: &Plugin, query: &str, parameters: &[Choice]) -> Option<bool> {
    let (query, name) = query.split_once('.').unwrap_or((query, ""));
    let declared = plugin.manifest().queries.into_iter().find(|declared| declared.name == query)?;
    let rows = match declared.reply {
        Reply::Single(rows) => rows,
        Reply::Named(replies) => replies.into_iter().find(|reply| reply.name == name)?.rows,
    };
    let is_cursor = |choice: &Choice| {
        let cursor = |its: &Parameter| its.name == choice.parameter && its.ty.domain == Domain::Cursor;
        declared.parameters.iter().any(cursor)
    };
    (rows == Rows::Page).then(|| parameters.iter().any(is_cursor))
}

/// What is seen of a parameter, as [`assert_sql!`](crate::assert_sql) takes it: a bool, an enum, or text, such as that of a
/// sort.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that is seen of a parameter",
    label = "a bool, an enum with `#[derive(SqlEnum)]` or a text is wanted here"
)]
pub trait Seen {
    #[doc(hidden)]
    fn into_text(self) -> String;
}

impl Seen for bool {
    fn into_text(self) -> String {
        self.to_string()
    }
}

impl Seen for &str {
    fn into_text(self) -> String {
        self.to_owned()
    }
}

impl<T: SqlEnum> Seen for T {
    fn into_text(self) -> String {
        self.label().to_owned()
    }
}
