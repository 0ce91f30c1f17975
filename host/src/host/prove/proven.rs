use std::sync::Arc;

use callslip_ir::{Rows, ValueType};

use super::rebinding::{Described, Slot};
use crate::Code;
use crate::catalog::{ChosenSchemas, ObjectName, Oid};
use crate::loan::ResultColumn;
use crate::plugin::{Failure, Shape};
use crate::rows::JsonObject;
use crate::select::{ColumnName, Finding, RowFilter, ValueRule};

/// A shape of a query, with the statements that it was proven to send.
#[derive(Debug)]
pub struct ProvenShape {
    /// What is seen of the call.
    pub shape: Shape,
    /// The schemas for which it was proven, of those that claims choose and on which its statements depend. For other schemas
    /// the same shape is proven apart.
    pub schemas: ChosenSchemas,
    /// Its statements, or the plugin's refusal of this combination.
    pub outcome: Result<Vec<ProvenStatement>, Failure>,
    /// What the plugin has described; nothing where that does not tell all that there is to prove.
    pub(in crate::host) described: Option<Described>,
    /// Whether its statements are likely to be sent again, so that it is worth while to keep them prepared.
    pub(in crate::host) recurs: bool,
}

/// A statement that was verified and, where there is a database, parsed and described by PostgreSQL.
#[derive(Clone, Debug)]
pub struct ProvenStatement {
    /// Its name; empty where the query has only one.
    pub name: String,
    /// How many rows it gives.
    pub rows: Rows,
    /// What there is to know of the page, if it gives one.
    pub page: Option<ProvenPage>,
    /// Its text.
    pub sql: Arc<str>,
    /// The digest of what the plugin described, as the comment that the text begins with has it.
    pub digest: Arc<str>,
    /// What is bound to `$1`, `$2`, and so on.
    pub values: Vec<ValueSource>,
    /// Where each of them is in the description.
    pub(in crate::host) slots: Arc<[Slot]>,
    /// What some of them must be, by their position.
    pub rules: Arc<[(usize, ValueRule)]>,
    /// The types that they are bound as, for people.
    pub types: Arc<[String]>,
    /// The columns of its result, without those of a page's keys. Without a database, of the type `unknown` where the verifier can't
    /// infer it.
    pub columns: Arc<[ResultColumn]>,
    /// How its rows are written as JSON; nothing without a database.
    pub(in crate::host) object: Option<Arc<JsonObject>>,
    /// What else is known of each of these columns, in their order.
    pub facts: Arc<[ColumnFacts]>,
    /// The relations that it reads, as `schema.name`.
    pub relations: Arc<[String]>,
    /// The functions that it calls, as `schema.name`.
    pub functions: Arc<[String]>,
    /// The columns of these relations that it reads: those that it names, those of whole rows, and those that joins compare by
    /// name.
    pub columns_read: Arc<[ColumnName]>,
    /// All that it takes from outside of `pg_catalog`, by name: relations, functions, operators, collations, and types, also
    /// those of the columns that it reads.
    pub objects: Arc<[ObjectName]>,
    /// The row filters that it is under.
    pub filters: Arc<[Arc<RowFilter>]>,
    /// What PostgreSQL expected it to cost when it was proven, in its own units: the total of its plan for any values. Nothing where
    /// no `cost` limits it, and without a database.
    pub cost: Option<f64>,
    /// What PostgreSQL takes and its author hardly means.
    pub warnings: Vec<Finding>,
}

/// What is known of a column of a result beside its name and the type in which it leaves PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnFacts {
    /// The type that it has by itself, which may be one that leaves as text, such as an enum. Of a domain, the type that it is
    /// over. Without a database, `unknown` where the verifier can't infer it.
    pub own_type: Oid,
}

