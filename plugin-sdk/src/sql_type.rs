//! The types that expressions have at compile time, and which of them go together.
//!
//! They are checked so that a mistake shows in the editor; PostgreSQL's own rules, which the host applies when it loads
//! the plugin, have the last word.

mod container;

pub use container::{CompositeType, Contains, SubscriptType};

use callslip_ir::{Scalar, TypeName};

use crate::{
    Bytes, Date, Interval, Json, Numeric, SqlEnum, Time, Timestamp, Timestamptz, Uuid, sealed::Sealed,
};

/// The type of an expression: `i16`, `i32`, `i64`, `f32`, `f64`, `bool`, `String`, the types of this crate that are named as
/// PostgreSQL's, enums with `#[derive(SqlEnum)]`, types of [`sql_type!`](crate::sql_type), `Vec` of these for arrays, and [`Any`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of an SQL expression",
    label = "i16, i32, i64, f32, f64, bool, String, Numeric, Date, Time, Timestamp, Timestamptz, Interval, Uuid, Json, \
             Bytes, an enum with `#[derive(SqlEnum)]`, a type of `sql_type!` or a `Vec` of these is wanted here"
)]
pub trait SqlType: Sealed + 'static {}

/// The type of an expression of which the compiler knows nothing: a column of a [`table()`](crate::table()), the
/// result of a [`call()`](crate::call()). It goes with every other type; the host checks it when it loads the plugin.
pub enum Any {}

impl Sealed for Any {}
impl<T: SqlEnum> SqlType for T {}
impl<T: SqlType> SqlType for Vec<T> {}

/// A type that [`Expression::cast`](crate::Expression::cast) can name.
#[diagnostic::on_unimplemented(
    message = "there is no cast to `{Self}`",
    label = "a type such as `Numeric`, `i64`, `String` or an enum with `#[derive(SqlEnum)]` is wanted here",
    note = "any other PostgreSQL type is named with `.cast_as(\"…\")`"
)]
pub trait CastTarget: SqlType {
    #[doc(hidden)]
    fn target() -> TypeName;
}

pub(crate) fn built_in(scalar: Scalar) -> TypeName {
    TypeName::parse(&["pg_catalog.", scalar.type_name()].concat())
}

impl<T: SqlEnum> CastTarget for T {
    fn target() -> TypeName {
        match T::TYPE {
            Some(ty) => TypeName::parse(ty),
            None => built_in(Scalar::Text),
        }
    }
}

impl<T: CastTarget> CastTarget for Vec<T> {
    fn target() -> TypeName {
        TypeName { array: true, ..T::target() }
    }
}

macro_rules! scalars {
    ($($type:ident $scalar:ident;)*) => { $(
        impl SqlType for $type {}
        impl CastTarget for $type {
            fn target() -> TypeName { built_in(Scalar::$scalar) }
        }
    )* };
}

scalars! {
    bool Bool;
    i16 Int2;
    i32 Int4;
    i64 Int8;
    f32 Float4;
    f64 Float8;
    Numeric Numeric;
    String Text;
    Date Date;
    Time Time;
    Timestamp Timestamp;
    Timestamptz Timestamptz;
    Interval Interval;
    Uuid Uuid;
    Json Json;
    Bytes Bytes;
}
impl SqlType for Any {}

/// That values of two types compare with each other.
pub trait Compares<R> {}

macro_rules! compares {
    // Every type of a group with every other.
    ($([$($type:ident)*];)*) => { $( compares!(@each [$($type)*] [$($type)*]); )* };
    (@each [$($left:ident)*] $right:tt) => { $( compares!(@one $left $right); )* };
    (@one $left:ident [$($right:ident)*]) => {
        $( impl Compares<$right> for $left {} )*
        impl Compares<Any> for $left {}
        impl Compares<$left> for Any {}
    };
}

compares! {
    [i16 i32 i64 f32 f64 Numeric];
    [Date Timestamp Timestamptz];
    [bool];
    [String];
    [Time];
    [Interval];
    [Uuid];
    [Json];
    [Bytes];
}
impl Compares<Any> for Any {}
impl<T: SqlEnum> Compares<T> for T {}
// An enum without a type of the database is a text.
impl<T: SqlEnum> Compares<T> for String {}
impl<T: SqlEnum> Compares<Any> for T {}
impl<T: SqlEnum> Compares<T> for Any {}
impl<T> Compares<Self> for Vec<T> {}
impl<T> Compares<Any> for Vec<T> {}
impl<T> Compares<Vec<T>> for Any {}

/// The type of an array.
pub trait ArrayType {
    /// The type of its elements.
    type Element;
}
impl<T> ArrayType for Vec<T> {
    type Element = T;
}
impl ArrayType for Any {
    type Element = Any;
}

/// What a condition is.
pub trait BooleanType {}
impl BooleanType for bool {}
impl BooleanType for Any {}

