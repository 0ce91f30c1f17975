//! SQL/JSON: `IS JSON`, `JSON_EXISTS`, `JSON_VALUE` and `JSON_QUERY`.

use std::{marker::PhantomData, panic::Location};

use callslip_ir::{
    Is, IsTest, JsonItem, JsonQuotes, JsonWrapper, NodeId, NodeKind, SqlJson, SqlJsonBehavior,
    SqlJsonFunction, SqlJsonPassing,
};

use crate::{
    Any, CastTarget, Expr, Expression, IntoExpr, Json, SqlType, arena, sealed::Sealed, type_name::parse_type,
};

/// `IS [NOT] JSON`, of a text, JSON or bytes. PostgreSQL 16 and later.
#[expect(clippy::wrong_self_convention, reason = "the names are SQL's")]
pub trait JsonPredicates: Expression {
    /// `self IS JSON`: whether a text is JSON.
    #[track_caller]
    fn is_json(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Value, false)
    }

    /// `self IS NOT JSON`.
    #[track_caller]
    fn is_not_json(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Value, true)
    }

    /// `self IS JSON SCALAR`: neither an array nor an object.
    #[track_caller]
    fn is_json_scalar(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Scalar, false)
    }

    /// `self IS NOT JSON SCALAR`.
    #[track_caller]
    fn is_not_json_scalar(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Scalar, true)
    }

    /// `self IS JSON ARRAY`.
    #[track_caller]
    fn is_json_array(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Array, false)
    }

    /// `self IS NOT JSON ARRAY`.
    #[track_caller]
    fn is_not_json_array(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Array, true)
    }

    /// `self IS JSON OBJECT`.
    #[track_caller]
    fn is_json_object(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Object, false)
    }

    /// `self IS NOT JSON OBJECT`.
    #[track_caller]
    fn is_not_json_object(self) -> IsJson {
        IsJson::new(self.into_expr().id, JsonItem::Object, true)
    }
}

impl<T: Expression> JsonPredicates for T {}

macro_rules! handles {
    ($($name:ident: $node:ident;)*) => { $(
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $name<T> {}
        impl<T> Sealed for $name<T> {}
        #[diagnostic::do_not_recommend]
        impl<T: SqlType> IntoExpr for $name<T> {
            type Ty = T;
            #[track_caller]
            fn into_expr(self) -> Expr<T> {
                Expr::new(self.id)
            }
        }
        impl<T: SqlType> Expression for $name<T> {}

        impl<T> $name<T> {
            #[track_caller]
            fn push(node: $node) -> Self {
                let id = arena::push(NodeKind::$node(node), Location::caller());
                Self { id, ty: PhantomData }
            }

            fn node(self) -> $node {
                match arena::kind(self.id) {
                    NodeKind::$node(node) => node,
                    _ => unreachable!("a handle names a node of its kind"),
                }
            }
        }
    )* };
}

handles! {
    IsJson: Is;
    JsonExists: SqlJson;
    JsonValue: SqlJson;
    JsonQuery: SqlJson;
}

/// `value IS JSON`, a condition.
#[must_use = "a condition does nothing until it is part of a query"]
pub struct IsJson<T = bool> {
    id: NodeId,
    ty: PhantomData<*const T>,
}

impl IsJson {
    #[track_caller]
    fn new(value: NodeId, item: JsonItem, negated: bool) -> Self {
        Self::push(Is { value, test: IsTest::Json { item, unique_keys: false }, negated })
    }

    /// `… WITH UNIQUE KEYS`: and none of its objects has a key twice.
    #[track_caller]
    pub fn with_unique_keys(self) -> Self {
        let mut is = self.node();
        if let IsTest::Json { unique_keys, .. } = &mut is.test {
            *unique_keys = true;
        }
        Self::push(is)
    }
}

/// `JSON_EXISTS(context, path)`: whether the path finds anything in the JSON. PostgreSQL 17 and later.
///
/// The path is a string, or an `Arg<JsonPath>`.
#[track_caller]
pub fn json_exists(context: impl IntoExpr, path: impl IntoExpr) -> JsonExists {
    JsonExists::push(call(SqlJsonFunction::Exists, context.into_expr().id, path.into_expr().id))
}

