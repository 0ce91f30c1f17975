//! Write query plugins for Callslip: describe SELECTs in Rust, in a sandbox, without a connection.
//!
//! A plugin is a crate of functions that describe queries. Callslip's host checks what they describe against the
//! database and the plugin's grants, binds the parameters, and runs it. `callslip build` makes a component of it.
//!
//! ```
//! use callslip_sdk::prelude::*;
//!
//! mod tables {
//!     callslip_sdk::schema!("tests/schema.json"); // `callslip catalog snapshot` writes it
//! }
//! use tables::{Interview, InterviewStatus, Position};
//!
//! #[derive(Params)]
//! struct Funnel {
//!     /// The company whose positions to count.
//!     company: Arg<i32>,
//!     /// Only positions that are still open.
//!     #[param(default = true)]
//!     open: bool,                                   // seen: two shapes
//!     since: Option<Arg<Timestamptz>>,              // presence is seen: twice as many
//!     #[param(default = 50, range = 1..=500)]
//!     limit: Arg<u32>,
//! }
//!
//! /// All and completed interviews of each position.
//! #[query(example(company = 1))]
//! fn funnel(p: Funnel) -> Select {
//!     let (pos, i) = (Position::alias("p"), Interview::alias("i"));
//!     select((pos.id, pos.title, count(i.id).alias("interviews"),
//!             count(i.id).filter(i.status.eq(InterviewStatus::Completed)).alias("completed")))
//!         .from(pos)
//!         .left_join(i, i.position_id.eq(pos.id))
//!         .filter(pos.company_id.eq(p.company))
//!         .filter(p.open.then(|| pos.closed_at.is_null()))      // None adds nothing
//!         .filter(p.since.map(|t| i.completed_at.ge(t)))
//!         .group_by(pos.id)
//!         .order_by((pos.title, pos.id))
//!         .limit(p.limit)
//! }
//! export_plugin!(funnel);
//!
//! // A plugin's tests need neither a database nor WebAssembly; `assert_sql!` asserts the SQL itself.
//! let plan = callslip_sdk::testing::plan(&PLUGIN, "funnel", &[("open", "true")])?;
//! assert_eq!(plan[0].shape.slots.len(), 3); // the company, 'completed', and the limit
//! # Ok::<(), Failure>(())
//! ```
//!
//! **What a query sees.** It never sees the value of a bound parameter, an [`Arg`]. It can branch on bools, enums,
//! sort orders and on whether an optional parameter is there. So it has finitely many *shapes*, and the host proves all of them when it
//! loads the plugin. [`Params`] says more.
//!
//! **Expressions** are small handles that may be copied and used any number of times; what they can do is in
//! [`Expression`]. **Relations** are a typed table of [`schema!`], a [`table()`], a [`cte()`], a query with an alias
//! ([`Select::alias`]), a function ([`Call::in_from`]), [`values()`] or relations that are [`joined()`]. A query begins with
//! [`select()`].
//!
//! **The whole language.** The page [`language`] has every construct beside its SQL.
//!
//! **Types.** [`schema!`] makes a struct of each table, so that a column that isn't there, or is compared with what it can't be
//! compared with, doesn't compile. An expression without a type, such as a column of a [`table()`], goes with
//! everything, and is checked when the plugin is loaded.
//!
//! **Daily words**, with what they are in SQL:
//!
//! | Rust | SQL |
//! |---|---|
//! | `t.name.eq_any(p.tags)`, of an `Arg<Vec<String>>` | `t.name = ANY ($1)`; an empty list matches nothing |
//! | `i.completed_at.ge(now() - days(7))` | `i.completed_at >= now() - interval '7 day'` |
//! | `c.profile.get_text("score").cast::<Numeric>().ge(dec("3.50"))` | `CAST(c.profile ->> 'score' AS numeric) >= 3.50` |
//! | `q.keyset(p.keyset, (pos.title, pos.id))`: [`Keyset`], [`Paged`] | `WHERE (p.title, p.id) > ($1, $2) ORDER BY p.title, p.id LIMIT $3 + 1` |
//! | `q.page(p.page, p.sort.keys(…).then(pos.id))`: [`Sort`](struct@Sort), [`Page`] | `ORDER BY …, p.id LIMIT $1 OFFSET ($2 - 1) * $1` |
//! | `q.join(pos, i.position().eq(pos))`: [`ForeignKey`] | `JOIN position AS p ON i.position_id = p.id` |
//! | `q.join_once("i", \|i: Interview\| i.position_id.eq(pos.id))`: [`Select::join_once`] | `JOIN interview AS i ON …`, once |
//! | `cte!("r", { rank: row_number().over(w) }, \|s\| s.from(c))`: [`macro@cte`] | `WITH r AS (SELECT row_number() OVER … AS rank FROM …)` |
//! | `q.left_join_lateral(subquery!("n", { at: max(i.completed_at) }, \|s\| s.from(i)), true)`: [`subquery!`] | `LEFT JOIN LATERAL (SELECT …) AS n ON true` |
//! | `a.union_all(b).order_by(output("name"))`: [`Select::union_all`] | `a UNION ALL b ORDER BY name` |
//! | `q.group_by(rollup((pos.id, i.status)))` | `GROUP BY ROLLUP (pos.id, i.status)` |
//! | `exists(select(1).from(t).filter(…))` | `EXISTS (SELECT 1 FROM t WHERE …)` |
//! | `count(i.id).filter(…)`, `sum(r.score).over(w)` | `count(i.id) FILTER (WHERE …)`, `sum(r.score) OVER …` |
//! | `call("app.score", (c.id, 3))`, `a.op("@>", b)` | any other function and operator |
//! | `q.one()`, in a `fn … -> Result<One>` | one object; 404 when there is none |
//!
//! **Errors.** Whatever is wrong with a description is found when the plugin is loaded, and says in which line of the
//! author's source. A panic reaches the host with its message, file and line.

