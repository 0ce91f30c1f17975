use callslip_ir::{self as ir, NodeId, QualifiedName};

use crate::{Call, IntoExpr, SqlType, TableFunction, type_name::parse_type};

/// `name type [COLLATE collation]`: a column of a function that returns records. Made by [`column()`]; a pair of a name and
/// a type is one too.
#[derive(Clone)]
pub struct ColumnDefinition(ir::ColumnDefinition);

/// `name type`: `column("price", "numeric(8,2)")`.
///
/// # Panics
/// If what is in the parentheses of `ty` is not whole numbers.
#[track_caller]
pub fn column(name: &str, ty: &str) -> ColumnDefinition {
    ColumnDefinition(ir::ColumnDefinition { name: name.to_owned(), ty: parse_type(ty), collation: None })
}

impl ColumnDefinition {
    /// `name type COLLATE collation`.
    #[must_use]
    pub fn collate(mut self, collation: &str) -> Self {
        self.0.collation = Some(QualifiedName::parse(collation));
        self
    }
}

impl From<(&str, &str)> for ColumnDefinition {
    #[track_caller]
    fn from((name, ty): (&str, &str)) -> Self {
        column(name, ty)
    }
}

/// A function that returns records, with its columns: `name(…) AS (a int4, b text)`. Made by [`record`].
#[derive(Clone)]
#[must_use = "a function does nothing until it is in FROM"]
pub struct Record {
    call: NodeId,
    columns: Vec<ir::ColumnDefinition>,
}

/// `name(…) AS (a int4, b text)`, for a function that returns records, such as `json_to_recordset`, and leaves it to the
/// query which columns they have.
#[track_caller]
pub fn record<T: SqlType, const N: usize>(
    call: Call<T>,
    columns: [impl Into<ColumnDefinition>; N],
) -> Record {
    let columns = columns.map(|column| column.into().0).into();
    Record { call: call.into_expr().id, columns }
}

impl Record {
    /// `name(…) AS alias (a int4, b text)`, for FROM and joins.
    #[track_caller]
    pub fn in_from(self, alias: &str) -> TableFunction {
        rows_from(alias, self)
    }
}

/// `ROWS FROM (f(…), g(…)) AS alias`: the rows of several functions side by side, with nulls where one gives fewer than
/// another. A function that gives single values names its column after itself.
#[track_caller]
pub fn rows_from(alias: &str, functions: impl TableFunctions) -> TableFunction {
    TableFunction::push(alias, functions.into_functions())
}

/// One function of [`rows_from`]: a call, or a [`record`].
pub trait IntoTableFunction {
    #[doc(hidden)]
    fn into_function(self) -> ir::TableFunction;
}

impl<T: SqlType> IntoTableFunction for Call<T> {
    #[track_caller]
    fn into_function(self) -> ir::TableFunction {
        ir::TableFunction { call: self.into_expr().id, columns: Vec::new() }
    }
}

impl IntoTableFunction for Record {
    fn into_function(self) -> ir::TableFunction {
        ir::TableFunction { call: self.call, columns: self.columns }
    }
}

/// The functions of [`rows_from`]: a tuple of up to six, or a `Vec`.
pub trait TableFunctions {
    #[doc(hidden)]
    fn into_functions(self) -> Vec<ir::TableFunction>;
}

impl<F: IntoTableFunction> TableFunctions for F {
    fn into_functions(self) -> Vec<ir::TableFunction> {
        vec![self.into_function()]
    }
}

impl<F: IntoTableFunction> TableFunctions for Vec<F> {
    fn into_functions(self) -> Vec<ir::TableFunction> {
        self.into_iter().map(F::into_function).collect()
    }
}

macro_rules! tuples {
    ($($($type:ident $name:ident),+;)*) => { $(
        impl<$($type: IntoTableFunction),+> TableFunctions for ($($type,)+) {
            fn into_functions(self) -> Vec<ir::TableFunction> {
                let ($($name,)+) = self;
                vec![$($name.into_function()),+]
            }
        }
    )* };
}
tuples! {
    A a;
    A a, B b;
    A a, B b, C c;
    A a, B b, C c, D d;
    A a, B b, C c, D d, E e;
    A a, B b, C c, D d, E e, F f;
}
