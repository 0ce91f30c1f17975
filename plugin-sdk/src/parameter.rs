//! Parameters and claims: what a query declares of them, and how it reads what is seen.

use std::{marker::PhantomData, panic::Location};

use callslip_ir::{
    Binding, Domain, NodeKind, Parameter, ParameterMode, Presence, Range, Scalar, SlotId, SlotType, ValueType,
};

use crate::{
    Date, Expr, Expression, Failure, Interval, IntoExpr, Json, Numeric, ParameterType, Time, Timestamp,
    Timestamptz, Uuid, arena, json,
    names::{FieldNames, contains},
    sealed::Sealed,
};

/// A parameter or claim that is **bound**: the plugin never sees its value, and can only say where in the query it
/// stands. The host checks and binds it. So the query has one shape for all values, which is proven when the plugin
/// is loaded.
///
/// It is an expression of the PostgreSQL type that belongs to `T`.
pub struct Arg<T> {
    slot: SlotId,
    ty: PhantomData<(T, *const ())>,
}

impl<T> Clone for Arg<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Arg<T> {}

impl<T> Sealed for Arg<T> {}
impl<T: ParameterType> IntoExpr for Arg<T> {
    type Ty = T::Ty;
    #[track_caller]
    fn into_expr(self) -> Expr<T::Ty> {
        Expr::new(arena::push(NodeKind::Parameter(self.slot), Location::caller()))
    }
}
impl<T: ParameterType> Expression for Arg<T> {}

/// Whether something is a parameter or a claim.
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum InputKind {
    Parameter,
    Claim,
}

/// What the host chose for one seen parameter or claim: see `choice` in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The parameter's name.
    pub parameter: String,
    /// `true` or `false`, the label of an enum, the keys of a sort order, the JSON text of an open parameter's value, or
    /// `present`.
    pub value: String,
}

/// The parameters of a query: a struct with `#[derive(Params)]`, whose fields they are.
///
/// | a field of type | is |
/// |---|---|
/// | `Arg<T>` | bound: the plugin never sees its value |
/// | `bool`, an enum with `#[derive(SqlEnum)]` | seen: the query has a shape for each value |
/// | [`Sort<K>`](struct@crate::Sort) | seen: what to sort by, a shape for each order |
/// | [`Keyset`](crate::Keyset) | seen by its presence: `cursor`, where a page begins; and bound: `page_size` |
/// | [`Page`](crate::Page) | bound: two parameters, the number of a page and how many rows it has |
/// | `Option<…>` of these | seen by its presence: the query has shapes with it and without |
/// | a plain `String`, `i32`, `Vec<String>`, … | open: the plan runs in the sandbox for each new value |
///
/// The field's documentation is the parameter's. `#[param(…)]` takes `default = 50`, `range = 1..=500` (either end
/// may be missing) and `rename = "name"`. A default is a Rust value, `Status::Paid` or `[Status::Paid]`, or the text of what Rust
/// has no literal for, `"2026-01-31"`; in `#[query(example(…))]` stands what a caller writes, `"paid"` or `["paid"]`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// #[derive(Params)]
/// struct Search {
///     /// The company whose positions to find.
///     company: Arg<i32>,
///     /// Only positions that are still open.
///     #[param(default = true)]
///     open: bool,
///     /// Only positions that opened at that time or later.
///     since: Option<Arg<Timestamptz>>,
///     #[param(default = 50, range = 1..=500)]
///     limit: Arg<u32>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of parameters",
    label = "a struct with `#[derive(Params)]` is wanted here",
    note = "the claims of the caller, a struct with `#[derive(Claims)]`, come after the parameters"
)]
pub trait Params: Inputs {}

/// What a query knows of its caller: a struct with `#[derive(Claims)]`, written as one of [`Params`] is. The query
/// reads these claims and no others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of claims",
    label = "a struct with `#[derive(Claims)]` is wanted here"
)]
pub trait Claims: Inputs {}

/// The parameters or the claims of a query. Derived with [`Params`] and [`Claims`].
#[diagnostic::on_unimplemented(
    message = "a query can't take a `{Self}`",
    label = "a struct with `#[derive(Params)]` or `#[derive(Claims)]` is wanted here"
)]
pub trait Inputs: Sized {
    #[doc(hidden)]
    const KIND: InputKind;
    #[doc(hidden)]
    const NAMES: &'static [FieldNames];
    #[doc(hidden)]
    fn declare() -> Vec<Parameter>;
    #[doc(hidden)]
    fn read(choices: &[Choice]) -> Result<Self, Failure>;
}

