use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::drift::{ReplyColumn, columns};
use super::load::PluginFinding;
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::prove::{ProvenShape, ProvenStatement};
use crate::Code;
use crate::select::Finding;

/// What is otherwise in a plugin from what was served before it: told exactly from the shapes of both that are proven, whether
/// it is another version, or the same under another configuration.
///
/// Its `Display` is one line: `SQL changes in 3 shapes, reply columns in none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swap {
    /// How many shapes send other SQL than before, of those that were there before and are there now. The comment that names the
    /// plugin and the description does not count.
    pub other_sql: usize,
    /// How many shapes are new, of queries that were there before.
    pub new_shapes: usize,
    /// How many shapes are gone, of queries that are still there.
    pub gone_shapes: usize,
    /// The queries that are served and were not before.
    pub added: Vec<String>,
    /// The queries that were served before and are not any more.
    pub dropped: Vec<String>,
    /// What is otherwise in replies.
    pub replies: Vec<ReplyChange>,
}

/// What is otherwise in a statement of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyChange {
    /// The query.
    pub query: String,
    /// The statement; empty where the query has only one.
    pub statement: String,
    /// In how many shapes.
    pub shapes: usize,
    /// What.
    pub what: ReplyDifference,
}

/// What is otherwise in the result of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReplyDifference {
    /// Columns came after those that there were. Nothing that a caller reads is another thing by that.
    Appended(Vec<ReplyColumn>),
    /// Columns are of other types, gone, or new before or between those that there were.
    Columns(Vec<ReplyColumn>),
    /// The columns are the same, in another order.
    Order,
    /// It gives one row where it gave many, or the other way round.
    Rows,
    /// There is no statement of that name any more.
    Gone,
}

impl ReplyDifference {
    /// Whether callers may read something else by it than they did.
    pub fn is_loss(&self) -> bool {
        !matches!(self, Self::Appended(_))
    }
}

impl Swap {
    /// What is otherwise in a plugin, as far as it is served. Without a version after it all is gone.
    pub(super) fn between(before: &LoadedPlugin, after: Option<&LoadedPlugin>) -> Self {
        let mut swap = Self::default();
        let served = |plugin: &LoadedPlugin| -> HashSet<String> {
            plugin.queries.iter().filter(|its| its.is_served).map(|its| its.name().to_owned()).collect()
        };
        let were = served(before);
        for query in before.queries.iter().filter(|query| query.is_served) {
            match after.and_then(|after| after.query(query.name())).filter(|its| its.is_served) {
                Some(now) => swap.compare(query, now),
                None => swap.dropped.push(query.name().to_owned()),
            }
        }
        let now = after.iter().flat_map(|after| &after.queries).filter(|query| query.is_served);
        swap.added =
            now.map(LoadedQuery::name).filter(|name| !were.contains(*name)).map(str::to_owned).collect();
        swap
    }

    fn compare(&mut self, before: &LoadedQuery, after: &LoadedQuery) {
        let by_key = |query: &'_ LoadedQuery| -> HashMap<_, _> {
            query.shapes.iter().map(|its| ((its.shape.clone(), its.schemas.clone()), its.clone())).collect()
        };
        let now = by_key(after);
        let mut differences: BTreeMap<(String, ReplyDifference), usize> = BTreeMap::new();
        let mut tell = |old: &ProvenShape, new: &ProvenShape| {
            for difference in differences_of(old, new) {
                *differences.entry(difference).or_default() += 1;
            }
        };
        let mut met = 0;
        for old in &before.shapes {
            match now.get(&(old.shape.clone(), old.schemas.clone())) {
                Some(new) => {
                    met += 1;
                    self.other_sql += usize::from(sends_other_sql(old, new));
                    tell(old, new);
                }
                None => self.gone_shapes += 1,
            }
        }
        self.new_shapes += after.shapes.len() - met;
        if met == 0 {
            // Its parameters are others: what it replies is told by the first shape of each.
            let first = |query: &'_ LoadedQuery| query.shapes.iter().find(|its| its.outcome.is_ok()).cloned();
            if let (Some(old), Some(new)) = (first(before), first(after)) {
                tell(&old, &new);
            }
        }
        let query = before.name();
        self.replies.extend(differences.into_iter().map(|((statement, what), shapes)| ReplyChange {
            query: query.to_owned(),
            statement,
            shapes,
            what,
        }));
    }

    /// Whether it is all the same.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What callers lose by it, of which each is a reason not to serve it: queries that are dropped, and replies whose columns are
    /// others. Columns that come after those that there were are none.
    pub(super) fn losses(&self, plugin: &str) -> Vec<PluginFinding> {
        let help = format!(
            "serve it all the same by force: POST /admin/reload?force={plugin} at the address of [admin], or `Host::refresh_forcing`"
        );
        let loss = |query: &str, message: String| PluginFinding {
            query: Some(query.to_owned()),
            finding: Finding::new(Code::ReloadRefused, message).with_help(&help),
        };
        let dropped = self
            .dropped
            .iter()
            .map(|query| loss(query, "it is served now, and would not be any more".to_owned()));
        let replies = self.replies.iter().filter(|reply| reply.what.is_loss());
        dropped.chain(replies.map(|reply| loss(&reply.query, reply.to_string()))).collect()
    }
}