// What the SDK's macros write names the crate as its users do.
extern crate self as callslip_sdk;

mod arena;
mod call;
mod case;
mod column;
mod condition;
mod derived;
mod expr;
mod expression;
mod failure;
mod foreign_key;
mod function;
mod grouping;
mod interval;
mod joined;
mod json;
mod keyset;
mod list;
mod named_type;
mod names;
mod nest;
mod operand;
mod operators;
mod order;
mod page;
mod parameter;
mod plugin;
mod relation;
mod select;
mod sort;
mod sql_enum;
mod sql_json;
mod sql_type;
mod table_function;
mod type_name;
mod value;
mod values_list;
mod window;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
pub mod language;
pub mod prelude;
pub mod rare;
pub mod testing;

pub use call::{Call, call};
pub use callslip_ir::Exclude;
/// Typed tables: makes a type of each relation and enum of a catalog snapshot.
///
/// `callslip catalog snapshot --out schema.json` writes the snapshot from a database. Its path is relative to the
/// crate's `Cargo.toml`; what changes in the file is compiled again.
///
/// ```
/// use callslip_sdk::prelude::*;
///
/// mod tables {
///     callslip_sdk::schema!("tests/schema.json");
/// }
/// use tables::{Interview, InterviewStatus, Position};
///
/// /// Which interviews of a position are completed.
/// #[query]
/// fn completed() -> Select {
///     let (pos, i) = (Position::alias("p"), Interview::alias("i"));
///     select((pos.title, i.completed_at))
///         .from(pos)
///         .join(i, i.position_id.eq(pos.id)) // an int4 and an int4
///         .filter(i.status.eq(InterviewStatus::Completed)) // no other enum, and no string
/// }
/// ```
///
/// It makes, in the scope where it stands:
///
/// - **a struct for each table and view**: `Position`, whose fields are its columns, each a [`Column`] of its type.
///   [`TypedTable::alias`] and [`TypedTable::table`] make one. The documentation of both has the database's comments.
/// - **an enum for each enum type**: `InterviewStatus`, which is a [`SqlEnum`], so that it can be a parameter too.
/// - **a module for each schema that isn't searched**, with the same in it: `audit::Event`.
/// - `SNAPSHOT`, the text of the file.
///
/// **Foreign keys** are methods, each a [`ForeignKey`] that equals the table that it refers to, and no other:
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # mod tables {
/// #     callslip_sdk::schema!("tests/schema.json");
/// # }
/// # use tables::{Interview, Position};
/// let (pos, i) = (Position::alias("p"), Interview::alias("i"));
/// // LEFT JOIN interview AS i ON i.position_id = p.id
/// let interviews = select((pos.title, i.status)).from(pos).left_join(i, i.position().eq(pos));
/// ```
///
/// The method is named after the constraint, in snake case: `interview_position_id_fkey` is `interview_position_id_fkey()`, and also
/// `position()`, without the table and the `_fkey` that PostgreSQL puts around the columns when it names a key, and without
/// an `_id` at the end. A name that somebody gave, `fk_position`, stays as it is. A new table, view or key never changes what a name
/// means: one that two keys of a table could have, or that hides a method that tables have, such as `alias`, is given to
/// none, and the documentation of both says so; a whole name of that kind has `_foreign_key` behind it. There are
/// none for keys with PERIOD, and for those that refer to a table that is not made.
///
/// | PostgreSQL | Rust |
/// |---|---|
/// | `int2`, `int4`, `int8`, `float4`, `float8`, `bool` | `i16`, `i32`, `i64`, `f32`, `f64`, `bool` |
/// | `text`, `varchar`, `bpchar`, `citext`, `name`, `"char"` | `String` |
/// | `numeric`, `date`, `time`, `timestamp`, `timestamptz`, `interval`, `uuid` | [`Numeric`], [`Date`], [`Time`], [`Timestamp`], [`Timestamptz`], [`Interval`], [`Uuid`] |
/// | `json`, `jsonb`; `bytea` | [`Json`]; [`Bytes`] |
/// | `int4range`, `int8range`, `numrange`, `daterange`, `tsrange`, `tstzrange`; their multiranges | [`Range`], [`Multirange`] |
/// | `inet`, `cidr`, `macaddr`, `macaddr8`, `tsvector`, `tsquery`, `jsonpath`, `bit`, `varbit`, `money`, `timetz` | [`Inet`], [`Cidr`], [`MacAddr`], [`MacAddr8`], [`TsVector`], [`TsQuery`], [`JsonPath`], [`Bit`], [`VarBit`], [`Money`], [`TimeTz`] |
/// | an enum; a domain; an array | its Rust enum; what its base is; a `Vec` |
/// | a composite or range type of the database's own | a struct of its name, as [`sql_type!`] makes it |
/// | anything else | [`Any`], which goes with every type |
///
/// **Names** that are no Rust identifiers become some: `First Name` is `FirstName`, a column `type` is `r#type`, one `self` is `self_`; of names
/// that come to the same, one that SQL writes without quotes goes first, and the others get a number. Their documentation has
/// the name in SQL. A table `option` hides Rust's `Option` from whoever imports everything of the module, and one `select` makes
/// `Select` ambiguous; import what is meant by its name.
///
/// **Only some.** `schema!("schema.json", only = [position, interview, audit.event])` makes these and the enums that
/// their columns use. A name that is no Rust identifier is written as a string: `only = ["Odd name"]`.
///
/// **Names.** A column's name is its field's, as `r#type` if it is a keyword; what is no identifier in snake_case becomes one:
/// `"First Name"` is `first_name`, and `"2fa"` is `_2fa`. Types are in PascalCase. Where two names come to the
/// same, the one that needs no quotes in SQL keeps it, and the others get a number: `title_2`.
///
/// A table may have the name of a word of the [`prelude`], such as `page` or `table`. Beside `use callslip_sdk::prelude::*` import
/// it by its name, which goes before what `*` brings: `use tables::{Page, Position}`.
///
/// **For several plugins.** Everything is public: a crate that is nothing but a `schema!` serves them all. A table that a
/// plugin doesn't use adds nothing to its component.
pub use callslip_sdk_macros::schema;
pub use callslip_sdk_macros::{Claims, Params, Reply, Sort, SqlEnum, query};
pub use case::{Case, CaseStart, case, case_of};
pub use column::Column;
#[doc(hidden)]
pub use column::Columns;
pub use condition::{Condition, all, any};
pub use expr::{Expr, IntoExpr, constant, null, null_of};
pub use expression::{
    ArrayOperators, Elements, Expression, JsonOperators, MembershipOperators, RowValues, TextOperators,
    array, array_query, empty_array, prefix, row, whole_row,
};
pub use failure::{Failure, Result};
pub use foreign_key::ForeignKey;
pub use function::{
    abs, array_agg, avg, bool_and, bool_or, coalesce, count, count_all, count_distinct, current_date,
    current_time, current_timestamp, date_trunc, dense_rank, extract, first_value, greatest, jsonb_agg, lag,
    last_value, lead, least, length, localtime, localtimestamp, lower, max, min, now, ntile, nullif,
    overlaps, percent_rank, percentile_cont, percentile_disc, rank, round, row_number, string_agg, substring,
    sum, upper,
};
pub use grouping::{
    GroupingMember, GroupingMembers, GroupingSet, IntoGrouping, cube, grouping, grouping_sets, rollup,
};
pub use interval::{days, dec, hours, minutes, months, seconds, weeks, years};
pub use joined::{JoinAlias, Joined, Using, joined, using};
pub use keyset::Keyset;
pub use list::{Alternatives, Expressions, Groupings, IntoItem, IntoOrder, Item, Items, Orders, RowCount};
pub use named_type::{
    Bit, Cidr, Inet, JsonPath, MacAddr, MacAddr8, Money, Multirange, Range, RangeBound, TimeTz, TsQuery,
    TsVector, VarBit,
};
pub use nest::{nest_many, nest_one};
pub use operand::{
    ArrayExpression, BooleanExpression, Comparable, ComparableToElements, CompositeExpression,
    ConcatExpression, ContainerExpression, JsonExpression, LowerExpression, NumberExpression, Operand,
    RoundExpression, SubscriptExpression, TextExpression, TruncateExpression, ZonedExpression,
};
pub use order::{Order, Output, output};
pub use page::Page;
pub use parameter::{Arg, Choice, Claims, Field, FieldValue, Inputs, NoDefault, Params};
pub use plugin::{Answer, Plugin, Query, Reply, ReplyStatement, Statement};
pub use relation::{
    Cte, IntoCte, IntoLateral, IntoRelation, Subquery, Table, TypedRelation, TypedTable, cte, cte_recursive,
    table,
};
pub use select::{One, Select, exists, not_exists, paged::Paged, scalar, select};
pub use sort::{Key, Sort, SortKey, SortOrder};
pub use sql_enum::SqlEnum;
pub use sql_json::{
    IsJson, JsonExists, JsonPredicates, JsonQuery, JsonValue, json_exists, json_query, json_value,
};
pub use sql_type::{Any, CastTarget, Divided, Minus, Modulo, Plus, SqlType, Times};
pub use table_function::{TableFunction, unnest};
pub use value::{
    Bytes, Date, Interval, Json, Nullable, Numeric, ParameterType, Ranged, ScalarType, Time, Timestamp,
    Timestamptz, Uuid,
};
pub use values_list::{Values, values};
pub use window::{
    Bound, CURRENT_ROW, Over, UNBOUNDED_FOLLOWING, UNBOUNDED_PRECEDING, Window, following, preceding, window,
};

