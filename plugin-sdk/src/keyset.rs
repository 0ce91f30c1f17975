use callslip_ir::{Domain, Parameter, ParameterMode, Presence, ValueType};

use crate::{
    Arg, Failure, Field, NoDefault, Orders, Paged, Select,
    page::{row_count, size},
    parameter::Source,
};

/// The greatest size of a page: it is gathered before any of it is sent.
const MOST_ROWS: u32 = 10_000;
const CURSOR: &str = "cursor";
const SIZE: &str = "page_size";

/// Where a page of a list begins, as the type of a field of [`Params`](crate::Params): behind the last row of the page before it. It has
/// `SIZE` rows if the caller does not say how many, and at most `MAX`, which is at most 10,000.
///
/// The field declares two parameters, whatever it is called: `cursor`, which a caller leaves out for the first page and takes
/// from the reply for each other one; and `page_size`, how many rows the page has. A query that uses it gives a
/// [`Paged`], whose reply is `{"rows": […], "next": "…"}`; `next` is null where nothing follows.
///
/// However far a page is, PostgreSQL begins to read where it begins, if an index has the keys in that order; a
/// [`Page`](crate::Page) reads and drops all the rows before it. And rows that are inserted or deleted between two pages
/// shift nothing: no row comes twice, and none is left out that was there all the time.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// #[derive(Sort)]
/// enum By {
///     Title,
///     #[sort(nulls = last)]
///     Closed,
/// }
///
/// #[derive(Params)]
/// struct List {
///     sort: Sort<By>,
///     keyset: Keyset<20, 100>, // ?cursor=…&page_size=50
/// }
///
/// #[query]
/// fn list(p: List) -> Paged {
///     let pos = table("position").alias("p");
///     let order = p.sort.keys(|by| match by {
///         By::Title => pos.col("title").key(),
///         By::Closed => pos.col("closed_at").key(),
///     });
///     select(pos.col("title")).from(pos).keyset(p.keyset, order.then(pos.col("id")))
/// }
/// ```
///
/// What the host makes of it (the keys need not be in the select list; they never leave the host but inside a cursor, which
/// nobody else can read or write):
///
/// | keys | behind a cursor |
/// |---|---|
/// | `(p.title, p.id)`, NOT NULL both | `WHERE (p.title, p.id) > ($1, $2) ORDER BY p.title, p.id` |
/// | `(p.title.desc(), p.id.desc())` | `WHERE (p.title, p.id) < ($1, $2) ORDER BY p.title DESC, p.id DESC` |
/// | `(p.title.desc(), p.id)` | `WHERE p.title <= $1 AND (p.title < $1 OR p.title = $1 AND p.id > $2)` |
/// | `(p.closed_at, p.id)`, the first of them nullable | `WHERE (p.closed_at > $1 OR p.closed_at IS NULL AND $1 IS NOT NULL) OR p.closed_at IS NOT DISTINCT FROM $1 AND p.id > $2` |
///
/// Of the first three an index on the keys serves the condition. Every shape is proven when the plugin is loaded, with a
/// cursor and without, and the plugin sees no more than whether there is one.
///
/// The keys have to tell each two rows apart (see [`SortOrder::then`](crate::SortOrder::then)). A page that ends
/// between two rows which they don't is an error, since it would leave the second one out.
///
/// Of `#[param(…)]` it takes nothing:
///
/// ```compile_fail
/// # use callslip_sdk::prelude::*;
/// #[derive(Params)]
/// struct List {
///     #[param(rename = "after")]
///     keyset: Keyset,
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Keyset<const SIZE: u32 = 50, const MAX: u32 = 500> {
    size: Arg<i64>,
}

impl<const SIZE: u32, const MAX: u32> Field for Keyset<SIZE, MAX> {
    type Literal = NoDefault;
    const IS_NAMED: bool = true;
    const SUFFIXES: &'static [&'static str] = {
        assert!(
            0 < SIZE && SIZE <= MAX && MAX <= MOST_ROWS,
            "a page of a `Keyset<SIZE, MAX>` has at least one row, `MAX` is not less than `SIZE`, and at most 10,000"
        );
        &[CURSOR, self::SIZE]
    };

    fn declare(_name: &str, doc: &str) -> Vec<Parameter> {
        let doc =
            if doc.is_empty() { "The `next` of the page before; left out, the first page." } else { doc };
        let cursor = Parameter {
            name: CURSOR.to_owned(),
            doc: doc.to_owned(),
            ty: ValueType { domain: Domain::Cursor, array: false, nullable: false },
            mode: ParameterMode::Bound,
            presence: Presence::Optional,
            range: None,
        };
        vec![cursor, size(self::SIZE.to_owned(), SIZE, MAX)]
    }

    fn json(default: NoDefault) -> String {
        match default {}
    }

    fn read(source: Source<'_>, _default: Option<NoDefault>) -> Result<Self, Failure> {
        Ok(Self { size: row_count(&source, self::SIZE) })
    }
}

impl Select {
    /// `ORDER BY orders LIMIT page_size`: one page of the rows, of which the first comes after the last one of the page before.
    /// The orders are the keys, which have to tell each two rows apart; each is an expression with a direction, or an
    /// [`output`](crate::output). [`Keyset`] says what becomes of them.
    ///
    /// A page has no other LIMIT or OFFSET, and no DISTINCT ON; of such a query select with
    /// [`alias`](Select::alias), and page that.
    #[track_caller]
    pub fn keyset<const SIZE: u32, const MAX: u32>(
        self,
        page: Keyset<SIZE, MAX>,
        orders: impl Orders,
    ) -> Paged {
        Paged(self.order_by(orders).limit(page.size))
    }
}
