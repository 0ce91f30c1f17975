use callslip_ir::{Direction, QualifiedName};

use crate::{IntoOrder, Order};

/// `value USING operator`, for ORDER BY by an operator class other than the default one: `order_using(pos.title, "~<~")`
/// goes by bytes. The operator is a less or a greater of an operator class, such as `<` and `>`.
#[track_caller]
pub fn order_using(value: impl IntoOrder, operator: &str) -> Order {
    Order { direction: Direction::Using(QualifiedName::parse(operator)), ..value.into_order() }
}
