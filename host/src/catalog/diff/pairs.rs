use std::collections::BTreeMap;

/// What two lists have of each name, in the order of the names.
pub(super) type Pairs<'a, K, T> = BTreeMap<K, (Option<&'a T>, Option<&'a T>)>;

pub(super) fn pairs<'a, K: Ord, T>(
    old: &'a [T],
    new: &'a [T],
    old_key: impl Fn(&'a T) -> K,
    new_key: impl Fn(&'a T) -> K,
) -> Pairs<'a, K, T> {
    let mut pairs = Pairs::new();
    for item in old {
        pairs.entry(old_key(item)).or_insert((Some(item), None));
    }
    for item in new {
        pairs.entry(new_key(item)).or_insert((None, None)).1 = Some(item);
    }
    pairs
}

/// The same of what has a name by itself.
pub(super) fn by_name<'a, T>(old: &'a [T], new: &'a [T], name: fn(&T) -> &str) -> Pairs<'a, &'a str, T> {
    pairs(old, new, name, name)
}