/// The text without the comment that it begins with.
fn text(statement: &ProvenStatement) -> &str {
    statement.sql.split_once(" */ ").map_or(&statement.sql, |(_, text)| text)
}

fn sends_other_sql(old: &ProvenShape, new: &ProvenShape) -> bool {
    let texts = |shape: &ProvenShape| -> Vec<String> {
        // Parameters that are bound otherwise are another statement, too.
        shape.statements().iter().map(|its| format!("{} {:?}", text(its), its.values)).collect()
    };
    texts(old) != texts(new)
}

/// What is otherwise in each statement. A plugin that refuses a shape replies nothing to it.
fn differences_of(old: &ProvenShape, new: &ProvenShape) -> Vec<(String, ReplyDifference)> {
    let (Ok(old), Ok(new)) = (&old.outcome, &new.outcome) else { return Vec::new() };
    let mut differences = Vec::new();
    for before in old {
        let mut add = |what| differences.push((before.name.clone(), what));
        let Some(now) = new.iter().find(|its| its.name == before.name) else {
            add(ReplyDifference::Gone);
            continue;
        };
        if before.rows != now.rows {
            add(ReplyDifference::Rows);
        }
        let same = before.columns.iter().zip(now.columns.iter());
        let begins_alike = before.columns.len() <= now.columns.len()
            && same.clone().all(|(was, is)| (&was.name, &was.type_name) == (&is.name, &is.type_name));
        let columns = columns(before, now);
        match (begins_alike, columns.is_empty()) {
            (true, true) => {}
            (true, false) => add(ReplyDifference::Appended(columns)),
            (false, true) => add(ReplyDifference::Order),
            (false, false) => add(ReplyDifference::Columns(columns)),
        }
    }
    differences
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => "none".to_owned(),
        1 => format!("1 {what}"),
        several => format!("{several} {what}s"),
    }
}

impl fmt::Display for Swap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sql = match self.other_sql {
            0 => "no shape".to_owned(),
            some => counted(some, "shape"),
        };
        let replies: usize = self.replies.iter().map(|reply| reply.shapes).sum();
        let replies = match replies {
            0 => "none".to_owned(),
            some => some.to_string(),
        };
        write!(f, "SQL changes in {sql}, reply columns in {replies}")?;
        for (count, what) in [(self.new_shapes, "new"), (self.gone_shapes, "gone")] {
            match count {
                0 => {}
                1 => write!(f, "; 1 shape is {what}")?,
                several => write!(f, "; {several} shapes are {what}")?,
            }
        }
        for (queries, what) in [(&self.added, "added"), (&self.dropped, "dropped")] {
            if !queries.is_empty() {
                write!(f, "; {what}: {}", queries.join(", "))?;
            }
        }
        for reply in &self.replies {
            write!(f, "; {}: {reply}", reply.query)?;
        }
        Ok(())
    }
}

impl fmt::Display for ReplyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statement = match self.statement.as_str() {
            "" => String::new(),
            name => format!(" `{name}`"),
        };
        write!(f, "the reply{statement} {} in {}", self.what, counted(self.shapes, "shape"))
    }
}

impl fmt::Display for ReplyDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appended(columns) | Self::Columns(columns) => {
                let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
                write!(f, "has other columns ({})", columns.join(", "))
            }
            Self::Order => f.write_str("has its columns in another order"),
            Self::Rows => f.write_str("is one row where it was many, or the other way round,"),
            Self::Gone => f.write_str("is gone"),
        }
    }
}
