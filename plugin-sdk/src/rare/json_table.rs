//! `JSON_TABLE`, PostgreSQL 17 and later: a relation of what paths find in JSON.
//!
//! A path is a string that becomes part of the statement as a literal, since SQL takes nothing else there. What varies is
//! passed: [`JsonTable::passing`].

use std::{marker::PhantomData, panic::Location};

use callslip_ir::{
    self as ir, JsonQuotes, JsonTableColumn as Node, JsonWrapper, NodeId, NodeKind, SqlJsonBehavior,
    SqlJsonPassing, TypeName,
};

use crate::{CastTarget, Expr, IntoExpr, IntoRelation, arena, type_name::parse_type};

/// `JSON_TABLE(context, 'path' COLUMNS (columns))`: a row for each item that the path finds. Its alias is `json_table` until
/// [`JsonTable::alias`] gives another. What it looks in may be a column of a relation before it.
///
/// ```
/// use callslip_sdk::{prelude::*, rare::json_table::{column, json_table, ordinality}};
///
/// let b = table("book").alias("b");
/// let e = json_table(b.col("details"), "$.editions[*]", (ordinality("n"), column::<i32>("year"))).alias("e");
/// let editions = select((b.col("title"), e.col("n"), e.col("year"))).from(b).cross_join(e);
/// ```
#[track_caller]
pub fn json_table(context: impl IntoExpr, path: &str, columns: impl Columns) -> JsonTable {
    JsonTable::push(ir::JsonTable {
        context: context.into_expr().id,
        path: path.to_owned(),
        path_name: None,
        passing: Vec::new(),
        columns: columns.into_columns(),
        on_error: None,
        alias: "json_table".to_owned(),
        column_aliases: Vec::new(),
    })
}

/// A `JSON_TABLE`, which FROM and the joins take.
#[derive(Clone, Copy)]
#[must_use = "a relation does nothing until it is in FROM"]
pub struct JsonTable {
    id: NodeId,
    not_send: PhantomData<*const ()>,
}

#[diagnostic::do_not_recommend]
impl IntoRelation for JsonTable {
    fn into_relation(self) -> NodeId {
        self.id
    }
}
#[diagnostic::do_not_recommend]
impl IntoRelation for &JsonTable {
    fn into_relation(self) -> NodeId {
        self.id
    }
}

impl JsonTable {
    #[track_caller]
    fn push(table: ir::JsonTable) -> Self {
        let id = arena::push(NodeKind::JsonTable(table), Location::caller());
        Self { id, not_send: PhantomData }
    }

    fn node(self) -> ir::JsonTable {
        match arena::kind(self.id) {
            NodeKind::JsonTable(table) => table,
            _ => unreachable!("a handle names a node of its kind"),
        }
    }

    /// `… AS alias`.
    #[track_caller]
    pub fn alias(self, alias: &str) -> Self {
        Self::push(ir::JsonTable { alias: alias.to_owned(), ..self.node() })
    }

    /// `… AS alias (names)`: new names of its columns, from the first; those of NESTED come after all others.
    #[track_caller]
    pub fn columns<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let column_aliases = names.into_iter().map(str::to_owned).collect();
        Self::push(ir::JsonTable { column_aliases, ..self.node() })
    }

    /// `'path' AS name`: the name of the path to the rows.
    #[track_caller]
    pub fn path_name(self, name: &str) -> Self {
        Self::push(ir::JsonTable { path_name: Some(name.to_owned()), ..self.node() })
    }

    /// `… PASSING value AS name`: every path of the table knows it as `$name`.
    #[track_caller]
    pub fn passing(self, name: &str, value: impl IntoExpr) -> Self {
        let mut table = self.node();
        table.passing.push(SqlJsonPassing { value: value.into_expr().id, name: name.to_owned() });
        Self::push(table)
    }

    /// `… ERROR ON ERROR`: an error of the path to the rows fails the statement.
    #[track_caller]
    pub fn error_on_error(self) -> Self {
        Self::push(ir::JsonTable { on_error: Some(SqlJsonBehavior::Error), ..self.node() })
    }

    /// `… EMPTY ARRAY ON ERROR`, as it is where nothing is said: it has no rows then.
    #[track_caller]
    pub fn empty_array_on_error(self) -> Self {
        Self::push(ir::JsonTable { on_error: Some(SqlJsonBehavior::EmptyArray), ..self.node() })
    }

    /// A column: `alias.name`.
    #[track_caller]
    pub fn col(self, name: &str) -> Expr {
        Expr::push(NodeKind::Column { relation: arena::alias(self.id), name: name.to_owned() })
    }
}

