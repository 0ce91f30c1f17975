use super::Select;

/// A SELECT that gives a page of its rows. Made by [`Select::keyset`].
///
/// The reply is `{"rows": […], "next": "…"}`: the rows, and where the next page begins, or null where there is none. A query
/// has one such statement at the most. Beside others in a [`Reply`](macro@crate::Reply) it is the same object under its
/// name.
///
/// It is whole, and takes no other LIMIT:
///
/// ```compile_fail,E0599
/// # use callslip_sdk::prelude::*;
/// # #[derive(Params)]
/// # struct List { keyset: Keyset }
/// fn list(p: List) -> Paged {
///     let pos = table("position").alias("p");
///     select(pos.col("title")).from(pos).keyset(p.keyset, pos.col("id")).limit(5)
/// }
/// ```
#[derive(Clone)]
#[must_use = "a query does nothing until it is returned"]
pub struct Paged(pub(crate) Select);
