//! PostgreSQL's types that have no like in Rust, by their names.

use std::marker::PhantomData;

use callslip_ir::{Domain, SlotType, TypeName};

use crate::{
    Any, CastTarget, Date, Expr, IntoExpr, Numeric, ScalarType, SqlType, Timestamp, Timestamptz, json,
    sealed::Sealed,
    sql_type::{Compares, Contains, Lowers},
    value::push_constant,
};

/// Types of the database by their names: composite types, domains, an extension's types, whatever [`schema!`](crate::schema)
/// has no Rust type for.
///
/// ```
/// use callslip_sdk::prelude::*;
///
/// callslip_sdk::sql_type! {
///     /// Where somebody lives.
///     pub struct Address = "public.address";
///     struct Label = "public.ltree";
///     /// A domain over a text, and so a text among expressions.
///     struct Isbn(String) = "public.isbn";
/// }
///
/// #[derive(Params)]
/// struct Below {
///     label: Arg<Label>,
///     home: Option<Arg<Vec<Address>>>,
///     isbn: Arg<Isbn>,
/// }
/// ```
///
/// Each is the type of a parameter inside [`Arg`](crate::Arg), a target of [`cast`](crate::Expression::cast) and, as
/// `Address::new("(1 Mill Lane,Ely,101)")`, a constant. Callers write a value as PostgreSQL writes it, and of a composite type
/// also as an object with its attributes. The plugin's grants name the type, unless it is one of PostgreSQL's own. It compares
/// with itself; `.op("@>", …)` and its like take it as any other.
#[macro_export]
macro_rules! sql_type {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident $(($base:ty))? = $ty:expr;)+) => {
        $crate::__named_type! { $($(#[$attribute])* $visibility struct $name $(($base))? = $ty;)+ }
        // The compiler can't tell a composite type from others.
        $(impl $crate::__private::CompositeType for $name {})+
    };
}

/// What [`sql_type!`](crate::sql_type) makes, but for the fields of a composite type.
#[doc(hidden)]
#[macro_export]
macro_rules! __named_type {
    (@expression $own:ty) => { $own };
    (@expression $own:ty, $base:ty) => { $base };
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident $(($base:ty))? = $ty:expr;)+) => { $(
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(::std::string::String);

        #[allow(dead_code)]
        impl $name {
            /// The value with this text, which PostgreSQL's own input function reads.
            $visibility fn new(text: impl ::core::convert::Into<::std::string::String>) -> Self {
                Self(::core::convert::Into::into(text))
            }

            /// Its text.
            $visibility fn as_str(&self) -> &::core::primitive::str {
                &self.0
            }
        }

        impl $crate::__private::Sealed for $name {}
        impl $crate::SqlType for $name {}
        impl $crate::CastTarget for $name {
            #[track_caller]
            fn target() -> $crate::__private::ir::TypeName {
                $crate::__private::parse_type($ty)
            }
        }
        #[diagnostic::do_not_recommend]
        impl $crate::ScalarType for $name {
            type Literal = &'static ::core::primitive::str;
            type Ty = $crate::__named_type!(@expression $name $(, $base)?);
            fn domain() -> $crate::__private::ir::Domain {
                $crate::__private::ir::Domain::Named(<Self as $crate::CastTarget>::target())
            }
            fn scalar_json(literal: Self::Literal) -> ::std::string::String {
                $crate::__private::quote(literal)
            }
        }
        #[diagnostic::do_not_recommend]
        impl $crate::IntoExpr for $name {
            type Ty = $crate::__named_type!(@expression $name $(, $base)?);
            #[track_caller]
            fn into_expr(self) -> $crate::Expr<Self::Ty> {
                $crate::__private::named_constant(<Self as $crate::CastTarget>::target(), &self.0)
            }
        }
        impl $crate::__private::Compares<Self> for $name {}
        impl $crate::__private::Compares<$crate::Any> for $name {}
        impl $crate::__private::Compares<$name> for $crate::Any {}
    )+ };
}

/// A constant of a type that is named.
#[doc(hidden)]
#[track_caller]
pub fn named_constant<T>(ty: TypeName, text: &str) -> Expr<T> {
    push_constant(SlotType::Declared(ty), text)
}

