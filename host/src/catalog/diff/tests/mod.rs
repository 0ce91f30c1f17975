mod everything;
mod fields;
mod objects;
mod renamed;

use super::changes;
use crate::catalog::{Contents, Relation, Snapshot, Type};

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

/// A change, and what is told of it.
type Case = (fn(&mut Contents), &'static [&'static str]);

fn assert_told(cases: &[Case]) {
    for (change, expected) in cases {
        assert_eq!(told(change), *expected);
    }
}

fn person(contents: &mut Contents) -> &mut Relation {
    &mut contents.relations[0]
}

fn ty<'c>(contents: &'c mut Contents, name: &str) -> &'c mut Type {
    contents.types.iter_mut().find(|ty| ty.name == name).unwrap()
}