/// The type of one field of [`Params`] or [`Claims`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a parameter",
    label = "this can't be a parameter",
    note = "a bound parameter is an `Arg<…>`; a bool or an enum with `#[derive(SqlEnum)]` is seen; `Option<…>` of \
            these may be left out; a plain String, number or `Vec` of them is open",
    note = "a `Sort<…>` is what to sort by; a `Keyset` and a `Page` are never missing, so that there is no `Option` of them",
    note = "inside `Arg` can be: i8 to i64, u8 to u64, f32, f64, bool, String, Numeric, Date, Time, Timestamp, \
            Timestamptz, Interval, Uuid, Json, Bytes, an enum with `#[derive(SqlEnum)]`, `Range<…>`, a type of \
            `sql_type!`, `Vec<…>` or `Nullable<…>` of these"
)]
pub trait Field: Sized {
    /// What `#[param(default = …)]` takes.
    type Literal;
    /// Whether its parameters have the same names whatever the field is called.
    #[doc(hidden)]
    const IS_NAMED: bool = false;
    /// What follows the field's name in those of its parameters, one for each; their names, if they have their own.
    #[doc(hidden)]
    const SUFFIXES: &'static [&'static str] = &[""];
    #[doc(hidden)]
    fn declare(name: &str, doc: &str) -> Vec<Parameter>;
    #[doc(hidden)]
    fn json(literal: Self::Literal) -> String;
    #[doc(hidden)]
    fn read(source: Source<'_>, default: Option<Self::Literal>) -> Result<Self, Failure>;
}

/// What `#[param(default = …)]` takes on a field that can have no default: an `Option`, and a [`Page`](crate::Page) or a
/// [`Keyset`](crate::Keyset), whose type says how many rows it has.
pub enum NoDefault {}

/// The type of a field of [`Params`] or [`Claims`] that is not an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a parameter",
    label = "this can't be a parameter",
    note = "a bound parameter is an `Arg<…>`; a bool or an enum with `#[derive(SqlEnum)]` is seen; `Option<…>` of \
            these may be left out; a plain String, number or `Vec` of them is open",
    note = "a `Sort<…>` is what to sort by; a `Keyset` and a `Page` are never missing, so that there is no `Option` of them",
    note = "inside `Arg` can be: i8 to i64, u8 to u64, f32, f64, bool, String, Numeric, Date, Time, Timestamp, \
            Timestamptz, Interval, Uuid, Json, Bytes, an enum with `#[derive(SqlEnum)]`, `Range<…>`, a type of \
            `sql_type!`, `Vec<…>` or `Nullable<…>` of these"
)]
pub trait FieldValue: Sized {
    /// What `#[param(default = …)]` takes.
    type Literal;
    #[doc(hidden)]
    const MODE: ParameterMode;
    #[doc(hidden)]
    fn field_type() -> (ValueType, Option<Range>);
    /// Whether it may be left out where its field says nothing of that.
    #[doc(hidden)]
    fn presence() -> Presence {
        Presence::Required
    }
    #[doc(hidden)]
    fn literal_json(literal: Self::Literal) -> String;
    /// The value of a default; `None` if this type can't have it.
    #[doc(hidden)]
    fn from_literal(source: &Source<'_>, literal: Self::Literal) -> Option<Self>;
    /// The value that was chosen; `None` if this type can't have it.
    #[doc(hidden)]
    fn from_choice(source: &Source<'_>, choice: &str) -> Option<Self>;
    /// The value where nothing was chosen: only what is bound needs no choice.
    #[doc(hidden)]
    fn unseen(_source: &Source<'_>) -> Option<Self> {
        None
    }
}

/// Which parameter or claim is read, from what.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Source<'a> {
    kind: InputKind,
    name: &'a str,
    choice: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub fn new(kind: InputKind, name: &'a str, choices: &'a [Choice]) -> Self {
        let choice = choices.iter().find(|choice| choice.parameter == name);
        Self { kind, name, choice: choice.map(|choice| choice.value.as_str()) }
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// Another parameter of the same field, which is bound.
    pub(crate) fn bound<'b>(&self, name: &'b str) -> Source<'b> {
        Source { kind: self.kind, name, choice: None }
    }

    fn failure(&self, message: &str) -> Failure {
        Failure::invalid(message).parameter(self.name)
    }