/// A statement that gives a page of its rows.
#[derive(Clone, Debug)]
pub struct ProvenPage {
    /// How many keys order it.
    pub keys: usize,
    /// Where it comes from how many rows the page has at most: a parameter or a constant, and a number from 1 to 10,000.
    pub size: ValueSource,
    /// All columns that PostgreSQL sends, of which the last are the keys, as text.
    pub(in crate::host) columns: Arc<[ResultColumn]>,
    /// What tells the list, and the order of it, from any other.
    pub(in crate::host) digest: [u8; 32],
}

impl ProvenShape {
    /// Its statements; none where the plugin refuses it.
    pub(crate) fn statements(&self) -> &[ProvenStatement] {
        self.outcome.as_deref().unwrap_or_default()
    }

    /// The digest of its first statement.
    pub(in crate::host) fn digest(&self) -> Option<&Arc<str>> {
        self.statements().first().map(|statement| &statement.digest)
    }

    /// About what it takes of memory: its key, the text of its statements, and their constants.
    pub(in crate::host) fn bytes(&self) -> usize {
        let choices = self.shape.parameters.iter().chain(&self.shape.claims);
        let schemas = self.schemas.iter().map(|(logical, real)| logical.len() + real.len());
        let key: usize =
            choices.map(|choice| choice.parameter.len() + choice.value.len()).chain(schemas).sum();
        let constant = |source: &ValueSource| match source {
            ValueSource::Constant(Some(text)) => text.len(),
            _ => 0,
        };
        let warning = |its: &Finding| its.message.len() + its.help.as_ref().map_or(0, String::len);
        let statement = |its: &ProvenStatement| {
            let (constants, warnings) = (its.values.iter().map(constant), its.warnings.iter().map(warning));
            let object = |its: &ObjectName| its.schema.len() + its.name.len();
            let read = its.columns_read.iter().map(|its| object(&its.relation) + its.column.len());
            let names = read.chain(its.objects.iter().map(object));
            its.sql.len() + constants.sum::<usize>() + warnings.sum::<usize>() + names.sum::<usize>()
        };
        key + self.outcome.iter().flatten().map(statement).sum::<usize>()
    }
}

impl ProvenStatement {
    /// The statement among those of its query, for people.
    pub(in crate::host) fn described(&self) -> String {
        match self.name.as_str() {
            "" => "the query".to_owned(),
            name => format!("statement \"{name}\""),
        }
    }
}

/// Warns of a statement whose result has other columns under one choice of schemas than under the first: nothing is wrong with
/// that, but callers rarely expect it.
pub(in crate::host) fn warn_of_other_columns(shapes: &mut [ProvenShape]) {
    let [first, others @ ..] = shapes else { return };
    let names = |statement: &ProvenStatement| {
        let column = |its: &ResultColumn| format!("{} {}", its.name, its.type_name);
        statement.columns.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    for other in others {
        let Ok(statements) = &mut other.outcome else { continue };
        for (expected, statement) in first.statements().iter().zip(statements) {
            let (before, its) = (names(expected), names(statement));
            if before != its {
                let of = match statement.name.as_str() {
                    "" => "the reply".to_owned(),
                    name => format!("`{name}`"),
                };
                let message = format!(
                    "with {} the columns of {of} are ({its}), and with {} they are ({before})",
                    other.schemas, first.schemas
                );
                let help =
                    "callers of different tenants get different replies; name the columns that all have";
                statement.warnings.push(Finding::new(Code::OtherColumns, message).with_help(help));
            }
        }
    }
}

/// Where the value of a parameter of a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// A parameter of the call.
    Parameter(String),
    /// A claim of the caller.
    Claim(String),
    /// A claim of the caller that a row filter reads, whatever the query declares. Without it no row passes.
    FilterClaim {
        /// Its name.
        name: String,
        /// What values it takes.
        ty: ValueType,
    },
    /// A constant of the plugin's, of a row filter or of a page, in PostgreSQL's text form.
    Constant(Option<String>),
    /// A key of the row with which the page before ended, counted from 0: what the cursor of the call holds.
    CursorKey(usize),
}
