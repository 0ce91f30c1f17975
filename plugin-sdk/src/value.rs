//! The values that parameters and constants can have.

use callslip_ir::{Domain, NodeKind, Range, Scalar, SlotType, ValueType};

use crate::{Expr, IntoExpr, SqlType, arena, json, sealed::Sealed, sql_type::built_in};

/// A type that a parameter's value can have inside `Arg`: the integers, floats, `bool`, `String`, the types of this
/// crate that are named as PostgreSQL's, enums with `#[derive(SqlEnum)]`; `Vec` of these, and [`Nullable`] of all.
#[diagnostic::on_unimplemented(
    message = "a parameter can't be `Arg<{Self}>`",
    label = "`{Self}` is not a parameter type",
    note = "inside `Arg` can be: i8 to i64, u8 to u64, f32, f64, bool, String, Numeric, Date, Time, Timestamp, \
            Timestamptz, Interval, Uuid, Json, Bytes, an enum with `#[derive(SqlEnum)]`, `Range<…>`, a type of \
            `sql_type!`, `Vec<…>` or `Nullable<…>` of these"
)]
pub trait ParameterType: Sealed + 'static {
    /// What `#[param(default = …)]` takes.
    type Literal;
    /// The type of the parameter as an expression.
    type Ty: SqlType;
    /// The type in the manifest.
    #[doc(hidden)]
    fn value_type() -> ValueType;
    /// The bounds that the Rust type has and PostgreSQL's has not.
    #[doc(hidden)]
    fn range() -> Option<Range>;
    /// A default as JSON text.
    #[doc(hidden)]
    fn json(literal: Self::Literal) -> String;
}

/// A [`ParameterType`] that can be the element of an array.
#[diagnostic::on_unimplemented(
    message = "a parameter can't be an array of `{Self}`",
    label = "`{Self}` can't be the element of an array"
)]
pub trait ScalarType: Sealed + 'static {
    /// What `#[param(default = …)]` takes.
    type Literal;
    /// Its type as an expression.
    type Ty: SqlType;
    #[doc(hidden)]
    fn domain() -> Domain;
    #[doc(hidden)]
    fn scalar_range() -> Option<Range> {
        None
    }
    #[doc(hidden)]
    fn scalar_json(literal: Self::Literal) -> String;
}

impl<T: ScalarType> ParameterType for T {
    type Literal = T::Literal;
    type Ty = T::Ty;
    fn value_type() -> ValueType {
        ValueType { domain: T::domain(), array: false, nullable: false }
    }
    fn range() -> Option<Range> {
        T::scalar_range()
    }
    fn json(literal: Self::Literal) -> String {
        T::scalar_json(literal)
    }
}

impl<T: Sealed> Sealed for Vec<T> {}
impl<T: ScalarType<Literal: Copy>> ParameterType for Vec<T> {
    type Literal = &'static [T::Literal];
    type Ty = Vec<T::Ty>;
    fn value_type() -> ValueType {
        ValueType { domain: T::domain(), array: true, nullable: false }
    }
    fn range() -> Option<Range> {
        T::scalar_range()
    }
    fn json(literal: Self::Literal) -> String {
        let mut json = String::from("[");
        for (i, element) in literal.iter().enumerate() {
            if i > 0 {
                json.push(',');
            }
            json.push_str(&T::scalar_json(*element));
        }
        json.push(']');
        json
    }
}

/// A value that may be null, for which null is a value like any other: `Arg<Nullable<i32>>`. That is not the same
/// as a parameter that may be left out, `Option<Arg<i32>>`.
pub struct Nullable<T>(std::marker::PhantomData<T>);

impl<T: Sealed> Sealed for Nullable<T> {}
impl<T: ParameterType> ParameterType for Nullable<T> {
    type Literal = Option<T::Literal>;
    type Ty = T::Ty;
    fn value_type() -> ValueType {
        ValueType { nullable: true, ..T::value_type() }
    }
    fn range() -> Option<Range> {
        T::range()
    }
    fn json(literal: Self::Literal) -> String {
        match literal {
            Some(literal) => T::json(literal),
            None => "null".to_owned(),
        }
    }
}

/// A type whose bounds `#[param(range = …)]` can narrow.
#[diagnostic::on_unimplemented(
    message = "a parameter of type `{Self}` has no range",
    label = "only numbers have a range",
    note = "how many rows a page has is part of its type: `Page<20, 100>` has 20, and at most 100"
)]
pub trait Ranged {
    /// How a bound is written.
    type Bound;
}

impl<T: Ranged> Ranged for Vec<T> {
    type Bound = T::Bound;
}
impl<T: Ranged> Ranged for Nullable<T> {
    type Bound = T::Bound;
}
impl<T: Ranged> Ranged for crate::Arg<T> {
    type Bound = T::Bound;
}
impl<T: Ranged> Ranged for Option<T> {
    type Bound = T::Bound;
}

pub(crate) fn declared(scalar: Scalar) -> SlotType {
    SlotType::Declared(built_in(scalar))
}

#[track_caller]
pub(crate) fn push_constant<T>(ty: SlotType, value: &str) -> Expr<T> {
    Expr::push(NodeKind::Parameter(arena::constant_slot(ty, value)))
}

fn bounds(min: &str, max: &str) -> Option<Range> {
    Some(Range { min: Some(min.to_owned()), max: Some(max.to_owned()) })
}

