//! The 22 queries of TPC-H, the decision support benchmark, as a Callslip plugin. Each has a file of its own. The
//! parameters are the specification's, and their defaults the values with which it validates the answers.

mod q01_pricing_summary;
mod q02_minimum_cost_supplier;
mod q03_shipping_priority;
mod q04_order_priority_checking;
mod q05_local_supplier_volume;
mod q06_forecasting_revenue_change;
mod q07_volume_shipping;
mod q08_national_market_share;
mod q09_product_type_profit;
mod q10_returned_item_reporting;
mod q11_important_stock;
mod q12_shipping_modes;
mod q13_customer_distribution;
mod q14_promotion_effect;
mod q15_top_supplier;
mod q16_parts_supplier_relationship;
mod q17_small_quantity_order_revenue;
mod q18_large_volume_customer;
mod q19_discounted_revenue;
mod q20_potential_part_promotion;
mod q21_suppliers_who_kept_orders_waiting;
mod q22_global_sales_opportunity;
mod revenue;
mod tables;
mod values;

use callslip_sdk::export_plugin;
use q01_pricing_summary::q01_pricing_summary;
use q02_minimum_cost_supplier::q02_minimum_cost_supplier;
use q03_shipping_priority::q03_shipping_priority;
use q04_order_priority_checking::q04_order_priority_checking;
use q05_local_supplier_volume::q05_local_supplier_volume;
use q06_forecasting_revenue_change::q06_forecasting_revenue_change;
use q07_volume_shipping::q07_volume_shipping;
use q08_national_market_share::q08_national_market_share;
use q09_product_type_profit::q09_product_type_profit;
use q10_returned_item_reporting::q10_returned_item_reporting;
use q11_important_stock::q11_important_stock;
use q12_shipping_modes::q12_shipping_modes;
use q13_customer_distribution::q13_customer_distribution;
use q14_promotion_effect::q14_promotion_effect;
use q15_top_supplier::q15_top_supplier;
use q16_parts_supplier_relationship::q16_parts_supplier_relationship;
use q17_small_quantity_order_revenue::q17_small_quantity_order_revenue;
use q18_large_volume_customer::q18_large_volume_customer;
use q19_discounted_revenue::q19_discounted_revenue;
use q20_potential_part_promotion::q20_potential_part_promotion;
use q21_suppliers_who_kept_orders_waiting::q21_suppliers_who_kept_orders_waiting;
use q22_global_sales_opportunity::q22_global_sales_opportunity;

export_plugin!(
    q01_pricing_summary,
    q02_minimum_cost_supplier,
    q03_shipping_priority,
    q04_order_priority_checking,
    q05_local_supplier_volume,
    q06_forecasting_revenue_change,
    q07_volume_shipping,
    q08_national_market_share,
    q09_product_type_profit,
    q10_returned_item_reporting,
    q11_important_stock,
    q12_shipping_modes,
    q13_customer_distribution,
    q14_promotion_effect,
    q15_top_supplier,
    q16_parts_supplier_relationship,
    q17_small_quantity_order_revenue,
    q18_large_volume_customer,
    q19_discounted_revenue,
    q20_potential_part_promotion,
    q21_suppliers_who_kept_orders_waiting,
    q22_global_sales_opportunity,
);

#[cfg(test)]
mod tests;