    /// Only a test can leave out what is not bound.
    fn missing(&self, domain: &Domain) -> Failure {
        let value = match domain {
            Domain::Scalar(Scalar::Bool) => "true".to_owned(),
            Domain::Enum { labels, .. } => format!("{:?}", labels.first().map_or("", String::as_str)),
            _ => "\"its JSON text\"".to_owned(),
        };
        let (before, after) = match self.kind {
            InputKind::Parameter => ("", ""),
            InputKind::Claim => ("claims { ", " }"),
        };
        self.failure(&format!("nothing was chosen: add `{before}{}: {value}{after}`", self.name))
    }
}

/// What the host chose for a query.
#[doc(hidden)]
pub struct Chosen<'a> {
    parameters: &'a [Choice],
    claims: &'a [Choice],
}

impl<'a> Chosen<'a> {
    pub fn new(parameters: &'a [Choice], claims: &'a [Choice]) -> Self {
        Self { parameters, claims }
    }

    fn of(&self, kind: InputKind) -> &'a [Choice] {
        match kind {
            InputKind::Parameter => self.parameters,
            InputKind::Claim => self.claims,
        }
    }

    /// Refuses choices for what the query does not declare.
    pub fn check(&self, parameters: &[&[FieldNames]], claims: &[&[FieldNames]]) -> Result<(), Failure> {
        for (choices, names, kind) in
            [(self.parameters, parameters, "parameters"), (self.claims, claims, "claims")]
        {
            let known = |choice: &&Choice| names.iter().any(|names| contains(names, &choice.parameter));
            if let Some(other) = choices.iter().find(|choice| !known(choice)) {
                let names: Vec<String> = names.concat().iter().flat_map(FieldNames::names).collect();
                let message = match names.as_slice() {
                    [] => ["the query has no ", kind].concat(),
                    names => format!("the query does not declare this; its {kind} are {}", names.join(", ")),
                };
                return Err(Failure::invalid(message).parameter(&other.parameter));
            }
        }
        Ok(())
    }

    pub fn read<I: Inputs>(&self) -> Result<I, Failure> {
        I::read(self.of(I::KIND))
    }
}

/// The names of a query's inputs, where they are of this kind.
#[doc(hidden)]
pub const fn names_of<I: Inputs>(kind: InputKind) -> &'static [FieldNames] {
    match (I::KIND, kind) {
        (InputKind::Parameter, InputKind::Parameter) | (InputKind::Claim, InputKind::Claim) => I::NAMES,
        _ => &[],
    }
}

/// What a query declares of its inputs, where they are of this kind.
#[doc(hidden)]
pub fn declared<I: Inputs>(kind: InputKind) -> Vec<Parameter> {
    if I::KIND == kind { I::declare() } else { Vec::new() }
}

impl<V: FieldValue> Field for V {
    type Literal = V::Literal;

    fn declare(name: &str, doc: &str) -> Vec<Parameter> {
        vec![declaration::<V>(name, doc, V::presence())]
    }

    fn json(literal: Self::Literal) -> String {
        V::literal_json(literal)
    }

    fn read(source: Source<'_>, default: Option<Self::Literal>) -> Result<Self, Failure> {
        let read = match (source.choice, default) {
            (Some(choice), _) => V::from_choice(&source, choice),
            (None, Some(default)) => V::from_literal(&source, default),
            (None, None) => match V::unseen(&source) {
                None => return Err(source.missing(&V::field_type().0.domain)),
                unseen => unseen,
            },
        };
        read.ok_or_else(|| source.failure("it can't have this value"))
    }
}

impl<V: FieldValue> Field for Option<V> {
    type Literal = NoDefault;

    fn declare(name: &str, doc: &str) -> Vec<Parameter> {
        vec![declaration::<V>(name, doc, Presence::Optional)]
    }

    fn json(literal: Self::Literal) -> String {
        match literal {}
    }

    fn read(source: Source<'_>, _default: Option<Self::Literal>) -> Result<Self, Failure> {
        match source.choice {
            Some(_) => <V as Field>::read(source, None).map(Some),
            None => Ok(None),
        }
    }
}

fn declaration<V: FieldValue>(name: &str, doc: &str, presence: Presence) -> Parameter {
    let (ty, range) = V::field_type();
    Parameter { name: name.to_owned(), doc: doc.to_owned(), ty, mode: V::MODE, presence, range }
}

impl<T: ParameterType> FieldValue for Arg<T> {
    type Literal = T::Literal;
    const MODE: ParameterMode = ParameterMode::Bound;

    fn field_type() -> (ValueType, Option<Range>) {
        (T::value_type(), T::range())
    }

    fn literal_json(literal: T::Literal) -> String {
        T::json(literal)
    }

