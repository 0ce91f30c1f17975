use std::marker::PhantomData;

use callslip_ir::{Direction, Domain, Nulls, ParameterMode, Presence, Range, ValueType};

use crate::{Expr, FieldValue, Order, Orders, json, parameter::Source};

/// The keys that a caller can sort by: an enum with `#[derive(Sort)]`.
///
/// A key's name is the variant's in snake_case, or what `#[sort(rename = "…")]` says. `#[sort(nulls = first)]` and
/// `#[sort(nulls = last)]` put the nulls there in both directions. Without them they are where PostgreSQL has them: last
/// when the key ascends, first when it descends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of sort keys",
    label = "an enum with `#[derive(Sort)]` is wanted here"
)]
pub trait SortKey: Sized + 'static {
    /// The names, in the order of the variants.
    const NAMES: &'static [&'static str];
    /// The key with this name.
    fn from_name(name: &str) -> Option<Self>;
    /// Where its nulls are.
    #[doc(hidden)]
    fn nulls(&self) -> Nulls;
}

/// What a caller sorts by, as the type of a field of [`Params`](crate::Params): any of the keys of `K`, each once, in any order and
/// direction. It is seen, and without `#[param(default = "…")]` it has no keys when it is left out.
///
/// | the caller writes | `keys(…).then(pos.col("id"))` is |
/// |---|---|
/// | `?sort=title` | `ORDER BY title ASC, id ASC` |
/// | `?sort=-closed,title` | `ORDER BY closed_at DESC NULLS LAST, title ASC, id ASC` |
/// | `?sort=`, or with JSON `"sort": []` | `ORDER BY id ASC` |
///
/// In JSON it is the same text, or an array: `["-closed", "title"]`.
///
/// Each order is a shape of its own: of two keys there are 13, of three 79, of four 633. Those that are too many to be
/// proven when the plugin is loaded are proven when they are first asked for.
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
///     #[param(default = "-closed")]
///     sort: Sort<By>,
///     page: Page,
/// }
///
/// #[query]
/// fn list(p: List) -> Select {
///     let pos = table("position").alias("p");
///     let order = p.sort.keys(|by| match by {
///         By::Title => pos.col("title").key(),
///         By::Closed => pos.col("closed_at").key(),
///     });
///     select(pos.col("title")).from(pos).page(p.page, order.then(pos.col("id")))
/// }
/// ```
pub struct Sort<K: SortKey> {
    terms: Vec<(&'static str, Direction)>,
    keys: PhantomData<K>,
}

impl<K: SortKey> Clone for Sort<K> {
    fn clone(&self) -> Self {
        Self { terms: self.terms.clone(), keys: PhantomData }
    }
}

impl<K: SortKey> Sort<K> {
    /// The ORDER BY that the caller wants, where `key` says which expression each key is.
    pub fn keys(&self, mut key: impl FnMut(K) -> Key) -> SortOrder {
        let order = |(name, direction): &(&'static str, Direction)| {
            let known = K::from_name(name)?;
            let nulls = known.nulls();
            Some(Order { expression: key(known).0.id, direction: direction.clone(), nulls })
        };
        SortOrder(self.terms.iter().filter_map(order).collect())
    }

    /// Reads `-closed,title`; `None` if a key is unknown or there twice.
    fn read(text: &str) -> Option<Self> {
        let mut terms: Vec<(&'static str, Direction)> = Vec::new();
        for term in text.split(',').filter(|_| !text.is_empty()) {
            let (name, direction) = match term.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (term, Direction::Ascending),
            };
            let name = *K::NAMES.iter().find(|known| **known == name)?;
            if terms.iter().any(|(before, _)| *before == name) {
                return None;
            }
            terms.push((name, direction));
        }
        Some(Self { terms, keys: PhantomData })
    }
}

impl<K: SortKey> FieldValue for Sort<K> {
    type Literal = &'static str;
    const MODE: ParameterMode = ParameterMode::Seen;

    fn field_type() -> (ValueType, Option<Range>) {
        let keys = K::NAMES.iter().map(|name| (*name).to_owned()).collect();
        (ValueType { domain: Domain::Sort { keys }, array: false, nullable: false }, None)
    }

    fn presence() -> Presence {
        Presence::Default(Self::literal_json(""))
    }

    fn literal_json(literal: &'static str) -> String {
        json::quote(literal)
    }

    fn from_literal(_source: &Source<'_>, literal: &'static str) -> Option<Self> {
        Self::read(literal)
    }

    fn from_choice(_source: &Source<'_>, choice: &str) -> Option<Self> {
        Self::read(choice)
    }

    fn unseen(_source: &Source<'_>) -> Option<Self> {
        Self::read("")
    }
}

/// What a sort key sorts by: an expression of any type, made by [`Expression::key`](crate::Expression::key).
#[derive(Clone, Copy)]
#[must_use = "a key does nothing until it is part of a sort order"]
pub struct Key(pub(crate) Expr);

/// An ORDER BY that a caller chose, made by [`Sort::keys`]; for [`Select::page`](crate::Select::page) and
/// [`Select::order_by`](crate::Select::order_by).
#[derive(Clone)]
#[must_use = "a sort order does nothing until it is part of a query"]
pub struct SortOrder(Vec<Order>);

impl SortOrder {
    /// Sorts the rows that are equal so far by this, or these, ascending if it does not say how: with a unique column at the end, the
    /// order is always the same.
    #[track_caller]
    pub fn then(mut self, orders: impl Orders) -> Self {
        self.0.extend(orders.into_orders());
        self
    }
}

impl Orders for SortOrder {
    fn into_orders(self) -> Vec<Order> {
        self.0
    }
}