/// What text functions take.
pub trait TextType {}
impl TextType for String {}
impl TextType for Any {}

/// What `lower(…)` and `upper(…)` take: a text, or a range, whose bound they give.
pub trait Lowers {
    /// What they give.
    type Lowered: SqlType;
}
impl Lowers for String {
    type Lowered = Self;
}
impl Lowers for Any {
    type Lowered = Self;
}

/// What `->` and `->>` take.
pub trait JsonType {}
impl JsonType for Json {}
impl JsonType for Any {}

/// What `||` makes of a left side.
pub trait Joins<R> {
    /// The type of the result.
    type Joined: SqlType;
}

macro_rules! joins {
    ($($left:ident $right:ident = $joined:ident;)*) => { $(
        impl Joins<$right> for $left {
            type Joined = $joined;
        }
    )* };
}

joins! {
    Json Json = Json;
    Bytes Bytes = Bytes;
    Json Any = Json;
    Bytes Any = Bytes;
    Any Json = Json;
    Any Bytes = Bytes;
}

// A text joins these on either side. Not JSON and bytes: beside them a string would be one of them.
macro_rules! joins_text {
    ($($type:ident)*) => { $(
        impl Joins<$type> for String {
            type Joined = Self;
        }
        impl Joins<String> for $type {
            type Joined = String;
        }
    )* };
}
joins_text! { bool i16 i32 i64 f32 f64 Numeric Date Time Timestamp Timestamptz Interval Uuid Any }
impl Joins<Self> for String {
    type Joined = Self;
}
impl<T: SqlEnum> Joins<T> for String {
    type Joined = Self;
}
impl<T: SqlEnum> Joins<String> for T {
    type Joined = String;
}
impl Joins<Self> for Any {
    type Joined = Self;
}

// An array joins arrays of its own type, and elements, but for texts: a string would be read as an array.
impl<T: SqlType> Joins<Self> for Vec<T> {
    type Joined = Self;
}
macro_rules! joins_elements {
    ($($type:ident)*) => { $(
        impl Joins<$type> for Vec<$type> {
            type Joined = Self;
        }
        impl Joins<Vec<$type>> for $type {
            type Joined = Vec<$type>;
        }
    )* };
}
joins_elements! { bool i16 i32 i64 f32 f64 Numeric Date Time Timestamp Timestamptz Interval Uuid }
impl<T: SqlType> Joins<Any> for Vec<T> {
    type Joined = Self;
}
impl<T: SqlType> Joins<Vec<T>> for Any {
    type Joined = Vec<T>;
}

/// What has a sign, a sum and an average.
pub trait NumberType {
    /// The type of `sum(…)`.
    type Sum: SqlType;
    /// The type of `avg(…)`.
    type Average: SqlType;
}

macro_rules! aggregates {
    ($($type:ident: $sum:ident $average:ident;)*) => { $(
        impl NumberType for $type {
            type Sum = $sum;
            type Average = $average;
        }
    )* };
}

// https://www.postgresql.org/docs/current/functions-aggregate.html
aggregates! {
    i16: i64 Numeric;
    i32: i64 Numeric;
    i64: Numeric Numeric;
    Numeric: Numeric Numeric;
    f32: f32 f64;
    f64: f64 f64;
    Interval: Interval Interval;
    Any: Any Any;
}

/// What `date_trunc(…)` takes.
pub trait Truncates {
    /// What it gives.
    type Truncated: SqlType;
}
impl Truncates for Date {
    type Truncated = Timestamptz;
}
impl Truncates for Timestamp {
    type Truncated = Timestamp;
}
impl Truncates for Timestamptz {
    type Truncated = Timestamptz;
}
impl Truncates for Interval {
    type Truncated = Interval;
}
// It becomes an interval.
impl Truncates for Time {
    type Truncated = Interval;
}
impl Truncates for Any {
    type Truncated = Any;
}

/// What `AT TIME ZONE` takes.
pub trait Zoned {
    /// What it gives.
    type Shifted: SqlType;
}
impl Zoned for Timestamptz {
    type Shifted = Timestamp;
}
impl Zoned for Timestamp {
    type Shifted = Timestamptz;
}
// It becomes a moment first.
impl Zoned for Date {
    type Shifted = Timestamp;
}
// The `timetz` that it becomes has no type here.
impl Zoned for Time {
    type Shifted = Any;
}
impl Zoned for Any {
    type Shifted = Self;
}

/// What `round(…)` gives.
pub trait Rounds {
    /// What it gives.
    type Rounded: SqlType;
}

macro_rules! rounds {
    ($($type:ident: $rounded:ident;)*) => { $(
        impl Rounds for $type {
            type Rounded = $rounded;
        }
    )* };
}

rounds! {
    i16: f64;
    i32: f64;
    i64: f64;
    f32: f64;
    f64: f64;
    Numeric: Numeric;
    Any: Any;
}