/// The items of COLUMNS: one, or a tuple of up to 12.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not columns of JSON_TABLE",
    label = "a tuple of up to 12 of `column::<…>(\"name\")`, `exists(…)`, `ordinality(…)` and `nested(…)` is wanted here",
    note = "longer lists are a `Vec` of one kind, or several tuples in a tuple"
)]
pub trait Columns {
    #[doc(hidden)]
    fn into_columns(self) -> Vec<NodeId>;
}

fn item(id: NodeId) -> Node {
    match arena::kind(id) {
        NodeKind::JsonTableColumn(node) => node,
        _ => unreachable!("a handle names a node of its kind"),
    }
}

/// `name FOR ORDINALITY`: the number of the row, from 1.
#[track_caller]
pub fn ordinality(name: &str) -> Ordinality {
    Ordinality::push(Node::Ordinality { name: name.to_owned() })
}

/// `name T`: what is at the path `$."name"` of a row, or at another that [`Column::path`] gives.
#[track_caller]
pub fn column<T: CastTarget>(name: &str) -> Column {
    Column::of(name, T::target())
}

/// `name ty`, for a type that has no Rust type or has modifiers: `"numeric(10,2)"`.
///
/// # Panics
/// If what is in the parentheses of `ty` is not whole numbers.
#[track_caller]
pub fn column_as(name: &str, ty: &str) -> Column {
    Column::of(name, parse_type(ty))
}

/// `name boolean EXISTS`: whether there is anything at the path `$."name"` of a row, or at another that [`Exists::path`]
/// gives.
#[track_caller]
pub fn exists(name: &str) -> Exists {
    let (name, ty) = (name.to_owned(), bool::target());
    Exists::push(Node::Exists { name, ty, path: None, on_error: None })
}

/// `NESTED PATH 'path' COLUMNS (columns)`: the row once for each item that the path finds in it, and once with nulls where it
/// finds none.
#[track_caller]
pub fn nested(path: &str, columns: impl Columns) -> Nested {
    Nested::push(Node::Nested { path: path.to_owned(), path_name: None, columns: columns.into_columns() })
}

impl<C: Columns> Columns for Vec<C> {
    fn into_columns(self) -> Vec<NodeId> {
        self.into_iter().flat_map(Columns::into_columns).collect()
    }
}

macro_rules! tuples {
    () => {};
    ($first:ident $first_name:ident, $($type:ident $name:ident,)*) => {
        impl<$first: Columns, $($type: Columns),*> Columns for ($first, $($type,)*) {
            fn into_columns(self) -> Vec<NodeId> {
                let ($first_name, $($name,)*) = self;
                [$first_name.into_columns(), $($name.into_columns(),)*].concat()
            }
        }
        tuples!($($type $name,)*);
    };
}
tuples!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l,);

