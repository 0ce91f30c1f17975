use std::sync::Arc;

use tokio_postgres::Row;

use super::cursor::{Context, ContextMaker, CursorKey};
use super::error::CallError;
use super::prove::{ProvenPage, ProvenShape, ProvenStatement, ValueSource};
use super::request::Called;
use crate::Code;
use crate::loan::{BoundStatement, ResultColumn};
use crate::plugin::{self, ArgumentError, Arguments};
use crate::rows::RowError;

/// The page that a call gives, while it is read.
pub(super) struct Paging {
    /// The statement that gives it, counted from 0.
    pub statement: usize,
    /// The parameter that takes a cursor.
    #[cfg(feature = "service")]
    pub parameter: String,
    key: CursorKey,
    context: Context,
    /// How many rows it has at most.
    size: u64,
    /// How many columns the reply has; those behind them are the keys.
    columns: usize,
    given: u64,
    /// The keys of the last row that was given.
    last: Vec<Option<String>>,
    follows: bool,
    next: Option<String>,
}

impl Paging {
    /// The page of a call whose statements are bound but for the keys of its cursor, which are bound here. None, if it has no
    /// page.
    ///
    /// # Errors
    /// The cursor is not of this list.
    pub fn bind(
        proven: &ProvenShape,
        called: &Called<'_>,
        statements: &mut [BoundStatement],
        key: &CursorKey,
    ) -> Result<Option<Self>, CallError> {
        let found =
            proven.statements().iter().enumerate().find_map(|(at, its)| Some((at, its, its.page.as_ref()?)));
        let Some((statement, of, page)) = found else { return Ok(None) };
        let arguments = &called.arguments;
        let cursor = plugin::cursor_of(called.query.declaration());
        let filtered = statements.get(statement).map(|bound| of_filters(of, bound)).unwrap_or_default();
        let context = context(called, proven, page, cursor, &filtered);
        if let Some(name) = cursor
            && let Some(Some(written)) = arguments.parameters.get(name)
        {
            let Some(keys) = key.open(&context, written, page.keys) else { return Err(invalid(name)) };
            let bound = statements.get_mut(statement).map(|its| its.values.as_mut_slice());
            for (source, value) in of.values.iter().zip(bound.unwrap_or_default()) {
                if let ValueSource::CursorKey(at) = source {
                    *value = keys.get(*at).cloned().flatten();
                }
            }
        }
        Ok(Some(Self {
            statement,
            #[cfg(feature = "service")]
            parameter: cursor.unwrap_or_default().to_owned(),
            key: key.clone(),
            context,
            size: size(page, arguments),
            columns: of.columns.len(),
            given: 0,
            last: Vec::new(),
            follows: false,
            next: None,
        }))
    }

    /// Takes notice of a row, and says whether it is of the page: the one behind the last is not.
    ///
    /// # Errors
    /// There can be no cursor between the two.
    pub fn meets(&mut self, row: &Row) -> Result<bool, CallError> {
        if self.follows {
            return Err(RowError::Unexpected.into());
        }
        if self.given + 1 < self.size {
            self.given += 1;
            return Ok(true);
        }
        let keys = (self.columns..row.len()).map(|at| row.try_get::<_, Option<String>>(at));
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|_| RowError::Unexpected)?;
        if self.given < self.size {
            self.given += 1;
            self.last = keys;
            return Ok(true);
        }
        if keys == self.last {
            let why =
                "its keys do not tell the last row from the one behind it; order it by a unique column too";
            return Err(CallError::NoCursor { why });
        }
        let Some(next) = self.key.seal(&self.context, &self.last) else {
            return Err(CallError::NoCursor { why: "the keys of its last row have more than 2,048 bytes" });
        };
        (self.follows, self.next) = (true, Some(next));
        Ok(false)
    }

    /// Where the next page begins; nothing where none follows, and before the last row of this one was read.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

/// How many rows the page has at most. It was proven that this is a number.
fn size(page: &ProvenPage, arguments: &Arguments) -> u64 {
    let text = match &page.size {
        ValueSource::Parameter(name) => arguments.parameters.get(name).and_then(Option::as_deref),
        ValueSource::Constant(text) => text.as_deref(),
        _ => None,
    };
    text.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The claims that the row filters of the list read. Those of other statements are not among them, so that a cursor is good for the
/// whole reply and for the one statement of it that is picked.
fn of_filters<'a>(proven: &'a ProvenStatement, bound: &BoundStatement) -> Vec<(&'a str, Option<String>)> {
    let values = proven.values.iter().zip(&bound.values);
    let of_claims = values.filter_map(|(source, value)| match source {
        ValueSource::FilterClaim { name, .. } => Some((name.as_str(), value.clone())),
        _ => None,
    });
    of_claims.collect()
}

/// What tells the list from any other: the query and what it describes, what is seen of the call, and all values that are bound
/// but those of the page itself.
fn context(
    called: &Called<'_>,
    proven: &ProvenShape,
    page: &ProvenPage,
    cursor: Option<&str>,
    filtered: &[(&str, Option<String>)],
) -> Context {
    let (query, arguments) = (called.query.declaration(), &called.arguments);
    let is_of_page = |name: &str| {
        Some(name) == cursor || matches!(&page.size, ValueSource::Parameter(size) if size == name)
    };
    let seen = |its: &&plugin::Choice| !is_of_page(&its.parameter);
    let bound = |(name, _): &(&String, &Option<String>)| !is_of_page(name);
    ContextMaker::new()
        .with(&called.plugin.name)
        .with(&query.name)
        .with(page.digest)
        .with_pairs(proven.schemas.iter().map(|(logical, real)| (logical, Some(real))))
        .with_pairs(arguments.shape.parameters.iter().filter(seen).map(choice))
        .with_pairs(arguments.shape.claims.iter().map(choice))
        .with_pairs(arguments.parameters.iter().filter(bound).map(text))
        .with_pairs(arguments.claims.iter().map(text))
        .with_pairs(filtered.iter().map(|(name, value)| (*name, value.as_deref())))
        .finish()
}

fn choice(choice: &plugin::Choice) -> (&str, Option<&str>) {
    (&choice.parameter, Some(&choice.value))
}

fn text<'a>((name, value): (&'a String, &'a Option<String>)) -> (&'a str, Option<&'a str>) {
    (name, value.as_deref())
}

/// It was changed, is of another list, or of another key: nobody is told which.
fn invalid(name: &str) -> CallError {
    CallError::Arguments(vec![ArgumentError {
        code: Code::InvalidCursor,
        parameter: Some(name.to_owned()),
        message: format!(
            "parameter `{name}` is no cursor of this list: it goes with the parameters, the order and the caller of the page \
             that it came with, as long as the query is what it was; ask for the first page again, without `{name}`"
        ),
    }])
}

impl ProvenStatement {
    /// All columns that PostgreSQL sends, those of the keys of a page too.
    pub(super) fn sent_columns(&self) -> &Arc<[ResultColumn]> {
        self.page.as_ref().map_or(&self.columns, |page| &page.columns)
    }
}