/// `+`, for [`Operand`](crate::Operand).
pub enum Plus {}
/// `-`, for [`Operand`](crate::Operand).
pub enum Minus {}
/// `*`, for [`Operand`](crate::Operand).
pub enum Times {}
/// `/`, for [`Operand`](crate::Operand).
pub enum Divided {}
/// `%`, for [`Operand`](crate::Operand).
pub enum Modulo {}

/// The result of an arithmetic operator on two types.
pub trait Arithmetic<Operator, R> {
    /// The type of the result.
    type Output: SqlType;
}

macro_rules! arithmetic {
    ($($left:ident [$($operator:ident)*] $right:ident = $output:ident;)*) => { $( $(
        impl Arithmetic<$operator, $right> for $left {
            type Output = $output;
        }
    )* )* };
}

macro_rules! numbers {
    ($($left:ident: $($right:ident $output:ident),*;)*) => { $( $(
        arithmetic! { $left [Plus Minus Times Divided] $right = $output; }
    )* )* };
}

// PostgreSQL has no operator between an integer, or a numeric, and a float4: it prefers float8 for both.
numbers! {
    i16: i16 i16, i32 i32, i64 i64, Numeric Numeric, f32 f64, f64 f64;
    i32: i16 i32, i32 i32, i64 i64, Numeric Numeric, f32 f64, f64 f64;
    i64: i16 i64, i32 i64, i64 i64, Numeric Numeric, f32 f64, f64 f64;
    Numeric: i16 Numeric, i32 Numeric, i64 Numeric, Numeric Numeric, f32 f64, f64 f64;
    f32: i16 f64, i32 f64, i64 f64, Numeric f64, f32 f32, f64 f64;
    f64: i16 f64, i32 f64, i64 f64, Numeric f64, f32 f64, f64 f64;
}

arithmetic! {
    i16 [Modulo] i16 = i16;
    i16 [Modulo] i32 = i32;
    i16 [Modulo] i64 = i64;
    i32 [Modulo] i16 = i32;
    i32 [Modulo] i32 = i32;
    i32 [Modulo] i64 = i64;
    i64 [Modulo] i16 = i64;
    i64 [Modulo] i32 = i64;
    i64 [Modulo] i64 = i64;
    Numeric [Modulo] i16 = Numeric;
    Numeric [Modulo] i32 = Numeric;
    Numeric [Modulo] i64 = Numeric;
    Numeric [Modulo] Numeric = Numeric;

    // https://www.postgresql.org/docs/current/functions-datetime.html
    Date [Plus Minus] i16 = Date;
    Date [Plus Minus] i32 = Date;
    Date [Plus Minus] Interval = Timestamp;
    Date [Plus] Time = Timestamp;
    Time [Plus] Date = Timestamp;
    Date [Minus] Date = i32;
    Timestamp [Plus Minus] Interval = Timestamp;
    Date [Minus] Timestamp = Interval;
    Date [Minus] Timestamptz = Interval;
    Timestamp [Minus] Date = Interval;
    Timestamp [Minus] Timestamp = Interval;
    Timestamp [Minus] Timestamptz = Interval;
    Timestamptz [Minus] Date = Interval;
    Timestamptz [Minus] Timestamp = Interval;
    Timestamptz [Plus Minus] Interval = Timestamptz;
    Timestamptz [Minus] Timestamptz = Interval;
    Time [Plus Minus] Interval = Time;
    Time [Minus] Time = Interval;
    Interval [Plus Minus] Interval = Interval;
    Interval [Plus] Date = Timestamp;
    Interval [Plus] Timestamp = Timestamp;
    Interval [Plus] Timestamptz = Timestamptz;
    Interval [Plus] Time = Time;
    Interval [Times Divided] i16 = Interval;
    Interval [Times Divided] i32 = Interval;
    Interval [Times Divided] i64 = Interval;
    Interval [Times Divided] Numeric = Interval;
    Interval [Times Divided] f32 = Interval;
    Interval [Times Divided] f64 = Interval;
    i16 [Times] Interval = Interval;
    i32 [Times] Interval = Interval;
    i64 [Times] Interval = Interval;
    Numeric [Times] Interval = Interval;
    f32 [Times] Interval = Interval;
    f64 [Times] Interval = Interval;
    // Keys that are taken away.
    Json [Minus] String = Json;
    Json [Minus] i32 = Json;
}

macro_rules! anything {
    ($($type:ident)*) => { $(
        impl<Operator> Arithmetic<Operator, Any> for $type {
            type Output = Any;
        }
        impl<Operator> Arithmetic<Operator, $type> for Any {
            type Output = Any;
        }
    )* };
}
anything! { i16 i32 i64 Numeric f32 f64 Date Time Timestamp Timestamptz Interval Json String }
impl<Operator> Arithmetic<Operator, Any> for Any {
    type Output = Any;
}