macro_rules! items {
    ($($(#[$doc:meta])* $item:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[must_use = "a column does nothing until it is in a JSON_TABLE"]
        pub struct $item {
            id: NodeId,
            not_send: PhantomData<*const ()>,
        }

        impl Columns for $item {
            fn into_columns(self) -> Vec<NodeId> {
                vec![self.id]
            }
        }

        impl $item {
            #[track_caller]
            fn push(node: Node) -> Self {
                let id = arena::push(NodeKind::JsonTableColumn(node), Location::caller());
                Self { id, not_send: PhantomData }
            }
        }
    )* };
}

items! {
    /// `name FOR ORDINALITY`. Made by [`ordinality()`].
    Ordinality;
    /// `name type …`. Made by [`column()`] and [`column_as()`].
    Column;
    /// `name type EXISTS …`. Made by [`exists()`].
    Exists;
    /// `NESTED PATH 'path' COLUMNS (…)`. Made by [`nested()`].
    Nested;
}

impl Nested {
    /// `NESTED PATH 'path' AS name`: the path's name.
    #[track_caller]
    pub fn path_name(self, name: &str) -> Self {
        let mut node = item(self.id);
        if let Node::Nested { path_name, .. } = &mut node {
            *path_name = Some(name.to_owned());
        }
        Self::push(node)
    }
}

impl Exists {
    /// `… PATH 'path'`, in which `$` is the row.
    #[track_caller]
    pub fn path(self, path: &str) -> Self {
        self.change(|its, _| *its = Some(path.to_owned()))
    }

    /// `… TRUE ON ERROR`.
    #[track_caller]
    pub fn true_on_error(self) -> Self {
        self.change(|_, on_error| *on_error = Some(SqlJsonBehavior::True))
    }

    /// `… FALSE ON ERROR`, as it is where nothing is said.
    #[track_caller]
    pub fn false_on_error(self) -> Self {
        self.change(|_, on_error| *on_error = Some(SqlJsonBehavior::False))
    }

    /// `… UNKNOWN ON ERROR`: null.
    #[track_caller]
    pub fn unknown_on_error(self) -> Self {
        self.change(|_, on_error| *on_error = Some(SqlJsonBehavior::Unknown))
    }

    /// `… ERROR ON ERROR`: an error fails the statement.
    #[track_caller]
    pub fn error_on_error(self) -> Self {
        self.change(|_, on_error| *on_error = Some(SqlJsonBehavior::Error))
    }

    #[track_caller]
    fn change(self, change: impl FnOnce(&mut Option<String>, &mut Option<SqlJsonBehavior>)) -> Self {
        let mut node = item(self.id);
        if let Node::Exists { path, on_error, .. } = &mut node {
            change(path, on_error);
        }
        Self::push(node)
    }
}

/// What can be said of a [`Column`] after its type.
struct Clauses<'n> {
    format_json: &'n mut bool,
    path: &'n mut Option<String>,
    wrapper: &'n mut Option<JsonWrapper>,
    quotes: &'n mut Option<JsonQuotes>,
    on_empty: &'n mut Option<SqlJsonBehavior>,
    on_error: &'n mut Option<SqlJsonBehavior>,
}

impl Column {
    #[track_caller]
    fn of(name: &str, ty: TypeName) -> Self {
        Self::push(Node::Value {
            name: name.to_owned(),
            ty,
            format_json: false,
            path: None,
            wrapper: None,
            quotes: None,
            on_empty: None,
            on_error: None,
        })
    }

    /// `… PATH 'path'`, in which `$` is the row.
    #[track_caller]
    pub fn path(self, path: &str) -> Self {
        self.change(|clauses| *clauses.path = Some(path.to_owned()))
    }

    /// `… FORMAT JSON`: a column of another type than `jsonb` or `json` that takes arrays and objects, as JSON text.
    #[track_caller]
    pub fn format_json(self) -> Self {
        self.change(|clauses| *clauses.format_json = true)
    }

    /// `… WITHOUT WRAPPER`, as it is where nothing is said.
    #[track_caller]
    pub fn without_wrapper(self) -> Self {
        self.change(|clauses| *clauses.wrapper = Some(JsonWrapper::Without))
    }

    /// `… WITH UNCONDITIONAL WRAPPER`: what is found is the elements of an array.
    #[track_caller]
    pub fn with_wrapper(self) -> Self {
        self.change(|clauses| *clauses.wrapper = Some(JsonWrapper::Unconditional))
    }