macro_rules! numbers {
    ($($type:ident $ty:ident $scalar:ident $range:expr;)*) => { $(
        impl Sealed for $type {}
        impl ScalarType for $type {
            type Literal = $type;
            type Ty = $ty;
            fn domain() -> Domain { Domain::Scalar(Scalar::$scalar) }
            fn scalar_range() -> Option<Range> { $range }
            fn scalar_json(literal: $type) -> String { literal.to_string() }
        }
        impl Ranged for $type {
            type Bound = $type;
        }
    )* };
}

numbers! {
    i8 i16 Int2 bounds("-128", "127");
    i16 i16 Int2 None;
    i32 i32 Int4 None;
    i64 i64 Int8 None;
    u8 i16 Int2 bounds("0", "255");
    u16 i32 Int4 bounds("0", "65535");
    u32 i64 Int8 bounds("0", "4294967295");
    u64 Numeric Numeric bounds("0", "18446744073709551615");
    f32 f32 Float4 None;
    f64 f64 Float8 None;
}

macro_rules! constants {
    ($($type:ident $ty:ident $scalar:ident;)*) => { $(
        impl IntoExpr for $type {
            type Ty = $ty;
            #[track_caller]
            fn into_expr(self) -> Expr<$ty> { push_constant(declared(Scalar::$scalar), &self.to_string()) }
        }
    )* };
}

constants! {
    i8 i16 Int2;
    i16 i16 Int2;
    i32 i32 Int4;
    i64 i64 Int8;
    u8 i16 Int2;
    u16 i32 Int4;
    u32 i64 Int8;
    u64 Numeric Numeric;
    f32 f32 Float4;
}

// As in SQL, where `9.99` is a numeric: it is exact, it goes with integers and numerics as it is, and beside a float8 it
// becomes one.
impl IntoExpr for f64 {
    type Ty = Numeric;
    #[track_caller]
    fn into_expr(self) -> Expr<Numeric> {
        let mut text = self.to_string();
        // The digits after the point say how many a quotient has.
        if self.is_finite() && !text.contains('.') {
            text.push_str(".0");
        }
        push_constant(declared(Scalar::Numeric), &text)
    }
}

impl Sealed for bool {}
impl ScalarType for bool {
    type Literal = bool;
    type Ty = bool;
    fn domain() -> Domain {
        Domain::Scalar(Scalar::Bool)
    }
    fn scalar_json(literal: bool) -> String {
        literal.to_string()
    }
}
impl IntoExpr for bool {
    type Ty = Self;
    #[track_caller]
    fn into_expr(self) -> Expr<Self> {
        push_constant(declared(Scalar::Bool), if self { "true" } else { "false" })
    }
}

impl Sealed for String {}
impl ScalarType for String {
    type Literal = &'static str;
    type Ty = Self;
    fn domain() -> Domain {
        Domain::Scalar(Scalar::Text)
    }
    fn scalar_json(literal: &'static str) -> String {
        json::quote(literal)
    }
}
impl IntoExpr for String {
    type Ty = Self;
    #[track_caller]
    fn into_expr(self) -> Expr<Self> {
        push_constant(SlotType::Context, &self)
    }
}

impl Sealed for &str {}
impl IntoExpr for &str {
    type Ty = String;
    #[track_caller]
    fn into_expr(self) -> Expr<String> {
        push_constant(SlotType::Context, self)
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $type:ident, $json:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// It holds the text; PostgreSQL's own input function reads it. As a parameter inside [`crate::Arg`] it says
        /// only what is bound.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The value with this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Sealed for $type {}
        impl ScalarType for $type {
            type Literal = &'static str;
            type Ty = Self;
            fn domain() -> Domain { Domain::Scalar(Scalar::$type) }
            fn scalar_json(literal: &'static str) -> String { $json(literal) }
        }
        impl IntoExpr for $type {
            type Ty = Self;
            #[track_caller]
            fn into_expr(self) -> Expr<Self> { push_constant(declared(Scalar::$type), &self.0) }
        }
    )* };
}

texts! {
    /// PostgreSQL's `numeric`: a decimal number of any length, such as `3.50`.
    Numeric, json::quote;
    /// PostgreSQL's `date`, such as `2026-01-31`.
    Date, json::quote;
    /// PostgreSQL's `time`, such as `13:45:00`.
    Time, json::quote;
    /// PostgreSQL's `timestamp`: a date and time without a zone, such as `2026-01-31T13:45:00`.
    Timestamp, json::quote;
    /// PostgreSQL's `timestamptz`: a moment, such as `2026-01-31T13:45:00Z`.
    Timestamptz, json::quote;
    /// PostgreSQL's `interval`, such as `7 days` or `P7D`.
    Interval, json::quote;
    /// PostgreSQL's `uuid`.
    Uuid, json::quote;
    /// PostgreSQL's `jsonb`: JSON text.
    Json, str::to_owned;
}

impl Ranged for Numeric {
    type Bound = f64;
}

/// PostgreSQL's `bytea`: bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// These bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Sealed for Bytes {}
impl ScalarType for Bytes {
    // How bytes are written in JSON is the host's affair.
    type Literal = std::convert::Infallible;
    type Ty = Self;
    fn domain() -> Domain {
        Domain::Scalar(Scalar::Bytes)
    }
    fn scalar_json(literal: Self::Literal) -> String {
        match literal {}
    }
}
impl IntoExpr for Bytes {
    type Ty = Self;
    #[track_caller]
    fn into_expr(self) -> Expr<Self> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::from("\\x");
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        push_constant(declared(Scalar::Bytes), &text)
    }
}
