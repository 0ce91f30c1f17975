use callslip_ir::{Domain, Parameter, ParameterMode, Presence, Range, Scalar, ValueType};

use crate::{Arg, Expression, Failure, Field, NoDefault, Orders, Select, parameter::Source};

/// The greatest number of a page.
const LAST: u32 = 1_000_000;
/// What follows the field's name in that of the parameter for the rows of a page.
const SIZE_SUFFIX: &str = "_size";

/// A page of a list, as the type of a field of [`Params`](crate::Params). It has `SIZE` rows if the caller does not say how many, and
/// at most `MAX`.
///
/// The field declares two parameters, both bound: `page: Page` declares `page`, the number of the page, from 1 (its
/// default) to 1,000,000; and `page_size`, how many rows it has. A page beyond the last row is empty.
///
/// Of `#[param(…)]` it takes `rename`, which is the beginning of both names; a default and a range are in its type:
///
/// ```compile_fail
/// # use callslip_sdk::prelude::*;
/// #[derive(Params)]
/// struct List {
///     #[param(default = 2)]
///     page: Page,
/// }
/// ```
///
/// PostgreSQL reads and drops the rows of the pages before it, and a row that is inserted there shifts the pages behind it; a
/// list that is paged to its far end, or while it changes, wants a [`Keyset`](crate::Keyset).
///
/// ```
/// # use callslip_sdk::prelude::*;
/// #[derive(Params)]
/// struct List {
///     page: Page<20, 100>, // ?page=3&page_size=50
/// }
///
/// #[query]
/// fn list(p: List) -> Select {
///     let pos = table("position").alias("p");
///     select(pos.col("title")).from(pos).page(p.page, pos.col("id"))
///     // ORDER BY p.id LIMIT $page_size OFFSET ($page - 1) * $page_size
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Page<const SIZE: u32 = 50, const MAX: u32 = 500> {
    number: Arg<i64>,
    size: Arg<i64>,
}

impl<const SIZE: u32, const MAX: u32> Field for Page<SIZE, MAX> {
    type Literal = NoDefault;
    const SUFFIXES: &'static [&'static str] = {
        assert!(
            0 < SIZE && SIZE <= MAX,
            "a `Page<SIZE, MAX>` has at least one row, and `MAX` is not less than `SIZE`"
        );
        &["", SIZE_SUFFIX]
    };

    fn declare(name: &str, doc: &str) -> Vec<Parameter> {
        let doc = if doc.is_empty() { "Which page, from 1." } else { doc };
        vec![number(name.to_owned(), doc, 1, LAST), size([name, SIZE_SUFFIX].concat(), SIZE, MAX)]
    }

    fn json(default: NoDefault) -> String {
        match default {}
    }

    fn read(source: Source<'_>, _default: Option<NoDefault>) -> Result<Self, Failure> {
        let number = Arg::bind(&source);
        let size = row_count(&source, &[source.name(), SIZE_SUFFIX].concat());
        Ok(Self { number, size })
    }
}

fn number(name: String, doc: &str, default: u32, max: u32) -> Parameter {
    Parameter {
        name,
        doc: doc.to_owned(),
        ty: ValueType { domain: Domain::Scalar(Scalar::Int8), array: false, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Default(default.to_string()),
        range: Some(Range { min: Some("1".to_owned()), max: Some(max.to_string()) }),
    }
}

/// The parameter for how many rows a page has.
pub(crate) fn size(name: String, default: u32, max: u32) -> Parameter {
    number(name, "How many rows a page has.", default, max)
}

/// What it is bound to, by its name.
pub(crate) fn row_count(source: &Source<'_>, name: &str) -> Arg<i64> {
    Arg::bind(&source.bound(name))
}

impl Select {
    /// `ORDER BY orders LIMIT page_size OFFSET (page - 1) * page_size`: one page of the rows. The order should tell each two
    /// rows apart (see [`SortOrder::then`](crate::SortOrder::then)), or a row may be on two pages and another on none.
    #[track_caller]
    pub fn page<const SIZE: u32, const MAX: u32>(self, page: Page<SIZE, MAX>, orders: impl Orders) -> Self {
        // Of the type int8, of which the product of both limits is far from the end.
        let rows_before = page.number.sub(1_i64).mul(page.size);
        self.order_by(orders).limit(page.size).offset(rows_before)
    }
}
