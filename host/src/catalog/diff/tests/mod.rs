mod everything;
mod fields;
mod renamed;

use super::changes;
use crate::catalog::{Contents, Snapshot};

/// What is told of the difference between two catalogs.
fn words(old: &Contents, new: &Contents) -> Vec<String> {
    changes(old, new).iter().map(ToString::to_string).collect()
}

/// What is told of a change to a catalog that has everything.
fn told(change: impl FnOnce(&mut Contents)) -> Vec<String> {
    let old = everything::contents();
    let mut new = old.clone();
    change(&mut new);
    let told = words(&old, &new);
    // What the files that people keep differ in is told, and nothing else.
    let text = |contents| Snapshot { contents, search: vec!["app".into()], everything: true }.to_json();
    assert_eq!(told.is_empty(), text(old) == text(new), "{told:?}");
    told
}
