use std::collections::HashSet;

use super::change::{Change, ObjectRef, What};

/// Where the changes of one object are told.
pub(super) struct About<'c> {
    pub changes: &'c mut Vec<Change>,
    pub object: ObjectRef,
}

impl About<'_> {
    pub fn tell(&mut self, what: What) {
        self.changes.push(Change { object: self.object.clone(), what });
    }

    pub fn appeared(&mut self, as_: impl Into<String>) {
        self.tell(What::Appeared { as_: as_.into() });
    }

    /// Where a property is another one.
    pub fn text(&mut self, property: &'static str, from: impl Into<String>, to: impl Into<String>) {
        self.option(property, Some(from.into()), Some(to.into()));
    }

    /// The same of one that may be missing. An empty one is one that is missing.
    pub fn option(&mut self, property: &'static str, from: Option<String>, to: Option<String>) {
        let is_there = |text: &String| !text.is_empty();
        let (from, to) = (from.filter(is_there), to.filter(is_there));
        if from != to {
            self.tell(What::Changed { property, from, to });
        }
    }

    pub fn is(&mut self, predicate: &'static str, before: bool, now: bool) {
        if before != now {
            self.tell(What::Is { predicate, now });
        }
    }

    /// What is in one of two lists only, in the order of the lists.
    pub fn items(&mut self, verb: &'static str, before: &[String], now: &[String]) {
        let does = |item: &String, now| What::Does { verb, item: item.clone(), now };
        let (had, has) = (set(before), set(now));
        for item in before.iter().filter(|item| !has.contains(item)) {
            self.tell(does(item, false));
        }
        for item in now.iter().filter(|item| !had.contains(item)) {
            self.tell(does(item, true));
        }
    }

    /// Where two lists have what is in both of them in another order.
    pub fn order(&mut self, property: &'static str, before: &[String], now: &[String]) {
        let common = |items: &[String], of: &[String]| -> Vec<String> {
            let of = set(of);
            items.iter().filter(|item| of.contains(item)).cloned().collect()
        };
        let (before, now) = (common(before, now), common(now, before));
        if before != now {
            self.text(property, before.join(", "), now.join(", "));
        }
    }
}

/// The labels of an enum may be many.
fn set(items: &[String]) -> HashSet<&String> {
    items.iter().collect()
}
