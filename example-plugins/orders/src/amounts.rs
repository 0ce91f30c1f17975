//! What a line of an order comes to. Everything that adds up money uses these, so that no two sums differ by a cent.

use callslip_sdk::prelude::*;

use crate::tables::OrderLine;

impl OrderLine {
    /// Its price less the discount, without tax.
    pub fn net(self) -> Expr<Numeric> {
        cents(self.quantity * self.unit_price * (constant(100) - self.discount_percent) / 100)
    }

    /// The tax on that.
    pub fn tax(self) -> Expr<Numeric> {
        cents(self.net() * self.tax_percent / 100)
    }
}

fn cents(amount: Expr<Numeric>) -> Expr<Numeric> {
    call("round", (amount, 2)).cast()
}
