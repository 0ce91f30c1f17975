//! Relations that are made of a query, with typed columns: [`macro@crate::cte`] and [`crate::subquery`]. What they share with
//! [`values!`](macro@crate::values) is here.

use crate::{Columns, Cte, Expr, IntoExpr, IntoRelation, Item, Select, Subquery, cte, cte_recursive, select};

/// A common table expression whose columns are typed fields: `WITH name AS (SELECT value AS column, … query)`.
///
/// It is given the select list, and a closure that makes the rest of the query of it. What it is otherwise, and where it is
/// declared, says [`Cte`]; it has its methods `alias`, `materialized` and `not_materialized`. A column whose name is a keyword is a field like `r#type`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let (c, i) = (table("candidate").alias("c"), table("interview").alias("i"));
/// let per_candidate = cte!("per_candidate", { candidate: i.col("candidate_id"), interviews: count_all() }, |s| {
///     s.from(i).group_by(i.col("candidate_id"))
/// });
/// let busy = select((c.col("name"), per_candidate.interviews))
///     .from(c)
///     .join(per_candidate, per_candidate.candidate.eq(c.col("id")))
///     .filter(per_candidate.interviews.gt(3));
/// ```
#[macro_export]
macro_rules! cte {
    ($name:expr, { $($column:ident: $value:expr),+ $(,)? }, $query:expr $(,)?) => {
        $crate::__derived_relation!(Cte, $name, { $($column: $value),+ }, $query)
    };
}

/// A recursive common table expression whose columns are typed fields: `WITH RECURSIVE name AS (SELECT value AS column, …
/// non-recursive term UNION [ALL] recursive term)`.
///
/// Like [`macro@cte`] it is given the select list, here that of the non-recursive term; the closure is given the relation itself,
/// too. The select list of the recursive term has the same columns in the same order.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let (s, c) = (table("shelf").alias("s"), table("shelf").alias("c"));
/// let tree = cte_recursive!("tree", { id: s.col("id"), depth: 0 }, |q, tree| {
///     q.from(s).filter(s.col("parent_id").is_null()).union_all(
///         select((c.col("id"), tree.depth + 1)).from(c).join(tree, c.col("parent_id").eq(tree.id)),
///     )
/// });
/// let shelves = select((tree.id, tree.depth)).from(tree).order_by(tree.depth);
/// ```
#[macro_export]
macro_rules! cte_recursive {
    ($name:expr, { $($column:ident: $value:expr),+ $(,)? }, $query:expr $(,)?) => {
        $crate::__derived_relation!(recursive Cte, $name, { $($column: $value),+ }, $query)
    };
}

/// A query in FROM whose columns are typed fields: `(SELECT value AS column, … query) AS alias`.
///
/// It is given the select list, and a closure that makes the rest of the query of it. Its method `lateral` lets it use columns
/// of the relations before it; so do the joins whose names end in `_lateral`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let (i, r) = (table("interview").alias("i"), table("rating").alias("r"));
/// let latest = subquery!("latest", { score: r.col("score"), at: r.col("created_at") }, |s| {
///     s.from(r).filter(r.col("interview_id").eq(i.col("id"))).order_by(r.col("created_at").desc()).limit(1)
/// });
/// let rated = select((i.col("id"), latest.score, latest.at)).from(i).left_join_lateral(latest, true);
/// ```
#[macro_export]
macro_rules! subquery {
    ($alias:expr, { $($column:ident: $value:expr),+ $(,)? }, $query:expr $(,)?) => {
        $crate::__derived_relation!(Subquery, $alias, { $($column: $value),+ }, $query)
    };
}

