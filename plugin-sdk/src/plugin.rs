//! The queries of a plugin, and how they are planned.

use callslip_ir::{
    Bindings, Description, Manifest, NamedReply, NodeId, QueryDeclaration, Reply as ReplyDeclaration, Rows,
};

use crate::{Choice, Failure, One, Paged, Select, arena};

/// A query, made by `#[query]` of a function.
#[derive(Clone, Copy)]
pub struct Query {
    name: &'static str,
    declare: fn() -> QueryDeclaration,
    plan: Plan,
}

/// Plans a query, given what was chosen for its parameters and claims.
type Plan = fn(&[Choice], &[Choice]) -> Result<Vec<Statement>, Failure>;

impl Query {
    #[doc(hidden)]
    pub const fn new(name: &'static str, declare: fn() -> QueryDeclaration, plan: Plan) -> Self {
        Self { name, declare, plan }
    }
}

/// One statement of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name; empty where a plan has only one statement.
    pub name: String,
    /// Its shape.
    pub shape: Description,
    /// What is bound to the shape's slots.
    pub bindings: Bindings,
}

/// The queries that a crate exports. Made by [`crate::export_plugin`].
pub struct Plugin {
    queries: &'static [Query],
}

impl Plugin {
    /// A plugin of these queries.
    ///
    /// # Panics
    /// If two have one name. In a `static`, that is an error of the compiler.
    pub const fn new(queries: &'static [Query]) -> Self {
        let mut i = 0;
        while i < queries.len() {
            let mut j = i + 1;
            while j < queries.len() {
                assert!(!equal(queries[i].name, queries[j].name), "two queries of the plugin have one name");
                j += 1;
            }
            i += 1;
        }
        Self { queries }
    }

    /// What the plugin offers.
    pub fn manifest(&self) -> Manifest {
        Manifest {
            sdk: concat!("callslip-sdk ", env!("CARGO_PKG_VERSION")).to_owned(),
            queries: self.queries.iter().map(|query| (query.declare)()).collect(),
        }
    }

    /// The statements of a query, given what was chosen for its parameters and claims.
    ///
    /// # Errors
    /// The query's own refusal, an unknown query, or choices that the query can't have.
    pub fn plan(
        &self,
        query: &str,
        parameters: &[Choice],
        claims: &[Choice],
    ) -> Result<Vec<Statement>, Failure> {
        let Some(query) = self.queries.iter().find(|known| known.name == query) else {
            let queries: Vec<&str> = self.queries.iter().map(|query| query.name).collect();
            return Err(Failure::not_found(format!(
                "the plugin has no query \"{query}\"; its queries are {}",
                queries.join(", ")
            )));
        };
        arena::reset();
        (query.plan)(parameters, claims)
    }
}

/// Whether two strings are equal, where `==` is not allowed yet.
#[doc(hidden)]
pub const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A SELECT as a statement of a reply: [`Select`], [`One`] or [`Paged`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a statement",
    label = "the fields of a reply are `Select`, `One` or `Paged`"
)]
pub trait ReplyStatement {
    #[doc(hidden)]
    const ROWS: Rows;
    #[doc(hidden)]
    fn into_root(self) -> Root;
}

/// The query node of a statement.
#[doc(hidden)]
pub struct Root(NodeId);

impl ReplyStatement for Select {
    const ROWS: Rows = Rows::Many;
    fn into_root(self) -> Root {
        Root(self.into_query())
    }
}

impl ReplyStatement for One {
    const ROWS: Rows = Rows::One;
    fn into_root(self) -> Root {
        self.0.into_root()
    }
}

impl ReplyStatement for Paged {
    const ROWS: Rows = Rows::Page;
    fn into_root(self) -> Root {
        self.0.into_root()
    }
}

/// What a query gives: a [`Select`], a [`One`], a [`Paged`], or a struct of them with `#[derive(Reply)]`, whose fields are the
/// statements' names.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// #[derive(Reply)]
/// struct Page {
///     rows: Select,
///     total: One,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a query can't give a `{Self}`",
    label = "a `Select`, a `One`, a `Paged` or a struct with `#[derive(Reply)]` is wanted here, or a `Result` of these"
)]
pub trait Reply {
    #[doc(hidden)]
    fn declare() -> ReplyDeclaration;
    #[doc(hidden)]
    fn into_roots(self) -> Vec<(&'static str, Root)>;
}

impl Reply for Select {
    fn declare() -> ReplyDeclaration {
        ReplyDeclaration::Single(Rows::Many)
    }
    fn into_roots(self) -> Vec<(&'static str, Root)> {
        vec![("", self.into_root())]
    }
}

impl Reply for One {
    fn declare() -> ReplyDeclaration {
        ReplyDeclaration::Single(Rows::One)
    }
    fn into_roots(self) -> Vec<(&'static str, Root)> {
        vec![("", self.into_root())]
    }
}

impl Reply for Paged {
    fn declare() -> ReplyDeclaration {
        ReplyDeclaration::Single(Rows::Page)
    }
    fn into_roots(self) -> Vec<(&'static str, Root)> {
        vec![("", self.into_root())]
    }
}

#[doc(hidden)]
pub fn named_reply<S: ReplyStatement>(name: &str) -> NamedReply {
    NamedReply { name: name.to_owned(), rows: S::ROWS }
}

/// What the function of a query returns: a [`Reply`], or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a query can't return a `{Self}`",
    label = "a `Select`, a `One`, a `Paged` or a struct with `#[derive(Reply)]` is wanted here, or a `Result` of these"
)]
pub trait Answer {
    #[doc(hidden)]
    fn declare() -> ReplyDeclaration;
    #[doc(hidden)]
    fn into_statements(self) -> Result<Vec<Statement>, Failure>;
}

impl<R: Reply> Answer for R {
    fn declare() -> ReplyDeclaration {
        R::declare()
    }

    fn into_statements(self) -> Result<Vec<Statement>, Failure> {
        let roots = self.into_roots();
        let statement = |(name, root): (&str, Root)| {
            let (shape, bindings) = arena::describe(root.0);
            Statement { name: name.to_owned(), shape, bindings }
        };
        Ok(roots.into_iter().map(statement).collect())
    }
}

impl<R: Reply> Answer for Result<R, Failure> {
    fn declare() -> ReplyDeclaration {
        R::declare()
    }

    fn into_statements(self) -> Result<Vec<Statement>, Failure> {
        self?.into_statements()
    }
}
