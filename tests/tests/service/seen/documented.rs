use std::collections::{BTreeMap, BTreeSet};

use callslip_tests::{http, language_and_slow};

use super::Seen;

/// The table of metrics of the README: the labels of each.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, table) = readme.split_once("\n| metric | labels |").expect("a table of metrics");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let quoted =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let labels: BTreeSet<String> = quoted(cells[1]).into_iter().collect();
        quoted(cells[0]).into_iter().map(|name| (name, labels.clone())).collect::<Vec<_>>()
    };
    rows.flat_map(row).collect()
}

#[tokio::test]
async fn the_readme_names_every_metric_and_its_labels() {
    let seen = Seen::start(&language_and_slow("")).await;
    assert_eq!(http::get(seen.public, "/q/language/position?id=1").await.status, 200);
    assert_eq!(http::get(seen.public, "/q/language/search?words=documented").await.status, 200);
    seen.host.refresh().await.unwrap();
    let (served, documented) = (seen.scrape().await.described(), documented());
    let names = |all: &BTreeMap<String, BTreeSet<String>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&served), names(&documented));
    // Of some there is nothing until something goes wrong.
    let mut seen = 0;
    for (name, labels) in served.iter().filter(|(_, labels)| !labels.is_empty()) {
        assert_eq!(labels, &documented[name], "{name}");
        seen += 1;
    }
    assert!(seen > 15, "{served:#?}");
}