/// The block that these macros are: a struct with a field for each column, and its only value.
#[doc(hidden)]
#[macro_export]
macro_rules! __derived_relation {
    ($kind:ident, $name:expr, { $($column:ident: $value:expr),+ }, $query:expr) => {{
        $crate::__derived_relation!(@struct $kind $($column)+);

        // Its arguments tell the types of the columns, and are the select list.
        #[allow(non_camel_case_types, clippy::builtin_type_shadow, clippy::too_many_arguments)]
        #[track_caller]
        fn __relation<$($column: $crate::IntoExpr),+>(
            name: &::core::primitive::str,
            query: impl ::core::ops::FnOnce($crate::Select) -> $crate::Select,
            $($column: $column),+
        ) -> __Relation<$($column::Ty),+> {
            let items = ::std::vec![$($crate::__private::item($column, $crate::__private::plain_name(::core::stringify!($column)))),+];
            __Relation::of($crate::__private::Handle::define(name, items, query))
        }
        __relation($name, $query, $($value),+)
    }};
    (recursive $kind:ident, $name:expr, { $($column:ident: $value:expr),+ }, $query:expr) => {{
        $crate::__derived_relation!(@struct $kind $($column)+);

        #[allow(non_camel_case_types, clippy::builtin_type_shadow, clippy::too_many_arguments)]
        #[track_caller]
        fn __relation<$($column: $crate::IntoExpr),+>(
            name: &::core::primitive::str,
            query: impl ::core::ops::FnOnce($crate::Select, __Relation<$($column::Ty),+>) -> $crate::Select,
            $($column: $column),+
        ) -> __Relation<$($column::Ty),+> {
            let items = ::std::vec![$($crate::__private::item($column, $crate::__private::plain_name(::core::stringify!($column)))),+];
            let query = |select, itself| query(select, __Relation::of(itself));
            __Relation::of($crate::__private::recursive(name, items, query))
        }
        __relation($name, $query, $($value),+)
    }};
    (@struct $kind:ident $($column:ident)+) => {
        // Each column's type has the name of the column.
        #[allow(non_camel_case_types, unreachable_pub)]
        mod __names {
            $(pub enum $column {})+
        }

        #[allow(non_camel_case_types, dead_code, clippy::builtin_type_shadow)]
        struct __Relation<$($column),+> {
            $($column: $crate::Column<$column, __names::$column>,)+
            __columns: $crate::Columns,
            __handle: $crate::$kind,
        }

        #[allow(non_camel_case_types, clippy::builtin_type_shadow)]
        impl<$($column),+> ::core::clone::Clone for __Relation<$($column),+> {
            fn clone(&self) -> Self { *self }
        }
        #[allow(non_camel_case_types, clippy::builtin_type_shadow)]
        impl<$($column),+> ::core::marker::Copy for __Relation<$($column),+> {}

        #[allow(non_camel_case_types, clippy::builtin_type_shadow)]
        impl<$($column),+> $crate::TypedRelation for __Relation<$($column),+> {
            fn columns(self) -> $crate::Columns { self.__columns }
        }

        #[allow(non_camel_case_types, dead_code, clippy::builtin_type_shadow)]
        impl<$($column),+> __Relation<$($column),+> {
            fn of(__handle: $crate::$kind) -> Self {
                let __columns = $crate::__private::Handle::typed(
                    __handle,
                    const { &[$($crate::__private::plain_name(::core::stringify!($column))),+] },
                );
                let mut __places = 0_u32..;
                Self {
                    $($column: __columns.column(__places.next().unwrap_or_default()),)+
                    __columns,
                    __handle,
                }
            }
        }
        $crate::__derived_relation!(@methods $kind $($column)+);
    };
    (@methods Cte $($column:ident)+) => {
        #[allow(non_camel_case_types, dead_code, clippy::builtin_type_shadow)]
        impl<$($column),+> __Relation<$($column),+> {
            #[track_caller]
            fn alias(self, alias: &::core::primitive::str) -> Self { Self::of(self.__handle.alias(alias)) }
            fn materialized(self) -> Self { Self::of(self.__handle.materialized()) }
            fn not_materialized(self) -> Self { Self::of(self.__handle.not_materialized()) }
        }

        #[allow(non_camel_case_types, clippy::builtin_type_shadow)]
        impl<$($column),+> $crate::IntoCte for __Relation<$($column),+> {
            fn into_cte(self) -> $crate::Cte { self.__handle }
        }
    };
    (@methods Subquery $($column:ident)+) => {
        #[allow(non_camel_case_types, dead_code, clippy::builtin_type_shadow)]
        impl<$($column),+> __Relation<$($column),+> {
            #[track_caller]
            fn lateral(self) -> Self { Self::of(self.__handle.lateral()) }
        }

        #[allow(non_camel_case_types, clippy::builtin_type_shadow)]
        impl<$($column),+> $crate::IntoLateral for __Relation<$($column),+> {
            #[track_caller]
            fn into_lateral(self) -> $crate::__private::ir::NodeId { $crate::IntoLateral::into_lateral(self.__handle) }
        }
    };
}

/// A relation that is made of a query, whose columns have no types yet.
#[doc(hidden)]
pub trait Handle: IntoRelation + Copy {
    #[track_caller]
    fn define(name: &str, items: Vec<Item>, query: impl FnOnce(Select) -> Select) -> Self;

    fn typed(self, names: &'static [&'static str]) -> Columns {
        Columns::of(self.into_relation(), names)
    }
}

impl Handle for Cte {
    #[track_caller]
    fn define(name: &str, items: Vec<Item>, query: impl FnOnce(Select) -> Select) -> Self {
        cte(name, query(select(items)))
    }
}

impl Handle for Subquery {
    #[track_caller]
    fn define(alias: &str, items: Vec<Item>, query: impl FnOnce(Select) -> Select) -> Self {
        query(select(items)).alias(alias)
    }
}

/// A recursive CTE whose first select list is `items`.
#[doc(hidden)]
#[track_caller]
pub fn recursive(name: &str, items: Vec<Item>, query: impl FnOnce(Select, Cte) -> Select) -> Cte {
    let select = select(items);
    cte_recursive(name, |itself| query(select, itself))
}

/// A field's name without the `r#` of one that is a keyword.
#[doc(hidden)]
pub const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// A column of the select list of a [`Handle`].
#[doc(hidden)]
#[track_caller]
pub fn item(value: impl IntoExpr, name: &str) -> Item {
    let Expr { id, .. } = value.into_expr();
    Item { expression: id, alias: Some(name.to_owned()) }
}
