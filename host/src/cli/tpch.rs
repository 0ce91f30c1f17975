//! The rows of TPC-H, the decision support benchmark of the Transaction Processing Performance Council.

use tpchgen::csv::{
    CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv,
};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use crate::cluster::{GeneratedRows, GeneratedTable, Slice};

/// The eight tables, as steps of a [`Dataset`](crate::cluster::Dataset) between `10-` and `17-`. A scale of 1 is about a
/// gigabyte: 6,000,000 rows of `lineitem`.
///
/// The first row takes about a second and 300 MB of memory, which the process keeps: TPC-H cuts every comment out of one
/// long text.
pub fn tables() -> [GeneratedTable; 8] {
    let table = |step, table, rows| GeneratedTable { step, table, rows };
    [
        table("10-region", "region", region),
        table("11-nation", "nation", nation),
        table("12-part", "part", part),
        table("13-supplier", "supplier", supplier),
        table("14-partsupp", "partsupp", partsupp),
        table("15-customer", "customer", customer),
        table("16-orders", "orders", orders),
        table("17-lineitem", "lineitem", lineitem),
    ]
}

/// Whether each part has four suppliers at this scale, as the keys of `partsupp` say. At some small ones it has one twice; the
/// specification knows only 1 and more.
pub fn has_distinct_suppliers(scale: f64) -> bool {
    let (suppliers, parts) = ((10_000.0 * scale) as u64, (200_000.0 * scale) as u64);
    // In the circle of all suppliers, those of a part are so far from each other; a turn later, one further.
    let turns = parts.div_ceil(suppliers.max(1));
    let mut steps = (0..turns).map(|turn| suppliers / 4 + turn);
    suppliers > 0 && steps.all(|step| (1..4).all(|times| times * step % suppliers != 0))
}

macro_rules! rows {
    ($($table:ident $generator:ident $csv:ident;)*) => { $(
        fn $table(slice: Slice) -> GeneratedRows {
            // 10,000 at most.
            let (number, count) = (slice.number as i32, slice.count as i32);
            Box::new($generator::new(slice.scale, number, count).iter().map(|row| $csv::new(row).to_string()))
        }
    )* };
}

rows! {
    part PartGenerator PartCsv;
    supplier SupplierGenerator SupplierCsv;
    partsupp PartSuppGenerator PartSuppCsv;
    customer CustomerGenerator CustomerCsv;
    orders OrderGenerator OrderCsv;
    lineitem LineItemGenerator LineItemCsv;
}

// These are the same at every scale, and their generators give all of them to every slice.
macro_rules! rows_at_every_scale {
    ($($table:ident $generator:ident $csv:ident;)*) => { $(
        fn $table(slice: Slice) -> GeneratedRows {
            match slice.number {
                1 => Box::new($generator::default().iter().map(|row| $csv::new(row).to_string())),
                _ => Box::new(std::iter::empty()),
            }
        }
    )* };
}

rows_at_every_scale! {
    region RegionGenerator RegionCsv;
    nation NationGenerator NationCsv;
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn scales_without_four_suppliers_of_each_part_are_known() {
        for suppliers in [1, 3, 10, 79, 80, 99, 100, 101, 102, 228, 229, 300] {
            // The generator cuts the rest off, but for the parts.
            let scale = (f64::from(suppliers) + 0.5) / 10_000.0;
            let offers = PartSuppGenerator::new(scale, 1, 1).iter();
            let mut seen = HashSet::new();
            let distinct = offers.into_iter().all(|offer| seen.insert((offer.ps_partkey, offer.ps_suppkey)));
            assert_eq!(has_distinct_suppliers(scale), distinct, "{suppliers} suppliers");
        }
        assert!(
            has_distinct_suppliers(0.01) && has_distinct_suppliers(100.0) && !has_distinct_suppliers(1e-9)
        );
    }
}
