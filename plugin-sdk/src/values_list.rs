use std::panic::Location;

use callslip_ir as ir;
use callslip_ir::{NodeId, NodeKind};

use crate::{Expressions, IntoExpr, Select, Subquery};

/// `VALUES (…), (…)`. Made by [`values`].
#[derive(Clone)]
#[must_use = "rows do nothing until they are part of a query"]
pub struct Values {
    rows: Vec<Vec<NodeId>>,
    written_at: &'static Location<'static>,
}

/// `VALUES (…), (…)`: rows of expressions, each a tuple, an array or a `Vec`, and all of one length. With
/// [`Values::alias`] they are a relation; [`values!`](macro@crate::values) makes one whose columns have types.
#[track_caller]
pub fn values<R: Expressions>(rows: impl IntoIterator<Item = R>) -> Values {
    let mut list = Vec::new();
    for row in rows {
        list.push(row.into_expressions());
    }
    Values { rows: list, written_at: Location::caller() }
}

impl Values {
    /// `(VALUES …) AS alias (columns)`: a relation with columns of these names.
    #[track_caller]
    pub fn alias<const N: usize>(self, alias: &str, columns: [&str; N]) -> Subquery {
        Subquery::with_columns(self.query().into_query(), alias, &columns)
    }

    /// The rows as a query by itself: a statement, a side of a UNION, a CTE. Its columns are `column1`, `column2`, and so on,
    /// which [`Cte::columns`](crate::Cte::columns) gives other names.
    ///
    /// ```
    /// # use callslip_sdk::prelude::*;
    /// # let pos = table("position").alias("p");
    /// let more = select((pos.col("id"), pos.col("title"))).from(pos).union(values([(0, "none")]).query());
    /// let grades = cte("grades", values([("A", 90), ("B", 75)]).query()).columns(["letter", "at_least"]);
    /// ```
    pub fn query(self) -> Select {
        Select::finished(NodeKind::Values(ir::Values { rows: self.rows }), "VALUES", self.written_at)
    }
}

/// `(VALUES (…), (…)) AS alias (columns)`: a relation with typed columns. The first row tells their types.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// let grade = values!("grade", (letter, at_least), [("A", 90), ("B", 75), ("C", 50)]);
/// let r = table("result").alias("r");
/// let query = select((r.col("name"), max(grade.letter).alias("grade")))
///     .from(r)
///     .join(grade, r.col("points").ge(grade.at_least))
///     .group_by(r.col("name"));
/// ```
#[macro_export]
macro_rules! values {
    (
        $alias:expr, ($($column:ident),+ $(,)?),
        [($($first:expr),+ $(,)?) $(, ($($value:expr),+ $(,)?))* $(,)?] $(,)?
    ) => {{
        $crate::__derived_relation!(@struct Subquery $($column)+);

        // The first row tells the types of the columns.
        #[allow(non_camel_case_types, clippy::builtin_type_shadow, clippy::too_many_arguments)]
        #[track_caller]
        fn __relation<$($column: $crate::IntoExpr),+>(
            alias: &::core::primitive::str,
            rest: ::std::vec::Vec<::std::vec::Vec<$crate::__private::ir::NodeId>>,
            $($column: $column),+
        ) -> __Relation<$($column::Ty),+> {
            let mut rows = ::std::vec![::std::vec![$($crate::__private::cell($column)),+]];
            rows.extend(rest);
            const COLUMNS: &[&::core::primitive::str] =
                &[$($crate::__private::plain_name(::core::stringify!($column))),+];
            __Relation::of($crate::__private::typed_values(alias, COLUMNS, rows))
        }
        __relation($alias, ::std::vec![$(::std::vec![$($crate::__private::cell($value)),+]),*], $($first),+)
    }};
}

/// One value of a row.
#[doc(hidden)]
#[track_caller]
pub fn cell(value: impl IntoExpr) -> NodeId {
    value.into_expr().id
}

/// The relation that `values!` makes.
#[doc(hidden)]
#[track_caller]
pub fn typed_values(alias: &str, columns: &[&str], rows: Vec<Vec<NodeId>>) -> Subquery {
    let query = Values { rows, written_at: Location::caller() }.query().into_query();
    Subquery::with_columns(query, alias, columns)
}
