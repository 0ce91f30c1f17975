//! A list of texts, a subquery of an average, and NOT EXISTS.

use callslip_sdk::prelude::*;

use crate::tables::{Customer, Orders};

#[derive(Params)]
pub struct GlobalSalesOpportunity {
    /// The first two digits of telephone numbers.
    #[param(default = ["13", "31", "23", "29", "30", "18", "17"])]
    codes: Arg<Vec<String>>,
}

/// TPC-H Q22: customers with an account above the average who have not ordered, by the country of their telephone.
#[query(example(), example(codes = ["10", "11", "12"]))]
pub fn q22_global_sales_opportunity(p: GlobalSalesOpportunity) -> Select {
    let (c, rich, o) = (Customer::alias("c"), Customer::alias("rich"), Orders::alias("o"));
    let average = select(avg(rich.c_acctbal))
        .from(rich)
        .filter(rich.c_acctbal.gt(dec("0.00")))
        .filter(country_code(rich).eq_any(p.codes));
    let ordered = select(1).from(o).filter(o.o_custkey.eq(c.c_custkey));
    let customers = subquery!("custsale", { cntrycode: country_code(c), c_acctbal: c.c_acctbal }, |q| {
        q.from(c)
            .filter(country_code(c).eq_any(p.codes))
            .filter(c.c_acctbal.gt(average.scalar()))
            .filter(not_exists(ordered))
    });
    select((customers.cntrycode, count_all().alias("numcust"), sum(customers.c_acctbal).alias("totacctbal")))
        .from(customers)
        .group_by(customers.cntrycode)
        .order_by(customers.cntrycode)
}

fn country_code(c: Customer) -> Expr<String> {
    substring(c.c_phone, 1, 2).into_expr()
}
