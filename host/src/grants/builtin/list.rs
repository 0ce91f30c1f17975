use std::collections::HashMap;

use super::{NONE, Verdict, builtin_type};
use crate::catalog::Oid;

/// A list as it is written: `# ` begins a comment, which no operator does; `[allowed] why` or `[excluded] why` stands over lines that each name
/// one thing.
pub(super) struct List {
    pub text: &'static str,
    /// Reads a line: a name, and the types that tell it from others of the name.
    pub read: fn(&'static str) -> Option<Key>,
}

/// A name, and the ids of types.
pub(super) type Key = (&'static str, Vec<Oid>);

/// A line of a list.
pub(super) struct Entry {
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests say which line is wrong"))]
    pub line: &'static str,
    pub verdict: Verdict,
    /// What it names; none, if it can't be read.
    pub key: Option<Key>,
}

impl List {
    /// The lines that name something. What stands above the first heading names nothing.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut verdict = None;
        let lines = self.text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
        lines.filter_map(move |line| {
            if let Some(why) = line.strip_prefix("[allowed] ") {
                verdict = Some(Verdict::Allowed(why));
            } else if let Some(why) = line.strip_prefix("[excluded] ") {
                verdict = Some(Verdict::Excluded(why));
            } else {
                return verdict.map(|verdict| Entry { line, verdict, key: (self.read)(line) });
            }
            None
        })
    }
}

/// The verdicts of a list, by name and then by types.
pub(super) struct Verdicts(HashMap<&'static str, Vec<(Vec<Oid>, Verdict)>>);

impl Verdicts {
    pub fn of(list: &List) -> Self {
        let mut verdicts: HashMap<_, Vec<_>> = HashMap::new();
        for entry in list.entries() {
            // A line that can't be read allows nothing; a test finds it.
            if let Some((name, types)) = entry.key {
                verdicts.entry(name).or_default().push((types, entry.verdict));
            }
        }
        Self(verdicts)
    }

    pub fn find(&self, name: &str, types: &[Oid]) -> Option<Verdict> {
        let of_name = self.0.get(name)?;
        of_name.iter().find(|(its, _)| its == types).map(|(_, verdict)| *verdict)
    }

    /// The names in it, in order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }
}

/// `abs(int4)`, `concat(VARIADIC "any")`, `-(NONE, int4)`.
pub(super) fn signature(line: &'static str) -> Option<Key> {
    let (name, arguments) = line.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.split(", ").filter(|argument| !argument.is_empty());
    let types = arguments.map(|argument| oid(argument.strip_prefix("VARIADIC ").unwrap_or(argument)));
    Some((name, types.collect::<Option<_>>()?))
}

/// `int4 AS int8`.
pub(super) fn cast(line: &'static str) -> Option<Key> {
    let (source, target) = line.split_once(" AS ")?;
    Some(("", vec![oid(source)?, oid(target)?]))
}

/// `int4`.
pub(super) fn ty(line: &'static str) -> Option<Key> {
    Some((line, vec![oid(line)?]))
}

/// The id of a type of `pg_catalog` by its name, of an array with `[]` behind it.
fn oid(written: &str) -> Option<Oid> {
    if written == "NONE" {
        return Some(NONE);
    }
    let (name, is_array) = match written.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (written, false),
    };
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let (oid, array) = builtin_type(name)?;
    if is_array { array } else { Some(oid) }
}