#[cfg(test)]
mod tests;

mod sealed {
    /// Only this crate implements the traits that name it.
    pub trait Sealed {}
}

/// What the macros write refers to; not for authors.
#[doc(hidden)]
pub mod __private {
    pub use callslip_ir as ir;

    pub use crate::{
        derived::{Handle, item, plain_name, recursive},
        json::quote,
        named_type::named_constant,
        names::{FieldNames, are_distinct, contains},
        parameter::{Chosen, InputKind, Source, declared, names_of},
        plugin::{Root, named_reply},
        sealed::Sealed,
        sql_type::{Compares, CompositeType},
        type_name::parse_type,
        values_list::{cell, typed_values},
    };
}

/// Makes a plugin of these queries: functions with [`macro@query`], each by its path.
///
/// It declares `PLUGIN`, the [`Plugin`] that tests plan, and, where the target is WebAssembly, what a component
/// exports. A crate has one.
#[macro_export]
macro_rules! export_plugin {
    ($($query:path),+ $(,)?) => {
        /// The queries that this crate exports.
        pub static PLUGIN: $crate::Plugin = {
            const QUERIES: &[$crate::Query] = &[$($query()),+];
            $crate::Plugin::new(QUERIES)
        };

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::guest::Exports for Component {
                const PLUGIN: &'static $crate::Plugin = &PLUGIN;
            }

            #[global_allocator]
            static ALLOCATOR: $crate::guest::Arena = $crate::guest::Arena::new();

            type Exported = $crate::guest::Exported<Component>;
            $crate::guest::export!(Exported with_types_in $crate::guest::bindings);
        };
    };
}
