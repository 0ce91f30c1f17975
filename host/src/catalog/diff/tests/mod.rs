mod everything;
mod fields;
mod renamed;

use super::changes;
use crate::catalog::Contents;

/// What is told of the difference between two catalogs.
fn words(old: &Contents, new: &Contents) -> Vec<String> {
    changes(old, new).iter().map(ToString::to_string).collect()
}

/// What is told of a change to a catalog that has everything.
fn told(change: impl FnOnce(&mut Contents)) -> Vec<String> {
    let old = everything::contents();
    let mut new = old.clone();
    change(&mut new);
    words(&old, &new)
}