    /// `… WITH CONDITIONAL WRAPPER`: the same, unless it is one array or object.
    #[track_caller]
    pub fn with_conditional_wrapper(self) -> Self {
        self.change(|clauses| *clauses.wrapper = Some(JsonWrapper::Conditional))
    }

    /// `… KEEP QUOTES`, as it is where nothing is said.
    #[track_caller]
    pub fn keep_quotes(self) -> Self {
        self.change(|clauses| *clauses.quotes = Some(JsonQuotes::Keep))
    }

    /// `… OMIT QUOTES`: a string is its text.
    #[track_caller]
    pub fn omit_quotes(self) -> Self {
        self.change(|clauses| *clauses.quotes = Some(JsonQuotes::Omit))
    }

    /// `… NULL ON EMPTY`, as it is where nothing is said.
    #[track_caller]
    pub fn null_on_empty(self) -> Self {
        self.change(|clauses| *clauses.on_empty = Some(SqlJsonBehavior::Null))
    }

    /// `… ERROR ON EMPTY`: that fails the statement.
    #[track_caller]
    pub fn error_on_empty(self) -> Self {
        self.change(|clauses| *clauses.on_empty = Some(SqlJsonBehavior::Error))
    }

    /// `… DEFAULT value ON EMPTY`: a constant, an `Arg`, a call or an operator; not a column.
    #[track_caller]
    pub fn default_on_empty(self, value: impl IntoExpr) -> Self {
        let value = value.into_expr().id;
        self.change(|clauses| *clauses.on_empty = Some(SqlJsonBehavior::Default(value)))
    }

    /// `… EMPTY ARRAY ON EMPTY`, of a column of JSON.
    #[track_caller]
    pub fn empty_array_on_empty(self) -> Self {
        self.change(|clauses| *clauses.on_empty = Some(SqlJsonBehavior::EmptyArray))
    }

    /// `… EMPTY OBJECT ON EMPTY`, of a column of JSON.
    #[track_caller]
    pub fn empty_object_on_empty(self) -> Self {
        self.change(|clauses| *clauses.on_empty = Some(SqlJsonBehavior::EmptyObject))
    }

    /// `… NULL ON ERROR`, as it is where nothing is said.
    #[track_caller]
    pub fn null_on_error(self) -> Self {
        self.change(|clauses| *clauses.on_error = Some(SqlJsonBehavior::Null))
    }

    /// `… ERROR ON ERROR`: that fails the statement.
    #[track_caller]
    pub fn error_on_error(self) -> Self {
        self.change(|clauses| *clauses.on_error = Some(SqlJsonBehavior::Error))
    }

    /// `… DEFAULT value ON ERROR`: a constant, an `Arg`, a call or an operator; not a column.
    #[track_caller]
    pub fn default_on_error(self, value: impl IntoExpr) -> Self {
        let value = value.into_expr().id;
        self.change(|clauses| *clauses.on_error = Some(SqlJsonBehavior::Default(value)))
    }

    /// `… EMPTY ARRAY ON ERROR`, of a column of JSON.
    #[track_caller]
    pub fn empty_array_on_error(self) -> Self {
        self.change(|clauses| *clauses.on_error = Some(SqlJsonBehavior::EmptyArray))
    }

    /// `… EMPTY OBJECT ON ERROR`, of a column of JSON.
    #[track_caller]
    pub fn empty_object_on_error(self) -> Self {
        self.change(|clauses| *clauses.on_error = Some(SqlJsonBehavior::EmptyObject))
    }

    #[track_caller]
    fn change(self, change: impl FnOnce(Clauses<'_>)) -> Self {
        let mut node = item(self.id);
        if let Node::Value { format_json, path, wrapper, quotes, on_empty, on_error, .. } = &mut node {
            change(Clauses { format_json, path, wrapper, quotes, on_empty, on_error });
        }
        Self::push(node)
    }
}
