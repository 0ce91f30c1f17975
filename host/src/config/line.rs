use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line, counted from 1, on which a configuration says what a message is about: that of the deepest key which one of its words
/// names, such as `pool.size`.
pub(super) fn line_of(text: &str, message: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let words = message.split_whitespace().map(|word| word.trim_matches(|c: char| "\"`[](),:;".contains(c)));
    let found = words.filter_map(|word| {
        // The name of a plugin is told without what it is of.
        let of_plugin =
            || deepest(table.get_ref(), &format!("plugins.{word}")).filter(|(depth, _)| *depth > 1);
        deepest(table.get_ref(), word).or_else(of_plugin)
    });
    let (_, at) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(1 + text.get(..at)?.matches('\n').count())
}

/// How many keys of a path are there, and where the last of these is.
fn deepest(table: &DeTable<'_>, path: &str) -> Option<(usize, usize)> {
    // A key may have dots of its own.
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let (key, value, rest) = ends.rev().find_map(|end| {
        let (key, value) = table.get_key_value(path.get(..end)?)?;
        Some((key, value, path.get(end + 1..).unwrap_or_default()))
    })?;
    let here = (1, start(key, value));
    match value.get_ref() {
        DeValue::Table(table) if !rest.is_empty() => {
            Some(deepest(table, rest).map_or(here, |(depth, at)| (depth + 1, at)))
        }
        _ => Some(here),
    }
}

fn start(key: &Spanned<impl Sized>, value: &Spanned<DeValue<'_>>) -> usize {
    key.span().start.min(value.span().start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_key_that_a_message_names_has_the_line() {
        let text = "plugin_folder = \"p\"\n[pool]\nsize = 0\n\n[plugins.a]\ncomponent = \"a\"\n[plugins.\"B c\"]\ncomponent = \"b\"\n\
                    [filters]\n\"app.note\" = \"x\"\n[plugins.a.queries.q.limits]\nrows = 0\n";
        for (message, line) in [
            ("pool.size must be greater than zero", Some(3)),
            ("pool.wait_ms is wrong, and pool", Some(2)),
            ("the filter of \"app.note\" in [filters] is not understood", Some(9)),
            ("plugins.a.queries.q.limits.rows must be more", Some(12)),
            ("plugins.a has no `component`", Some(5)),
            ("plugin_folder names nothing", Some(1)),
            ("nothing of it is there", None),
        ] {
            assert_eq!(line_of(text, message), line, "{message}");
        }
    }
}
