//! Types that have parts.

use super::{Any, Compares, SqlType};
use crate::{Json, sealed::Sealed};

/// What has subscripts.
pub trait SubscriptType {
    /// What a subscript gives.
    type Element: SqlType;
}
impl<T: SqlType> SubscriptType for Vec<T> {
    type Element = T;
}
impl SubscriptType for Json {
    type Element = Self;
}
impl SubscriptType for Any {
    type Element = Self;
}

/// What has fields.
pub trait CompositeType {}
impl CompositeType for Any {}

/// That `@>` takes two types.
pub trait Contains<R> {}
impl<T> Contains<Self> for Vec<T> {}
impl<T> Contains<Any> for Vec<T> {}
impl Contains<Self> for Json {}
impl Contains<Any> for Json {}
impl<T: SqlType> Contains<T> for Any {}

// Rows: each value compares with the one in its place.
macro_rules! rows {
    () => {};
    ($first:ident $other:ident $($left:ident $right:ident)*) => {
        impl<$first, $($left),*> Sealed for ($first, $($left,)*) {}
        impl<$first: SqlType, $($left: SqlType),*> SqlType for ($first, $($left,)*) {}
        impl<$first, $($left),*> CompositeType for ($first, $($left,)*) {}
        impl<$first, $($left),*> Compares<Any> for ($first, $($left,)*) {}
        impl<$first, $($left),*> Compares<($first, $($left,)*)> for Any {}
        impl<$first, $other, $($left, $right),*> Compares<($other, $($right,)*)> for ($first, $($left,)*)
        where
            $first: Compares<$other>,
            $($left: Compares<$right>,)*
        {
        }
        rows!($($left $right)*);
    };
}
rows!(A M B N C O D P E Q F R G S H T I U J V K W L X);