/// `JSON_VALUE(context, path)`: the one scalar that the path finds in the JSON, as a text. PostgreSQL 17 and later.
#[track_caller]
pub fn json_value(context: impl IntoExpr, path: impl IntoExpr) -> JsonValue {
    JsonValue::push(call(SqlJsonFunction::Value, context.into_expr().id, path.into_expr().id))
}

/// `JSON_QUERY(context, path)`: the JSON that the path finds in the JSON. PostgreSQL 17 and later.
#[track_caller]
pub fn json_query(context: impl IntoExpr, path: impl IntoExpr) -> JsonQuery {
    JsonQuery::push(call(SqlJsonFunction::Query, context.into_expr().id, path.into_expr().id))
}

fn call(function: SqlJsonFunction, context: NodeId, path: NodeId) -> SqlJson {
    SqlJson { function, context, path, passing: Vec::new(), returning: None, on_empty: None, on_error: None }
}

/// A call of [`json_exists()`].
#[must_use = "a call does nothing until it is part of a query"]
pub struct JsonExists<T = bool> {
    id: NodeId,
    ty: PhantomData<*const T>,
}

/// A call of [`json_value()`].
#[must_use = "a call does nothing until it is part of a query"]
pub struct JsonValue<T = String> {
    id: NodeId,
    ty: PhantomData<*const T>,
}

/// A call of [`json_query()`].
#[must_use = "a call does nothing until it is part of a query"]
pub struct JsonQuery<T = Json> {
    id: NodeId,
    ty: PhantomData<*const T>,
}

macro_rules! clauses {
    ($($name:ident;)*) => { $(
        impl<T> $name<T> {
            /// `… PASSING value AS name`: the path knows it as `$name`.
            #[track_caller]
            pub fn passing(self, name: &str, value: impl IntoExpr) -> Self {
                let mut call = self.node();
                call.passing.push(SqlJsonPassing { value: value.into_expr().id, name: name.to_owned() });
                Self::push(call)
            }

            /// `… ERROR ON ERROR`: an error fails the statement.
            #[track_caller]
            pub fn error_on_error(self) -> Self {
                self.on_error(SqlJsonBehavior::Error)
            }

            #[track_caller]
            fn on_error(self, behavior: SqlJsonBehavior) -> Self {
                Self::push(SqlJson { on_error: Some(behavior), ..self.node() })
            }
        }
    )* };
}

clauses! {
    JsonExists;
    JsonValue;
    JsonQuery;
}

impl<T> JsonExists<T> {
    /// `… TRUE ON ERROR`.
    #[track_caller]
    pub fn true_on_error(self) -> Self {
        self.on_error(SqlJsonBehavior::True)
    }

    /// `… FALSE ON ERROR`, as it is where nothing is said.
    #[track_caller]
    pub fn false_on_error(self) -> Self {
        self.on_error(SqlJsonBehavior::False)
    }

    /// `… UNKNOWN ON ERROR`: null.
    #[track_caller]
    pub fn unknown_on_error(self) -> Self {
        self.on_error(SqlJsonBehavior::Unknown)
    }
}