__named_type! {
    /// PostgreSQL's `inet`: an address with its network, such as `10.0.7.2/24`.
    pub struct Inet = "pg_catalog.inet";
    /// PostgreSQL's `cidr`: a network, such as `10.0.0.0/8`.
    pub struct Cidr = "pg_catalog.cidr";
    /// PostgreSQL's `macaddr`, such as `08:00:2b:01:02:03`.
    pub struct MacAddr = "pg_catalog.macaddr";
    /// PostgreSQL's `macaddr8`.
    pub struct MacAddr8 = "pg_catalog.macaddr8";
    /// PostgreSQL's `tsvector`: words of a document.
    pub struct TsVector = "pg_catalog.tsvector";
    /// PostgreSQL's `tsquery`: words to search for, such as `tide & !low`.
    pub struct TsQuery = "pg_catalog.tsquery";
    /// PostgreSQL's `jsonpath`, such as `$.editions[*] ? (@.year > 2000)`.
    pub struct JsonPath = "pg_catalog.jsonpath";
    /// PostgreSQL's `bit`: a string of bits of one length, such as `101`.
    pub struct Bit = "pg_catalog.bit";
    /// PostgreSQL's `varbit`: a string of bits.
    pub struct VarBit = "pg_catalog.varbit";
    /// PostgreSQL's `money`. How it is written depends on the server's settings.
    pub struct Money = "pg_catalog.money";
    /// PostgreSQL's `timetz`: a time with a zone, such as `13:45:00+02`.
    pub struct TimeTz = "pg_catalog.timetz";
}

impl Compares<Cidr> for Inet {}
impl Compares<Inet> for Cidr {}

/// A type that a [`Range`] can be of.
#[diagnostic::on_unimplemented(
    message = "PostgreSQL has no ranges of `{Self}`",
    label = "`i32`, `i64`, `Numeric`, `Date`, `Timestamp` or `Timestamptz` is wanted here",
    note = "a range type of the database's own is named with `sql_type!`"
)]
pub trait RangeBound: SqlType {
    #[doc(hidden)]
    const RANGE: &'static str;
    #[doc(hidden)]
    const MULTIRANGE: &'static str;
}

macro_rules! bounds {
    ($($bound:ident $range:literal $multirange:literal;)*) => { $(
        impl RangeBound for $bound {
            const RANGE: &'static str = $range;
            const MULTIRANGE: &'static str = $multirange;
        }
    )* };
}

bounds! {
    i32 "pg_catalog.int4range" "pg_catalog.int4multirange";
    i64 "pg_catalog.int8range" "pg_catalog.int8multirange";
    Numeric "pg_catalog.numrange" "pg_catalog.nummultirange";
    Date "pg_catalog.daterange" "pg_catalog.datemultirange";
    Timestamp "pg_catalog.tsrange" "pg_catalog.tsmultirange";
    Timestamptz "pg_catalog.tstzrange" "pg_catalog.tstzmultirange";
}

macro_rules! ranges {
    ($($(#[$doc:meta])* $type:ident $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type<T> {
            text: String,
            bound: PhantomData<T>,
        }

        impl<T> $type<T> {
            /// The value with this text, which PostgreSQL's own input function reads.
            pub fn new(text: impl Into<String>) -> Self {
                Self { text: text.into(), bound: PhantomData }
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl<T> Sealed for $type<T> {}
        impl<T: RangeBound> SqlType for $type<T> {}
        impl<T: RangeBound> CastTarget for $type<T> {
            fn target() -> TypeName {
                TypeName::parse(T::$name)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<T: RangeBound> ScalarType for $type<T> {
            type Literal = &'static str;
            type Ty = Self;
            fn domain() -> Domain {
                Domain::Named(Self::target())
            }
            fn scalar_json(literal: &'static str) -> String {
                json::quote(literal)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<T: RangeBound> IntoExpr for $type<T> {
            type Ty = Self;
            #[track_caller]
            fn into_expr(self) -> Expr<Self> {
                named_constant(Self::target(), &self.text)
            }
        }
        impl<T> Compares<Self> for $type<T> {}
        impl<T> Compares<Any> for $type<T> {}
        impl<T> Compares<$type<T>> for Any {}
    )* };
}

ranges! {
    /// PostgreSQL's `int4range`, `int8range`, `numrange`, `daterange`, `tsrange` or `tstzrange`: `Range<Date>` is a `daterange`,
    /// such as `[2026-01-01,2026-02-01)`.
    ///
    /// As a parameter inside [`Arg`](crate::Arg) it is also written `{"lower": "2026-01-01", "upper": null, "bounds": "[)"}`.
    Range RANGE;
    /// PostgreSQL's `int4multirange` and its like: `Multirange<i32>` is an `int4multirange`, such as `{[1,3),[5,7)}`.
    ///
    /// As a parameter inside [`Arg`](crate::Arg) it is also written as an array of ranges.
    Multirange MULTIRANGE;
}

impl<T: RangeBound> Contains<Self> for Range<T> {}
impl<T: RangeBound> Contains<T> for Range<T> {}
impl<T: RangeBound> Contains<Any> for Range<T> {}
impl<T: RangeBound> Contains<Multirange<T>> for Range<T> {}
impl<T: RangeBound> Contains<Self> for Multirange<T> {}
impl<T: RangeBound> Contains<T> for Multirange<T> {}
impl<T: RangeBound> Contains<Any> for Multirange<T> {}
impl<T: RangeBound> Contains<Range<T>> for Multirange<T> {}

impl<T: RangeBound> Lowers for Range<T> {
    type Lowered = T;
}
impl<T: RangeBound> Lowers for Multirange<T> {
    type Lowered = T;
}
