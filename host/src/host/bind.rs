use std::sync::Arc;

use callslip_ir::ValueType;

use super::cursor::CursorKey;
use super::error::CallError;
use super::page::Paging;
use super::plugin::LoadedQuery;
use super::prove::{ProvenShape, ProvenStatement, ValueSource};
use super::request::Called;
use crate::Code;
use crate::loan::{BoundStatement, Kept};
use crate::plugin::{self, ArgumentError, Arguments, Inputs};
use crate::select::ValueRule;

/// What is to be run.
pub(super) struct Bound {
    pub proven: Arc<ProvenShape>,
    pub statements: Vec<BoundStatement>,
    /// The page that it gives, if it gives one.
    pub paging: Option<Paging>,
    /// The claims that row filters read and that the caller does not have.
    pub absent: Arc<[String]>,
}

impl Bound {
    /// Binds the statements of a shape to what the caller gave.
    ///
    /// # Errors
    /// The plugin refuses the shape, a claim that a row filter reads is no value of its type, a value is not what it must be
    /// where it is used, or the cursor is none of this list.
    pub fn new(
        proven: Arc<ProvenShape>,
        called: &Called<'_>,
        claims: &Inputs,
        key: &CursorKey,
    ) -> Result<Self, CallError> {
        let statements = proven.outcome.as_ref().map_err(|failure| CallError::Refused(failure.clone()))?;
        let limits = called.plugin.version.component.engine().limits();
        let mut of_filters = OfFilters { claims, limits, absent: Vec::new(), errors: Vec::new() };
        let kept = match (proven.recurs, called.query.is_open()) {
            (false, _) => Kept::Never,
            // Callers make as many of them as they like, and others need theirs.
            (true, true) => Kept::Sparingly,
            (true, false) => Kept::Always,
        };
        let mut broken = Vec::new();
        let mut bound = Vec::with_capacity(statements.len());
        for statement in statements {
            let its = bind(statement, &called.arguments, &mut of_filters, called.query, kept);
            for error in broken_rules(&statement.rules, &statement.values, &its.values) {
                if !broken.contains(&error) {
                    broken.push(error);
                }
            }
            bound.push(its);
        }
        let OfFilters { absent, mut errors, .. } = of_filters;
        errors.extend(broken);
        if !errors.is_empty() {
            return Err(CallError::Arguments(errors));
        }
        let paging = Paging::bind(&proven, called, &mut bound, key)?;
        Ok(Self { statements: bound, paging, absent: absent.into(), proven })
    }
}

/// The claims that row filters read.
struct OfFilters<'a> {
    claims: &'a Inputs,
    limits: &'a plugin::Limits,
    /// Those that the caller does not have, each once.
    absent: Vec<String>,
    errors: Vec<ArgumentError>,
}

impl OfFilters<'_> {
    fn value(&mut self, name: &str, ty: &ValueType) -> Option<String> {
        match plugin::claim_of_filter(name, ty, self.claims, self.limits) {
            Ok(Some(value)) => return Some(value),
            Ok(None) if self.absent.iter().any(|its| its == name) => {}
            Ok(None) => self.absent.push(name.to_owned()),
            Err(error) if self.errors.contains(&error) => {}
            Err(error) => self.errors.push(error),
        }
        None
    }
}

/// The values that are not what they must be. Constants were looked at when the statement was proven.
fn broken_rules(
    rules: &[(usize, ValueRule)],
    sources: &[ValueSource],
    values: &[Option<String>],
) -> Vec<ArgumentError> {
    let broken = rules.iter().filter_map(|(at, rule)| {
        let (code, side, name) = match sources.get(*at)? {
            ValueSource::Parameter(name) => (Code::InvalidParameter, "parameter", name),
            ValueSource::Claim(name) => (Code::InvalidClaim, "claim", name),
            ValueSource::FilterClaim { .. } | ValueSource::Constant(_) | ValueSource::CursorKey(_) => {
                return None;
            }
        };
        let wrong = rule.check(values.get(*at)?.as_deref()?).err()?;
        Some(ArgumentError {
            code,
            parameter: Some(name.clone()),
            message: format!("{side} `{name}` {wrong}"),
        })
    });
    broken.collect()
}

fn bind(
    statement: &ProvenStatement,
    arguments: &Arguments,
    of_filters: &mut OfFilters<'_>,
    query: &LoadedQuery,
    kept: Kept,
) -> BoundStatement {
    let value = |source: &ValueSource| match source {
        // Each was proven to be there in this shape.
        ValueSource::Parameter(name) => arguments.parameters.get(name).cloned().flatten(),
        ValueSource::Claim(name) => arguments.claims.get(name).cloned().flatten(),
        ValueSource::FilterClaim { name, ty } => of_filters.value(name, ty),
        ValueSource::Constant(text) => text.clone(),
        // It is bound when all else is: the cursor goes with that.
        ValueSource::CursorKey(_) => None,
    };
    BoundStatement {
        sql: statement.sql.clone(),
        values: statement.values.iter().map(value).collect(),
        columns: statement.sent_columns().clone(),
        kept,
        is_single: statement.rows == callslip_ir::Rows::One,
        plan: query.plan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_too_long_where_it_is_used_is_the_callers_error() {
        let rule = ValueRule { most_bytes: Some(2), is_format: false };
        let rules = [0, 1, 2, 4].map(|at| (at, rule));
        let named = |name: &str| name.to_owned();
        let sources = [
            ValueSource::Parameter(named("a")),
            ValueSource::Claim(named("b")),
            ValueSource::Parameter(named("short")),
            ValueSource::Parameter(named("free")),
            ValueSource::Parameter(named("null")),
        ];
        let values = ["abc", "abc", "ab", "abc"].map(|text| Some(named(text)));
        let values: Vec<_> = values.into_iter().chain([None]).collect();
        let broken = broken_rules(&rules, &sources, &values);
        let told: Vec<_> = broken.iter().map(|error| (error.code, error.message.as_str())).collect();
        let why = "has 3 bytes, and at most 2 where it is used: PostgreSQL can't be interrupted there";
        let expected = [(Code::InvalidParameter, "parameter `a`"), (Code::InvalidClaim, "claim `b`")]
            .map(|(code, what)| (code, format!("{what} {why}")));
        assert_eq!(told, expected.each_ref().map(|(code, message)| (*code, message.as_str())));
    }
}