macro_rules! returning {
    ($($name:ident;)*) => { $(
        impl<T> $name<T> {
            /// `… RETURNING T`.
            #[track_caller]
            pub fn returning<R: CastTarget>(self) -> $name<R> {
                $name::push(SqlJson { returning: Some(R::target()), ..self.node() })
            }

            /// `… RETURNING ty`, for a type that has no Rust type or has modifiers: `"numeric(10,2)"`.
            ///
            /// # Panics
            /// If what is in the parentheses of `ty` is not whole numbers.
            #[track_caller]
            pub fn returning_as(self, ty: &str) -> $name<Any> {
                $name::push(SqlJson { returning: Some(parse_type(ty)), ..self.node() })
            }

            /// `… NULL ON EMPTY`, as it is where nothing is said.
            #[track_caller]
            pub fn null_on_empty(self) -> Self {
                self.on_empty(SqlJsonBehavior::Null)
            }

            /// `… ERROR ON EMPTY`: where the path finds nothing it is an error.
            #[track_caller]
            pub fn error_on_empty(self) -> Self {
                self.on_empty(SqlJsonBehavior::Error)
            }

            /// `… DEFAULT value ON EMPTY`: a constant, an `Arg`, a call or an operator; not a column.
            #[track_caller]
            pub fn default_on_empty(self, value: impl IntoExpr) -> Self {
                self.on_empty(SqlJsonBehavior::Default(value.into_expr().id))
            }

            /// `… NULL ON ERROR`, as it is where nothing is said.
            #[track_caller]
            pub fn null_on_error(self) -> Self {
                self.on_error(SqlJsonBehavior::Null)
            }

            /// `… DEFAULT value ON ERROR`: a constant, an `Arg`, a call or an operator; not a column.
            #[track_caller]
            pub fn default_on_error(self, value: impl IntoExpr) -> Self {
                self.on_error(SqlJsonBehavior::Default(value.into_expr().id))
            }

            #[track_caller]
            fn on_empty(self, behavior: SqlJsonBehavior) -> Self {
                Self::push(SqlJson { on_empty: Some(behavior), ..self.node() })
            }
        }
    )* };
}

returning! {
    JsonValue;
    JsonQuery;
}

impl<T> JsonQuery<T> {
    /// `… EMPTY ARRAY ON EMPTY`.
    #[track_caller]
    pub fn empty_array_on_empty(self) -> Self {
        self.on_empty(SqlJsonBehavior::EmptyArray)
    }

    /// `… EMPTY OBJECT ON EMPTY`.
    #[track_caller]
    pub fn empty_object_on_empty(self) -> Self {
        self.on_empty(SqlJsonBehavior::EmptyObject)
    }

    /// `… EMPTY ARRAY ON ERROR`.
    #[track_caller]
    pub fn empty_array_on_error(self) -> Self {
        self.on_error(SqlJsonBehavior::EmptyArray)
    }

    /// `… EMPTY OBJECT ON ERROR`.
    #[track_caller]
    pub fn empty_object_on_error(self) -> Self {
        self.on_error(SqlJsonBehavior::EmptyObject)
    }

    /// `… WITHOUT WRAPPER`, as it is where nothing is said: more than one item is an error.
    #[track_caller]
    pub fn without_wrapper(self) -> Self {
        self.with(|wrapper, _| *wrapper = Some(JsonWrapper::Without))
    }

    /// `… WITH UNCONDITIONAL WRAPPER`: what is found is the elements of an array.
    #[track_caller]
    pub fn with_wrapper(self) -> Self {
        self.with(|wrapper, _| *wrapper = Some(JsonWrapper::Unconditional))
    }

    /// `… WITH CONDITIONAL WRAPPER`: the same, unless it is one array or object.
    #[track_caller]
    pub fn with_conditional_wrapper(self) -> Self {
        self.with(|wrapper, _| *wrapper = Some(JsonWrapper::Conditional))
    }

    /// `… KEEP QUOTES`, as it is where nothing is said.
    #[track_caller]
    pub fn keep_quotes(self) -> Self {
        self.with(|_, quotes| *quotes = Some(JsonQuotes::Keep))
    }

    /// `… OMIT QUOTES`: a string is its text.
    #[track_caller]
    pub fn omit_quotes(self) -> Self {
        self.with(|_, quotes| *quotes = Some(JsonQuotes::Omit))
    }

    #[track_caller]
    fn with(self, change: impl FnOnce(&mut Option<JsonWrapper>, &mut Option<JsonQuotes>)) -> Self {
        let call = self.node();
        let (mut wrapper, mut quotes) = match call.function {
            SqlJsonFunction::QueryWith { wrapper, quotes } => (wrapper, quotes),
            _ => (None, None),
        };
        change(&mut wrapper, &mut quotes);
        Self::push(SqlJson { function: SqlJsonFunction::QueryWith { wrapper, quotes }, ..call })
    }
}
