//! Native tests, as an author writes them: no database, no WebAssembly.

use callslip_sdk::testing::plan;

use crate::PLUGIN;

#[test]
fn the_plugin_offers_its_queries() {
    let queries = PLUGIN.manifest().queries;
    let names: Vec<_> = queries.iter().map(|query| query.name.as_str()).collect();
    assert_eq!(names, ["funnel", "contested", "finalists", "overview"]);
    for query in &queries {
        assert!(!query.doc.is_empty(), "{} says what it is for", query.name);
        assert!(!query.examples.is_empty(), "{} has an example", query.name);
    }
}

#[test]
fn the_funnel_has_a_shape_for_each_choice() {
    let nodes = |choices: &[(&str, &str)]| plan(&PLUGIN, "funnel", choices).unwrap()[0].shape.nodes.len();
    let least = nodes(&[("open", "false")]);
    // `closed_at IS NULL` is two nodes and the AND around the conditions one; `created_at >= since` is three.
    assert_eq!(nodes(&[("open", "true")]), least + 3);
    assert_eq!(nodes(&[("open", "false"), ("since", "present")]), least + 4);
    assert_eq!(nodes(&[("open", "true"), ("since", "present")]), least + 6);
}

#[test]
fn the_overview_has_its_statements_by_name() {
    let plan = plan(&PLUGIN, "overview", &[]).unwrap();
    let names: Vec<_> = plan.iter().map(|statement| statement.name.as_str()).collect();
    assert_eq!(names, ["positions", "totals"]);
}

#[test]
fn every_query_has_a_plan_without_its_optional_parameters() {
    for query in PLUGIN.manifest().queries {
        assert!(plan(&PLUGIN, &query.name, &[]).is_ok(), "{}", query.name);
    }
}
