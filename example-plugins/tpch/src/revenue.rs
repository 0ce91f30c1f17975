//! What nearly every query adds up.

use callslip_sdk::prelude::*;

use crate::tables::Lineitem;

impl Lineitem {
    /// What the item brought in: its price less the discount.
    pub fn revenue(self) -> Expr<Numeric> {
        self.l_extendedprice * (constant(1) - self.l_discount)
    }
}
