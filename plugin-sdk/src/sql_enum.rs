use callslip_ir::{Domain, ParameterMode, Range, SlotType, TypeName, ValueType};

use crate::{
    Expr, FieldValue, IntoExpr, ParameterType, ScalarType, json, parameter::Source, sealed::Sealed,
    value::push_constant,
};

/// A Rust enum with `#[derive(SqlEnum)]`: its values are labels.
///
/// As the type of a parameter it is seen, so that the query has a shape for each label; inside [`Arg`](crate::Arg) it is bound. A
/// variant's label is its name in snake_case, or what `#[sql(rename = "…")]` says. `#[sql(type = "interview_status")]`
/// on the enum names the PostgreSQL enum type that it is; without it, it is a text.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// #[derive(Clone, Copy, SqlEnum)]
/// #[sql(type = "interview_status")]
/// enum Status {
///     Invited,
///     Started,
///     Completed,
///     Expired,
///     Withdrawn,
/// }
/// # let i = table("interview");
/// let done = i.col("status").eq(Status::Completed);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a value that SQL knows nor an enum with `#[derive(SqlEnum)]`",
    label = "this can't be a value"
)]
pub trait SqlEnum: Sized + 'static {
    /// The labels, in the order of the variants.
    const LABELS: &'static [&'static str];
    /// The PostgreSQL enum type, if it is one.
    const TYPE: Option<&'static str>;
    /// The label of this variant.
    fn label(&self) -> &'static str;
    /// The variant with this label.
    fn from_label(label: &str) -> Option<Self>;
}

impl<T: SqlEnum> Sealed for T {}

#[diagnostic::do_not_recommend]
impl<T: SqlEnum> ScalarType for T {
    type Literal = T;
    type Ty = T;

    fn domain() -> Domain {
        let labels = T::LABELS.iter().map(|label| (*label).to_owned()).collect();
        Domain::Enum { labels, ty: T::TYPE.map(TypeName::parse) }
    }

    fn scalar_json(literal: T) -> String {
        json::quote(literal.label())
    }
}

#[diagnostic::do_not_recommend]
impl<T: SqlEnum> FieldValue for T {
    type Literal = T;
    const MODE: ParameterMode = ParameterMode::Seen;

    fn field_type() -> (ValueType, Option<Range>) {
        (<T as ParameterType>::value_type(), None)
    }

    fn literal_json(literal: T) -> String {
        T::json(literal)
    }

    fn from_literal(_source: &Source<'_>, literal: T) -> Option<Self> {
        Some(literal)
    }

    fn from_choice(_source: &Source<'_>, choice: &str) -> Option<Self> {
        T::from_label(choice)
    }
}

#[diagnostic::do_not_recommend]
impl<T: SqlEnum> IntoExpr for T {
    type Ty = T;
    #[track_caller]
    fn into_expr(self) -> Expr<T> {
        let ty = match T::TYPE {
            Some(ty) => SlotType::Declared(TypeName::parse(ty)),
            None => SlotType::Context,
        };
        push_constant(ty, self.label())
    }
}
