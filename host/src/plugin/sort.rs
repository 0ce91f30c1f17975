//! Sort orders as values: distinct keys, each ascending, or descending after a `-`.

use std::collections::HashSet;

use super::value::one_of;

/// The text of a sort order with these keys, as they were written, which is the one text that it has.
pub(super) fn read<'a>(
    keys: &[String],
    written: impl IntoIterator<Item = &'a str>,
) -> Result<String, String> {
    let mut known = HashSet::new();
    let mut order = Vec::new();
    for (index, term) in written.into_iter().enumerate() {
        let name = term.strip_prefix('-').unwrap_or(term);
        if !keys.iter().any(|key| key == name) {
            return Err(format!("has a key {} that is {}", index + 1, one_of(keys, name)));
        }
        if !known.insert(name) {
            return Err(format!("has a key {} that repeats an earlier one", index + 1));
        }
        order.push(term);
    }
    Ok(order.join(","))
}

/// How many sort orders there are of so many keys.
pub(super) fn count(keys: usize) -> u128 {
    // Those of one key more: each key that is left over, in either direction.
    let longer = |orders: &u128, left: usize| orders.saturating_mul(2).saturating_mul(left as u128);
    std::iter::successors(Some((1_u128, keys)), |(orders, left)| {
        (*left > 0).then(|| (longer(orders, *left), left - 1))
    })
    .fold(0, |sum, (orders, _)| sum.saturating_add(orders))
}

/// The first of the sort orders, those of fewer keys before those of more.
pub(super) fn first(keys: &[String], limit: usize) -> Vec<String> {
    // Each order as the places of its keys, and whether each of them descends.
    let mut orders: Vec<Vec<(usize, bool)>> = vec![Vec::new()];
    let mut extended = 0;
    while extended < orders.len() && orders.len() < limit {
        let shorter = orders[extended].clone();
        extended += 1;
        let left = (0..keys.len()).filter(|key| shorter.iter().all(|(used, _)| used != key));
        for key in left {
            orders
                .extend([false, true].map(|descending| {
                    shorter.iter().copied().chain([(key, descending)]).collect::<Vec<_>>()
                }));
        }
    }
    orders.truncate(limit);
    let term =
        |(key, descending): &(usize, bool)| format!("{}{}", if *descending { "-" } else { "" }, keys[*key]);
    orders.iter().map(|order| order.iter().map(term).collect::<Vec<_>>().join(",")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn orders_come_shortest_first_and_each_once() {
        let two = keys(&["a", "b"]);
        let all = ["", "a", "-a", "b", "-b", "a,b", "a,-b", "-a,b", "-a,-b", "b,a", "b,-a", "-b,a", "-b,-a"];
        assert_eq!(first(&two, 256), all);
        for limit in [1, 4, 12, 13] {
            assert_eq!(first(&two, limit), all[..limit]);
        }
        let five = keys(&["a", "b", "c", "d", "e"]);
        let orders = first(&five, usize::MAX);
        assert_eq!(orders.len() as u128, count(5));
        assert_eq!(orders.iter().collect::<HashSet<_>>().len(), orders.len());
        for order in orders.iter().skip(1) {
            assert_eq!(read(&five, order.split(',')).as_ref(), Ok(order));
        }
    }

    #[test]
    fn orders_are_counted_without_being_listed() {
        assert_eq!([0, 1, 2, 3].map(count), [1, 3, 13, 79]);
        assert!(count(20) > 1 << 80 && count(20) < u128::MAX);
        assert_eq!(count(256), u128::MAX);
        let many: Vec<_> = (0..256).map(|n| format!("k{n}")).collect();
        assert_eq!(first(&many, 256).len(), 256);
    }

    #[test]
    fn what_is_no_order_is_refused() {
        let two = keys(&["title", "closed_at"]);
        let read = |written: &[&str]| read(&two, written.iter().copied());
        assert_eq!(read(&[]), Ok(String::new()));
        assert_eq!(read(&["-title", "closed_at"]), Ok("-title,closed_at".into()));
        assert_eq!(
            read(&["title", "-closed"]),
            Err("has a key 2 that is none of `title`, `closed_at`; did you mean `closed_at`?".into())
        );
        assert_eq!(
            read(&["--title"]).unwrap_err(),
            "has a key 1 that is none of `title`, `closed_at`; did you mean `title`?"
        );
        assert!(read(&[""]).unwrap_err().ends_with("none of `title`, `closed_at`"));
        assert!(read(&[" title"]).is_err() && read(&["-"]).is_err() && read(&["title,closed_at"]).is_err());
        assert_eq!(read(&["title", "-title"]).unwrap_err(), "has a key 2 that repeats an earlier one");
    }
}