    fn from_literal(source: &Source<'_>, _literal: T::Literal) -> Option<Self> {
        Some(Self::bind(source))
    }

    fn from_choice(source: &Source<'_>, _choice: &str) -> Option<Self> {
        Some(Self::bind(source))
    }

    fn unseen(source: &Source<'_>) -> Option<Self> {
        Some(Self::bind(source))
    }
}

impl<T: ParameterType> Arg<T> {
    pub(crate) fn bind(source: &Source<'_>) -> Self {
        let name = source.name.to_owned();
        let binding = match source.kind {
            InputKind::Parameter => Binding::Parameter(name),
            InputKind::Claim => Binding::Claim(name),
        };
        let slot = arena::slot(SlotType::Declared(T::value_type().type_name()), binding);
        Self { slot, ty: PhantomData }
    }
}

impl FieldValue for bool {
    type Literal = bool;
    const MODE: ParameterMode = ParameterMode::Seen;

    fn field_type() -> (ValueType, Option<Range>) {
        (<bool as ParameterType>::value_type(), None)
    }

    fn literal_json(literal: bool) -> String {
        <bool as ParameterType>::json(literal)
    }

    fn from_literal(_source: &Source<'_>, literal: bool) -> Option<Self> {
        Some(literal)
    }

    fn from_choice(_source: &Source<'_>, choice: &str) -> Option<Self> {
        choice.parse().ok()
    }
}

/// A plain value, which is read from JSON text.
trait Open: ParameterType + Sized {
    fn from_json(json: &str) -> Option<Self>;
    fn of_literal(literal: Self::Literal) -> Self;
}

macro_rules! open_field {
    ($([$($generics:tt)*] $type:ty;)*) => { $(
        impl<$($generics)*> FieldValue for $type {
            type Literal = <$type as ParameterType>::Literal;
            const MODE: ParameterMode = ParameterMode::Open;

            fn field_type() -> (ValueType, Option<Range>) {
                (<$type as ParameterType>::value_type(), <$type as ParameterType>::range())
            }

            fn literal_json(literal: Self::Literal) -> String {
                <$type as ParameterType>::json(literal)
            }

            fn from_literal(_source: &Source<'_>, literal: Self::Literal) -> Option<Self> {
                Some(<$type as Open>::of_literal(literal))
            }

            fn from_choice(_source: &Source<'_>, choice: &str) -> Option<Self> {
                <$type as Open>::from_json(choice)
            }
        }
    )* };
}

macro_rules! open_numbers {
    ($($type:ident)*) => { $(
        impl Open for $type {
            fn from_json(json: &str) -> Option<Self> {
                // A number may come as a string, where JSON has no number for it.
                match json::unquote(json) {
                    Some(text) => text.parse().ok(),
                    None => json.trim().parse().ok(),
                }
            }
            fn of_literal(literal: $type) -> Self { literal }
        }
        open_field! { [] $type; }
    )* };
}
open_numbers!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);

macro_rules! open_texts {
    ($($type:ident)*) => { $(
        impl Open for $type {
            fn from_json(json: &str) -> Option<Self> {
                let text = json::unquote(json).unwrap_or_else(|| json.trim().to_owned());
                Some(Self::new(text))
            }
            fn of_literal(literal: &'static str) -> Self { Self::new(literal) }
        }
        open_field! { [] $type; }
    )* };
}
open_texts!(Numeric Date Time Timestamp Timestamptz Interval Uuid);

impl Open for String {
    fn from_json(json: &str) -> Option<Self> {
        json::unquote(json)
    }
    fn of_literal(literal: &'static str) -> Self {
        literal.to_owned()
    }
}

impl Open for Json {
    fn from_json(json: &str) -> Option<Self> {
        Some(Self::new(json))
    }
    fn of_literal(literal: &'static str) -> Self {
        Self::new(literal)
    }
}

impl<T: Open + crate::ScalarType<Literal = <T as ParameterType>::Literal>> Open for Vec<T>
where
    <T as ParameterType>::Literal: Copy,
{
    fn from_json(json: &str) -> Option<Self> {
        json::elements(json)?.into_iter().map(T::from_json).collect()
    }
    fn of_literal(literal: Self::Literal) -> Self {
        literal.iter().map(|element| T::of_literal(*element)).collect()
    }
}

open_field! {
    [] String;
    [] Json;
}

macro_rules! open_lists {
    ($($type:ident)*) => {
        open_field! { $([] Vec<$type>;)* }
    };
}
open_lists!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 String Numeric Date Time Timestamp Timestamptz Interval Uuid Json);
